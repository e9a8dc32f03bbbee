"""What a system test in Python starts with: TAP, a directory and a server of its own.

    from harness import main, test

    @test("what must hold")
    def _(t): assert ...

    main()
"""

import os
import subprocess
import sys
import tarfile
import tempfile
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))

from mailkeep_server import SANITIZER, Server, make_password  # noqa: E402

JOURNAL = "journal@archive.example"
CORPUS = os.environ.get("MAILKEEP_CORPUS")
VARIANT = os.environ.get("MAILKEEP_VARIANT", "release")
# How much longer things may take: a sanitizer slows the daemon down many times.
PATIENCE = 1 if VARIANT == "release" else 6
_tests = []


class Skip(Exception):
    """Raised by a test that cannot run here; the text says why."""


def test(name):
    """Registers a test; each gets the same Context."""
    def register(function):
        _tests.append((name, function))
        return function
    return register


class Context:
    """One server for all tests of a file."""

    def __init__(self, work):
        self.work = work
        self.server = Server(os.environ["BIN_DIR"], work, any_port=True)

    def begin(self, users=()):
        """An archive with a journal mailbox and users (name, addresses), all of them readable by admin."""
        self.server.init()
        self.server.start()
        api = self.server.api()
        api("CreateGatewayMailbox", address=JOURNAL)
        self.passwords = {}
        for name, addresses in users:
            self.add_user(api, name, addresses)
        return api

    def add_user(self, api, name, addresses):
        self.passwords[name] = make_password()
        api("CreateUser", userName=name, privileges="login")
        api("SetUserEmailAddresses", userName=name, emailAddresses=",".join(addresses))
        api("SetUserPassword", userName=name, password=self.passwords[name])
        for reader in (name, "admin"):
            api("SetUserPrivilegesOnFolder", userName=reader, folder=name, privileges="read")

    def grant_catchall(self, api):
        api("SetUserPrivilegesOnFolder", userName="admin", folder="@catchall", privileges="read")


def all_ids(api):
    """Every mail id that the caller may list."""
    ids = set()
    for folder in api("GetChildFolders"):
        ids.update(m["id"] for m in api("GetMessages", folder=folder["fullName"]))
    return sorted(ids, key=lambda i: int(i.split(":")[1]))


def corpus_mails(*kinds):
    """(name, octets) of corpus/torture files and corpus/real packs, as they are on disk."""
    if CORPUS is None:
        raise Skip("MAILKEEP_CORPUS is not set")
    for kind in kinds:
        for folder, _, names in sorted(os.walk(os.path.join(CORPUS, kind))):
            for name in sorted(names):
                path = os.path.join(folder, name)
                if name.endswith(".tsv") or name.endswith(".tsv.zst"):
                    continue
                yield from _unpack(path)


def _unpack(path):
    if path.endswith(".zst"):
        with subprocess.Popen(["zstd", "-dcq", path], stdout=subprocess.PIPE) as unpacked:
            if path.endswith(".tar.zst"):
                with tarfile.open(fileobj=unpacked.stdout, mode="r|") as tar:
                    for member in tar:
                        if member.isfile():
                            yield member.name, tar.extractfile(member).read()
            elif path.endswith(".mbox.zst"):
                yield from _mboxrd(path, unpacked.stdout)
            else:
                yield path, unpacked.stdout.read()
    else:
        with open(path, "rb") as mail:
            yield path, mail.read()


def _mboxrd(path, lines):
    mail = None
    for line in lines:
        if line.startswith(b"From "):
            if mail:
                yield path, b"".join(mail)[:-1]  # the blank line before the next one
            mail = []
        elif mail is not None:
            mail.append(line[1:] if line.lstrip(b">").startswith(b"From ") else line)
    if mail:
        yield path, b"".join(mail)


def show_log(lines):
    """Its end, and the first of a sanitizer's reports."""
    for number, line in enumerate(lines):
        if SANITIZER.search(line):
            for report in lines[number:number + 80]:
                print("# report: " + report, flush=True)
            break
    for line in lines[-30:]:
        print("# log: " + line, flush=True)


def ends_well(context):
    """Behind all tests: what still runs stops in order, and no sanitizer has a report."""
    process = context.server.process
    if process is not None and process.poll() is None:
        assert context.server.stop() == 0, f"exit status {process.returncode}"
    if os.path.exists(context.server.log):
        reports = context.server.reports()
        assert not reports, reports[:3]


def main():
    _tests.append(("the daemon ends well, and no sanitizer has a report", ends_well))
    print(f"1..{len(_tests)}", flush=True)
    failed = 0
    with tempfile.TemporaryDirectory(prefix="mailkeep-test.") as work:
        context = Context(work)
        try:
            for number, (name, function) in enumerate(_tests, 1):
                try:
                    function(context)
                    print(f"ok {number} - {name}", flush=True)
                except Skip as why:
                    print(f"ok {number} - {name} # SKIP {why}", flush=True)
                except Exception:
                    failed += 1
                    print(f"not ok {number} - {name}", flush=True)
                    for line in traceback.format_exc().splitlines()[-15:]:
                        print("# " + line, flush=True)
        finally:
            if context.server.process is not None and context.server.process.poll() is None:
                context.server.stop()
            if failed and os.path.exists(context.server.log):
                show_log(context.server.log_text().splitlines())
    sys.exit(1 if failed else 0)
