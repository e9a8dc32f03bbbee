#!/usr/bin/python3
"""The search engines that `make bench` compares: Mailkeep, SQLite FTS5, sphinxsearch and notmuch;
Dovecot is in search_dovecot.py.

Each is given the same mails (notmuch, which reads mails itself) or the same texts of them (the
others), builds its index in a process of its own, and is then asked in this process, the newest 50
with snippets and the exact total, in the fastest way that its own interface offers.
"""

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
import mails  # noqa: E402
import peers  # noqa: E402
from mailkeep_server import Server, disk_bytes, free_port  # noqa: E402

try:
    import notmuch2
except ImportError:
    notmuch2 = None
try:
    import pymysql
except ImportError:
    pymysql = None
import sqlite3  # noqa: E402

PAGE = 50
DAY = 86400
BATCH_MAIL = re.compile(rb"\r\nDATA\r\n(.*?\r\n)\.\r\n", re.S)
TEXTS = ("sender", "recipients", "subject", "body", "attachments")


# -- mails and their texts ------------------------------------------------------------------------
def read_texts(path):
    """(date in seconds, [sender, recipients, subject, body, attachments]) of tests/tools/mail_texts"""
    with open(path, "rb", buffering=1 << 20) as source:
        for head in source:
            date, *lengths = map(int, head.split())
            yield date // 1000, [source.read(n).decode() for n in lengths]


def read_mails(path):
    with open(path, "rb") as batch:
        for found in BATCH_MAIL.finditer(batch.read()):
            yield found.group(1).replace(b"\r\n..", b"\r\n.")


def run_measured(command, cpu_seconds=None, **more):
    """What a program uses until it ends, its children that it waits for included. "unfinished": it
    would have used more than @cpu_seconds, and was ended then."""
    began = time.monotonic()
    if cpu_seconds is not None:
        more["preexec_fn"] = lambda: resource.setrlimit(resource.RLIMIT_CPU,
                                                        (cpu_seconds, cpu_seconds + 60))
    process = subprocess.Popen(command, **more)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    unfinished = process.returncode == -signal.SIGXCPU
    if process.returncode != 0 and not unfinished:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}")
    return {"cpu": used.ru_utime + used.ru_stime, "seconds": time.monotonic() - began,
            "peak": used.ru_maxrss * 1024, "unfinished": unfinished}


class Engine:
    name = None
    note = ""

    def __init__(self, work, bin_dir):
        self.bin_dir = bin_dir
        self.dir = os.path.join(work, self.name)

    def missing(self):
        """What is not installed; nothing when it can be measured."""
        return ""

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def built(self, corpus):
        """Builds anew, or takes what an earlier run has built of the same mails."""
        figures = self.path("built.json")
        again = self.name != "mailkeep" or os.environ.get("BENCH_KEEP") == "1"
        if again and os.path.exists(figures):
            with open(figures, encoding="ascii") as source:
                return json.load(source)
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir)
        result = self.build(corpus)
        with open(figures, "w", encoding="ascii") as out:
            json.dump(result, out)
        return result

    def open(self):
        pass

    def close(self):
        pass


# -- Mailkeep ---------------------------------------------------------------------------------------
class Archive:
    """An archive of its own with the 200 users, that admin may read all of."""

    def __init__(self, work, bin_dir, people):
        self.server = Server(bin_dir, work, any_port=True)
        self.server.settings = "log: {level: info}\n"
        self.server.init()
        self.server.start()
        api = self.server.api()
        api("CreateGatewayMailbox", address=f"journal@{mails.DOMAIN}", name="Journal")
        for address in people:
            name = address.partition("@")[0]
            api("CreateUser", userName=name, privileges="login")
            api("SetUserEmailAddresses", userName=name, emailAddresses=address)
            api("SetUserPrivilegesOnFolder", userName="admin", folder=name, privileges="read")
        self.bin_dir, self.catchall = bin_dir, False

    def see_catchall(self):
        """Its archive is there when the first mail that nobody owns has come."""
        if not self.catchall:
            self.server.api()("SetUserPrivilegesOnFolder", userName="admin", folder="@catchall",
                              privileges="read")
            self.catchall = True

    def load(self, path, connections=8):
        done = subprocess.run(
            [os.path.join(self.bin_dir, "tests/tools/smtp_load"), "--format=smtp",
             f"--connections={connections}", f"--to=journal@{mails.DOMAIN}", "127.0.0.1",
             str(self.server.ports["smtp"]), path], stdout=subprocess.PIPE, check=False, text=True)
        answer = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
        if done.returncode != 0:
            raise RuntimeError(f"{answer.get('failed', 'all')} mails were not taken")
        return answer

    def settle(self, seconds=900):
        """Until the text of all attachments is indexed and merging has ended: nothing is used any
        more by the daemon and its helpers."""
        if not self.server.wait_indexed(seconds):
            raise RuntimeError("the index does not catch up")
        last, quiet, end = 0.0, 0, time.monotonic() + seconds
        while quiet < 4 and time.monotonic() < end:
            table = peers.process_table()
            used = sum(table[pid][1] for pid in peers.tree(table, self.server.process.pid))
            quiet = quiet + 1 if used - last < 0.05 else 0
            last = used
            time.sleep(1)
        return last

    def parts(self):
        store = os.path.join(self.server.data, "stores")
        return {part: sum(disk_bytes(os.path.join(store, name, part))
                          for name in os.listdir(store))
                for part in ("content", "catalog", "index")}

    def segments(self):
        """Files of segments: the living ones, and for a moment those that a merge has replaced."""
        store = os.path.join(self.server.data, "stores")
        return sum(len(os.listdir(os.path.join(store, name, "index", "segments")))
                   for name in os.listdir(store))

    def streams(self):
        """Octets of each stream of the index (tests/tools/index_streams); the daemon is stopped."""
        done = subprocess.run([os.path.join(self.bin_dir, "tests/tools/index_streams"),
                               self.server.data], stdout=subprocess.PIPE, check=True, text=True)
        return {k: int(v) for k, v in (line.split("=") for line in done.stdout.splitlines())}


class Asker:
    """tests/tools/search_run on an archive that no daemon has open."""

    def __init__(self, bin_dir, data):
        self.process = subprocess.Popen([os.path.join(bin_dir, "tests/tools/search_run"), data],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def line(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().rstrip("\n").split("\t")

    def ask(self, query, span=None, limit=PAGE, snippets=True):
        first, last = (span[0] * 1000, span[1] * 1000 + 999) if span else (0, 0)
        answer = self.line(f"{query}\t{first}\t{last}\t{limit}\t{int(snippets)}")
        if answer[0] == "error":
            raise RuntimeError(f"{query}: {answer[1]}")
        return [int(a) for a in answer]

    def memory(self):
        return [int(kib) * 1024 for kib in self.line("memory")]

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=120)


def own_language(question):
    """spec/search-syntax.md"""
    words = question["words"]
    return {"phrase": '"' + " ".join(words) + '"', "prefix": words[0] + "*",
            "leading": "*" + words[0], "from": "from:" + words[0]}.get(
                question["kind"], " ".join(words))


class Mailkeep(Engine):
    name = "mailkeep"

    def build(self, corpus):
        archive = Archive(self.dir, self.bin_dir, corpus.people)
        server = archive.server
        try:
            archive.load(corpus.path)
            archive.settle()
            archive.see_catchall()
            cpu = server.metric("index_cpu_seconds_total")
            self.password = server.password
        finally:
            server.stop()
        result = {"cpu_beside_ingest": cpu, "disk": archive.parts(), "streams": archive.streams()}
        result.update(self.build_alone(server.data))
        return result

    def build_alone(self, data):
        """The index anew from the store, by a process that does nothing else."""
        again = self.path("again")
        shutil.copytree(data, again)
        for name in os.listdir(os.path.join(again, "stores")):
            shutil.rmtree(os.path.join(again, "stores", name, "index"))
        done = subprocess.run([os.path.join(self.bin_dir, "tests/tools/search_run"), "--index",
                               again], stdout=subprocess.PIPE, check=True, text=True)
        found = dict(line.split("=") for line in done.stdout.splitlines())
        index = sum(disk_bytes(os.path.join(again, "stores", name, "index"))
                    for name in os.listdir(os.path.join(again, "stores")))
        shutil.rmtree(again)
        return {"cpu": float(found["cpu_seconds"]), "seconds": float(found["seconds"]),
                "peak": int(found["pss_kib"]) * 1024, "index": index, "text": None,
                "peak_anonymous": int(found["anonymous_kib"]) * 1024}

    def open(self):
        self.asker = Asker(self.bin_dir, self.path("data"))

    def ask(self, question):
        took, total, hits, snippets, _, _ = self.asker.ask(own_language(question),
                                                           question.get("span"))
        return took / 1e6, total, hits, snippets

    def close(self):
        self.asker.close()


class MailkeepBefore(Mailkeep):
    """Another build's search_run (BENCH_BEFORE) on a copy of the same archive."""

    name = "before"
    beside = None  # the Mailkeep whose archive it copies

    def missing(self):
        return "" if os.environ.get("BENCH_BEFORE") else "BENCH_BEFORE is not set"

    def build(self, corpus):
        return {}

    def open(self):
        shutil.rmtree(self.path("data"), ignore_errors=True)
        shutil.copytree(self.beside.path("data"), self.path("data"))
        self.asker = Asker(os.environ["BENCH_BEFORE"], self.path("data"))


class MailkeepHttps(Engine):
    """The daemon on a copy of the same archive, asked over one HTTPS connection."""

    name = "https"
    beside = None  # the Mailkeep whose archive it copies

    def build(self, corpus):
        return {}

    def open(self):
        self.server = Server(self.bin_dir, self.dir, any_port=True)
        shutil.copytree(self.beside.path("data"), self.server.data)
        self.server.write_config()
        self.server.password = self.beside.password
        self.server.start()
        self.web = self.server.web()

    def ask(self, question):
        more = {}
        if question.get("span"):
            more = {k: time.strftime("%Y-%m-%d", time.gmtime(t))
                    for k, t in zip(("from", "to"), question["span"])}
        began = time.perf_counter()
        answer = self.web.json("search", q=own_language(question), limit=PAGE, snippets=1,
                               **more)
        took = time.perf_counter() - began
        return (took, answer["total"], len(answer["items"]),
                sum(1 for item in answer["items"] if item.get("snippet")))

    def close(self):
        self.server.stop()


# -- SQLite -----------------------------------------------------------------------------------------
def fts5_build(texts, path):
    """In a process of its own; reading the texts is not counted."""
    began = time.process_time()
    for _ in read_texts(texts):
        pass
    reading = time.process_time() - began
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("CREATE TABLE dates (date INTEGER, number INTEGER)")
    database.execute(f"CREATE VIRTUAL TABLE mails USING fts5({', '.join(TEXTS)})")
    database.execute("BEGIN")
    for number, (date, texts_of_mail) in enumerate(read_texts(texts), 1):
        database.execute("INSERT INTO mails(rowid, sender, recipients, subject, body, attachments) "
                         "VALUES (?, ?, ?, ?, ?, ?)", (number, *texts_of_mail))
        database.execute("INSERT INTO dates VALUES (?, ?)", (date, number))
        if number % 1000 == 0:
            database.execute("COMMIT")
            database.execute("BEGIN")
    database.execute("CREATE INDEX by_date ON dates (date)")
    database.execute("COMMIT")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    print(reading)


class Fts5(Engine):
    """Rows in the order of their dates, so that the newest 50 and a range of days need no sorting."""

    name = "fts5"
    note = "does not encrypt; no leading wildcard"

    def build(self, corpus):
        path = self.path("mails.db")
        with open(self.path("reading"), "w+", encoding="ascii") as out:
            result = run_measured([sys.executable, __file__, "fts5", corpus.texts, path],
                                  stdout=out)
            out.seek(0)
            result["cpu"] -= 2 * float(out.read())  # once to measure it, once in the run itself
        database = sqlite3.connect(path)
        sizes = dict(database.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name"))
        text = sizes.get("mails_content", 0)
        return {**result, "index": sum(sizes.values()) - text, "text": text}

    def open(self):
        self.database = sqlite3.connect(self.path("mails.db"))

    @staticmethod
    def match(question):
        words = question["words"]
        return {"phrase": '"' + " ".join(words) + '"', "prefix": words[0] + "*", "leading": None,
                "from": f'sender : "{words[0]}"'}.get(
                    question["kind"], " ".join(f'"{w}"' for w in words))

    def ask(self, question):
        match = self.match(question)
        if match is None:
            return None
        began = time.perf_counter()
        more, values = "", [match]
        if question.get("span"):
            low, high = self.database.execute("SELECT min(number), max(number) FROM dates WHERE "
                                              "date BETWEEN ? AND ?", question["span"]).fetchone()
            more, values = " AND rowid BETWEEN ? AND ?", [match, low, high]
        total = self.database.execute(
            f"SELECT count(*) FROM mails WHERE mails MATCH ?{more}", values).fetchone()[0]
        rows = self.database.execute(
            "SELECT rowid, sender, subject, snippet(mails, -1, '<b>', '</b>', '...', 24) FROM mails "
            f"WHERE mails MATCH ?{more} ORDER BY rowid DESC LIMIT {PAGE}", values).fetchall()
        return time.perf_counter() - began, total, len(rows), len(rows)

    def close(self):
        self.database.close()


# -- sphinxsearch -----------------------------------------------------------------------------------
SPHINX_CONF = """\
source mails {{
  type = xmlpipe2
  xmlpipe_command = cat {dir}/mails.xml
}}
index mails {{
  source = mails
  path = {dir}/mails
  dict = keywords
  min_infix_len = 3
  ondisk_attrs = pool
  charset_table = 0..9, a..z, A..Z->a..z, U+DF, U+E0..U+F6, U+F8..U+FF, U+C0..U+D6->U+E0..U+F6, \
U+D8..U+DE->U+F8..U+FE, U+410..U+42F->U+430..U+44F, U+430..U+44F, U+401->U+451, U+451
  ngram_len = 1
  ngram_chars = U+3000..U+2FA1F
}}
indexer {{
  mem_limit = 128M
  max_xmlpipe2_field = 16M
}}
searchd {{
  listen = 127.0.0.1:{port}:mysql41
  log = {dir}/searchd.log
  pid_file = {dir}/searchd.pid
  binlog_path =
  workers = threads
}}
"""
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class Sphinx(Engine):
    name = "sphinx"
    note = "does not encrypt"

    def missing(self):
        return "" if pymysql and shutil.which("indexer") and shutil.which("searchd") else \
            "sphinxsearch, python3-pymysql"

    def write_config(self):
        self.port = free_port(0)
        with open(self.path("sphinx.conf"), "w", encoding="ascii") as out:
            out.write(SPHINX_CONF.format(dir=self.dir, port=self.port))

    def build(self, corpus):
        from xml.sax.saxutils import escape
        self.write_config()
        with open(self.path("mails.xml"), "w", encoding="utf-8") as out:
            out.write('<?xml version="1.0" encoding="utf-8"?>\n<sphinx:docset><sphinx:schema>'
                      + "".join(f'<sphinx:field name="{n}" attr="string"/>' for n in TEXTS)
                      + '<sphinx:attr name="date" type="timestamp"/></sphinx:schema>\n')
            for number, (date, texts) in enumerate(read_texts(corpus.texts), 1):
                out.write(f'<sphinx:document id="{number}"><date>{date}</date>' + "".join(
                    f"<{n}>{escape(NOT_XML.sub(' ', t))}</{n}>" for n, t in zip(TEXTS, texts))
                    + "</sphinx:document>\n")
            out.write("</sphinx:docset>\n")
        result = run_measured(["indexer", "--config", self.path("sphinx.conf"), "--quiet", "mails"],
                              stdout=subprocess.DEVNULL)
        os.unlink(self.path("mails.xml"))
        size = {n: os.path.getsize(self.path(n)) for n in os.listdir(self.dir)
                if n.startswith("mails.")}
        return {**result, "index": sum(size.values()) - size["mails.sps"],
                "text": size["mails.sps"]}

    def open(self):
        self.write_config()
        self.process = subprocess.Popen(["searchd", "--nodetach", "--config",
                                         self.path("sphinx.conf")], stdout=subprocess.DEVNULL)
        for _ in range(200):
            try:
                self.connection = pymysql.connect(host="127.0.0.1", port=self.port, user="")
                break
            except pymysql.err.OperationalError:
                time.sleep(0.1)
        self.cursor = self.connection.cursor()

    @staticmethod
    def match(question):
        words = [re.sub(r"[^0-9a-z]+", " ", w) for w in question["words"]]
        return {"phrase": '"' + " ".join(words) + '"', "prefix": words[0] + "*",
                "leading": "*" + words[0], "from": f'@sender "{words[0]}"'}.get(
                    question["kind"], " ".join(words))

    def ask(self, question):
        match = self.match(question).replace("'", "")
        began = time.perf_counter()
        more = ""
        if question.get("span"):
            more = " AND date BETWEEN %d AND %d" % tuple(question["span"])
        rows = self.cursor.execute(
            f"SELECT id, date, sender, subject, SNIPPET(body, '{match}') FROM mails WHERE "
            f"MATCH('{match}'){more} ORDER BY id DESC LIMIT {PAGE}")
        self.cursor.fetchall()
        self.cursor.execute("SHOW META LIKE 'total_found'")
        total = int(self.cursor.fetchone()[1])
        return time.perf_counter() - began, total, rows, rows

    def close(self):
        self.connection.close()
        self.process.terminate()
        self.process.wait(timeout=60)


# -- notmuch ----------------------------------------------------------------------------------------
class Notmuch(Engine):
    name = "notmuch"
    note = "does not encrypt; shows no snippets; no leading wildcard"

    def missing(self):
        return "" if notmuch2 and shutil.which("notmuch") else "notmuch, python3-notmuch2"

    def build(self, corpus):
        folder = self.path("mail", "cur")
        for name in ("cur", "new", "tmp"):
            os.makedirs(self.path("mail", name))
        for number, octets in enumerate(read_mails(corpus.path), 1):
            with open(os.path.join(folder, f"{number}.M1P1.bench:2,S"), "wb") as out:
                out.write(octets.replace(b"\r\n", b"\n"))
        with open(self.path("config"), "w", encoding="ascii") as out:
            out.write(f"[database]\npath={self.path('mail')}\n[new]\ntags=\n"
                      "[maildir]\nsynchronize_flags=false\n[user]\nname=x\n"
                      "primary_email=x@firma.example\n")
        result = run_measured(["notmuch", "new", "--quiet"], stdout=subprocess.DEVNULL,
                              env={**os.environ, "NOTMUCH_CONFIG": self.path("config")})
        index = disk_bytes(self.path("mail", ".notmuch"))
        shutil.rmtree(folder)  # what is searched for and shown is in the index
        return {**result, "index": index, "text": 0}

    def open(self):
        self.database = notmuch2.Database(self.path("mail"),
                                          mode=notmuch2.Database.MODE.READ_ONLY,
                                          config=notmuch2.Database.CONFIG.EMPTY)

    @staticmethod
    def match(question):
        words = question["words"]
        return {"phrase": '"' + " ".join(words) + '"', "prefix": words[0] + "*", "leading": None,
                "from": "from:" + words[0]}.get(
                    question["kind"], " ".join(f'"{w}"' for w in words))

    def ask(self, question):
        match = self.match(question)
        if match is None:
            return None
        if question.get("span"):
            match += " date:@%d..@%d" % tuple(question["span"])
        began = time.perf_counter()
        total = self.database.count_messages(match)
        found = self.database.messages(match, sort=notmuch2.Database.SORT.NEWEST_FIRST)
        rows = []
        for message in found:
            rows.append((message.date, message.header("Subject"), message.header("From")))
            if len(rows) == PAGE:
                break
        return time.perf_counter() - began, total, len(rows), 0

    def close(self):
        self.database.close()


PEERS = (Fts5, Sphinx, Notmuch)

if __name__ == "__main__":
    if sys.argv[1] == "fts5":
        fts5_build(sys.argv[2], sys.argv[3])
