"""The figures of make bench-million as tables, against the targets, for docs/benchmarks.md."""

import statistics

from report import table
from search_report import KINDS, MIB, measured, replace_between, stream_rows

LIMITS = {"rare": 20, "common": 20, "two": 20, "from": 20, "range": 20, "phrase": 50, "prefix": 50,
          "leading": 50}


def row(text, target, value, held):
    return [text, target, value, "yes" if held else "**no**"]


def truth_checks(figures):
    tokens, every, totals = figures["tokens"], figures["all_tokens"], figures["totals"]
    yield row("each mail's token is found in exactly that mail, over HTTPS", "all",
              f"{tokens['asked'] - tokens['wrong_count']} of {tokens['asked']} drawn",
              tokens["wrong_count"] == 0)
    yield row("the same without the daemon", "all", f"{every['asked'] - every['wrong_count']} of "
              f"{every['asked']} asked, of {figures['mails']} mails", every["wrong_count"] == 0)
    asked = sum(totals["asked"].values())
    yield row("totals are what was counted while the mails were made", "all",
              f"{asked - totals['wrong_count']} of {asked}", totals["wrong_count"] == 0)


def speed_checks(figures):
    for kind, text in KINDS.items():
        ours, limit = figures["https"]["kinds"].get(kind), LIMITS[kind]
        if ours:
            yield row(f"p95 over HTTPS: {text}", f"below {limit} ms", f"{ours['p95']:.1f} ms",
                      ours["p95"] < limit)
    cold = figures["starts"]["cold"]
    worst = max(cold, key=lambda kind: cold[kind]["first_ms"])
    yield row("first answer after a start, nothing in the page cache", "below 200 ms",
              f"{cold[worst]['first_ms']:.0f} ms ({KINDS[worst]})", cold[worst]["first_ms"] < 200)


def cost_checks(figures):
    ingest = figures["ingest"]
    for text, value in (("ingesting", ingest["pss"]), ("searching", figures["searching_pss"]),
                        ("idle", figures["idle_pss"])):
        yield row(f"memory of the daemon (PSS), {text}", "below 256 MiB", f"{value / MIB:.0f} MiB",
                  value < 256 * MIB)
    share = figures["disk"]["index"] / figures["octets"]
    yield row("index per raw octet", "at most 0.15", f"{share:.3f}", share <= 0.15)
    cpu = ingest["index_cpu"] / figures["mails"] * 1000
    yield row("CPU for the index per 1,000 mails", "at most 0.4 s", f"{cpu:.2f} s", cpu <= 0.4)
    lags = ingest["lags"]
    if lags:
        median = statistics.median(lags)
        yield row("findable after its 250 under load, median", "within 1 s", f"{median:.2f} s",
                  median <= 1)
        yield row(f"the same, longest of {len(lags)}", "within 10 s", f"{max(lags):.2f} s",
                  max(lags) <= 10 and ingest["probes_lost"] == 0)


def speed_rows(figures):
    for kind, text in KINDS.items():
        https = figures["https"]["kinds"].get(kind)
        plain = figures["straight"]["kinds"].get(kind)
        cold = figures["starts"]["cold"].get(kind)
        if https and plain:
            yield [text, str(https["asked"]), f"{plain['total']:.0f}",
                   *(f"{f['median']:.2f} / {f['p95']:.2f} / {f['max']:.2f}"
                     for f in (plain, https)),
                   f"{cold['first_ms']:.0f}" if cold else "-"]


def text_rows(figures):
    ingest, disk, raw = figures["ingest"], figures["disk"], figures["octets"]
    yield (f"{figures['mails'] / ingest['seconds']:.0f} mails a second were made, sent and taken "
           f"({figures['mails'] / ingest['sending']:.0f} while any was being sent); the index was "
           f"complete {ingest['behind_seconds']:.1f} s after the last 250 and had "
           f"{ingest['segments_at_end']} segments, {figures['streams']['segments']} when merging had "
           "ended.")
    yield "On disk per raw octet: " + ", ".join(f"{p} {v / raw:.3f}" for p, v in disk.items()) + "."
    searches = sorted(ingest["probe_search_ms"])
    if searches:
        yield (f"While mails came in, {len(searches)} searches for a word over HTTPS took "
               f"{searches[len(searches) // 2]:.1f} ms (median), "
               f"{searches[len(searches) * 95 // 100]:.1f} ms (p95).")
    starts = [s["started_ms"] for s in figures["starts"]["cold"].values()]
    warm = figures["starts"]["warm"]["common"]
    yield (f"From the start of the process to the first log-in answered: {statistics.median(starts):.0f}"
           f" ms (median, cold page cache), {warm['started_ms']:.0f} ms with a warm one; the first "
           f"search then took {warm['first_ms']:.1f} ms.")
    yield (f"A process that only searches has {figures['straight_memory'][0] / MIB:.0f} MiB (PSS), of "
           f"which {figures['straight_memory'][1] / MIB:.0f} MiB are no pages of files.")
    for what, many in {**figures["https"]["refused"]}.items():
        yield f"Refused: {what} ({many} questions)."


def report(figures):
    lines = [measured(figures, "make bench-million"), ""]
    lines += table(["what", "target", "measured", "held"],
                   [*truth_checks(figures), *speed_checks(figures), *cost_checks(figures)])
    lines += [""] + [f"- {text}" for text in text_rows(figures)]
    lines += ["", "Milliseconds, median / p95 / longest, newest 50 with snippets and exact total; the "
              "first search after a start with nothing in the page cache:", ""]
    lines += table(["kind", "asked", "hits on average", "mk_archive_find()", "over HTTPS",
                    "first, cold"], speed_rows(figures))
    lines += [""] + table(["stream of the index", "MiB", "per raw octet"],
                          stream_rows(figures["streams"], figures["octets"]))
    return "\n".join(lines)


def write_million_report(figures, path):
    text = report(figures)
    if path is not None:
        replace_between(path, "million", text)
    return text
