"""The figures of `make bench` as a table, against the targets, for docs/benchmarks.md."""

import datetime
import os
import platform
import subprocess

BEGIN = "<!-- ingest: made by make bench -->"
END = "<!-- /ingest -->"
MIB = 2 ** 20


def machine():
    model = next((line.partition(":")[2].strip() for line in open("/proc/cpuinfo", encoding="utf-8")
                  if line.startswith("model name")), platform.machine())
    with open("/proc/meminfo", encoding="ascii") as info:
        memory = int(info.readline().split()[1]) / 2 ** 20
    with open("/proc/loadavg", encoding="ascii") as load:
        now = load.read().split()[0]
    return (f"{os.cpu_count()} cores ({model}), {memory:.0f} GiB, Linux {platform.release()}, "
            f"load average at the end {now}")


def version():
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, check=False)
    return done.stdout.strip() or "unknown"


def pick(figures, **wanted):
    return [r for r in figures["results"] if all(r[k] == v for k, v in wanted.items())]


def mean(results, key):
    """Over all mails of the rounds; rates by the time they took."""
    mails = sum(r["mails"] for r in results)
    if not mails:
        return None
    if key == "rate":
        return mails / sum(r["mails"] / r["rate"] for r in results)
    return sum(r[key] * r["mails"] for r in results) / mails


def number(value, form):
    return "-" if value is None else format(value, form)


# -- the tables -------------------------------------------------------------------------------
def rate_rows(figures, corpus, tls):
    found = pick(figures, corpus=corpus, tls=tls)
    for connections in sorted({r["connections"] for r in found} - {50}):
        row = {name: pick(figures, corpus=corpus, tls=tls, connections=connections, server=name)
               for name in ("mailkeep", "postfix", "dovecot")}
        ours = mean(row["mailkeep"], "rate")
        cells = [f"{corpus}{', TLS' if tls else ''}", str(connections)]
        cells += [number(mean(row[n], "rate"), ".0f") for n in row]
        cells += [number(ours / mean(row[n], "rate") if row[n] else None, ".1f")
                  for n in ("postfix", "dovecot")]
        cells += [number(mean(row["mailkeep"], k), ".2f") for k in ("cpu_ack", "cpu_all")]
        cells += [number(mean(row[n], "cpu_all"), ".2f") for n in ("postfix", "dovecot")]
        cells += [number(max(r["p99_ms"] for r in row["mailkeep"]), ".0f")]
        yield cells


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def disk_share(end, part):
    sizes = end["disk"]["mailkeep"]
    return sum(sizes[p] for p in part) / end["raw"]


# -- the targets ------------------------------------------------------------------------------
def ratio_checks(figures):
    for corpus in figures["ends"]:
        for connections, name, wanted in ((1, "postfix", 1), (10, "postfix", 3),
                                          (10, "dovecot", 12), (100, "postfix", 3),
                                          (100, "dovecot", 12)):
            peer = pick(figures, corpus=corpus, tls=False, connections=connections, server=name)
            ours = pick(figures, corpus=corpus, tls=False, connections=connections,
                        server="mailkeep")
            if peer and ours:
                value = mean(ours, "rate") / mean(peer, "rate")
                yield (f"{corpus}: acks/s, {connections} connections, against {name}",
                       f"at least {wanted} x", f"{value:.1f} x", value >= wanted)


def cost_checks(figures):
    for corpus, end in figures["ends"].items():
        ours = pick(figures, corpus=corpus, tls=False, server="mailkeep")
        for key, text, wanted in (("cpu_ack", "up to the ack", 0.6), ("cpu_all", "in all", 1.0)):
            value = mean(ours, key)
            yield (f"{corpus}: CPU per 1,000 mails {text}", f"at most {wanted} s",
                   f"{value:.2f} s", value <= wanted)
        limit = {"office": 0.30, "spamassassin": 0.35}[corpus]
        value = disk_share(end, ("content", "catalog"))
        yield (f"{corpus}: content and catalog per raw octet", f"at most {limit:.2f}",
               f"{value:.3f}", value <= limit)
        loaded = max(r["pss"] for r in ours) / MIB
        yield (f"{corpus}: PSS, up to 100 connections", "below 256 MiB", f"{loaded:.0f} MiB",
               loaded < 256)
        idle = end["idle"]["mailkeep"] / MIB
        yield (f"{corpus}: PSS, idle afterwards", "below 64 MiB", f"{idle:.0f} MiB", idle < 64)
    delay = figures.get("delay")
    if delay:
        yield ("loop delay p99 at 50 connections", "below 20 ms",
               f"{delay['delay_p99_ms']:.1f} ms (a process that only sleeps: "
               f"{delay['sleeper_p99_ms']:.1f} ms)", delay["delay_p99_ms"] < 20)


def checks(figures):
    for text, target, value, held in [*ratio_checks(figures), *cost_checks(figures)]:
        yield [text, target, value, "yes" if held else "**no**"]


# -- the text ---------------------------------------------------------------------------------
def disk_text(figures):
    for corpus, end in figures["ends"].items():
        shares = {p: disk_share(end, (p,)) for p in ("content", "catalog", "index")}
        text = ", ".join(f"{p} {v:.3f}" for p, v in shares.items())
        peer = end["disk"].get("dovecot")
        if peer:
            text += f"; Dovecot {peer / end['raw']:.3f}"
        yield f"- {corpus}, {end['raw'] / 1e6:.0f} MB raw: {text} per raw octet"


def report(figures):
    began = datetime.datetime.fromtimestamp(figures["started"], datetime.timezone.utc)
    nice = os.environ.get("BENCH_NICE")
    lines = [f"Measured {began:%Y-%m-%d} at {version()} with `make bench`, {figures['mails']} office "
             f"mails (seed {figures['seed']}), on {machine()}"
             + (f"; client and servers at niceness {nice}, since the machine had other work" if nice
                else "") + ".", "", "### Against the targets", ""]
    lines += table(["what", "target", "measured", "held"], checks(figures))
    lines += ["", "### Figures", "",
              "Acks a second; CPU seconds of all the server's processes per 1,000 mails.", ""]
    rows = [row for corpus in ("office", "spamassassin") for tls in (False, True)
            for row in rate_rows(figures, corpus, tls)]
    lines += table(["corpus", "connections", "Mailkeep", "Postfix", "Dovecot", "x Postfix",
                    "x Dovecot", "CPU ack", "CPU all", "CPU Postfix", "CPU Dovecot", "p99 ms"],
                   rows)
    return "\n".join(lines + ["", "On disk, in whole blocks:", "", *disk_text(figures)])


def write_report(figures, path):
    """Puts the report between the marks of @path, if there is one; returns it."""
    text = report(figures)
    if path is not None:
        with open(path, encoding="utf-8") as document:
            before, _, rest = document.read().partition(BEGIN)
        after = rest.partition(END)[2]
        with open(path, "w", encoding="utf-8") as document:
            document.write(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")
    return text
