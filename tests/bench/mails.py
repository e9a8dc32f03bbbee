#!/usr/bin/env python3
"""Small mails of corpus/genmail.py as a stream of short batch SMTP files, and the truth about them.

  mails.py --count N --seed S --dir D [--chunk 5000] [--ahead 4]

Writes D/chunk-000000.bsmtp and so on, each when it is complete; waits while more than --ahead of
them lie there, so that whoever sends them deletes them and the whole is never on the disk. At the
end D/truth.json and D/truth.mails tell what a search must find; D/sample.texts has the texts of up to
20,000 of the mails, to draw questions from. Needs MAILKEEP_CORPUS.

The words of a mail are counted as spec/search-syntax.md 2.2 cuts them, by Python's own Unicode
tables: what is compared with them was not made by what is measured.
"""

import argparse
import array
import collections
import datetime
import glob
import importlib.util
import json
import os
import random
import re
import sys
import time
import types
import unicodedata

DOMAIN = "firma.example"
EPOCH = datetime.datetime(1970, 1, 1)
USERS = 200
SAMPLE = 20000
genmail_alphabet = "abcdefghijkmnpqrstuvwxyz23456789"
WATCHED = 60  # words whose mails are counted, of each language
TOKEN = re.compile(r"[^\W_]+")
PLAIN_WORD = re.compile(r"[a-z]{4,14}")


def genmail():
    """The generator as a module."""
    root = os.environ.get("MAILKEEP_CORPUS")
    if not root:
        raise SystemExit("set MAILKEEP_CORPUS to the directory that has genmail.py")
    spec = importlib.util.spec_from_file_location("genmail", os.path.join(root, "genmail.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def options(module, count, seed):
    """What genmail.py makes of its command line with --size-profile small."""
    return types.SimpleNamespace(
        count=count, seed=seed, users=USERS, domain=DOMAIN, size_profile="small",
        languages="de=52,en=40,zh=2.5,ja=2,ko=1,ru=2.5", start="2024-01-01", days=365,
        vocab=os.path.join(module.HERE, "genmail-vocab"),
        attachments=os.path.join(module.HERE, "attachments"), pool=400, attachment_rate=None,
        big_rate=None, quote_tokens=False, journal=0)


def fold(token):
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", token).casefold())


def without_marks(token):
    return "".join(c for c in unicodedata.normalize("NFD", token)
                   if unicodedata.category(c) != "Mn")


def words(text):
    """The different tokens of a text that consist of a to z, those without their marks included."""
    found = set(TOKEN.findall(text.lower()))
    if not text.isascii():
        for token in [t for t in found if not t.isascii()]:
            found.add(without_marks(fold(token)))
    return found


class Counted:
    """A generator that also tells the text of the body of the mail it has made."""

    def __init__(self, count, seed):
        module = genmail()
        outer = self

        class Gen(module.Gen):
            def leaf(self, text, sub, lang, flowed=False, cs=None):
                if sub == "plain":
                    outer.text = text
                return super().leaf(text, sub, lang, flowed, cs)

        self.text = ""
        self.gen = Gen(options(module, count, seed))
        self.watched = self.words_to_watch(module, seed)
        self.people = sorted({p.addr.lower() for p in self.gen.people})

    def words_to_watch(self, module, seed):
        """Frequent and less frequent ones, drawn by rank; none of a name or a domain."""
        names = " ".join(module.FIRST + module.LAST + module.EXT_A + module.EXT_B + module.EXT_T)
        used = {w for w in words(names + " mail com net org example test firma")}
        draw, found = random.Random(seed), set()
        for language in ("de", "en"):
            ranked = [w.lower() for w in self.gen.L[language].w]
            ranked = [w for w in ranked if PLAIN_WORD.fullmatch(w) and w not in used]
            found.update(draw.sample(ranked[:300], WATCHED // 3))
            found.update(draw.sample(ranked[300:20000], WATCHED - WATCHED // 3))
        return found


class Truth:
    def __init__(self):
        self.by_day, self.by_sender = collections.Counter(), collections.Counter()
        self.by_recipient = collections.Counter()
        self.by_subject_word = collections.Counter()
        self.by_body_word, self.by_body_word_and_month = collections.Counter(), \
            collections.Counter()
        self.octets = 0
        self.sizes, self.dates = array.array("I"), array.array("q")

    def add(self, record, text, watched, when):
        self.sizes.append(record[15])
        self.dates.append(int((when - EPOCH).total_seconds()))
        self.octets += record[15]
        self.by_day[record[2][:10]] += 1
        self.by_sender[record[7].lower()] += 1
        self.by_recipient.update({a.lower() for a in record[8].split(",") if a})
        self.by_subject_word.update(w for w in words(record[11]) if PLAIN_WORD.fullmatch(w))
        if record[13].startswith("invite"):  # its calendar is text of the body, too
            text += " " + record[11]
        for word in words(text) & watched:
            self.by_body_word[word] += 1
            self.by_body_word_and_month[f"{word} {record[2][:7]}"] += 1

    def write(self, directory, seed, people):
        with open(os.path.join(directory, "truth.mails"), "wb") as out:
            self.sizes.tofile(out)
            self.dates.tofile(out)
        counts = {n: v for n, v in vars(self).items() if isinstance(v, collections.Counter)}
        with open(os.path.join(directory, "truth.json.tmp"), "w", encoding="utf-8") as out:
            json.dump({"count": len(self.sizes), "octets": self.octets, "seed": seed,
                       "people": people, **counts}, out)
        os.rename(os.path.join(directory, "truth.json.tmp"), os.path.join(directory, "truth.json"))


def batch_of(octets, sender, recipients):
    """One transaction, as genmail.py --format smtp writes it."""
    head = (f"MAIL FROM:<{sender}> SIZE={len(octets)}"
            f"{'' if octets.isascii() else ' BODY=8BITMIME'}\r\n"
            + "".join(f"RCPT TO:<{r}>\r\n" for r in recipients) + "DATA\r\n").encode()
    dot = b"." if octets[:1] == b"." else b""
    return head + dot + octets.replace(b"\r\n.", b"\r\n..") + b".\r\n"


def write_text(out, record, text, when):
    """As tests/tools/mail_texts does."""
    texts = [t.encode() for t in (record[7], record[8], record[11], text, "")]
    date = int((when - EPOCH).total_seconds()) * 1000
    out.write(f"{date} {' '.join(str(len(t)) for t in texts)}\n".encode() + b"".join(texts))


def write_chunks(arguments):
    source = Counted(arguments.count, arguments.seed)
    truth = Truth()
    with open(os.path.join(arguments.dir, "people.json"), "w", encoding="utf-8") as out:
        json.dump(source.people, out)
    every = max(1, arguments.count // SAMPLE)
    sample = open(os.path.join(arguments.dir, "sample.texts"), "wb")
    for first in range(0, arguments.count, arguments.chunk):
        while len(glob.glob(os.path.join(arguments.dir, "chunk-*.bsmtp"))) >= arguments.ahead:
            time.sleep(0.1)
        path = os.path.join(arguments.dir, f"chunk-{first // arguments.chunk:06}.bsmtp")
        with open(path + ".tmp", "wb", buffering=1 << 20) as out:
            out.write(b"EHLO load.example\r\n")
            for n in range(first, min(first + arguments.chunk, arguments.count)):
                octets, sender, recipients, record, when = source.gen.message(n)
                out.write(batch_of(octets, sender, recipients))
                truth.add(record, source.text, source.watched, when)
                if n % every == 0:
                    write_text(sample, record, source.text, when)
            out.write(b"QUIT\r\n")
        os.rename(path + ".tmp", path)
    sample.close()
    truth.write(arguments.dir, arguments.seed, source.people)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--dir", required=True)
    parser.add_argument("--chunk", type=int, default=5000)
    parser.add_argument("--ahead", type=int, default=4)
    write_chunks(parser.parse_args())
    return 0


if __name__ == "__main__":
    sys.exit(main())
