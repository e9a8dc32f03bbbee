"""GetDashboard: what came in, mailboxes, disk, and the last verification, over kills and restarts."""

import datetime
import glob
import os

from harness import JOURNAL, main, test
from mailkeep_client import Failure, crlf, smtp_connect, smtp_send

MAILS = 40


def send(t, numbers):
    smtp = smtp_connect(t.server.ports["smtp"])
    for n in numbers:
        smtp_send(smtp, "j@x.example", [JOURNAL], crlf(
            f"From: a@b.example\nTo: anna@x.example\nSubject: Mail {n}\nMessage-ID: <{n}@b>\n\n"
            f"wort{n} {'lorem ipsum ' * 200}\n".encode()))
    smtp.quit()


def restart(t):
    t.server.start()
    t.api = t.server.api()


@test("an empty archive")
def _(t):
    t.api = t.begin([("anna", ["anna@x.example"])])
    d = t.api("GetDashboard")
    assert (d["arrivals"]["today"], d["arrivals"]["last30Days"], len(d["arrivals"]["days"])) == (0, 0, 30)
    assert d["journals"][0]["lastArrival"] is None and not d["journals"][0]["silent"]
    assert d["stores"][0]["verified"] is None


@test("mails are counted on their day, those that come again are not")
def _(t):
    before = t.api("GetDashboard")["now"]
    send(t, range(MAILS))
    send(t, range(5))
    assert t.server.wait_indexed(60)
    d = t.api("GetDashboard")
    counts = [day["count"] for day in d["arrivals"]["days"]]
    assert sum(counts) == MAILS, counts  # on one day, or on two when it was midnight
    assert sum(counts[-2:]) == MAILS and d["arrivals"]["last7Days"] == MAILS
    assert d["arrivals"]["today"] == counts[-1]
    assert (d["ingest"]["kept"], d["ingest"]["again"], d["ingest"]["failed"]) == (MAILS, 5, 0)
    assert d["ingest"]["indexBehind"] == 0
    assert before <= d["journals"][0]["lastArrival"] <= d["now"]
    assert d["stores"][0]["mails"] == MAILS


@test("the disk is the data directory's")
def _(t):
    disk = t.api("GetDashboard")["disk"]
    info = os.statvfs(t.work)
    assert disk["totalBytes"] == info.f_blocks * info.f_frsize
    assert abs(disk["freeBytes"] - info.f_bavail * info.f_frsize) < 2 << 30


@test("a killed daemon still knows on which day mail came last")
def _(t):
    before = t.api("GetDashboard")["journals"][0]["lastArrival"]
    t.server.kill()
    restart(t)
    after = t.api("GetDashboard")["journals"][0]["lastArrival"]
    day = datetime.datetime.fromisoformat(before) - datetime.datetime.fromisoformat(after)
    assert datetime.timedelta(0) <= day < datetime.timedelta(days=1)
    assert sum(day["count"] for day in t.api("GetDashboard")["arrivals"]["days"]) == MAILS


@test("a verification, with its time and no errors")
def _(t):
    before = t.api("GetDashboard")["now"]
    t.api("VerifyStores", includeIndexes="true")
    store = t.api("GetDashboard")["stores"][0]
    assert store["verified"] >= before and store["verifiedErrors"] == 0


@test("the errors of a verification are known, and so over a restart")
def _(t):
    assert t.server.stop() == 0
    pack = max(glob.glob(os.path.join(t.work, "**", "content", "*"), recursive=True), key=os.path.getsize)
    with open(pack, "r+b") as file:
        file.seek(os.path.getsize(pack) // 3)
        octet = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([octet ^ 1]))
    restart(t)
    try:
        t.api("VerifyStores")
        raise AssertionError("no error was found")
    except Failure as why:
        assert "errors" in str(why), why
    errors = t.api("GetDashboard")["stores"][0]["verifiedErrors"]
    assert errors > 0
    assert t.server.stop() == 0
    restart(t)
    assert t.api("GetDashboard")["stores"][0]["verifiedErrors"] == errors


main()
