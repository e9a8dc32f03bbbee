"""The figures of searching as tables, against the targets, for docs/benchmarks.md."""

import datetime
import os

from report import machine, number, table, version

MARK = "<!-- {}: made by make bench -->"
MIB = 2 ** 20
NAMES = {"mailkeep": "Mailkeep", "before": "Mailkeep before", "https": "Mailkeep, HTTPS",
         "fts5": "SQLite FTS5", "sphinx": "sphinxsearch", "notmuch": "notmuch",
         "dovecot": "Dovecot fts-xapian"}
KINDS = {"rare": "rare word", "common": "common word", "two": "two words", "phrase": "phrase",
         "prefix": "prefix", "leading": "leading wildcard", "from": "from: address",
         "range": "word, 30 days"}
STREAMS = ("terms", "terms' directory", "reversed terms", "their directory", "documents",
           "positions", "mail numbers", "their directory", "dates", "archiving dates", "sizes",
           "flags", "ranks by sender", "ranks by subject", "folders", "display", "sender keys",
           "their directory", "subject keys", "their directory", "conversations", "copies",
           "attachments", "ranks by recipient", "recipient keys", "their directory")


def replace_between(path, name, text):
    """Puts @text between the marks of @name; at the end when there are none yet."""
    begin, end = MARK.format(name), f"<!-- /{name} -->"
    with open(path, encoding="utf-8") as document:
        before, found, rest = document.read().partition(begin)
    after = rest.partition(end)[2] if found else "\n"
    if not found:
        before = before.rstrip("\n") + "\n\n"
    with open(path, "w", encoding="utf-8") as document:
        document.write(f"{before}{begin}\n\n{text}\n\n{end}{after}")


def measured(figures, command):
    began = datetime.datetime.fromtimestamp(figures["started"], datetime.timezone.utc)
    nice = os.environ.get("BENCH_NICE")
    return (f"Measured {began:%Y-%m-%d} at {version()} with `{command}`, {figures['mails']} small "
            f"mails (seed {figures['seed']}, {figures['octets'] / 1e6:.0f} MB), on {machine()}"
            + (f"; everything at niceness {nice}, since the machine had other work" if nice
               else "") + ".")


def peers_of(figures):
    return [n for n in figures["found"] if n not in ("mailkeep", "before", "https")]


# -- against the targets ------------------------------------------------------------------------
def build_checks(figures):
    ours, count = figures["built"]["mailkeep"], figures["mails"]
    for text, target, value, limit, form in (
            ("index building: CPU per 1,000 mails", "at most 0.4 s", ours["cpu"] / count * 1000,
             0.4, "{:.2f} s"),
            ("index building: memory of the process (PSS)", "at most 128 MiB", ours["peak"] / MIB,
             128, "{:.0f} MiB"),
            ("index per raw octet", "at most 0.15", ours["index"] / figures["octets"], 0.15,
             "{:.3f}")):
        yield [text, target, form.format(value), "yes" if value <= limit else "**no**"]


def speed_checks(figures):
    for kind, text in KINDS.items():
        ours = figures["found"]["mailkeep"].get(kind)
        for key in ("median", "p95"):
            best = min(((figures["found"][n][kind][key], n) for n in peers_of(figures)
                        if kind in figures["found"][n]), default=None)
            if ours and best:
                ratio = ours[key] / best[0]
                yield [f"{text}: {key}, against the best peer", "at most 1 x",
                       f"{ratio:.2f} x {NAMES[best[1]]}", "yes" if ratio <= 1 else "**no**"]


# -- figures --------------------------------------------------------------------------------------
def note_of(figures, name):
    note = figures["notes"].get(name) or "encrypted; reads and parses the mails itself"
    if figures["built"][name].get("unfinished"):
        return f"**did not finish**: ended after {figures['built'][name]['cpu']:.0f} CPU s; {note}"
    return note


def build_rows(figures):
    raw, count = figures["octets"], figures["mails"]
    for name, built in figures["built"].items():
        if built:
            text, over = built.get("text"), "over " if built.get("unfinished") else ""
            yield [NAMES[name], f"{over}{built['cpu'] / count * 1000:.2f}",
                   f"{over}{built['peak'] / MIB:.0f}", f"{over}{built['index'] / raw:.3f}",
                   number(text and text / raw, ".3f"), note_of(figures, name)]


def speed_rows(figures):
    for kind, text in KINDS.items():
        cells = [f"{text} ({figures['questions'].get(kind, 0)})"]
        for name in NAMES:
            if name in figures["found"]:
                f = figures["found"][name].get(kind)
                cells.append(f"{f['median']:.2f} / {f['p95']:.2f}" if f else "-")
        yield cells


def total_rows(figures):
    for kind, text in KINDS.items():
        cells = [text]
        for name in NAMES:
            if name in figures["found"]:
                f = figures["found"][name].get(kind)
                cells.append(f"{f['total'] / f['asked']:.1f}" if f else "-")
        yield cells


def stream_rows(streams, octets):
    named = {int(k.partition(".")[2]): v for k, v in streams.items() if k.startswith("stream.")}
    for stream, size in sorted(named.items(), key=lambda x: -x[1]):
        if size / octets >= 0.0005:
            name = STREAMS[stream] if stream < len(STREAMS) else ""
            yield [f"{stream} {name}".strip(), f"{size / MIB:.1f}",
                   f"{size / octets:.4f}"]
    for name, size in (("all streams", sum(named.values())),
                       ("directories of the segments", streams["directories"]),
                       ("on disk, in whole pages", streams["file"])):
        yield [name, f"{size / MIB:.1f}", f"{size / octets:.4f}"]


def report(figures):
    ours = figures["built"]["mailkeep"]
    asked = [n for n in NAMES if n in figures["found"]]
    lines = [measured(figures, "make bench"), ""]
    lines += table(["what", "target", "measured", "held"],
                   [*build_checks(figures), *speed_checks(figures)])
    lines += ["", "#### Building", ""]
    lines += table(["", "CPU s per 1,000", "peak MiB", "index per raw octet", "text beside it", ""],
                   build_rows(figures))
    lines += ["", f"Beside ingest the index has taken {ours['cpu_beside_ingest'] / figures['mails'] * 1000:.2f} "
              f"CPU s per 1,000 mails on its lane. Of the peak, {ours['peak_anonymous'] / MIB:.0f} MiB are "
              "memory of its own, the rest are pages of its files.", "", "#### Searching", "",
              "Milliseconds, median / p95, newest 50 with snippets and exact total:", ""]
    lines += table(["kind (questions)", *(NAMES[n] for n in asked)], speed_rows(figures))
    without = [NAMES[n] for n in asked if not figures["snippets"].get(n)]
    if without:
        lines += ["", f"No snippets were made by: {', '.join(without)}."]
    lines += ["", f"Of {figures['check']['asked']} totals that were counted while the mails were made "
              f"Mailkeep answered {figures['check']['wrong']} otherwise. Hits a question on average (the "
              "engines cut words in their own ways):", ""]
    lines += table(["kind", *(NAMES[n] for n in asked)], total_rows(figures))
    lines += ["", "#### The streams of the index", ""]
    lines += table(["stream", "MiB", "per raw octet"],
                   stream_rows(ours["streams"], figures["octets"]))
    for name, packages in figures["missing"].items():
        lines += ["", f"Not measured: {NAMES[name]} ({packages} are not installed)."]
    return "\n".join(lines)


def write_search_report(figures, path):
    text = report(figures)
    if path is not None:
        replace_between(path, "search", text)
    return text
