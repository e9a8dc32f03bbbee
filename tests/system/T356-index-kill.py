"""kill -9 while mails are indexed, segments joined and archives rebuilt: never a wrong answer, never a lost
mail, and the index catches up."""

import os
import random
import threading
import time

from harness import JOURNAL, VARIANT, main, test
from mailkeep_client import Failure, crlf, smtp_connect, smtp_send

ROUNDS = int(os.environ.get("MAILKEEP_KILL_ROUNDS", "6"))
rng = random.Random(356)
acknowledged = set()
tried = set()


def word(n):
    return f"marke{n:06d}q"


def send_until_killed(t, first):
    """Some mails at a time, so that there are many small segments."""
    try:
        smtp = smtp_connect(t.server.ports["smtp"])
        for n in range(first, first + 3000):
            tried.add(n)
            smtp_send(smtp, "j@x.example", [JOURNAL], crlf(
                f"From: a{n % 7}@b.example\nTo: anna@x.example\nSubject: Mail {word(n)}\n"
                f"Message-ID: <{n}@b>\n\n{'text ' * (n % 50)}gemeinsam\n".encode()))
            acknowledged.add(n)
            if n % 20 == 19:
                time.sleep(0.15)
    except Exception:  # cut by the kill
        pass


def is_right(api, n):
    """A mail is found by its word, or not yet; never another one."""
    found = api("SearchMessages", query=word(n))
    assert found["total"] == len(found["items"]) <= 1, (n, found)
    assert all(word(n) in i["subject"] for i in found["items"]), (n, found)
    return found["total"] == 1


def check(t, api):
    assert t.server.wait_indexed(120)
    everything = api("SearchMessages", query="gemeinsam", limit=1000)
    assert len(acknowledged) <= everything["total"] <= len(tried)
    for n in rng.sample(sorted(acknowledged), min(60, len(acknowledged))):
        assert is_right(api, n), f"{n} was acknowledged and is not found"


@test(f"{ROUNDS} rounds of kill -9 while mails are indexed and segments joined")
def _(t):
    t.begin([("anna", ["anna@x.example"])])
    for number in range(ROUNDS):
        thread = threading.Thread(target=send_until_killed, args=(t, number * 3000))
        thread.start()
        time.sleep(rng.uniform(0.3, 1.5) * (1 if VARIANT == "release" else 3))
        t.server.kill()
        thread.join(timeout=130)
        t.server.start()
        api = t.server.api()
        for n in rng.sample(sorted(tried), 10):  # while it catches up
            is_right(api, n)
        if number % 2:
            check(t, api)
    check(t, t.server.api())
    print(f"# {len(acknowledged)} of {len(tried)} were acknowledged")


@test(f"{ROUNDS} rounds of kill -9 while an archive is rebuilt, or the index filled anew")
def _(t):
    for number in range(ROUNDS):
        api = t.server.api()
        try:
            api.post("invoke/RebuildStoreIndex", {"id": 1, "folder": "anna"})
            time.sleep(rng.uniform(0, 0.4))
        except Failure:
            pass
        t.server.kill()
        if number % 3 == 2:
            index = os.path.join(t.server.data, "stores", "default", "index")
            for folder, _, files in os.walk(index):
                for name in files:
                    os.remove(os.path.join(folder, name))
        t.server.start()
        api = t.server.api()
        for n in rng.sample(sorted(acknowledged), 10):
            is_right(api, n)
    check(t, t.server.api())


@test("every mail that was acknowledged is found, exactly once, and the index is whole")
def _(t):
    api = t.server.api()
    while any(i["rebuilding"] for i in api("GetStoreIndexes")):
        time.sleep(0.2)
    seen, offset = [], 0
    while True:
        page = api("SearchMessages", query="gemeinsam", limit=1000, offset=offset)
        seen += [i["subject"].split()[1] for i in page["items"]]
        offset += 1000
        if offset >= page["total"]:
            break
    assert len(seen) == len(set(seen)) == page["total"]
    lost = {word(n) for n in acknowledged} - set(seen)
    assert not lost, sorted(lost)[:5]
    assert set(seen) <= {word(n) for n in tried}
    api("VerifyStore", id=1, includeIndexes=True)


main()
