"""The servers that `make bench` compares: Mailkeep, Postfix and Dovecot's LMTP.

Each runs on loopback with a configuration and a directory of its own on the same file system,
as Debian ships it otherwise. `cpu()` counts all processes of a server, ended ones included.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "tools"))
from mailkeep_server import Server, free_port  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")
DOMAIN = "firma.example"
MAILBOXES = 100  # Dovecot locks a mailbox while it delivers, so the mails go to many


def process_table():
    """pid -> (parent, CPU seconds of it and of the children it has waited for)"""
    table = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", encoding="latin-1") as stat:
                fields = stat.read().rpartition(")")[2].split()
        except OSError:
            continue
        table[int(name)] = (int(fields[1]), sum(map(int, fields[11:15])) / TICKS)
    return table


def tree(table, root):
    found, wave = [], [root]
    while wave:
        found += wave
        wave = [pid for pid, (parent, _) in table.items() if parent in wave]
    return [pid for pid in found if pid in table]


def own_cpu(pid):
    """Of the process alone, without those that it has started."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def pss_bytes(pid):
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
            return next(int(line.split()[1]) for line in rollup if line.startswith("Pss:")) * 1024
    except (OSError, StopIteration):
        return 0


class Peer:
    """A server in the foreground, the root of its processes."""

    name = None
    client_options = ()

    def __init__(self, work):
        self.dir = os.path.join(work, self.name)
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir)
        os.chmod(self.dir, 0o755)
        self.port = free_port(0)
        self.process = None

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def write(self, name, text, mode=0o644):
        with open(self.path(name), "w", encoding="utf-8") as out:
            out.write(text)
        os.chmod(self.path(name), mode)

    def run(self, *command):
        with open(self.path("log"), "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError(f"{self.name} does not listen; see {self.path('log')}")

    def pid(self):
        return self.process.pid

    def cpu(self):
        table = process_table()
        return sum(table[pid][1] for pid in tree(table, self.pid()))

    def index_cpu(self):
        return 0.0

    def pss(self):
        return sum(map(pss_bytes, tree(process_table(), self.pid())))

    def settle(self):
        """Waits until what the mails have started is done."""
        last = -1.0
        while self.cpu() - last > 0.02:
            last = self.cpu()
            time.sleep(0.5)

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=60)


class Postfix(Peer):
    """Accepts, queues and discards: it need not store anything for longer."""

    name = "postfix"
    program = "/usr/lib/postfix/sbin/master"
    package = "postfix"
    client_options = (f"--to=journal@{DOMAIN}",)

    MAIN = """\
compatibility_level = 3.6
myhostname = bench.{domain}
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
default_transport = discard
message_size_limit = 157286400
queue_directory = {dir}/queue
data_directory = {dir}/data
smtpd_tls_security_level = may
smtpd_tls_chain_files = {pem}
maillog_file =
"""
    MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
proxywrite unix - - n - 1 proxymap
discard   unix  - - n - - discard
error     unix  - - n - - error
retry     unix  - - n - - error
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
"""

    def start(self, pem):
        os.mkdir(self.path("queue"))
        os.mkdir(self.path("data"))
        shutil.chown(self.path("data"), "postfix")
        self.write("main.cf", self.MAIN.format(dir=self.dir, domain=DOMAIN, pem=pem))
        self.write("master.cf", self.MASTER.format(port=self.port))
        subprocess.run(["postfix", "-c", self.dir, "check"], check=True,
                       stderr=subprocess.DEVNULL)
        self.run(self.program, "-c", self.dir, "-d")

    def stored(self):
        return None


class Dovecot(Peer):
    """Stores compressed and encrypted, each mail in one mailbox."""

    name = "dovecot"
    program = "/usr/sbin/dovecot"
    package = "dovecot-lmtpd"
    client_options = ("--lmtp", f"--to=user%@{DOMAIN}", f"--spread={MAILBOXES}")

    CONF = """\
protocols = lmtp
listen = 127.0.0.1
base_dir = {dir}/run
state_dir = {dir}/state
log_path = {dir}/dovecot.log
ssl = yes
first_valid_uid = 1
mail_uid = mail
mail_gid = mail
service lmtp {{
  inet_listener lmtp {{
    port = {port}
  }}
}}
"""
    CONF_2_3 = """\
ssl_cert = <{pem}
ssl_key = <{pem}
mail_location = mdbox:~/mdbox
mail_plugins = $mail_plugins zlib mail_crypt
plugin {{
  zlib_save = zstd
  mail_crypt_global_private_key = <{dir}/private.pem
  mail_crypt_global_public_key = <{dir}/public.pem
  mail_crypt_save_version = 2
}}
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home={dir}/home/%n allow_all_users=yes
}}
"""
    CONF_2_4 = """\
ssl_server_cert_file = {pem}
ssl_server_key_file = {pem}
mail_driver = mdbox
mail_path = ~/mdbox
mail_plugins = mail_compress mail_crypt
mail_compress_write_method = zstd
crypt_global_public_key_file = {dir}/public.pem
crypt_global_private_key main {{
  crypt_private_key_file = {dir}/private.pem
}}
passdb static {{
  fields {{
    nopassword = yes
  }}
}}
userdb static {{
  fields {{
    uid = mail
    gid = mail
    home = {dir}/home/%{{user | username}}
  }}
  allow_all_users = yes
}}
"""

    def conf(self):
        """From 2.4 on the first lines say which version's settings follow."""
        version = subprocess.run([self.program, "--version"], check=True, stdout=subprocess.PIPE,
                                 text=True).stdout.split()[0].split("-")[0]
        if [int(n) for n in version.split(".")[:2]] < [2, 4]:
            return self.CONF + self.CONF_2_3
        return (f"dovecot_config_version = {version}\ndovecot_storage_version = {version}\n" +
                self.CONF + self.CONF_2_4)

    def start(self, pem):
        os.mkdir(self.path("home"))
        shutil.chown(self.path("home"), "mail", "mail")
        for command in (["genpkey", "-algorithm", "EC", "-pkeyopt",
                         "ec_paramgen_curve:prime256v1", "-out", "private.pem"],
                        ["pkey", "-in", "private.pem", "-pubout", "-out", "public.pem"]):
            subprocess.run(["openssl", *command], check=True, cwd=self.dir,
                           stderr=subprocess.DEVNULL)
        self.write("dovecot.conf", self.conf().format(dir=self.dir, port=self.port, pem=pem))
        self.run(self.program, "-F", "-c", self.path("dovecot.conf"))

    def stored(self):
        return disk_usage(self.path("home"))


class Mailkeep(Peer):
    """Stores, encrypts, deduplicates and indexes; each mail belongs to several of 200 users."""

    name = "mailkeep"
    client_options = (f"--to=journal@{DOMAIN}",)

    def __init__(self, work, bin_dir):
        super().__init__(work)
        self.server = Server(bin_dir, self.dir, any_port=True)
        self.server.settings = "log: {level: info}\n"
        self.port = self.server.ports["smtp"]

    def start(self, addresses):
        self.server.init()
        self.server.start()
        api = self.server.api()
        api("CreateGatewayMailbox", address=f"journal@{DOMAIN}", name="Journal")
        for address in addresses:
            name = address.partition("@")[0]
            api("CreateUser", userName=name, privileges="login")
            api("SetUserEmailAddresses", userName=name, emailAddresses=address)

    def pid(self):
        return self.server.process.pid

    def index_cpu(self):
        """What follows the ack: the index, the dictionary, and the programs that read documents."""
        return (self.server.metric("index_cpu_seconds_total") +
                self.server.metric("training_cpu_seconds_total") + self.cpu() - own_cpu(self.pid()))

    def settle(self):
        if not self.server.wait_indexed(600):
            raise RuntimeError("the index does not catch up")
        super().settle()

    def stored(self):
        store = os.path.join(self.server.data, "stores")
        parts = {"content": 0, "catalog": 0, "index": 0}
        for name in os.listdir(store):
            for part in parts:
                parts[part] += disk_usage(os.path.join(store, name, part))
        return parts

    def stop(self):
        self.server.stop()


def disk_usage(path):
    """Octets in whole blocks, as du counts them."""
    total = 0
    for folder, _, files in os.walk(path):
        total += sum(os.stat(os.path.join(folder, f)).st_blocks * 512 for f in files)
    return total


def make_certificate(path):
    """One self-signed P-256 certificate for both peers, key and certificate in one file."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj",
                    "/CN=localhost", "-keyout", path + ".key", "-out", path + ".crt"],
                   check=True, stderr=subprocess.DEVNULL)
    with open(path, "w", encoding="ascii") as out:
        for part in (".key", ".crt"):
            with open(path + part, encoding="ascii") as source:
                out.write(source.read())
            os.unlink(path + part)
    return path


def closed_folder(path):
    """The first folder above @path that the peers' own users cannot enter, or None."""
    path = os.path.abspath(path)
    while path != "/":
        if not os.stat(path).st_mode & 0o001:
            return path
        path = os.path.dirname(path)
    return None


def missing_packages():
    return [peer.package for peer in (Postfix, Dovecot) if not os.path.exists(peer.program)]
