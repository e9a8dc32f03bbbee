#!/usr/bin/python3
"""make bench-million: a million mails through the daemon, and what searching them is like.

  BENCH_MILLION_MAILS=1000000  small mails of corpus/genmail.py; needs MAILKEEP_CORPUS
  BENCH_SEED=9077              their seed
  BENCH_NICE=N                 everything runs at that niceness
  BENCH_CHECK_MAILS=20000      mails whose token is looked for over HTTPS
  BENCH_CHECK_SECONDS=300      for looking for all the others without the daemon
  BENCH_CONNECTIONS=8          SMTP connections
  BENCH_STARTS=1               only the starts, with the archive that the last run has left

The mails are made, sent by SMTP and thrown away in pieces of 5,000; the whole is never on the disk.
While they come in, a mail of our own is sent again and again and looked for until it is found. Each
mail has a token that no other has: it must be found, and nothing else with it. What was counted
while the mails were made must be the totals. Writes the tables to docs/benchmarks.md between their
marks when there were a million, and all figures to build/bench/million-N.json.
"""

import argparse
import array
import collections
import glob
import json
import os
import random
import shutil
import smtplib
import statistics
import subprocess
import sys
import threading
import time

import mails
from million_report import write_million_report
from peers import pss_bytes
from search import KINDS, Draw, percentile, say
from mailkeep_server import Server
from search_peers import PAGE, Archive, Asker, Mailkeep, own_language

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
CHUNK = 5000
ROUNDS = 2
PROBE = "From: probe@probe.example\r\nTo: journal@{domain}\r\nSubject: probe\r\n" \
        "Date: Mon, 01 Jan 2001 00:00:00 +0000\r\nMessage-ID: <{token}@probe.example>\r\n\r\n{token}\r\n"


# -- beside the load --------------------------------------------------------------------------------
class Probe(threading.Thread):
    """How long after its 250 a mail is found, one after the other."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.over, self.lags, self.searches = server, threading.Event(), [], []
        self.sent, self.lost = 0, 0

    def run(self):
        web, draw = self.server.web(), random.Random(1)
        while not self.over.wait(0.2):
            token = "pr" + "".join(draw.choices(mails.genmail_alphabet, k=12))
            acked = self.send(token)
            while not self.found(web, token):
                if time.monotonic() - acked > 120:
                    self.lost += 1
                    break
                time.sleep(0.02)
            else:
                self.lags.append(time.monotonic() - acked)

    def send(self, token):
        with smtplib.SMTP("127.0.0.1", self.server.ports["smtp"], "probe.example",
                          timeout=120) as session:
            session.sendmail("probe@probe.example", [f"journal@{mails.DOMAIN}"],
                             PROBE.format(domain=mails.DOMAIN, token=token).encode())
            self.sent += 1
            return time.monotonic()

    def found(self, web, token):
        began = time.monotonic()
        total = web.json("search", q=token, limit=1)["total"]
        self.searches.append((time.monotonic() - began) * 1000)
        return total == 1

    def end(self):
        self.over.set()
        self.join()


class Watch(threading.Thread):
    """The largest memory of the daemon while something goes on."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.peak, self.over = pid, 0, threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(0.5):
            self.peak = max(self.peak, pss_bytes(self.pid))

    def end(self):
        self.over.set()
        self.join()
        return self.peak


# -- ingest -----------------------------------------------------------------------------------------
def wait_for(path, maker):
    while not os.path.exists(path):
        if maker.poll() not in (None, 0):
            raise RuntimeError("mails.py has failed")
        time.sleep(0.05)


def feed(archive, directory, count, maker, connections):
    """All pieces, each deleted when it is sent; acks a second of the daemon while it was busy."""
    sending, began = 0.0, time.monotonic()
    for number in range((count + CHUNK - 1) // CHUNK):
        path = os.path.join(directory, f"chunk-{number:06}.bsmtp")
        wait_for(path, maker)
        sending += float(archive.load(path, connections)["seconds"])
        os.unlink(path)
        archive.see_catchall()
        if (number + 1) % 4 == 0:
            done = min((number + 1) * CHUNK, count)
            say(f"  {done} mails, {done / (time.monotonic() - began):.0f} a second, "
                f"{archive.server.metric('index_behind'):.0f} behind, "
                f"{pss_bytes(archive.server.process.pid) / 2**20:.0f} MiB")
    return sending


def ingest(archive, directory, count, maker, connections):
    server = archive.server
    began = time.monotonic()
    probe, watch = Probe(server), Watch(server.process.pid)
    probe.start()
    sending = feed(archive, directory, count, maker, connections)
    probe.end()
    fed = time.monotonic()
    if not server.wait_indexed(3600):
        raise RuntimeError("the index does not catch up")
    result = {"seconds": fed - began, "sending": sending, "behind_seconds": time.monotonic() - fed,
              "lags": probe.lags, "probes": probe.sent, "probes_lost": probe.lost,
              "probe_search_ms": probe.searches, "segments_at_end": archive.segments()}
    archive.settle()
    result["settled_seconds"] = time.monotonic() - fed
    result["index_cpu"] = server.metric("index_cpu_seconds_total")
    result["pss"] = watch.end()
    return result


# -- is everything found ----------------------------------------------------------------------------
class Truth:
    def __init__(self, directory):
        with open(os.path.join(directory, "truth.json"), encoding="utf-8") as source:
            self.counts = json.load(source)
        self.count, self.seed = self.counts["count"], self.counts["seed"]
        self.sizes, self.dates = array.array("I"), array.array("q")
        with open(os.path.join(directory, "truth.mails"), "rb") as source:
            self.sizes.fromfile(source, self.count)
            self.dates.fromfile(source, self.count)
        self.module = mails.genmail()

    def token(self, n):
        return self.module.token("gm", self.seed, n)

    def drawn(self, counts, many, seed=7):
        found = sorted(self.counts[counts].items())
        return random.Random(seed).sample(found, min(many, len(found)))


def check_tokens(web, truth, many):
    """Over HTTPS: one hit, of the right size and date; of some the octets, too."""
    wrong, looked_into = [], 0
    for i, n in enumerate(random.Random(3).sample(range(truth.count), min(many, truth.count))):
        answer = web.json("search", q=truth.token(n), limit=2)
        items = answer["items"]
        date = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(truth.dates[n]))
        if (answer["total"] != 1 or items[0]["size"] != truth.sizes[n] or
                not items[0]["date"].startswith(date)):
            wrong.append(n)
        elif i % 50 == 0:
            looked_into += 1
            if b"\r\nX-Genmail: %d/%d\r\n" % (truth.seed, n) not in web.raw(items[0]["id"]):
                wrong.append(n)
    return {"asked": min(many, truth.count), "looked_into": looked_into, "wrong": wrong[:20],
            "wrong_count": len(wrong)}


def total_questions(truth):
    """(what, arguments, how many were counted)"""
    for name, query in (("by_sender", "from:"), ("by_recipient", "to:"),
                        ("by_subject_word", "subject:"), ("by_body_word", "bcontent:")):
        for value, count in truth.drawn(name, 300):
            yield name, {"q": query + value}, count
    for day, count in truth.drawn("by_day", 100):
        yield "by_day", {"from": day, "to": day}, count
    for value, count in truth.drawn("by_body_word_and_month", 300):
        word, month = value.split(" ")
        last = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[int(month[5:]) - 1]
        yield "by_body_word_and_month", {"q": "bcontent:" + word, "from": month + "-01",
                                         "to": f"{month}-{last}"}, count


def check_totals(web, truth, probes):
    asked, wrong = collections.Counter(), []
    for what, arguments, count in [*total_questions(truth),
                                   ("all", {}, truth.count + probes)]:
        total = web.json("search", limit=1, **arguments)["total"]
        asked[what] += 1
        if total != count:
            wrong.append((what, arguments, total, count))
    return {"asked": asked, "wrong": wrong[:20], "wrong_count": len(wrong)}


def check_all_tokens(asker, truth, seconds):
    """As many as there is time for, in mixed order, straight from the index."""
    order = list(range(truth.count))
    random.Random(4).shuffle(order)
    end, asked, wrong = time.monotonic() + seconds, 0, []
    for begin in range(0, len(order), 100):
        if time.monotonic() > end:
            break
        part = order[begin:begin + 100]  # few enough for the pipes
        asker.process.stdin.write("".join(f"{truth.token(n)}\t0\t0\t2\t0\n" for n in part))
        asker.process.stdin.flush()
        for n in part:
            answer = asker.process.stdout.readline().rstrip("\n").split("\t")
            asked += 1
            if answer[1:3] != ["1", "1"] or int(answer[4]) != truth.sizes[n] or \
                    int(answer[5]) != truth.dates[n] * 1000:
                wrong.append(n)
    return {"asked": asked, "wrong": wrong[:20], "wrong_count": len(wrong)}


# -- how fast ---------------------------------------------------------------------------------------
def figures_of(answers):
    return {kind: {"median": statistics.median(t for t, _ in of), "asked": len(of),
                   "p95": percentile([t for t, _ in of], 0.95), "max": max(t for t, _ in of),
                   "total": statistics.mean(n for _, n in of)}
            for kind, of in answers.items() if of}


def ask_rounds(ask, questions):
    answers = {kind: [] for kind in KINDS}
    refused = collections.Counter()
    for turn in range(ROUNDS + 1):
        for question in questions:
            try:
                took, total = ask(question)
            except Exception as error:  # a wildcard for too many words, say
                refused[f"{question['kind']}: {str(error)[:80]}"] += turn == 1
                continue
            if turn > 0:
                answers[question["kind"]].append((took * 1000, total))
    return {"kinds": figures_of(answers), "refused": refused}


def over_https(web):
    def ask(question):
        more = {}
        if question.get("span"):
            more = {k: time.strftime("%Y-%m-%d", time.gmtime(t))
                    for k, t in zip(("from", "to"), question["span"])}
        began = time.perf_counter()
        answer = web.json("search", q=own_language(question), limit=PAGE, snippets=1, **more)
        return time.perf_counter() - began, answer["total"]
    return ask


def straight(asker):
    def ask(question):
        answer = asker.ask(own_language(question), question.get("span"))
        return answer[0] / 1e6, answer[1]
    return ask


def forget_pages(directory):
    """The system keeps none of these files in memory."""
    os.sync()
    for folder, _, files in os.walk(directory):
        for name in files:
            handle = os.open(os.path.join(folder, name), os.O_RDONLY)
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(handle)


def start_and_ask(server, question):
    """From the start of the process to the first answer; log-in apart from the search itself."""
    began = time.monotonic()
    with open(server.log, "ab") as log:
        server.process = subprocess.Popen(
            [os.path.join(server.bin_dir, "mailkeepd"), "--config", server.config],
            stdin=subprocess.DEVNULL, stderr=log)
    web = server.web()
    while True:
        try:
            web.json("session")
            break
        except OSError:
            web = server.web()
            time.sleep(0.002)
    logged_in = time.monotonic()
    total = over_https(web)(question)[1]
    return {"started_ms": (logged_in - began) * 1000, "total": total,
            "first_ms": (time.monotonic() - logged_in) * 1000}


def cold_starts(server, questions):
    """With an empty page cache, once for each kind; and with a warm one."""
    found = {"cold": {}, "warm": {}}
    for how, kinds in (("cold", KINDS), ("warm", ("common",))):
        for kind in kinds:
            question = next(q for q in reversed(questions) if q["kind"] == kind)
            server.stop()
            if how == "cold":
                forget_pages(server.data)
            found[how][kind] = start_and_ask(server, question)
    return found


# -- all of it --------------------------------------------------------------------------------------
def run(arguments, work, bin_dir):
    count = int(os.environ.get("BENCH_MILLION_MAILS", 1000000))
    seed = int(os.environ.get("BENCH_SEED", 9077))
    directory = os.path.join(work, "million")
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    maker = subprocess.Popen([sys.executable, mails.__file__, "--count", str(count), "--seed",
                              str(seed), "--dir", directory, "--chunk", str(CHUNK)])
    figures = {"started": time.time(), "mails": count, "seed": seed}
    server = None
    try:
        wait_for(os.path.join(directory, "people.json"), maker)
        with open(os.path.join(directory, "people.json"), encoding="utf-8") as people:
            archive = Archive(os.path.join(directory, "archive"), bin_dir, json.load(people))
        server = archive.server
        with open(os.path.join(directory, "recovery-key"), "w", encoding="utf-8") as out:
            out.write(server.recovery)
        say(f"== {count} mails")
        figures["ingest"] = ingest(archive, directory, count, maker,
                                   int(os.environ.get("BENCH_CONNECTIONS", 8)))
        maker.wait(timeout=600)
        truth = Truth(directory)
        figures["octets"] = truth.counts["octets"]
        measure(archive, truth, figures, Draw(os.path.join(directory, "sample.texts"),
                                              truth.counts["by_sender"], seed, (1, 1)).all())
    finally:
        for chunk in glob.glob(os.path.join(directory, "chunk-*")):
            os.unlink(chunk)
        if maker.poll() is None:
            maker.kill()
        if server is not None:
            server.stop()
    return figures


def only_starts(work, bin_dir):
    """What a cold start takes now, with the archive of the last run."""
    directory = os.path.join(work, "million")
    truth = Truth(directory)
    server = Server(bin_dir, os.path.join(directory, "archive"), any_port=True, keep=True)
    server.settings = "log: {level: info}\n"
    with open(os.path.join(directory, "recovery-key"), encoding="utf-8") as source:
        server.adopt(source.read())
    server.start()
    try:
        starts = cold_starts(server, Draw(os.path.join(directory, "sample.texts"),
                                          truth.counts["by_sender"], truth.seed, (1, 1)).all())
    finally:
        server.stop()
    for how, kinds in starts.items():
        for kind, of in kinds.items():
            say(f"{how}, {kind}: log-in after {of['started_ms']:.0f} ms, "
                f"then the first answer after {of['first_ms']:.0f} ms")


def measure(archive, truth, figures, questions):
    server = archive.server
    time.sleep(15)
    figures["idle_pss"] = pss_bytes(server.process.pid)
    say(f"  idle: {figures['idle_pss'] / 2**20:.0f} MiB")
    watch, web = Watch(server.process.pid), server.web()
    figures["https"] = ask_rounds(over_https(web), questions)
    figures["searching_pss"] = watch.end()
    say(json.dumps(figures["https"], indent=1))
    figures["tokens"] = check_tokens(web, truth, int(os.environ.get("BENCH_CHECK_MAILS", 20000)))
    say(f"  tokens: {figures['tokens']}")
    figures["totals"] = check_totals(web, truth, figures["ingest"]["probes"])
    say(f"  totals: {figures['totals']}")
    figures["starts"] = cold_starts(server, questions)
    say(f"  starts: {figures['starts']}")
    server.stop()
    figures["disk"], figures["streams"] = archive.parts(), archive.streams()
    asker = Asker(archive.bin_dir, server.data)
    try:
        figures["straight"] = ask_rounds(straight(asker), questions)
        figures["straight_memory"] = asker.memory()
        figures["all_tokens"] = check_all_tokens(
            asker, truth, float(os.environ.get("BENCH_CHECK_SECONDS", 300)))
        say(f"  all tokens: {figures['all_tokens']}")
    finally:
        asker.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", default=os.environ.get("BIN_DIR", "build/release"))
    parser.add_argument("--work", default=os.path.join(TOP, "build/bench"))
    parser.add_argument("--document", help="where the tables go whatever the number of mails")
    arguments = parser.parse_args()
    if os.environ.get("BENCH_NICE"):
        os.setpriority(os.PRIO_PROCESS, 0, int(os.environ["BENCH_NICE"]))
    work = os.path.abspath(arguments.work)
    if os.environ.get("BENCH_STARTS"):
        only_starts(work, os.path.abspath(arguments.bin))
        return 0
    figures = run(arguments, work, os.path.abspath(arguments.bin))
    with open(os.path.join(work, f"million-{figures['mails']}.json"), "w",
              encoding="utf-8") as out:
        json.dump(figures, out, indent=1)
    document = arguments.document or (os.path.join(TOP, "docs/benchmarks.md")
                                      if figures["mails"] >= 1000000 else None)
    say(write_million_report(figures, document))
    return 0


if __name__ == "__main__":
    sys.exit(main())
