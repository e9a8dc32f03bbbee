"""One flipped bit in a pack, the catalog or the index is reported and never served as good."""

import glob
import os
import random
import shutil
import subprocess

import samples
from harness import JOURNAL, VARIANT, all_ids, main, test
from mailkeep_client import Failure, smtp_connect, smtp_send

FLIPS = 12 if VARIANT == "release" else 3
rng = random.Random(5)


def flip(path, at, bit):
    with open(path, "r+b") as file:
        file.seek(at)
        octet = file.read(1)[0]
        file.seek(at)
        file.write(bytes([octet ^ 1 << bit]))


@test("an archive with mails")
def _(t):
    api = t.begin([(name.split()[0].lower(), [address]) for name, address in samples.PEOPLE])
    smtp = smtp_connect(t.server.ports["smtp"], t.server.certificate)
    for *_, octets in samples.make(80, seed=3):
        smtp_send(smtp, "journal@contoso.example", [JOURNAL], octets)
    smtp.quit()
    assert t.server.wait_indexed()
    web = t.server.web()
    t.good = {i: web.raw(i) for i in all_ids(api)}
    assert len(t.good) == 80
    api("VerifyStore", id=1, includeIndexes="true")
    assert t.server.stop() == 0
    shutil.copytree(t.server.data, t.server.data + ".good")


def used_length(path):
    """Without the zeros that were set aside behind the last record."""
    with open(path, "rb") as file:
        return len(file.read().rstrip(b"\0"))


@test(f"{FLIPS} flips in the pack, each found, none served")
def _(t):
    for _ in range(FLIPS):
        shutil.rmtree(t.server.data)
        shutil.copytree(t.server.data + ".good", t.server.data)
        pack = sorted(glob.glob(os.path.join(t.server.data, "stores/default/content/*.pack")))[0]
        # the last records may be cut off as a torn batch when the catalog does not know them
        at = rng.randrange(0, used_length(pack))
        flip(pack, at, rng.randrange(8))
        try:
            t.server.start()
        except RuntimeError:
            assert "error" in t.server.log_text()  # refused to open: reported as well
            continue
        try:
            t.server.api()("VerifyStore", id=1, includeIndexes="false")
            raise AssertionError(f"the flip at {at} was not found")
        except Failure:
            pass
        web = t.server.web()
        for message_id, octets in t.good.items():
            status, _, data = web.request("GET", f"/api/v1/messages/{message_id}/raw")
            assert status != 200 or data == octets, f"{message_id} is served changed, flip at {at}"
        assert t.server.stop() == 0


def answers(t, api):
    """What the index says: totals and ids of a few searches; an error is its own answer."""
    said = {}
    for query in ("", "tok3x*", "invoice", "from:contoso.example", "\"the meeting\""):
        try:
            found = api("SearchMessages", query=query, limit=200)
            said[query] = (found["total"], sorted(m["id"] for m in found["items"]))
        except Failure:
            said[query] = None
    return said


def flip_in_database(t, name, good_answers):
    """True when the flip was noticed; AssertionError when something wrong was given out."""
    shutil.rmtree(t.server.data)
    shutil.copytree(t.server.data + ".good", t.server.data)
    path = rng.choice(sorted(glob.glob(os.path.join(t.server.data, "stores/default", name))))
    meta_pages = 2 * 4096 if path.endswith(".mdb") else 0
    at = rng.randrange(meta_pages, used_length(path))
    flip(path, at, rng.randrange(8))
    where = f"{name}, flip at {at}"
    try:
        t.server.start()
    except RuntimeError:
        assert "error" in t.server.log_text(), where
        return True
    api, web, noticed = t.server.api(), t.server.web(), False
    try:
        api("VerifyStore", id=1, includeIndexes="true")
    except Failure:
        noticed = True
    for query, answer in answers(t, api).items():
        noticed |= answer is None
        assert answer in (None, good_answers[query]), f"{where}: wrong answer to {query!r}"
    for message_id, octets in t.good.items():
        status, _, data = web.request("GET", f"/api/v1/messages/{message_id}/raw")
        noticed |= status != 200
        assert status != 200 or data == octets, f"{where}: {message_id} is served changed"
    t.server.stop()
    return noticed


@test(f"{2 * (FLIPS // 3)} flips in catalog and index: noticed, or nothing is different")
def _(t):
    shutil.rmtree(t.server.data)
    shutil.copytree(t.server.data + ".good", t.server.data)
    t.server.start()
    good_answers = answers(t, t.server.api())
    assert good_answers[""][0] == 80 and None not in good_answers.values()
    assert t.server.stop() == 0
    noticed = [flip_in_database(t, name, good_answers) for _ in range(FLIPS // 3)
               for name in ("catalog/data.mdb", "index/segments/*")]
    assert all(noticed[1::2])  # every octet of a segment counts


@test("a lost catalog is made anew from the packs, and all is found again")
def _(t):
    shutil.rmtree(t.server.data)
    shutil.copytree(t.server.data + ".good", t.server.data)
    shutil.rmtree(os.path.join(t.server.data, "stores/default/catalog"))
    said = subprocess.run([os.path.join(t.server.bin_dir, "mailkeepd"), "--config",
                           t.server.config, "--rebuild-catalog"], check=True,
                          stdout=subprocess.PIPE).stdout.decode()
    assert said == "The catalog was made anew; it holds 80 mails.\n", said
    t.server.start()
    web = t.server.web()
    assert {i: web.raw(i) for i in all_ids(t.server.api())} == t.good
    assert t.server.wait_indexed()
    assert t.server.api()("SearchMessages", query="tok3x*")["total"] == 80
    t.server.api()("VerifyStore", id=1, includeIndexes="true")
    assert t.server.stop() == 0


@test("packs, keys and master alone are a backup: the catalog is made anew, the index comes back")
def _(t):
    shutil.rmtree(t.server.data)
    for part in ("keys", "master", "stores/default/content", "stores/default/store.key"):
        source, target = (os.path.join(d, part) for d in (t.server.data + ".good", t.server.data))
        os.makedirs(os.path.dirname(target), exist_ok=True)
        (shutil.copytree if os.path.isdir(source) else shutil.copy2)(source, target)
    subprocess.run([os.path.join(t.server.bin_dir, "mailkeepd"), "--config", t.server.config,
                    "--rebuild-catalog"], check=True, stdout=subprocess.DEVNULL)
    t.server.start()
    assert t.server.wait_indexed()
    web, api = t.server.web(), t.server.api()
    assert {i: web.raw(i) for i in all_ids(api)} == t.good
    assert api("SearchMessages", query="tok3x*")["total"] == 80
    api("VerifyStore", id=1, includeIndexes="true")
    assert t.server.stop() == 0


@test("an index that is taken away is built again")
def _(t):
    shutil.rmtree(os.path.join(t.server.data, "stores/default/index"))
    t.server.start()
    assert t.server.wait_indexed()
    assert t.server.api()("SearchMessages", query="tok3x*")["total"] == 80
    assert t.server.stop() == 0


main()
