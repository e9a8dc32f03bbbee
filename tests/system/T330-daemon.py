"""The daemon itself: settings, start, reload, stop, and what it writes down."""

import base64
import os
import re
import signal
import smtplib
import socket
import ssl
import stat
import subprocess
import threading
import time

from harness import JOURNAL, PATIENCE, all_ids, main, test
from mailkeep_client import crlf, smtp_connect

MAIL = crlf(b"From: hans@partner.example\nTo: lisa@mailkeep.example\nSubject: Kranichflug\n\n"
            b"Zugvogel\n")


def daemon(t, *arguments):
    """(exit status, what it said) of a daemon that ends by itself."""
    done = subprocess.run([os.path.join(t.server.bin_dir, "mailkeepd"), *arguments], timeout=60 * PATIENCE,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, encoding="utf-8", check=False, cwd=t.work)
    return done.returncode, done.stdout


def write(t, name, text):
    path = os.path.join(t.work, name)
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)
    return path


def wait_for_log(t, text, begin=0, seconds=20 * PATIENCE):
    end = time.monotonic() + seconds
    while text not in t.server.log_text(begin):
        assert time.monotonic() < end, f"never logged: {text}"
        time.sleep(0.05)


def wait_for_end(t, seconds=30 * PATIENCE):
    return t.server.process.wait(timeout=seconds)


def shown_certificate(t, service="api"):
    """DER of what the port shows."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", t.server.ports[service]), timeout=20 * PATIENCE) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as tls:
            return tls.getpeercert(True)


def pkv3(der):
    """By openssl: SHA-1 of the public key in DER."""
    key = subprocess.run("openssl x509 -inform DER -pubkey -noout | openssl pkey -pubin -outform DER"
                         " | openssl dgst -sha1 -binary", shell=True, input=der,
                         stdout=subprocess.PIPE, check=True).stdout
    return key.hex().upper()


@test("usage, version, and what it does not understand")
def _(t):
    assert daemon(t, "--help")[0] == 0 and "--config" in daemon(t, "--help")[1]
    status, said = daemon(t, "--version")
    assert status == 0 and re.fullmatch(r"mailkeepd \d+\.\d+\.\d+\n", said)
    for bad in (("--nothing",), ("here",), ("--config",)):
        assert daemon(t, *bad)[0] == 2, bad


@test("a wrong setting is named by file, line and key")
def _(t):
    for text, line, key in (("hostname: x\nhostnam: y\n", 2, "hostnam"),
                            ("services:\n  smtp: {enabled: perhaps}\n", 2, "services.smtp.enabled"),
                            ("services:\n  smtp:\n    listen: nowhere\n", 3, "services.smtp.listen"),
                            ("limits:\n\n  message_size: many\n", 3, "limits.message_size"),
                            ("workers: {bulk: 0}\n", 1, "workers.bulk"),
                            ("hostname: a\nhostname: b\n", 2, "hostname"),
                            ("hostname: [a\n", 2, "")):
        path = write(t, "bad.yaml", text)
        for arguments in (("--config", path), ("--check", "--config", path)):
            status, said = daemon(t, *arguments)
            assert status == 1 and f"{path}:{line}" in said and key in said, (text, said)
            assert said.count("\n") == 1, said
    status, said = daemon(t, "--config", os.path.join(t.work, "absent.yaml"))
    assert status == 1 and "absent.yaml" in said


@test("--check says so when they are good, and starts nothing")
def _(t):
    t.server.write_config()
    status, said = daemon(t, "--check", "--config", t.server.config)
    assert status == 0 and "good" in said and not os.path.exists(t.server.data)


@test("a data directory without an archive, and no web port to make one: it says how")
def _(t):
    config = os.path.join(t.work, "no-web.yaml")
    with open(config, "w", encoding="utf-8") as out:
        out.write(f"data_dir: {t.work}/none\nservices: {{https: {{enabled: false}}}}\n")
    status, said = daemon(t, "--config", config)
    assert status == 1 and f"mailkeep init --config {config}" in said, said


@test("it starts, and its log names the certificate's key as openssl does")
def _(t):
    t.api = t.begin([("lisa", ["lisa@mailkeep.example"])])
    pin = re.search(r"daemon\.certificate pkv3=([0-9A-F]{40})$", t.server.log_text(), re.M).group(1)
    assert pin == pkv3(shown_certificate(t)) == pkv3(shown_certificate(t, "https"))
    assert pin == pkv3(shown_certificate(t, "smtps"))


@test("a second daemon on the same data directory is refused")
def _(t):
    config = write(t, "second.yaml", f"data_dir: {t.server.data}\nservices:\n" + "".join(
        f"  {name}: {{enabled: false}}\n" for name in (
            "smtp", "smtps", "pop3", "pop3s", "imap", "imaps", "http", "https", "api", "metrics")))
    status, said = daemon(t, "--config", config)
    assert status == 1 and "another mailkeepd" in said, said
    assert t.api("GetVersion")["product"] == "Mailkeep"


@test("a port that is taken: the service is named, and it ends cleanly")
def _(t):
    data = os.path.join(t.work, "third")
    config = write(t, "third.yaml", f"data_dir: {data}\nservices:\n" + "".join(
        f"  {name}: {{enabled: false}}\n" for name in ("smtp", "smtps", "pop3", "pop3s", "imap",
                                                       "imaps", "http", "https", "metrics"))
        + f"  api: {{enabled: true, listen: \"127.0.0.1:{t.server.ports['api']}\"}}\n")
    subprocess.run([os.path.join(t.server.bin_dir, "mailkeep"), "init", "--config", config],
                   input="Correct-Horse-7\n", encoding="utf-8", stdout=subprocess.DEVNULL, check=True)
    for _ in range(3):
        status, said = daemon(t, "--config", config)
        assert status == 1 and "service api" in said and "daemon.failed" in said, (status, said)


@test("everything in the data directory is for its owner alone")
def _(t):
    for folder, _, names in os.walk(t.server.data):
        assert stat.S_IMODE(os.stat(folder).st_mode) & 0o077 == 0, folder
        for name in names:
            mode = stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode)
            public = name == "certificate.pem"  # shown to everybody anyway
            assert public or mode & 0o077 == 0, (folder, name, oct(mode))


@test("HUP: a bad certificate is logged and the old one stays; a good one is shown from then on")
def _(t):
    before = shown_certificate(t)
    kept = t.server.api()
    kept("GetVersion")
    settings = t.server.settings
    new = [os.path.join(t.work, n) for n in ("new.pem", "new.key")]
    t.server.settings = f"tls: {{certificate: {new[0]}, key: {new[1]}}}\n"
    t.server.write_config()
    begin = len(t.server.log_text())
    t.server.process.send_signal(signal.SIGHUP)
    wait_for_log(t, "daemon.reload_failed", begin)
    assert shown_certificate(t) == before
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-keyout", new[1], "-out", new[0], "-days", "2", "-subj",
                    "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
                   check=True, stderr=subprocess.DEVNULL)
    begin = len(t.server.log_text())
    t.server.process.send_signal(signal.SIGHUP)
    wait_for_log(t, "daemon.reloaded", begin)
    for service in ("api", "https", "smtps"):
        after = shown_certificate(t, service)
        assert after != before and pkv3(after) in t.server.log_text(begin), service
    smtp = smtp_connect(t.server.ports["smtp"], new[0])  # STARTTLS shows it too
    smtp.quit()
    assert kept("GetVersion")["product"] == "Mailkeep"  # a connection from before goes on
    t.server.settings = settings
    t.server.write_config()
    t.server.process.send_signal(signal.SIGHUP)
    end = time.monotonic() + 20 * PATIENCE
    while shown_certificate(t) != before:
        assert time.monotonic() < end
        time.sleep(0.1)


@test("HUP: a wrong settings file is logged with its line, and all goes on; the log level changes")
def _(t):
    begin = len(t.server.log_text())
    with open(t.server.config, encoding="utf-8") as f:
        good = f.read()
    write(t, "mailkeep.yaml", good + "nonsense: 1\n")
    t.server.process.send_signal(signal.SIGHUP)
    wait_for_log(t, "nonsense", begin)
    assert t.api("GetVersion")["product"] == "Mailkeep"
    write(t, "mailkeep.yaml", good + "log: {level: debug}\n")
    t.server.process.send_signal(signal.SIGHUP)
    wait_for_log(t, "daemon.reloaded", begin)
    assert t.api("GetServiceConfiguration")["debugLogEnabled"] is True
    assert " debug " in t.server.log_text(begin)
    write(t, "mailkeep.yaml", good)
    t.server.process.send_signal(signal.SIGHUP)


@test("TERM while a mail is under way: it is taken, answered, and there after the restart")
def _(t):
    smtp = smtp_connect(t.server.ports["smtp"], t.server.certificate)
    idle = smtp_connect(t.server.ports["smtp"], t.server.certificate)
    smtp.mail("hans@partner.example")
    assert smtp.rcpt(JOURNAL)[0] == 250
    smtp.putcmd("data")
    assert smtp.getreply()[0] == 354
    smtp.send(MAIL[:40])
    begin = len(t.server.log_text())
    t.server.process.terminate()
    wait_for_log(t, "daemon.stopping", begin)
    assert idle.getreply()[0] == 421  # who has nothing under way is sent off
    time.sleep(0.3)
    assert t.server.process.poll() is None
    smtp.send(MAIL[40:] + b".\r\n")
    code, text = smtp.getreply()
    assert code == 250, (code, text)
    smtp.close()
    idle.close()
    assert wait_for_end(t) == 0
    t.server.start()
    t.api = t.server.api()
    assert t.server.wait_indexed()
    assert len(all_ids(t.api)) == 1
    content = t.api("GetMessageContent", id=all_ids(t.api)[0])["content"]
    assert base64.b64decode(content) == MAIL


@test("TERM behind an operation, with clients that only sit there: it ends soon")
def _(t):
    sitting = [socket.create_connection(("127.0.0.1", t.server.ports[name])) for name in
               ("smtp", "smtps", "https", "api", "metrics")]
    answers = []

    def verify():
        api = t.server.api()
        answer = api.post("invoke/VerifyStore", {"id": 1})
        answers.append(answer)
        while answer["statusCode"] == "running":
            answer = api.post("get-status", {"token": answer["token"], "millisecondsTimeout": 60000,
                                             "lastKnownStatusVersion": answer["statusVersion"]})
            answers.append(answer)
    thread = threading.Thread(target=verify)
    thread.start()
    thread.join(60 * PATIENCE)
    assert answers[-1]["statusCode"] in ("succeeded", "cancelled")
    begin = time.monotonic()
    t.server.process.terminate()
    assert wait_for_end(t) == 0
    assert time.monotonic() - begin < 15 * PATIENCE
    for s in sitting:
        s.close()


@test("TERM and a sender who does not come to an end: cut off without 250, nothing of it is kept")
def _(t):
    t.server.start()
    t.api = t.server.api()
    before = all_ids(t.api)
    t.api.connection.close()
    smtp = smtp_connect(t.server.ports["smtp"], t.server.certificate)
    smtp.mail("hans@partner.example")
    smtp.rcpt(JOURNAL)
    smtp.putcmd("data")
    assert smtp.getreply()[0] == 354
    smtp.send(b"Subject: endless\r\n\r\n")
    begin = time.monotonic()
    t.server.process.terminate()
    while t.server.process.poll() is None:
        assert time.monotonic() - begin < 60 * PATIENCE
        try:
            smtp.send(b"one more line\r\n" * 20)
        except OSError:
            pass
        time.sleep(0.2)
    assert t.server.process.returncode == 0 and 19 < time.monotonic() - begin < 31 * PATIENCE
    try:
        # A line sent behind the end has closed it already.
        assert smtp.sock is None or smtp.getreply()[0] != 250
    except (OSError, smtplib.SMTPServerDisconnected):
        pass
    smtp.close()
    t.server.start()
    t.api = t.server.api()
    assert all_ids(t.api) == before
    t.api("VerifyStore", id=1, includeIndexes="true")
    assert t.server.stop() == 0


@test("TERM twice, INT, and TERM at once after the start are all in order")
def _(t):
    for signals in ((signal.SIGTERM, signal.SIGTERM), (signal.SIGINT,)):
        t.server.start()
        for s in signals:
            t.server.process.send_signal(s)
        assert wait_for_end(t) == 0, signals
    log = t.server.log_text()
    assert log.count("daemon.started") == log.count("daemon.stopped")


@test("the log holds no address, user, subject or password")
def _(t):
    text = t.server.log_text()
    for word in ("lisa", "admin", "hans", "partner.example", "journal", "Kranichflug", "Zugvogel",
                 "Journal", t.server.password, t.passwords["lisa"]):
        assert word not in text, word
    for line in text.splitlines():
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (debug|info|warn|error) \w+\.\w+", line), line


main()
