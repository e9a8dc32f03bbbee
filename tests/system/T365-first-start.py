"""The first start by curl: the one-time link, its session, what is kept, and what a crash leaves."""

import glob
import json
import os
import re
import socket
import stat
import subprocess
import time

from harness import PATIENCE, main, test
from mailkeep_client import crlf, smtp_connect, smtp_send
from mailkeep_server import free_port

PASSWORD = "Grüne-Ente-4711"
HOST = "post.example.org"
OPEN_FIRST = ("http", "https")


class Browser:
    """curl with a cookie jar, and the CSRF token it was told."""

    def __init__(self, t, name):
        self.t = t
        self.jar = os.path.join(t.work, name + ".jar")
        self.token = None

    def ask(self, method, path, body=None, token=True, headers=()):
        """(status, JSON or text)"""
        out = os.path.join(self.t.work, "answer")
        command = ["curl", "-ksS", "--max-time", "60", "-X", method, "-b", self.jar, "-c", self.jar,
                   "-o", out, "-w", "%{http_code}"]
        for header in headers:
            command += ["-H", header]
        if body is not None:
            command += ["-H", "Content-Type: application/json", "--data-binary", "@-"]
        if token and self.token:
            command += ["-H", f"X-CSRF-Token: {self.token}"]
        command.append(f"https://127.0.0.1:{self.t.server.ports['https']}{path}")
        if os.path.exists(out):
            os.unlink(out)
        done = subprocess.run(command, input=(body if isinstance(body, bytes) else
                                              json.dumps(body).encode() if body is not None else b""),
                              stdout=subprocess.PIPE, check=True)
        text = ""
        if os.path.exists(out):
            with open(out, encoding="utf-8") as f:
                text = f.read()
        try:
            return int(done.stdout), json.loads(text)
        except ValueError:
            return int(done.stdout), text

    def setup(self, method, step, body=None, **options):
        return self.ask(method, "/api/v1/setup" + step, body, **options)

    def claim(self, token):
        status, answer = self.setup("POST", "/claim", {"token": token})
        if status == 200:
            self.token = answer["csrfToken"]
        return status

    def choose(self, password=PASSWORD, hostname=HOST):
        """Everything up to the button that makes the archive."""
        for step, body in (("/password", {"password": password}), ("/hostname", {"hostname": hostname}),
                           ("/certificate", {"selfSigned": True})):
            status, answer = self.setup("PUT", step, body)
            assert status == 200, (step, status, answer)
        return answer


def is_open(port):
    with socket.socket() as s:
        s.settimeout(2)
        return s.connect_ex(("127.0.0.1", port)) == 0


def start(t, data="data"):
    """The daemon on a directory that is not there yet; its standard output goes to a file."""
    if t.server.process is not None and t.server.process.poll() is None:
        t.server.kill()  # a test before this one has failed
    t.server.data = os.path.join(t.work, data)
    with open(t.server.config, "w", encoding="utf-8") as out:
        out.write(f"data_dir: {t.server.data}\nservices:\n")
        for name, port in t.server.ports.items():
            out.write(f"  {name}: {{enabled: true, listen: \"127.0.0.1:{port}\"}}\n")
        for name in ("pop3", "pop3s", "imap", "imaps"):
            out.write(f"  {name}: {{enabled: false}}\n")
    with open(t.server.log, "ab") as log, open(t.out, "wb") as output:
        began = log.tell()
        t.server.process = subprocess.Popen(
            [os.path.join(t.server.bin_dir, "mailkeepd"), "--config", t.server.config],
            stdin=subprocess.DEVNULL, stdout=output, stderr=log, env=t.server.environment)
    end = time.monotonic() + 30 * PATIENCE
    while "daemon.started" not in t.server.log_text(began):
        assert t.server.process.poll() is None and time.monotonic() < end, t.server.log_text(began)
        time.sleep(0.05)


def link(t):
    with open(t.out, encoding="utf-8") as f:
        found = re.search(r"https://127\.0\.0\.1:(\d+)/setup#([0-9a-f]{32,})", f.read())
    assert found and int(found[1]) == t.server.ports["https"]
    t.secrets.append(found[2])
    return found[2]


def mode(t, name):
    return stat.S_IMODE(os.stat(os.path.join(t.server.data, name)).st_mode)


def exists(t, name):
    return os.path.exists(os.path.join(t.server.data, name))


def confirm(browser, state):
    groups = state["recovery"]["key"].split("-")
    return browser.setup("POST", "/confirm", {"groups": [groups[n - 1] for n in state["recovery"]["asked"]]})


@test("before it is set up, the web ports alone listen, and the link is shown once")
def _(t):
    t.out = os.path.join(t.work, "stdout")
    t.secrets = [PASSWORD]
    t.server.ports["http"] = free_port(0)
    start(t)
    for name, port in t.server.ports.items():
        assert is_open(port) == (name in OPEN_FIRST), name
    token = link(t)
    assert len(token) * 4 >= 128
    assert mode(t, "first-start-link") == 0o600 and mode(t, "tls/key.pem") == 0o600
    with open(os.path.join(t.server.data, "first-start-link"), encoding="utf-8") as f:
        assert f.read().strip().endswith("/setup#" + token)


@test("everything else is not there yet, and leads to the page of the set-up")
def _(t):
    b = Browser(t, "stranger")
    assert b.ask("GET", "/api/v1/session")[0] == 404
    assert b.ask("POST", "/api/v1/invoke/GetVersion")[0] == 404
    assert b.ask("GET", "/")[0] == 307
    status, page = b.ask("GET", "/setup")
    assert status == 200 and "<script" in page
    assert b.setup("GET", "") == (200, {"step": "claim"})
    for step in ("/password", "/hostname", "/certificate"):
        assert b.setup("PUT", step, {})[0] == 401, step
    for step in ("/create", "/confirm", "/start"):
        assert b.setup("POST", step, {})[0] == 401, step


@test("wrong tokens are refused, then throttled; the right one is not taken from a form")
def _(t):
    b = Browser(t, "guesser")
    token = link(t)
    assert b.setup("POST", "/claim", b"token=" + token.encode(),
                   headers=["Content-Type: application/x-www-form-urlencoded"])[0] in (400, 403)
    statuses = [b.claim(wrong) for wrong in ["0" * 64, "", token[:-1], token + "0"] + ["f" * 64] * 10]
    assert set(statuses) == {403, 429} and statuses[0] == 403 and statuses[-1] == 429, statuses
    assert b.claim(token) == 429  # even the right one
    start_again(t)


def start_again(t):
    before = link(t)
    assert t.server.stop() == 0
    assert not exists(t, "first-start-link")
    start(t)
    assert link(t) != before


@test("the first browser that claims the link has it; the token is worth nothing from then on")
def _(t):
    token = link(t)
    t.b = Browser(t, "browser")
    other = Browser(t, "other")
    assert t.b.claim(token) == 200
    assert not exists(t, "first-start-link")
    assert other.claim(token) == 409
    assert other.setup("GET", "") == (200, {"step": "claimed"})
    assert t.b.setup("GET", "")[1]["step"] == "password"
    with open(t.b.jar, encoding="utf-8") as f:
        jar = f.read()
    assert re.search(r"#HttpOnly_127\.0\.0\.1\tFALSE\t/api/v1/setup\tTRUE\t0\tmk_setup\t[0-9a-f]{64}", jar), jar
    t.secrets += re.findall(r"[0-9a-f]{64}", jar)


@test("a change needs the CSRF token, and JSON; steps keep their order; the password policy holds")
def _(t):
    b = t.b
    assert b.setup("PUT", "/password", {"password": PASSWORD}, token=False)[0] == 403
    assert b.setup("POST", "/create", {})[0] == 409
    assert b.setup("PUT", "/certificate", {"selfSigned": True})[0] == 409
    assert b.setup("POST", "/confirm", {"groups": []})[0] == 409
    for bad in ("short", "aaaBBB1112223", "Mailkeep-1234", 5, None):
        assert b.setup("PUT", "/password", {"password": bad})[0] == 400, bad
    for bad in ("", "a b", "-x.example", "x" * 300, None):
        assert b.setup("PUT", "/hostname", {"hostname": bad})[0] == 400, bad
    assert b.setup("GET", "")[1]["step"] == "password"


@test("an own certificate is checked: the key fits, it has not expired, the name is covered")
def _(t):
    b = t.b
    assert b.setup("PUT", "/password", {"password": PASSWORD})[0] == 200
    assert b.setup("PUT", "/hostname", {"hostname": HOST})[0] == 200

    def make(name, *options):
        key, pem = (os.path.join(t.work, f"{name}.{end}") for end in ("key", "pem"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key,
                        "-out", pem, "-subj", f"/CN={name}", *options], check=True,
                       stderr=subprocess.DEVNULL)
        return [open(path, encoding="ascii").read() for path in (pem, key)]

    good, key = make(HOST, "-days", "200", "-addext", f"subjectAltName=DNS:*.example.org")
    other, other_key = make("other.example", "-days", "5")
    t.secrets += ["".join(key.split("\n")[3:5])[:60], key.split("\n")[5]]

    def put(pem, pem_key):
        return b.setup("PUT", "/certificate", {"certificate": pem, "key": pem_key})

    assert put(good, other_key)[0] == 400
    assert put("nonsense", key)[0] == 400 and put(good, "nonsense")[0] == 400 and put(good, good)[0] == 400
    status, state = put(other, other_key)
    assert status == 200 and set(state["certificate"]["warnings"]) == {"name-missing", "self-signed", "ends-soon"}
    status, state = put(good, key)
    shown = subprocess.run(["openssl", "x509", "-noout", "-fingerprint", "-sha256"], input=good.encode(),
                           stdout=subprocess.PIPE, check=True).stdout.decode()
    assert status == 200 and state["step"] == "create"
    assert state["certificate"]["warnings"] == ["self-signed"]
    assert state["certificate"]["names"] == ["*.example.org"]
    assert state["certificate"]["fingerprint"] == shown.strip().partition("=")[2].replace(":", "")
    t.good = good


@test("the recovery key comes once the archive is made, and again after a reload")
def _(t):
    status, state = t.b.setup("POST", "/create", {})
    assert status == 200 and state["step"] == "recovery", state
    t.secrets.append(state["recovery"]["key"])
    assert t.b.setup("GET", "")[1]["recovery"] == state["recovery"]
    assert len(state["recovery"]["key"].split("-")) == 11
    assert not exists(t, "keys") and exists(t, "new/keys")
    assert t.b.setup("POST", "/create", {})[0] == 409


@test("a restart before it is confirmed begins anew, with another link")
def _(t):
    old = link(t)
    t.server.kill()
    start(t)
    assert link(t) != old and not exists(t, "new")
    assert t.b.setup("GET", "")[1] == {"step": "claim"}
    assert t.b.claim(old) == 403


@test("wrong groups do not count; the right ones start everything, and the browser is logged in")
def _(t):
    b = t.b
    assert b.claim(link(t)) == 200
    b.choose()
    status, state = b.setup("POST", "/create", {})
    assert status == 200
    t.recovery = state["recovery"]["key"]
    t.secrets += [t.recovery, t.recovery.replace("-", "")]
    for wrong in ([], ["AAAA", "AAAA"], "text"):
        assert b.setup("POST", "/confirm", {"groups": wrong})[0] == 400
    blocker = socket.socket()  # the port of a mail server that still runs
    blocker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    blocker.bind(("127.0.0.1", t.server.ports["smtp"]))
    blocker.listen()
    status, answer = confirm(b, state)
    assert status == 502 and "smtp" in answer["error"]["message"], answer
    assert b.setup("GET", "")[1]["step"] == "start"
    blocker.close()
    status, session = b.setup("POST", "/start", {})
    assert status == 200 and session["userName"] == "admin" and session["isAdmin"], session
    b.token = session["csrfToken"]
    with open(b.jar, encoding="utf-8") as f:
        t.secrets += re.findall(r"[0-9a-f]{64}", f.read())
    status, who = b.ask("GET", "/api/v1/session")
    assert status == 200 and who["userName"] == "admin"
    assert b.setup("GET", "")[0] == 404 and b.setup("POST", "/claim", {})[0] == 404
    for name, port in t.server.ports.items():
        assert is_open(port), name


@test("password, name and certificate are what was chosen")
def _(t):
    t.server.password = PASSWORD
    api = t.server.api()
    assert api("GetMachineSettings") == {"hostname": HOST, "hostnameFixed": False,
                                         "certificateFixed": False, "restartNeeded": False}
    certificate = api("GetCertificate")
    assert HOST in certificate["names"] and certificate["selfSigned"]
    assert certificate["warnings"] == ["self-signed"]
    with smtp_connect(t.server.ports["smtp"]) as smtp:
        assert HOST.encode() in smtp.ehlo()[1]
    assert mode(t, "machine.yaml") == 0o600 and mode(t, "tls/key.pem") == 0o600
    assert mode(t, "keys/machine.key") == 0o600 and mode(t, "keys") == 0o700
    assert not exists(t, "new") and not exists(t, "made") and not exists(t, "tls/pair.pem")


@test("a mail comes in at once")
def _(t):
    api = t.server.api()
    api("CreateGatewayMailbox", address="journal@" + HOST)
    api("SetUserPrivilegesOnFolder", userName="admin", folder="@catchall", privileges="read")
    with smtp_connect(t.server.ports["smtp"]) as smtp:
        smtp_send(smtp, "a@b.example", "journal@" + HOST, crlf(b"From: a@b.example\nSubject: first\n\nx\n"))
    assert [f["count"] for f in api("GetFolderStatistics") if f["folder"].startswith("@catchall/")] == [1]


def call(t, function, **arguments):
    """As admin, whatever the certificate says: (did it succeed?, its result)."""
    command = ["curl", "-ksS", "--max-time", "60", "-u", "admin:" + PASSWORD, "-d", ""]
    for name, value in arguments.items():
        command += ["--data-urlencode", f"{name}={value}"]
    command.append(f"https://127.0.0.1:{t.server.ports['api']}/api/invoke/{function}")
    answer = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.decode("utf-8-sig"))
    return answer["error"] is None, answer["result"]


@test("a new certificate is shown to new connections at once; the old ones live on")
def _(t):
    with smtp_connect(t.server.ports["smtp"]) as smtp:
        smtp.starttls()
        assert call(t, "CreateSelfSignedCertificate", hostname="new.example")[0]
        assert "new.example" in subject(t)
        assert smtp.noop()[0] == 250
    info = call(t, "GetCertificate")[1]
    assert info["subject"] == "CN=new.example" and "name-missing" in info["warnings"], info
    with open(os.path.join(t.work, HOST + ".key"), encoding="ascii") as f:
        key = f.read()
    with open(os.path.join(t.work, "other.example.key"), encoding="ascii") as f:
        other_key = f.read()
    for pem, pem_key in ((t.good, other_key), ("x", key), (t.good, ""), (t.good, t.good)):
        assert not call(t, "SetCertificate", certificate=pem, key=pem_key)[0]
    assert "new.example" in subject(t)
    assert call(t, "SetCertificate", certificate=t.good, key=key)[0]
    assert HOST in subject(t) and mode(t, "tls/key.pem") == 0o600


@test("another host name is kept for the next start")
def _(t):
    assert call(t, "SetMachineSettings", hostname="later.example")[1]["restartNeeded"]
    assert call(t, "GetMachineSettings")[1]["hostname"] == "later.example"
    assert not call(t, "SetMachineSettings", hostname="a b")[0]
    assert check(t).returncode == 0


def check(t):
    return subprocess.run([os.path.join(t.server.bin_dir, "mailkeepd"), "--check", "--config", t.server.config],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)


def subject(t):
    done = subprocess.run(f"openssl s_client -connect 127.0.0.1:{t.server.ports['https']} < /dev/null "
                          "2> /dev/null | openssl x509 -noout -subject", shell=True,
                          stdout=subprocess.PIPE, check=True)
    return done.stdout.decode()


@test("after a restart everything is as chosen, and a wrong machine.yaml is named")
def _(t):
    assert t.server.stop() == 0
    t.server.start()
    assert HOST in subject(t)
    with smtp_connect(t.server.ports["smtp"]) as smtp:
        assert b"later.example" in smtp.ehlo()[1]
    with open(os.path.join(t.server.data, "machine.yaml"), "a", encoding="ascii") as f:
        f.write("data_dir: /elsewhere\n")
    done = check(t)
    assert done.returncode == 1 and b"machine.yaml:" in done.stdout, done.stdout
    assert t.server.stop() == 0


@test("the recovery key opens the archive")
def _(t):
    os.unlink(os.path.join(t.server.data, "machine.yaml"))
    os.unlink(os.path.join(t.server.data, "keys", "machine.key"))
    done = subprocess.run([os.path.join(t.server.bin_dir, "mailkeep"), "recover", "--config", t.server.config],
                          input=t.recovery.lower().encode() + b"\n", stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    assert done.returncode == 0, done.stdout


@test("killed while the archive is made or put in place: the wizard again, or all of it")
def _(t):
    complete = 0
    for number in range(12):
        data = f"killed{number}"
        start(t, data)
        b = Browser(t, data)
        assert b.claim(link(t)) == 200
        b.choose()
        if number % 2 == 0:
            state = b.setup("POST", "/create", {})[1]
        step, body = ("/confirm", None) if number % 2 == 0 else ("/create", {})
        if step == "/confirm":
            groups = state["recovery"]["key"].split("-")
            body = {"groups": [groups[n - 1] for n in state["recovery"]["asked"]]}
        request = subprocess.Popen(
            ["curl", "-ksS", "--max-time", "20", "-b", b.jar, "-H", "Content-Type: application/json", "-H",
             f"X-CSRF-Token: {b.token}", "-d", json.dumps(body), "-o", "/dev/null",
             f"https://127.0.0.1:{t.server.ports['https']}/api/v1/setup{step}"], stderr=subprocess.DEVNULL)
        time.sleep(0.012 * (number + 1) * PATIENCE)
        t.server.kill()
        request.wait(timeout=60)
        start(t, data)
        if exists(t, "keys/master.key"):
            complete += 1
            assert call(t, "GetVersion")[1]["product"] == "Mailkeep"
            assert not exists(t, "new") and not exists(t, "made")
        else:
            assert not exists(t, "new") and not exists(t, "stores") and Browser(t, "x").claim(link(t)) == 200
        assert t.server.stop() == 0
    print(f"# {complete} of 12 were complete")


@test("one that is not empty and not whole is left alone; `mailkeep init` keeps off a running daemon")
def _(t):
    start(t, "running")
    password = os.path.join(t.work, "password")
    with open(password, "w", encoding="utf-8") as f:
        f.write(PASSWORD)
    init = [os.path.join(t.server.bin_dir, "mailkeep"), "init", "--config", t.server.config,
            "--admin-password-file", password]
    done = subprocess.run(init, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert done.returncode != 0 and b"another mailkeepd" in done.stdout, done.stdout
    assert t.server.stop() == 0
    os.mkdir(os.path.join(t.server.data, "stores"))
    done = subprocess.run([os.path.join(t.server.bin_dir, "mailkeepd"), "--config", t.server.config],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False)
    assert done.returncode == 1 and b"a part of an archive only" in done.stdout, done.stdout
    os.rmdir(os.path.join(t.server.data, "stores"))
    assert subprocess.run(init, stdout=subprocess.DEVNULL, check=False).returncode == 0


@test("under systemd's journal the link is only in its file")
def _(t):
    with open(t.out, "wb") as output:
        info = os.fstat(output.fileno())
    t.server.environment["JOURNAL_STREAM"] = f"{info.st_dev}:{info.st_ino}"
    start(t, "journal")
    del t.server.environment["JOURNAL_STREAM"]
    with open(t.out, encoding="utf-8") as f:
        assert "setup#" not in f.read()
    with open(os.path.join(t.server.data, "first-start-link"), encoding="utf-8") as f:
        t.secrets.append(f.read().strip().partition("#")[2])
    assert "first-start-link" in t.server.log_text()
    assert t.server.stop() == 0


@test("nothing secret is in the log, nor on disk outside of its place")
def _(t):
    log = t.server.log_text()
    for secret in t.secrets:
        assert len(secret) > 8 and secret not in log, secret[:4]
    kept = [path for path in glob.glob(t.work + "/**/data*/**", recursive=True) if os.path.isfile(path)]
    assert kept
    for path in kept:
        if os.path.basename(path) in ("key.pem",):
            continue
        with open(path, "rb") as f:
            content = f.read()
        for secret in t.secrets:
            assert secret.encode() not in content, (path, secret[:4])


main()
