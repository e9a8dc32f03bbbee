#!/usr/bin/env python3
"""make bench: how fast, how small and how cheap Mailkeep takes mail, beside Postfix and Dovecot.

  BENCH_MAILS=20000   office mails of corpus/genmail.py; needs MAILKEEP_CORPUS (its directory)
  BENCH_SEED=7041     their seed: not one that the built-in dictionary has seen
  QUICK=1             2,000 office mails and 1,500 SpamAssassin mails, once each
  BENCH_NICE=N        everything that is measured runs at that niceness (beside other work)
  BENCH_ONLY=a,b      only these parts: office, spamassassin, tls, delay

The same client sends the same slices of the corpus to each server in turn, A B C A B C, at 1, 10
and 100 connections. Writes the table to docs/benchmarks.md between its two marks (not with QUICK
or BENCH_ONLY) and everything else below build/bench. Needs root: Postfix and Dovecot do.
"""

import argparse
import email
import email.utils
import glob
import json
import mmap
import os
import re
import subprocess
import sys
import threading
import time

import peers
from peers import Dovecot, Mailkeep, Postfix
from report import write_report

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
USERS = 200
IDLE_SECONDS = 10
MAIL = re.compile(rb"\r\nDATA\r\n(.*?\r\n)\.\r\n", re.S)


def say(text):
    print(text, flush=True)


# -- corpora --------------------------------------------------------------------------------------
class Corpus:
    """A batch SMTP file, how many mails it holds, and how many octets they are."""

    def __init__(self, name, path, addresses):
        self.name, self.path, self.addresses = name, path, addresses
        if not os.path.exists(path + ".sizes.json"):
            with open(path, "rb") as batch, open(path + ".sizes.json", "w",
                                                 encoding="ascii") as out:
                mapped = mmap.mmap(batch.fileno(), 0, prot=mmap.PROT_READ)
                json.dump([found.end(1) - found.start(1) for found in MAIL.finditer(mapped)], out)
        with open(path + ".sizes.json", encoding="ascii") as sizes:
            self.sizes = json.load(sizes)


def office(work, count, seed):
    root = os.environ.get("MAILKEEP_CORPUS")
    if not root:
        say("no office corpus: set MAILKEEP_CORPUS to the directory that has genmail.py")
        return None
    path = os.path.join(work, f"office-{count}-{seed}.bsmtp")
    if not os.path.exists(path):
        say(f"making {count} office mails ...")
        subprocess.run([sys.executable, os.path.join(root, "genmail.py"), "--count", str(count),
                        "--seed", str(seed), "--users", str(USERS), "--size-profile", "office",
                        "--format", "smtp", "--out", path + ".tmp",
                        "--index", path + ".index.tsv"], check=True, stdout=subprocess.DEVNULL)
        os.rename(path + ".tmp", path)
    with open(path + ".index.tsv", encoding="utf-8") as index:
        columns = index.readline().rstrip("\n").split("\t")
        wanted = [columns.index("envelope_from"), columns.index("envelope_rcpts")]
        found = {a.strip() for line in index for c in wanted
                 for a in re.split(r"[ ,;]+", line.split("\t")[c])}
    own = sorted(a for a in found if a.endswith("@" + peers.DOMAIN))
    return Corpus("office", path, own)


def spamassassin_files():
    for pattern in (os.path.join(TOP, "build/demo/spamassassin/package/data/*/*.txt"),
                    os.path.join(os.environ.get("MAILKEEP_SPAMASSASSIN", "/nonexistent"), "*/*")):
        files = sorted(glob.glob(pattern))
        if files:
            return files
    return []


def spamassassin(work, count):
    """The mails without their mbox line, in a mixed but constant order."""
    files = spamassassin_files()
    path = os.path.join(work, f"spamassassin-{count}.bsmtp")
    if not files and not os.path.exists(path):
        say("no SpamAssassin mails: make demo fetches them, or set MAILKEEP_SPAMASSASSIN")
        return None
    if not os.path.exists(path):
        files.sort(key=lambda f: (hash_of(os.path.basename(f)), f))
        with open(path + ".tmp", "wb") as out:
            out.write(b"EHLO load.example\r\n")
            for name in files[:count]:
                with open(name, "rb") as mail:
                    out.write(as_batch(mail.read()))
            out.write(b"QUIT\r\n")
        os.rename(path + ".tmp", path)
    return Corpus("spamassassin", path, [])


def hash_of(text):
    value = 0
    for c in text.encode():
        value = (value * 131 + c) % 1000003
    return value


def as_batch(octets):
    if octets.startswith(b"From "):
        octets = octets.partition(b"\n")[2]
    octets = re.sub(rb"\r?\n|\r", b"\r\n", octets)
    if not octets.endswith(b"\r\n"):
        octets += b"\r\n"
    sender = email.message_from_bytes(octets.split(b"\r\n\r\n", 1)[0] + b"\r\n\r\n").get("From", "")
    address = email.utils.parseaddr(str(sender))[1]
    if not re.fullmatch(r"[\w.+-]{1,60}@[\w.-]{1,100}", address, re.A):
        address = ""
    return (f"MAIL FROM:<{address}>\r\nRCPT TO:<someone@{peers.DOMAIN}>\r\nDATA\r\n".encode() +
            re.sub(rb"(?m)^\.", b"..", octets) + b".\r\n")


# What the loop's gauge does, in a process with nothing else to do: p99 of how late 50 ms were.
SLEEPER = """
import select, sys, time
late = []
while True:
    due = time.monotonic() + 0.05
    if select.select([sys.stdin], [], [], 0.05)[0]:
        break
    late.append(max(0.0, time.monotonic() - due))
late.sort()
print(late[len(late) * 99 // 100] * 1000 if late else 0)
"""


# -- runs -----------------------------------------------------------------------------------------
class Bench:
    def __init__(self, bin_dir, work):
        self.bin_dir, self.work = bin_dir, work
        self.results = []

    def servers(self, corpus, pem, names):
        made = {"mailkeep": lambda: Mailkeep(self.work, self.bin_dir),
                "postfix": lambda: Postfix(self.work), "dovecot": lambda: Dovecot(self.work)}
        started = []
        try:
            for name in names:
                server = made[name]()
                started.append(server)
                server.start(corpus.addresses if name == "mailkeep" else pem)
        except BaseException:
            for server in started:
                server.stop()
            raise
        return started

    def load(self, server, corpus, first, count, connections, options=()):
        command = [os.path.join(self.bin_dir, "tests/tools/smtp_load"), "--format=smtp",
                   f"--connections={connections}", f"--mails={count}", f"--first={first}",
                   *server.client_options, *options, "127.0.0.1", str(server.port), corpus.path]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=False, text=True)
        answer = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
        if done.returncode != 0 or int(answer.get("failed", 1)) > 0:
            say(f"  {server.name}: {answer.get('failed', 'all')} of {count} mails failed")
        return answer

    def measure(self, server, corpus, first, count, connections, options=()):
        """One slice to one server: what the client saw, and what the server used."""
        cpu, index = server.cpu(), server.index_cpu()
        watch = Watch(server)
        answer = self.load(server, corpus, first, count, connections, options)
        watch.end()
        server.settle()
        cpu, index = server.cpu() - cpu, server.index_cpu() - index
        result = {"corpus": corpus.name, "server": server.name, "connections": connections,
                  "tls": "--starttls" in options, "mails": count,
                  "octets": sum(corpus.sizes[first:first + count]),
                  "rate": float(answer["acks_per_second"]),
                  "p50_ms": float(answer["latency_ms_p50"]),
                  "p99_ms": float(answer["latency_ms_p99"]),
                  "cpu_ack": (cpu - index) / count * 1000, "cpu_all": cpu / count * 1000,
                  "pss": watch.pss, "delay_p99_ms": watch.delay * 1000,
                  "failed": int(answer["failed"])}
        self.results.append(result)
        say(f"  {server.name:9} {connections:3} connections {'TLS ' if result['tls'] else ''}"
            f"{result['rate']:8.0f} acks/s   CPU {result['cpu_ack']:5.2f} s up to the ack, "
            f"{result['cpu_all']:5.2f} s in all per 1,000   p99 {result['p99_ms']:7.1f} ms   "
            f"PSS {result['pss'] / 2**20:5.0f} MiB"
            + (f"   loop p99 {result['delay_p99_ms']:4.1f} ms" if server.name == "mailkeep" else ""))
        return result


class Watch:
    """Looks at a server's memory and loop delay while it is loaded; keeps the largest."""

    def __init__(self, server):
        self.server, self.pss, self.delay = server, 0, 0.0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.look, daemon=True)
        self.thread.start()

    def look(self):
        while not self.over.wait(0.5):
            self.pss = max(self.pss, self.server.pss())
            if self.server.name == "mailkeep":
                self.delay = max(self.delay, self.server.server.metric(
                    r'loop_delay_seconds{quantile="0.99"}'))

    def end(self):
        self.over.set()
        self.thread.join()


def slices(total, rounds):
    """(first, count, connections): @rounds times 1, 10 and 100 connections over the corpus."""
    shares = {1: 0.1, 10: 0.4, 100: 0.5}
    first, found = 0, []
    for _ in range(rounds):
        for connections, share in shares.items():
            count = int(total * share / rounds)
            found.append((first, count, connections))
            first += count
    return found


def compare(bench, corpus, pem, rounds, names, count, options=()):
    """Slices of @count mails to all servers in turn; then what they have on disk."""
    say(f"== {corpus.name}: {count} mails, {sum(corpus.sizes[:count]) / 1e6:.0f} MB"
        + (", TLS" if options else ""))
    servers = bench.servers(corpus, pem, names)
    sizes = {}
    try:
        sent = 0
        for first, count, connections in slices(count, rounds):
            for server in servers:
                bench.measure(server, corpus, first, count, connections, options)
            sent = first + count
        time.sleep(IDLE_SECONDS)
        idle = {server.name: server.pss() for server in servers}
        for server in servers:
            server.stop()
        raw = sum(corpus.sizes[:sent])
        for server in servers:
            sizes[server.name] = server.stored()
        say(f"  idle PSS: " + ", ".join(f"{n} {v / 2**20:.0f} MiB" for n, v in idle.items()))
        say(f"  on disk: {json.dumps(sizes)} for {raw} octets")
        return {"raw": raw, "disk": sizes, "idle": idle}
    finally:
        for server in servers:
            server.stop()


def loop_delay(bench, corpus, pem):
    """50 connections; beside them a process that only sleeps tells what the machine adds."""
    say("== loop delay at 50 connections")
    server, = bench.servers(corpus, pem, ["mailkeep"])
    sleeper = subprocess.Popen([sys.executable, "-c", SLEEPER], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    try:
        result = bench.measure(server, corpus, 0, len(corpus.sizes), 50)
        result["sleeper_p99_ms"] = float(sleeper.communicate("\n")[0])
        say(f"  a process that does nothing but sleep: p99 {result['sleeper_p99_ms']:.1f} ms late")
        return result
    finally:
        sleeper.kill()
        server.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", default=os.environ.get("BIN_DIR", "build/release"))
    parser.add_argument("--servers", default="mailkeep,postfix,dovecot")
    parser.add_argument("--work", default=os.path.join(TOP, "build/bench"))
    arguments = parser.parse_args()
    quick = os.environ.get("QUICK") == "1"
    only = [p for p in os.environ.get("BENCH_ONLY", "").split(",") if p]
    names = arguments.servers.split(",")
    missing = peers.missing_packages()
    if missing:
        say(f"not installed: {', '.join(missing)}; `tools/deps.sh bench` as root installs them")
        names = ["mailkeep"]
    elif os.geteuid() != 0:
        say("not root: Postfix and Dovecot need that; Mailkeep is measured alone")
        names = ["mailkeep"]
    os.makedirs(arguments.work, exist_ok=True)
    closed = peers.closed_folder(arguments.work)
    if closed and names != ["mailkeep"]:
        say(f"{closed} lets in nobody else, and Postfix and Dovecot work as users of their own: "
            "Mailkeep is measured alone; with --work=DIR somewhere else all are")
        names = ["mailkeep"]
    if os.environ.get("BENCH_NICE"):
        os.setpriority(os.PRIO_PROCESS, 0, int(os.environ["BENCH_NICE"]))
    pem = peers.make_certificate(os.path.join(arguments.work, "peers.pem"))
    bench = Bench(os.path.abspath(arguments.bin), os.path.abspath(arguments.work))
    mails = int(os.environ.get("BENCH_MAILS", 2000 if quick else 20000))
    corpora = [c for c in (office(bench.work, mails, int(os.environ.get("BENCH_SEED", 7041))),
                           spamassassin(bench.work, 1500 if quick else 6046))
               if c is not None and (not only or c.name in only or {"tls", "delay"} & set(only))]
    if not corpora:
        return 1
    rounds = 1 if quick else 2
    figures = {"started": time.time(), "mails": mails, "ends": {},
               "seed": int(os.environ.get("BENCH_SEED", 7041))}
    for corpus in corpora:
        if not only or corpus.name in only:
            figures["ends"][corpus.name] = compare(bench, corpus, pem, rounds, names,
                                                   len(corpus.sizes))
    if not only or "tls" in only:
        compare(bench, corpora[0], pem, 1, names, len(corpora[0].sizes) // (1 if quick else 4),
                ("--starttls",))
    if not only or "delay" in only:
        figures["delay"] = loop_delay(bench, corpora[0], pem)
    figures["results"] = bench.results
    with open(os.path.join(bench.work, "ingest.json"), "w", encoding="utf-8") as out:
        json.dump(figures, out, indent=1)
    document = None if quick or only else os.path.join(TOP, "docs/benchmarks.md")
    say(write_report(figures, document))
    return 0


if __name__ == "__main__":
    sys.exit(main())
