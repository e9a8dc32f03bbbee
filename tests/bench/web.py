#!/usr/bin/python3
"""make bench-web: searching as one types, and scrolling, in Chromium over 100,000 mails.

  BENCH_SEARCH_MAILS=100000  small mails of corpus/genmail.py; needs MAILKEEP_CORPUS (its directory)
  BENCH_SEED=9077            their seed
  BENCH_FRESH=1              fills the archive anew; else that of the last run is used again

The real daemon, the real application, one browser: tests/browser/bench.mjs types and scrolls and has the
page's own clock say when the request left, when the answer was there, and when the list had been
painted. Writes the table to docs/benchmarks.md between its two marks (for 100,000 mails) and all
figures to build/bench/web.json.
"""

import json
import os
import shutil
import subprocess
import sys
import time

from search import TOP, Corpus
from search_peers import Archive
from search_report import replace_between

sys.path.insert(0, os.path.join(TOP, "tools"))
from mailkeep_server import Server  # noqa: E402

BROWSER_TESTS = os.path.join(TOP, "tests/browser")
PACKAGES = os.path.join(TOP, "build/browser")
LIMITS = {"answer": 50, "repaint": 100}  # ms


def say(text):
    print(text, flush=True)


def fill(home, bin_dir, corpus):
    """An archive of the mails that stays for the next run, with its password beside it."""
    kept = os.path.join(home, "password")
    if os.path.exists(kept) and os.environ.get("BENCH_FRESH") != "1":
        return
    shutil.rmtree(home, ignore_errors=True)
    say(f"taking {corpus.count} mails ...")
    archive = Archive(home, bin_dir, corpus.people)
    try:
        archive.load(corpus.path)
        archive.settle()
        archive.see_catchall()
    finally:
        archive.server.stop()
    with open(os.open(kept, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as out:
        out.write(archive.server.password)


def start(home, bin_dir):
    server = Server(bin_dir, os.path.join(home, "run"), any_port=True)
    server.data = os.path.join(home, "data")
    server.certificate = os.path.join(server.data, "tls", "certificate.pem")
    server.write_config()
    with open(os.path.join(home, "password"), encoding="ascii") as source:
        server.password = source.read()
    server.start()
    return server


def install_packages():
    """As tests/system/browser-lib.sh does."""
    os.makedirs(PACKAGES, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(os.path.join(BROWSER_TESTS, name), PACKAGES)
    if not os.path.exists(os.path.join(PACKAGES, "node_modules", "playwright-core")):
        subprocess.run(["npm", "ci", "--ignore-scripts"], cwd=PACKAGES, check=True,
                       stdout=subprocess.DEVNULL)


def measure(server):
    environment = {**os.environ, "WEB": f"https://127.0.0.1:{server.ports['https']}",
                   "ADMIN_PASSWORD": server.password, "PASSWORD": server.password,
                   "PACKAGES": PACKAGES}
    done = subprocess.run(["node", os.path.join(BROWSER_TESTS, "bench.mjs")], cwd=PACKAGES,
                          env=environment, stdout=subprocess.PIPE, check=True, text=True,
                          timeout=900)
    return json.loads(done.stdout)


def quantile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))]


def row(name, values, limit=None):
    cells = [f"{quantile(values, share):.0f}" for share in (0.5, 0.95)] + [f"{max(values):.0f}"]
    return f"| {name} | {len(values)} | {' | '.join(cells)} | {limit or ''} |"


def report(figures):
    typed, scrolled = figures["typed"], figures["scrolled"]
    lines = [f"{figures['mails']:,} mails, {time.strftime('%Y-%m-%d')}; load of the machine at the beginning "
             f"{figures['load'][0]:.1f}, at the end {figures['load'][1]:.1f} on {os.cpu_count()} processors "
             f"(with others at work the upper quantiles are theirs).", "",
             "| ms | times | median | p95 | most | limit |", "| --- | --- | --- | --- | --- | --- |",
             row("a letter to its request", [t["wait"] for t in typed]),
             row("request to answer", [t["answer"] for t in typed], LIMITS["answer"]),
             row("the server alone, asked by a script", figures["server"]),
             row("answer to painted list", [t["repaint"] for t in typed], LIMITS["repaint"]),
             row("scrolling: a jump to painted rows", [s["shown"] for s in scrolled]),
             row("scrolling: the longest frame of each jump", [s["frame"] for s in scrolled])]
    return "\n".join(lines) + "\n"


def ask_server(server, queries):
    """The same first pages over one connection, without a browser."""
    web, took = server.web(), []
    for _ in range(2):
        for query in queries:
            began = time.perf_counter()
            web.json("search", q=query, limit=50, snippets=1, sort="date", order="desc")
            took.append((time.perf_counter() - began) * 1000)
    return took[len(queries):]


def main():
    if not os.environ.get("MAILKEEP_CORPUS"):
        say("no mails: set MAILKEEP_CORPUS to the directory that has genmail.py")
        return 1
    bin_dir = os.path.abspath(os.environ.get("BIN_DIR", "build/release"))
    work = os.path.join(TOP, "build/bench")
    count = int(os.environ.get("BENCH_SEARCH_MAILS", 100000))
    corpus = Corpus(work, bin_dir, count, int(os.environ.get("BENCH_SEED", 9077)))
    home = os.path.join(work, f"web-{count}-{corpus.seed}")
    fill(home, bin_dir, corpus)
    install_packages()
    load = os.getloadavg()[0]
    server = start(home, bin_dir)
    try:
        figures = {"mails": count, **measure(server)}
        figures["server"] = ask_server(server, [t["q"] for t in figures["typed"]])
    finally:
        server.stop()
    figures["load"] = [load, os.getloadavg()[0]]
    with open(os.path.join(work, "web.json"), "w", encoding="utf-8") as out:
        json.dump(figures, out, indent=1)
    text = report(figures)
    if count == 100000:
        replace_between(os.path.join(TOP, "docs/benchmarks.md"), "web", text)
    say(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
