"""What an administrator meets first: the shipped settings, the defaults, certificate, TLS, metrics."""

import os
import re
import shutil
import signal
import stat
import subprocess
import time

from harness import JOURNAL, Skip, main, test
from mailkeep_client import crlf, smtp_connect, smtp_send

NOBODY = 65534
TLS_PORTS = (("smtp", ["-starttls", "smtp"]), ("smtps", []), ("https", []), ("api", []))
SHIPPED = os.path.join(os.environ.get("SOURCE_DIR", "."), "config", "mailkeep.yaml")


def s_client(t, service, *options):
    """(connected?, what openssl said) of one handshake."""
    done = subprocess.run(["openssl", "s_client", "-brief", "-connect",
                           f"127.0.0.1:{t.server.ports[service]}", *dict(TLS_PORTS)[service], *options],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=60, check=False)
    said = done.stdout.decode("utf-8", "replace")
    return "CONNECTION ESTABLISHED" in said, said


def refused_by_server(said):
    """It asked, and was sent off with an alert or without a word."""
    return "alert" in said or "unexpected eof" in said


def program(t, name, *arguments, **options):
    return subprocess.run([os.path.join(t.server.bin_dir, name), *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, encoding="utf-8", timeout=120, check=False,
                          **options)


@test("the settings that are installed are good")
def _(t):
    done = program(t, "mailkeepd", "--check", "--config", SHIPPED)
    assert done.returncode == 0, done.stdout
    with open(SHIPPED, encoding="utf-8") as f:
        text = f.read()
    for line in ("smtp:    {enabled: true,  listen: \"[::]:25\"}", "api:     {enabled: false,",
                 "metrics: {enabled: false,", "data_dir: /var/lib/mailkeep"):
        assert line in text, line


@test("without settings and without root: ./data, and every low port moved up by 10000")
def _(t):
    if os.geteuid() != 0:
        raise Skip("only root can become nobody")
    if subprocess.run(["unshare", "-n", "true"], stderr=subprocess.DEVNULL, check=False).returncode:
        raise Skip("no network namespace of its own: the default ports may be taken")
    home = os.path.join(t.work, "nobody")
    os.mkdir(home)
    for name in ("mailkeepd", "mailkeep"):  # the tree may be closed to others
        shutil.copy(os.path.join(t.server.bin_dir, name), home)
    os.chmod(t.work, 0o755)
    os.chown(home, NOBODY, NOBODY)
    become = ["unshare", "-n", "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}",
              "--clear-groups", "--"]
    done = subprocess.run([*become, "./mailkeep", "init"], cwd=home, input="Correct-Horse-7\n",
                          encoding="utf-8", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False)
    assert done.returncode == 0 and "Recovery key" in done.stdout, done.stdout
    log = os.path.join(home, "log")
    with open(log, "wb") as out:
        daemon = subprocess.Popen([*become, "./mailkeepd"], cwd=home, stderr=out,
                                  stdin=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 60
        while "daemon.started" not in read(log):
            assert daemon.poll() is None and time.monotonic() < end, read(log)
            time.sleep(0.05)
    finally:
        daemon.terminate()
        status = daemon.wait(timeout=60)
    ports = dict(re.findall(r"daemon\.listening service=(\w+) .*port=(\d+)", read(log)))
    assert ports == {"smtp": "10025", "smtps": "10465", "http": "8461", "https": "8462"}, ports
    assert status == 0 and os.stat(os.path.join(home, "data", "master")).st_uid == NOBODY
    shutil.rmtree(home)


def read(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read()


@test("the first start makes a certificate for the host name, localhost and loopback, and keeps it")
def _(t):
    settings = "hostname: archive.example.com\n"
    t.begin([("lisa", ["lisa@mailkeep.example"])])
    assert t.server.stop() == 0
    shutil.rmtree(os.path.dirname(t.server.certificate))
    with open(t.server.config, encoding="utf-8") as f:
        text = f.read()
    with open(t.server.config, "w", encoding="utf-8") as f:
        f.write(text.replace("hostname: localhost\n", settings))
    t.server.start()
    shown = subprocess.run(["openssl", "x509", "-in", t.server.certificate, "-noout", "-ext",
                            "subjectAltName,basicConstraints,extendedKeyUsage"], check=True,
                           stdout=subprocess.PIPE, encoding="utf-8").stdout
    for name in ("DNS:archive.example.com", "DNS:localhost", "IP Address:127.0.0.1",
                 "IP Address:0:0:0:0:0:0:0:1"):
        assert name in shown, (name, shown)
    for name in ("archive.example.com", "localhost"):
        ok, said = s_client(t, "https", "-CAfile", t.server.certificate, "-verify_hostname", name,
                            "-verify_return_error")
        assert ok and "Verification: OK" in said, said
    ok, said = s_client(t, "https", "-CAfile", t.server.certificate, "-verify_hostname",
                        "other.example.com", "-verify_return_error")
    assert not ok and "mismatch" in said, said
    key = os.path.join(os.path.dirname(t.server.certificate), "key.pem")
    assert stat.S_IMODE(os.stat(key).st_mode) == 0o600
    before = read(t.server.certificate)
    assert t.server.stop() == 0
    t.server.start()
    assert read(t.server.certificate) == before


@test("without its machine key an archive opens with the recovery key, and with no other")
def _(t):
    data = os.path.join(t.work, "moved")
    config = os.path.join(t.work, "moved.yaml")
    names = ("smtp", "smtps", "pop3", "pop3s", "imap", "imaps", "http", "https", "api", "metrics")
    with open(config, "w", encoding="utf-8") as f:
        f.write(f"data_dir: {data}\nservices:\n" + "".join(
            f"  {name}: {{enabled: false}}\n" for name in names))
    made = program(t, "mailkeep", "init", "--config", config, input="Correct-Horse-7\n").stdout
    recovery = re.search(r"^ +((?:\w{4}-){10}\w{4})$", made, re.M).group(1)
    os.unlink(os.path.join(data, "keys", "machine.key"))
    done = program(t, "mailkeepd", "--config", config)
    assert done.returncode == 1 and "machine.key" in done.stdout, done.stdout
    for wrong in ("", "0" + recovery[1:] if recovery[0] != "0" else "1" + recovery[1:]):
        done = program(t, "mailkeep", "recover", "--config", config, input=wrong + "\n")
        assert done.returncode == 1 and recovery not in done.stdout, done.stdout
    assert not os.path.exists(os.path.join(data, "keys", "machine.key"))
    done = program(t, "mailkeep", "recover", "--config", config, input=recovery.lower() + "\n")
    assert done.returncode == 0, done.stdout
    daemon = subprocess.Popen([os.path.join(t.server.bin_dir, "mailkeepd"), "--config", config],
                              stderr=subprocess.PIPE, encoding="utf-8")
    for line in daemon.stderr:
        if "daemon.started" in line:
            break
    daemon.terminate()
    assert "daemon.stopped" in daemon.communicate(timeout=60)[1] and daemon.returncode == 0
    assert program(t, "mailkeep", "recover", "--what").returncode == 2


@test("TLS 1.2 and 1.3 on every port, STARTTLS included; nothing older")
def _(t):
    for service, _ in TLS_PORTS:
        for option, name in (("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")):
            ok, said = s_client(t, service, option)
            assert ok and f"Protocol version: {name}" in said, (service, option, said)
        for option in ("-tls1_1", "-tls1"):
            # Level 0, or openssl itself would not ask for it.
            ok, said = s_client(t, service, option, "-cipher", "ALL:@SECLEVEL=0")
            assert not ok and refused_by_server(said), (service, option, said)


@test("min_version 1.3 refuses 1.2 everywhere, from the next reload on")
def _(t):
    settings = t.server.settings
    t.server.settings = "tls: {min_version: \"1.3\"}\n"
    reload(t)
    for service, _ in TLS_PORTS:
        assert s_client(t, service, "-tls1_3")[0], service
        ok, said = s_client(t, service, "-tls1_2")
        assert not ok and refused_by_server(said), (service, said)
    t.server.settings = settings
    reload(t)


def reload(t):
    begin = os.path.getsize(t.server.log)
    t.server.write_config()
    t.server.process.send_signal(signal.SIGHUP)
    end = time.monotonic() + 20
    while "daemon.reloaded" not in t.server.log_text(begin):
        assert time.monotonic() < end, t.server.log_text(begin)
        time.sleep(0.05)


@test("an RSA certificate serves too, and nothing without forward secrecy is spoken")
def _(t):
    pem, key = os.path.join(t.work, "rsa.pem"), os.path.join(t.work, "rsa.key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out",
                    pem, "-days", "2", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost"], check=True, stderr=subprocess.DEVNULL)
    t.server.settings = f"tls: {{certificate: {pem}, key: {key}}}\n"
    reload(t)
    for service, _ in TLS_PORTS:
        for version in ("-tls1_2", "-tls1_3"):
            ok, said = s_client(t, service, version, "-CAfile", pem, "-verify_return_error",
                                "-verify_hostname", "localhost")
            assert ok, (service, version, said)
        ok, said = s_client(t, service, "-tls1_2", "-cipher", "kRSA:@SECLEVEL=0")
        assert not ok and refused_by_server(said), (service, said)
    t.server.settings = ""
    reload(t)


@test("the metrics have the loop's delay, and count what came in")
def _(t):
    def value(name, labels=""):
        with subprocess.Popen(["curl", "-sSf", f"http://127.0.0.1:{t.server.ports['metrics']}/metrics"],
                              stdout=subprocess.PIPE, encoding="utf-8") as curl:
            text = curl.stdout.read()
        found = re.search(rf"^mailkeep_{name}{re.escape(labels)} (\S+)$", text, re.M)
        assert found, (name, text)
        return float(found.group(1))
    before = value("mails_total", '{kind="new"}')
    smtp = smtp_connect(t.server.ports["smtp"], t.server.certificate)
    smtp_send(smtp, "a@contoso.example", [JOURNAL],
              crlf(b"From: a@x.example\nTo: lisa@mailkeep.example\nSubject: gauge\n\nx\n"))
    assert value("smtp_sessions") == 1
    smtp.quit()
    end = time.monotonic() + 60  # also those whose handshake was refused above
    while value("connections", '{kind="mail"}') > 0:
        assert time.monotonic() < end, "connections that have ended still count"
        time.sleep(0.1)
    assert value("mails_total", '{kind="new"}') == before + 1
    for quantile in ("0.5", "0.99"):
        assert 0 <= value("loop_delay_seconds", f'{{quantile="{quantile}"}}') < 10
    assert t.server.stop() == 0


main()
