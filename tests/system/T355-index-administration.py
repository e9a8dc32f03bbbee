"""Indexes listed, chosen, rebuilt, cancelled; damage is noticed and mended; a rebuild survives a restart."""

import glob
import os
import shutil
import time

from harness import JOURNAL, PATIENCE, main, test
from mailkeep_client import Failure, crlf, smtp_connect, smtp_send

MAILS = 1500


def rows(t):
    return {i["folder"]: i for i in t.api("GetStoreIndexes")}


def fails(function, *arguments, **named):
    try:
        function(*arguments, **named)
    except Failure as why:
        return str(why)
    raise AssertionError(f"{arguments} {named} did not fail")


def all_found(t):
    assert t.api("SearchMessages", query="Vorgang")["total"] == MAILS
    assert t.api("SearchMessages", query="wort17 -nichts")["total"] == 1


def restart(t):
    t.server.start()
    t.api = t.server.api()


@test("mails come in")
def _(t):
    t.api = t.begin([("anna", ["anna@x.example"]), ("bert", ["bert@x.example"])])
    smtp = smtp_connect(t.server.ports["smtp"])
    for n in range(MAILS):
        smtp_send(smtp, "j@x.example", [JOURNAL], crlf(
            f"From: a@b.example\nTo: {'anna' if n % 3 else 'bert'}@x.example\nSubject: Vorgang {n}\n"
            f"Message-ID: <{n}@b>\n\nwort{n} {'lorem ipsum ' * 40}\n".encode()))
    smtp.quit()
    assert t.server.wait_indexed(120)
    all_found(t)


@test("one row for each archive; nothing needs a rebuild")
def _(t):
    got = rows(t)
    assert {"anna", "bert"} <= set(got) and got["anna"]["count"] == 1000 and got["bert"]["count"] == 500
    for row in got.values():
        assert (row["needsRebuild"], row["selectedForRebuild"], row["rebuilding"], row["error"]) == \
            (False, False, False, None)
        assert row["attachmentsWaiting"] == 0
    assert t.api("GetStoreIndexes", id=1) == list(got.values())
    assert t.api("GetStoreIndexes", id=7) == []


@test("all are selected, over a restart, and rebuilt while searches go on")
def _(t):
    t.api("SelectAllStoreIndexesForRebuild")
    t.server.kill()
    restart(t)
    assert all(r["selectedForRebuild"] and not r["needsRebuild"] for r in rows(t).values())
    answer = t.api.post("invoke/RebuildSelectedStoreIndexes", {})
    log, other = "", t.server.api()
    while answer["statusCode"] == "running":
        assert other("SearchMessages", query="Vorgang")["total"] == MAILS
        log += answer["logOutput"] or ""
        answer = t.api.post("get-status", {"token": answer["token"], "millisecondsTimeout": 1000,
                                           "lastKnownStatusVersion": answer["statusVersion"]})
    log += answer["logOutput"] or ""
    assert answer["statusCode"] == "succeeded" and "anna" in log and "bert" in log, answer
    assert not any(r["selectedForRebuild"] for r in rows(t).values())
    all_found(t)
    t.api("VerifyStore", id=1, includeIndexes=True)


@test("one archive is rebuilt; what is none is refused")
def _(t):
    t.api("RebuildStoreIndex", id=1, folder="bert")
    for arguments in ({"id": 1, "folder": "nobody"}, {"id": 7, "folder": "bert"},
                      {"id": 1, "folder": "bert/Journal Incoming"}):
        fails(t.api, "RebuildStoreIndex", **arguments)
    all_found(t)


@test("a cancelled rebuild leaves the archive selected, and the index whole")
def _(t):
    t.api("SelectAllStoreIndexesForRebuild")
    answer = t.api.post("invoke/RebuildStoreIndex", {"id": 1, "folder": "anna"})
    t.api.post("cancel-async", {"token": answer["token"]})
    token = answer["token"]
    while answer["statusCode"] == "running":
        answer = t.api.post("get-status", {"token": token, "millisecondsTimeout": 1000,
                                           "lastKnownStatusVersion": answer["statusVersion"]})
    assert answer["statusCode"] in ("cancelled", "succeeded")
    row = rows(t)["anna"]
    assert answer["statusCode"] == "succeeded" or (row["selectedForRebuild"] and not row["rebuilding"])
    all_found(t)


@test("a rebuild goes on after a kill, and after a stop")
def _(t):
    for end in (t.server.kill, t.server.stop):
        t.api("SelectAllStoreIndexesForRebuild")
        t.api.post("invoke/RebuildStoreIndex", {"id": 1, "folder": "anna"})
        while rows(t)["anna"]["selectedForRebuild"] and not rows(t)["anna"]["rebuilding"]:
            pass  # until it has begun, and perhaps is over
        end()
        restart(t)
        until = time.time() + 60 * PATIENCE
        while rows(t)["anna"]["rebuilding"]:
            assert time.time() < until
            assert t.api("SearchMessages", query="Vorgang")["total"] == MAILS
            time.sleep(0.05)
        assert not rows(t)["anna"]["selectedForRebuild"]
        all_found(t)


@test("an index that is gone is filled again, over a kill, and says so meanwhile")
def _(t):
    t.server.stop()
    shutil.rmtree(os.path.join(t.server.data, "stores", "default", "index"))
    restart(t)
    time.sleep(0.1)
    t.server.kill()
    restart(t)
    assert t.server.wait_indexed(120)
    all_found(t)
    assert not any(r["needsRebuild"] for r in rows(t).values())
    t.api("VerifyStore", id=1, includeIndexes=True)


@test("a damaged index is noticed, marked, and mended by a rebuild")
def _(t):
    t.server.stop()
    files = [f for f in glob.glob(os.path.join(t.server.data, "stores/default/index/**"), recursive=True)
             if os.path.isfile(f) and "lock" not in os.path.basename(f)]
    path = max(files, key=os.path.getsize)
    with open(path, "r+b") as file:
        size = os.path.getsize(path)
        for at in range(size // 8, size, max(size // 64, 1)):
            file.seek(at)
            octet = file.read(1)
            file.seek(at)
            file.write(bytes([octet[0] ^ 0x55]))
    restart(t)
    if "archive.index-emptied" not in t.server.log_text():
        fails(t.api, "VerifyStore", id=1, includeIndexes=True)
        assert all(r["needsRebuild"] and r["error"] for r in rows(t).values())
        assert t.api("GetStores")[0]["searchIndexesNeedRebuild"] is True
        t.server.kill()
        restart(t)
        assert all(r["needsRebuild"] for r in rows(t).values())  # it is remembered
        t.api("RebuildSelectedStoreIndexes")
    assert t.server.wait_indexed(120)
    all_found(t)
    t.api("VerifyStore", id=1, includeIndexes=True)
    assert not any(r["needsRebuild"] or r["error"] for r in rows(t).values())


main()
