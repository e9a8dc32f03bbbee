"""The management shell: options, exit statuses, pinned keys, saved passwords, the prompt."""

import json
import os
import pty
import re
import select
import socket
import stat
import subprocess
import termios
import threading
import time

from harness import PATIENCE, main, test

HELD = "Held-Password-77"


def shell(t, *arguments, stdin="", password=True, trust=True, env=None):
    """(exit status, standard output, standard error)."""
    command = [os.path.join(os.environ["BIN_DIR"], "mailkeep"),
               f"--h=localhost:{t.server.ports['api']}"]
    if trust:
        command.append(f"--ca={t.server.certificate}")
    if password:
        command += ["--u=admin", f"--p={t.server.password}"]
    done = subprocess.run([*command, *arguments], input=stdin, encoding="utf-8", timeout=120 * PATIENCE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                          env={**os.environ, "XDG_CONFIG_HOME": t.config_home, **(env or {})})
    return done.returncode, done.stdout, done.stderr


def in_terminal(t, lines, *arguments):
    """What a person sees who types @lines, each after the prompt it waits for; and the status."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "dumb"
        path = os.path.join(os.environ["BIN_DIR"], "mailkeep")
        os.execv(path, [path, f"--h=localhost:{t.server.ports['api']}",
                        f"--ca={t.server.certificate}", *arguments])
    seen = ""

    def read_until(text):
        nonlocal seen
        start, end = len(seen), time.monotonic() + 60 * PATIENCE
        while text is None or text not in seen[start:]:
            if not select.select([terminal], [], [], 1)[0]:
                assert time.monotonic() < end, (text, seen)
                continue
            try:
                data = os.read(terminal, 65536)
            except OSError:
                data = b""
            if not data:
                assert text is None, (text, seen)
                return
            seen += data.decode("utf-8", "replace")
    for prompt, line in lines:
        read_until(prompt)
        wait_for_editor(terminal)
        os.write(terminal, line.encode())
    read_until(None)
    os.close(terminal)
    return seen, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def wait_for_editor(terminal):
    """The prompt is there before its terminal settings are, and these throw away what came."""
    end = time.monotonic() + 5 * PATIENCE
    while termios.tcgetattr(terminal)[3] & termios.ECHO and time.monotonic() < end:
        time.sleep(0.02)


@test("-c runs a function and prints its result as JSON")
def _(t):
    t.begin([("lisa", ["lisa@mailkeep.example"])])
    t.config_home = os.path.join(t.work, "config")
    status, out, err = shell(t, "-c", "GetServerInfo")
    assert (status, err) == (0, "") and json.loads(out)["machineName"] == "localhost"
    status, out, err = shell(t, "-c", "SetUserFullName", "--userName=lisa", "--fullName=Lisa B. Ü")
    assert (status, out, err) == (0, "", "")
    assert json.loads(shell(t, "-c", "GetUserInfo", "--userName=lisa")[1])["fullName"] == "Lisa B. Ü"
    status, out, _ = shell(t, "-c", "GetStores", "--includeSize=false")
    assert status == 0 and json.loads(out)[0]["statisticsSize"] is None
    status, out, _ = shell(t, "-c", "GetStores", "--includeSize")  # no value: true
    assert status == 0 and json.loads(out)[0]["statisticsSize"] is not None


@test("exit status: 0 succeeded, 1 failed, 2 wrong usage, 3 no connection or login")
def _(t):
    for expected, arguments, text in (
            (1, ("-c", "GetUserInfo", "--userName=nobody"), "mailkeep: "),
            (1, ("-c", "NoSuchThing"), "Unknown API function NoSuchThing."),
            (1, ("-c", "GetUserInfo"), "Missing API argument userName."),
            (1, ("-c", "GetUserInfo", "--username=lisa"), "Unknown API argument username"),
            (1, ("-c", "VerifyStore", "--id=99"), "store"),
            (1, ("-c", "GetJobs"), "not available in this version"),
            (2, ("-c", "GetUserInfo", "userName=lisa"), "--name=value"),
            (2, ("-c", "GetUserInfo", "--=lisa"), "--name=value"),
            (2, ("-c",), "Usage"), (2, ("--x",), "bad option"), (2, ("--h=",), "bad option"),
            (2, ("--h=localhost:70000",), "bad option"), (2, ("--pkv3=123",), "bad option"),
            (2, ("-c", "user-list", "--x=1"), "no parameters")):
        status, out, err = shell(t, *arguments)
        assert status == expected and text in err, (arguments, status, err)
        assert not out or expected == 1, out
    for arguments in (("GetVersion",), ("clear",), ("exit",), ("help",), ("user-list",)):
        status, out, err = shell(t, "--u=admin", "--p=Wrong-Password-1", "-c", *arguments, password=False)
        assert status == 3 and "wrong" in err, (arguments, status, err)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        status, _, err = shell(t, f"--h=127.0.0.1:{s.getsockname()[1]}", "-c", "GetVersion")
    assert status == 3 and err, err
    for option in ("--help", "--version"):
        status, out, _ = shell(t, option)
        assert status == 0 and "mailkeep" in out


@test("a certificate that is not trusted: nothing is sent")
def _(t):
    status, _, err = shell(t, "-c", "GetVersion", trust=False)
    assert status == 3 and "certificate" in err.lower(), err


@test("--pkv3: the key from the daemon's log is right; another one aborts before the login")
def _(t):
    pin = re.search(r"daemon\.certificate pkv3=([0-9A-F]{40})\b", t.server.log_text()).group(1)
    for good in (pin, pin.lower()):
        status, out, err = shell(t, f"--pkv3={good}", "-c", "GetVersion", trust=False)
        assert status == 0 and "Mailkeep" in out, err
    before = t.server.log_text().count("login.refused")
    bad = pin[:-1] + ("0" if pin[-1] != "0" else "1")
    for trust in (True, False):
        status, out, err = shell(t, "--u=admin", "--p=Wrong-Password-1", f"--pkv3={bad}", "-c",
                                 "GetVersion", trust=trust, password=False)
        assert status == 3 and "public key" in err and not out, err
    assert t.server.log_text().count("login.refused") == before  # no password has arrived


@test("the password does not stay in the process list")
def _(t):
    command = [os.path.join(os.environ["BIN_DIR"], "mailkeep"),
               f"--h=localhost:{t.server.ports['api']}", f"--ca={t.server.certificate}", "--u=admin",
               f"--p={t.server.password}", "--nologo"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        for _ in range(100):
            with open(f"/proc/{process.pid}/cmdline", "rb") as f:
                line = f.read()
            if b"--p=x" in line:
                break
            time.sleep(0.1)
        assert t.server.password.encode() not in line and b"--u=admin" in line, line
        process.stdin.close()
        assert process.wait(60 * PATIENCE) == 0


@test("--cred: a saved password, in a file for its owner alone")
def _(t):
    account = f"admin@localhost:{t.server.ports['api']}"
    path = os.path.join(t.config_home, "mailkeep", "credentials")
    binary = os.path.join(os.environ["BIN_DIR"], "mailkeep")
    env = {**os.environ, "XDG_CONFIG_HOME": t.config_home}
    for password in (HELD, t.server.password):  # the second takes the first one's place
        subprocess.run([binary, "credential-save", account], input=password + "\n", encoding="utf-8",
                       env=env, check=True)
    with open(path, encoding="utf-8") as f:
        text = f.read()
    assert text == f"{account}\t{t.server.password}\n"
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) == 0o700

    def by_credential(name=account):
        return shell(t, f"--cred={name}", "-c", "GetVersion", password=False)
    assert by_credential()[0] == 0
    os.chmod(path, 0o640)
    status, _, err = by_credential()
    assert status != 0 and "chmod 600" in err, err
    os.chmod(path, 0o600)
    status, _, err = by_credential("other@localhost")
    assert status != 0 and "no password is saved" in err
    os.rename(path, path + ".real")
    os.symlink(path + ".real", path)
    assert by_credential()[0] != 0
    os.unlink(path)
    assert by_credential()[0] != 0
    assert subprocess.run([binary, "credential-save", "nobody"], input="x\n", encoding="utf-8",
                          env=env, stderr=subprocess.DEVNULL, check=False).returncode == 2


@test("--o writes to a file and nothing to the screen; --quiet says nothing at all")
def _(t):
    path = os.path.join(t.work, "out.json")
    status, out, _ = shell(t, f"--o={path}", "-c", "GetUsers")
    with open(path, encoding="utf-8") as f:
        assert status == 0 and out == "" and {u["userName"] for u in json.load(f)} == {"admin", "lisa"}
    status, out, err = shell(t, f"--o={t.work}/no/such/file", "-c", "GetUsers")
    assert status == 2 and out == "" and "no/such/file" in err
    status, out, err = shell(t, "--quiet", "-c", "NoSuchThing")
    assert (status, out, err) == (1, "", "")
    status, out, err = shell(t, "--o=/dev/full", "-c", "GetUsers")
    assert status == 1


@test("help lists the shell's commands and all functions with their parameters")
def _(t):
    status, out, _ = shell(t, "-c", "help")
    assert status == 0
    for line in ("  user-list    lists all users", "  GetUsers",
                 "  VerifyStore --id=number [--includeIndexes=bool]",
                 "  RenameUser --oldUserName=string --newUserName=string"):
        assert line in out.splitlines(), line
    assert out.count("\n  ") >= 37


@test("user-list, clear")
def _(t):
    status, out, _ = shell(t, "-c", "user-list")
    assert status == 0 and out.splitlines() == ["admin", "lisa\tLisa B. Ü"], out
    status, out, _ = shell(t, "-c", "clear")
    assert status == 0 and out.startswith("\x1b[")


@test("the manual's commands run word for word, or say that they are not there")
def _(t):
    t.server.api()("CreateUser", userName="alexis.page", privileges="login")
    status, out, _ = shell(t, stdin='GetUserInfo --userName="alexis.page"\n')
    assert status == 0 and '"alexis.page"' in out
    for line in ("GetProfiles --raw=true",
                 'GetJobResults --fromIncluding="2026-01-01T00:00:00" '
                 '--toExcluding="2026-02-01T00:00:00" --timeZoneId="$Local" --jobId=1',
                 'GetWorkerResults --fromIncluding="2026-01-01T00:00:00" '
                 '--toExcluding="2026-02-01T00:00:00" --timeZoneID="$Local" --profileID=1',
                 "RunProfile --id=1"):
        _, _, err = shell(t, stdin=line + "\n")
        assert f"{line.split()[0]} is not available in this version" in err, err


@test("a long-running command shows its log and ends with its result")
def _(t):
    status, out, err = shell(t, "-c", "VerifyStore", "--id=1", "--includeIndexes=true")
    assert status == 0 and not err, err
    lines = out.splitlines()
    assert lines[0] == "VerifyStore has started." and "No errors were found." in lines
    assert json.loads(out[out.index("\n[") + 1:])[0]["errors"] == 0


@test("commands from a pipe, the password in front of them")
def _(t):
    status, out, err = shell(t, "--u=admin", "--nologo", password=False,
                             stdin=f"{t.server.password}\nuser-list\n\nGetVersion --x=1\n")
    assert status == 0 and "lisa\t" in out and "Unknown API argument x" in err, (out, err)
    status, out, err = shell(t, stdin='GetUserInfo --userName="open\nuser-list\n')
    assert "lisa\t" in out and "mailkeep: " in err  # a bad line does not end the shell


@test("at a terminal: password without echo, prompt, commands, exit")
def _(t):
    seen, status = in_terminal(t, [("Password: ", t.server.password + "\r"),
                                   ("mailkeep> ", "user-list\r"), ("mailkeep> ", "NoSuchThing\r"),
                                   ("mailkeep> ", "help\r"), ("mailkeep> ", "exit\r")])
    assert status == 0 and t.server.password not in seen, seen
    assert "Mailkeep management shell" in seen and "Unknown API function NoSuchThing." in seen
    assert re.search(r"^lisa\s+Lisa B\. Ü", seen, re.M), seen
    seen, status = in_terminal(t, [("Password: ", "Wrong-Password-1\r")])
    assert status == 3 and "mailkeep> " not in seen
    seen, status = in_terminal(t, [("mailkeep> ", "\x04")], "--u=admin",
                               f"--p={t.server.password}", "--nologo")
    assert status == 0 and "management shell" not in seen


@test("a server that talks nonsense, or hangs up, is no success")
def _(t):
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        for answer in (b"220 mail.example ESMTP\r\n", b""):
            peer, _ = listener.accept()
            with peer:
                peer.sendall(answer)
                peer.recv(4096)
    thread = threading.Thread(target=serve)
    thread.start()
    for _ in range(2):
        status, out, err = shell(t, f"--h=127.0.0.1:{listener.getsockname()[1]}", "-c", "GetVersion")
        assert status == 3 and not out and err
    thread.join()
    listener.close()


@test("init makes an archive once, and wants a good password")
def _(t):
    binary = os.path.join(os.environ["BIN_DIR"], "mailkeep")
    config = os.path.join(t.work, "second.yaml")
    with open(config, "w", encoding="utf-8") as f:
        f.write(f"data_dir: {t.work}/second\n")

    def init(password):
        return subprocess.run([binary, "init", "--config", config], input=password + "\n",
                              encoding="utf-8", stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              check=False)
    weak = init("admin")
    assert weak.returncode == 1 and weak.stderr and not os.path.exists(f"{t.work}/second/keys")
    made = init(HELD)
    assert made.returncode == 0 and "Recovery key" in made.stdout, made.stderr
    assert HELD not in made.stdout and stat.S_IMODE(os.stat(f"{t.work}/second").st_mode) == 0o700
    again = init(HELD)
    assert again.returncode == 1 and "second" in again.stderr
    missing = subprocess.run([binary, "init", "--config", f"{t.work}/none.yaml"], encoding="utf-8",
                             stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False)
    assert missing.returncode == 1 and "none.yaml" in missing.stderr


main()
