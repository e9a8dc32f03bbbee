"""An archive of its own in a directory, and the daemon on it: for the demo and the system tests."""

import atexit
import os
import random
import re
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request

from mailkeep_client import Api, Web


# Who takes a port makes the directory PORT.PID here; tests/system/lib.sh does the same.
PORT_LOCKS = os.path.join(tempfile.gettempdir(), "mailkeep-test-ports")


def can_listen(port):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
            return True
        except OSError:
            return False


def lock_port(port):
    """True when this process alone has it. Locks of processes that are gone are thrown away."""
    mine = os.path.join(PORT_LOCKS, f"{port}.{os.getpid()}")
    try:
        os.mkdir(mine)
    except FileExistsError:
        return False
    for name in os.listdir(PORT_LOCKS):
        number, _, pid = name.partition(".")
        if number == str(port) and pid != str(os.getpid()):
            if os.path.exists(f"/proc/{pid}"):
                os.rmdir(mine)
                return False
            shutil.rmtree(os.path.join(PORT_LOCKS, name), ignore_errors=True)
    atexit.register(shutil.rmtree, mine, ignore_errors=True)
    return True


def free_port(wanted):
    """@wanted when it is free, else one that no other test takes until this process ends.

    It lies below the range of outgoing connections, so that none of these takes it either.
    """
    if wanted and can_listen(wanted):
        return wanted
    os.makedirs(PORT_LOCKS, exist_ok=True)
    for _ in range(1000):
        port = random.randrange(20000, 30000)
        if can_listen(port) and lock_port(port):
            return port
    raise SystemExit("no free port")


def disk_bytes(path):
    total = 0
    for folder, _, files in os.walk(path):
        for name in files:
            total += os.stat(os.path.join(folder, name)).st_blocks * 512
    return total


def make_password():
    """A random one that the password policy takes: no character three times in a row."""
    while True:
        text = "Pw-" + secrets.token_hex(8)
        if not re.search(r"(.)\1\1", text):
            return text


RECOVERY = re.compile(r"^    ([A-Z0-9-]{20,})$", re.M)
SANITIZER = re.compile(r"ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:")


class Server:
    """An archive of its own under @work, and the daemon on it."""

    def __init__(self, bin_dir, work, any_port=False, keep=False):
        def port(number):
            return free_port(0 if any_port else number)

        self.bin_dir = bin_dir
        self.data = os.path.join(work, "data")
        self.config = os.path.join(work, "mailkeep.yaml")
        self.log = os.path.join(work, "mailkeepd.log")
        self.password, self.recovery = make_password(), None
        self.ports = {"smtp": port(10025), "smtps": port(10465), "https": port(8462),
                      "api": port(8463), "metrics": port(9463)}
        self.certificate = os.path.join(self.data, "tls", "certificate.pem")
        self.settings = ""  # further lines of the configuration
        self.environment = dict(os.environ)
        self.process = None
        if not keep:
            shutil.rmtree(self.data, ignore_errors=True)
        os.makedirs(work, exist_ok=True)

    def write_config(self):
        services = "".join(f"  {name}: {{enabled: true, listen: \"127.0.0.1:{port}\"}}\n"
                           for name, port in self.ports.items())
        services += "".join(f"  {name}: {{enabled: false}}\n"
                            for name in ("pop3", "pop3s", "imap", "imaps", "http"))
        with open(self.config, "w", encoding="utf-8") as out:
            out.write(f"hostname: localhost\ndata_dir: {self.data}\n{self.settings}services:\n{services}")

    def init(self):
        self.recovery = RECOVERY.search(self.run_with_password("init", "")).group(1)

    def adopt(self, recovery):
        """Of an archive that was there already (@keep) this object is the administrator now."""
        self.run_with_password("reset-administrator", recovery + "\n")

    def run_with_password(self, command, given):
        self.write_config()
        password_file = os.path.join(os.path.dirname(self.config), "password")
        with open(os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w",
                  encoding="utf-8") as out:
            out.write(self.password + "\n")
        done = subprocess.run([os.path.join(self.bin_dir, "mailkeep"), command, "--config",
                               self.config, "--admin-password-file", password_file], check=True,
                              input=given, stdout=subprocess.PIPE, text=True)
        os.unlink(password_file)
        return done.stdout

    def start(self):
        with open(self.log, "ab") as log:
            began = log.tell()
            self.process = subprocess.Popen(
                [os.path.join(self.bin_dir, "mailkeepd"), "--config", self.config],
                stdin=subprocess.DEVNULL, stderr=log, env=self.environment)
        end = time.monotonic() + 120
        while time.monotonic() < end:
            if "daemon.started" in self.log_text(began):
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError("mailkeepd did not start:\n" + self.log_text(began))

    def log_text(self, begin=0):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            log.seek(begin)
            return log.read()

    def reports(self):
        """Lines in which a sanitizer says what it found."""
        return [line for line in self.log_text().splitlines() if SANITIZER.search(line)]

    def kill(self):
        self.process.kill()
        self.process.wait(timeout=60)

    def stop(self):
        """TERM; the exit status, None when it did not run."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=120)
        return self.process.returncode

    def api(self, user="admin", password=None):
        return Api(self.ports["api"], self.certificate, user, password or self.password)

    def web(self, user="admin", password=None):
        return Web(self.ports["https"], self.certificate, user, password or self.password)

    def wait_indexed(self, seconds=300):
        """True when all that is durable can be found."""
        end = time.monotonic() + seconds
        while self.metric("index_behind") > 0:
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        return True

    def metric(self, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports['metrics']}/metrics",
                                    timeout=60) as answer:
            found = re.search(rf"^mailkeep_{name}(?:\{{\}})? (\S+)$", answer.read().decode(), re.M)
        return float(found.group(1))
