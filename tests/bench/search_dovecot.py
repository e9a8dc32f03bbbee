"""Dovecot with fts-xapian as a search engine that `make bench` compares.

One Maildir with the same mails, indexed by `doveadm index`, asked over IMAP: the server's own imap
process, logged in from its start, on a pipe. Neither needs Dovecot's master process, a port or
a password. A search is UID SEARCH for the total and the UIDs (ESEARCH, RFC 4731) and FETCH of
the newest 50.
"""

import os
import pwd
import re
import shutil
import subprocess
import time

from search_peers import PAGE, Engine, disk_bytes, read_mails, read_texts, run_measured

CPU_SECONDS = 900  # for building the index
IMAP = "/usr/lib/dovecot/imap"
PLUGIN = "/usr/lib/dovecot/modules/lib21_fts_xapian_plugin.so"
LITERAL = re.compile(rb"\{(\d+)\}\r\n$")
# fts_enforced: an error, not a scan of all mails, when the index cannot answer.
CONF = """\
protocols = imap
base_dir = {dir}/run
state_dir = {dir}/state
ssl = no
first_valid_uid = 1
mail_uid = {user}
mail_gid = {group}
mail_home = {dir}/home
mail_location = maildir:{dir}/home/Maildir
mail_plugins = fts fts_xapian
plugin {{
  fts = xapian
  fts_xapian = partial=3 full=20
  fts_enforced = yes
}}
"""


class Imap:
    """A conversation with an imap process; nothing but what a search needs."""

    def __init__(self, config, environment, log):
        self.process = subprocess.Popen([IMAP, "-c", config], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=log, env=environment)
        if not self.process.stdout.readline().startswith(b"* PREAUTH"):
            raise RuntimeError("imap does not greet")

    def line(self):
        """With the literals that it has, and what stands behind them."""
        line = self.process.stdout.readline()
        while (literal := LITERAL.search(line)) is not None:
            line += self.process.stdout.read(int(literal.group(1)))
            line += self.process.stdout.readline()
        return line

    def command(self, text):
        """The untagged responses."""
        self.process.stdin.write(f"a {text}\r\n".encode())
        self.process.stdin.flush()
        untagged = []
        while (line := self.line()).startswith(b"* "):
            untagged.append(line)
        if not line.startswith(b"a OK"):
            raise RuntimeError(f"{text.partition(' ')[0]}: {line.decode(errors='replace')}")
        return untagged

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def last_uids(response, wanted):
    """Of `* ESEARCH (TAG "a") UID ALL 1:3,7 COUNT 4`: the total, and the highest as a set."""
    total = int(re.search(rb" COUNT (\d+)", response).group(1))
    found = re.search(rb" ALL (\S+)", response)
    taken = []
    for piece in reversed(found.group(1).decode().split(",") if found else []):
        first, _, last = piece.partition(":")
        low, high = int(first), int(last or first)
        low = max(low, high - wanted + 1)
        taken.append(f"{low}:{high}")
        wanted -= high - low + 1
        if wanted == 0:
            break
    return total, ",".join(reversed(taken))


class Dovecot(Engine):
    """UIDs in the order of the dates, and INTERNALDATE is the mail's own."""

    name = "dovecot"
    note = ("does not encrypt; every word is a piece of a word, phrases are words in any order; "
            "snippets show the beginning")

    def missing(self):
        if not os.path.exists(IMAP) or not os.path.exists(PLUGIN):
            return "dovecot-imapd, dovecot-fts-xapian"
        version = subprocess.run(["dovecot", "--version"], stdout=subprocess.PIPE, check=False,
                                 text=True).stdout
        return "" if version.startswith("2.3.") else "dovecot-imapd 2.3"

    def environment(self):
        return {**os.environ, "USER": "bench", "HOME": self.path("home"), "TZ": "UTC"}

    def make_maildir(self, corpus):
        """Named so that UIDs go up with the number of the mail."""
        folder = self.path("home", "Maildir", "cur")
        for name in ("cur", "new", "tmp"):
            os.makedirs(self.path("home", "Maildir", name))
        dates = (date for date, _ in read_texts(corpus.texts))
        for number, (octets, date) in enumerate(zip(read_mails(corpus.path), dates), 1):
            name = os.path.join(folder, f"{number}.M1P1.bench:2,S")
            with open(name, "wb") as out:
                out.write(octets.replace(b"\r\n", b"\n"))
            os.utime(name, (date, date))

    def give_away(self, user):
        """Dovecot reads mail as anybody but root."""
        if os.getuid() == 0:
            os.chmod(self.dir, 0o755)
            for folder, _, files in os.walk(self.path("home")):
                for path in (folder, *(os.path.join(folder, f) for f in files)):
                    shutil.chown(path, user.pw_uid, user.pw_gid)

    def build(self, corpus):
        user = pwd.getpwnam("mail") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
        with open(self.path("dovecot.conf"), "w", encoding="ascii") as out:
            out.write(CONF.format(dir=self.dir, user=user.pw_uid, group=user.pw_gid))
        self.make_maildir(corpus)
        self.give_away(user)
        with open(self.path("log"), "ab") as log:
            result = run_measured(["doveadm", "-c", self.path("dovecot.conf"), "index", "INBOX"],
                                  cpu_seconds=CPU_SECONDS, env=self.environment(), stderr=log)
        index = disk_bytes(self.path("home", "Maildir", "xapian-indexes"))
        return {**result, "index": index, "text": None}

    def open(self):
        with open(self.path("log"), "ab") as log:
            self.imap = Imap(self.path("dovecot.conf"), self.environment(), log)
        self.imap.command("EXAMINE INBOX")

    @staticmethod
    def match(question):
        words = question["words"]
        if question["kind"] == "from":
            return f'FROM "{words[0]}"'
        if question["kind"] == "phrase":
            return 'TEXT "' + " ".join(words) + '"'
        match = " ".join(f'TEXT "{w}"' for w in words)
        if question.get("span"):
            first, last = (time.gmtime(t) for t in (question["span"][0], question["span"][1] + 1))
            match += time.strftime(" SINCE %d-%b-%Y", first)
            match += time.strftime(" BEFORE %d-%b-%Y", last)
        return match

    def ask(self, question):
        match = self.match(question)
        began = time.perf_counter()
        found = [r for r in self.imap.command("UID SEARCH RETURN (ALL COUNT) " + match)
                 if r.startswith(b"* ESEARCH")]
        total, uids = last_uids(found[0], PAGE)
        rows = self.imap.command(f"UID FETCH {uids} (ENVELOPE PREVIEW)") if uids else []
        took = time.perf_counter() - began
        return took, total, len(rows), sum(1 for row in rows if b" PREVIEW " in row)

    def close(self):
        self.imap.close()
