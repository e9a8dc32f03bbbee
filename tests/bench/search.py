#!/usr/bin/python3
"""make bench: how cheap, how small and how fast Mailkeep's search is, beside other search engines.

  BENCH_SEARCH_MAILS=100000  small mails of corpus/genmail.py; needs MAILKEEP_CORPUS (its directory)
  BENCH_SEED=9077            their seed
  QUICK=1                    5,000 mails, two rounds, about a minute
  BENCH_NICE=N               everything that is measured runs at that niceness
  BENCH_ENGINES=a,b          only these beside Mailkeep: fts5, sphinx, notmuch,
                             dovecot, https, before
  BENCH_BEFORE=DIR           the build directory of another state of Mailkeep, for "before"
  --document FILE            instead of docs/benchmarks.md; "" for none
  BENCH_KEEP=1               Mailkeep's archive of an earlier run is used again (not for https)

The questions are drawn by how many mails have their words. Every engine is asked every question
once to warm up and then five times, in rounds A B C D A B C D; the median of the five is the time
of that question. Writes the tables to docs/benchmarks.md between their two marks (not with QUICK or
BENCH_ENGINES) and all figures below build/bench. What the peers have built is kept there and used
again for the same mails; Mailkeep builds anew each time.
"""

import argparse
import collections
import json
import os
import random
import re
import statistics
import subprocess
import sys
import time

import mails
from search_dovecot import Dovecot
from search_peers import DAY, PEERS, Mailkeep, MailkeepBefore, MailkeepHttps, read_texts
from search_report import write_search_report

TOP = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
QUESTIONS = 40  # of each kind
SPAN_DAYS = 30
WORD = re.compile(r"[a-z]{3,14}")
# Operators of one peer or another.
NOT_ASKED = {"and", "not", "near", "xor", "adj", "prox"}
KINDS = ("rare", "common", "two", "phrase", "prefix", "leading", "from", "range")


def say(text):
    print(text, flush=True)


# -- mails ------------------------------------------------------------------------------------------
class Corpus:
    def __init__(self, work, bin_dir, count, seed):
        self.dir = os.path.join(work, f"search-{count}-{seed}")
        self.path = os.path.join(self.dir, "chunk-000000.bsmtp")
        self.texts = os.path.join(self.dir, "mails.texts")
        self.count, self.seed = count, seed
        if not os.path.exists(os.path.join(self.dir, "truth.json")):
            say(f"making {count} mails ...")
            os.makedirs(self.dir, exist_ok=True)
            subprocess.run([sys.executable, mails.__file__, "--count", str(count), "--chunk",
                            str(count), "--seed", str(seed), "--dir", self.dir], check=True)
        if not os.path.exists(self.texts):
            with open(self.texts + ".tmp", "wb") as out:
                subprocess.run([os.path.join(bin_dir, "tests/tools/mail_texts"), self.path],
                               stdout=out, check=True)
            os.rename(self.texts + ".tmp", self.texts)
        with open(os.path.join(self.dir, "truth.json"), encoding="utf-8") as truth:
            self.truth = json.load(truth)
        self.octets, self.people = self.truth["octets"], self.truth["people"]


# -- questions --------------------------------------------------------------------------------------
class Draw:
    """Questions by the numbers of mails that the words of the corpus stand in."""

    def __init__(self, texts_path, senders, seed, rare=(2, 20)):
        self.random = random.Random(seed)
        self.frequency, self.sample, self.dates = collections.Counter(), [], []
        self.count, self.senders, self.rare = 0, senders, rare
        for date, texts in read_texts(texts_path):
            self.frequency.update(mails.words(" ".join(texts)))
            if self.count % 5 == 0 and len(self.sample) < 20000:
                self.sample.append(texts[3].lower())
            self.dates += [date] if self.count % 100 == 0 else []
            self.count += 1

    def is_word(self, word, low, high):
        return (WORD.fullmatch(word) is not None and word not in NOT_ASKED and
                low <= self.frequency[word] <= high)

    def words(self, low, high, length=3):
        found = sorted(w for w in self.frequency if self.is_word(w, low, high)
                       and len(w) >= length)
        return self.random.sample(found, min(QUESTIONS, len(found)))

    def together(self, adjacent):
        """Two words that stand in one mail, in from 0.5 to 15 of 100 mails each."""
        low, high, found = self.count / 200, self.count * 0.15, []
        for _ in range(100000):
            # Not the e-mail addresses and lines of a signature.
            text = self.random.choice(self.sample)
            row = re.findall(r"[^\W_]+ [^\W_]+", text) if adjacent else [None]
            pair = self.random.choice(row).split(" ") if adjacent and row else \
                self.random.sample(re.findall(r"[^\W_]+", text) or ["-", "-"], 2) \
                if len(text) > 40 else ["-", "-"]
            if pair not in found and pair[0] != pair[1] and all(self.is_word(w, low, high)
                                                               for w in pair):
                found.append(pair)
            if len(found) == QUESTIONS:
                break
        return found

    def spans(self):
        first, last = min(self.dates) // DAY, max(self.dates) // DAY - SPAN_DAYS
        while True:
            day = self.random.randrange(first, last)
            yield [day * DAY, (day + SPAN_DAYS) * DAY - 1]

    def senders_drawn(self):
        """By their share of the mails, each once."""
        found = sorted(self.senders)
        drawn = self.random.choices(found, [self.senders[s] for s in found], k=QUESTIONS * 20)
        return list(dict.fromkeys(drawn))[:QUESTIONS]

    def all(self):
        n, spans = self.count, self.spans()
        lists = {"rare": [[w] for w in self.words(*self.rare)],
                 "common": [[w] for w in self.words(n * 0.05, n * 0.5)],
                 "two": self.together(False), "phrase": self.together(True),
                 "prefix": [[w[:4]] for w in self.words(20, n * 0.02, 6)],
                 "leading": [[w[-5:]] for w in self.words(20, n * 0.02, 7)],
                 "from": [[s] for s in self.senders_drawn()],
                 "range": [[w] for w in self.words(n * 0.01, n * 0.1)]}
        return [{"kind": kind, "words": words, **({"span": next(spans)} if kind == "range" else {})}
                for kind in KINDS for words in lists[kind]]


# -- asking -----------------------------------------------------------------------------------------
def ask_all(engines, questions, rounds):
    """name -> kind -> milliseconds of each question; likewise their totals; snippets of each."""
    answers = {e.name: [[] for _ in questions] for e in engines}
    for _ in range(rounds + 1):
        for engine in engines:
            for question, got in zip(questions, answers[engine.name]):
                answer = engine.ask(question)
                if answer is not None:
                    got.append(answer)
    times = {e.name: collections.defaultdict(list) for e in engines}
    totals = {e.name: collections.defaultdict(list) for e in engines}
    snippets = collections.Counter()
    for name, got_all in answers.items():
        for question, got in zip(questions, got_all):
            if got:
                # Not the first, and not what other work on the machine has held up.
                times[name][question["kind"]].append(
                    statistics.median(answer[0] for answer in got[1:]) * 1000)
                totals[name][question["kind"]].append(got[-1][1])
                snippets[name] += got[-1][3]
    return times, totals, snippets


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def figures_of(times, totals):
    return {name: {kind: {"median": statistics.median(values), "p95": percentile(values, 0.95),
                          "asked": len(totals[name][kind]), "total": sum(totals[name][kind])}
                   for kind, values in kinds.items()} for name, kinds in times.items()}


def check_totals(mailkeep, corpus):
    """What was counted while the mails were made is what is found."""
    wrong = []
    truth = corpus.truth
    asked = [(f"from:{a}", n) for a, n in sorted(truth["by_sender"].items())[::10]]
    asked += [(f"subject:{w}", n) for w, n in sorted(truth["by_subject_word"].items())[::97]]
    asked += [(f"bcontent:{w}", n) for w, n in sorted(truth["by_body_word"].items())]
    for query, wanted in asked:
        total = mailkeep.asker.ask(query, limit=1, snippets=False)[1]
        if total != wanted:
            wrong.append((query, total, wanted))
    say(f"  totals: {len(asked) - len(wrong)} of {len(asked)} are what was counted"
        + "".join(f"\n    {q}: {t} instead of {w}" for q, t, w in wrong[:10]))
    return {"asked": len(asked), "wrong": len(wrong)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", default=os.environ.get("BIN_DIR", "build/release"))
    parser.add_argument("--work", default=os.path.join(TOP, "build/bench"))
    parser.add_argument("--document", help="instead of docs/benchmarks.md; empty for none")
    arguments = parser.parse_args()
    bin_dir, work = os.path.abspath(arguments.bin), os.path.abspath(arguments.work)
    quick = os.environ.get("QUICK") == "1"
    only = [e for e in os.environ.get("BENCH_ENGINES", "").split(",") if e]
    if not os.environ.get("MAILKEEP_CORPUS"):
        say("no mails: set MAILKEEP_CORPUS to the directory that has genmail.py")
        return 1
    if os.environ.get("BENCH_NICE"):
        os.setpriority(os.PRIO_PROCESS, 0, int(os.environ["BENCH_NICE"]))
    count = int(os.environ.get("BENCH_SEARCH_MAILS", 5000 if quick else 100000))
    corpus = Corpus(work, bin_dir, count, int(os.environ.get("BENCH_SEED", 9077)))
    figures = {"started": time.time(), "mails": count, "seed": corpus.seed,
               "octets": corpus.octets, "built": {}, "missing": {}, "notes": {}}
    engines = []
    for kind in (Mailkeep, MailkeepBefore, MailkeepHttps, *PEERS, Dovecot):
        if kind is not Mailkeep and (kind.name not in only if only else kind is MailkeepBefore):
            continue
        engine = kind(corpus.dir, bin_dir)
        if engine.missing():
            say(f"{engine.name} is not measured: {engine.missing()} (tools/deps.sh bench)")
            figures["missing"][engine.name] = engine.missing()
            continue
        figures["built"][engine.name] = built = engine.built(corpus)
        figures["notes"][engine.name] = engine.note
        if built:
            say(f"  {engine.name:9} {built['cpu'] / count * 1000:6.2f} CPU s per 1,000   "
                f"peak {built['peak'] / 2**20:5.0f} MiB   index "
                f"{built['index'] / corpus.octets:.3f} per raw octet"
                + (" (did not finish)" if built.get("unfinished") else ""))
        if built.get("unfinished"):
            continue
        if kind in (MailkeepHttps, MailkeepBefore):
            engine.beside = engines[0]
        engines.append(engine)
    questions = Draw(corpus.texts, corpus.truth["by_sender"], corpus.seed).all()
    opened = []
    try:
        for engine in engines:
            engine.open()
            opened.append(engine)
        figures["check"] = check_totals(engines[0], corpus)
        times, totals, figures["snippets"] = ask_all(engines, questions, 2 if quick else 5)
        figures["memory"] = engines[0].asker.memory()
    finally:
        for engine in opened:
            engine.close()
    figures["found"] = figures_of(times, totals)
    figures["questions"] = collections.Counter(q["kind"] for q in questions)
    with open(os.path.join(work, "search.json"), "w", encoding="utf-8") as out:
        json.dump(figures, out, indent=1)
    document = arguments.document
    if document is None and not quick and not only:
        document = os.path.join(TOP, "docs/benchmarks.md")
    say(write_search_report(figures, document or None))
    return 0


if __name__ == "__main__":
    sys.exit(main())
