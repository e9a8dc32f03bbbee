"""A mail answered with 250 survives kill -9 at any instant: it is there exactly once and is found.

MAILKEEP_KILL_ROUNDS (default 5; `make fault` runs 10, with FULL=1 100) rounds of: four sessions send, the daemon is
killed after a random time, started again and looked at.
"""

import base64
import hashlib
import os
import random
import re
import threading
import time

import samples
from harness import JOURNAL, VARIANT, all_ids, main, test
from mailkeep_client import exchange_report, smtp_connect, smtp_send

ROUNDS = int(os.environ.get("MAILKEEP_KILL_ROUNDS", "5"))
SESSIONS = 4
acknowledged = {}  # sha256 -> token
tried = set()
rng = random.Random(4711)
lock = threading.Lock()


def send_until_killed(t, seed):
    try:
        smtp = smtp_connect(t.server.ports["smtp"])
        for number, (token, sender, to, subject, message_id, octets) in enumerate(
                samples.make(100000, seed)):
            journaled = octets
            if number % 2:
                journaled = exchange_report(octets, sender, [("To", a) for a in to], "s",
                                            message_id, number)
            with lock:
                tried.add(hashlib.sha256(octets).digest())
            smtp_send(smtp, "journal@contoso.example", [JOURNAL], journaled)
            with lock:
                acknowledged[hashlib.sha256(octets).digest()] = token
    except Exception:  # the connection was cut by the kill
        pass


@test(f"{ROUNDS} rounds of kill -9 under load lose nothing that was acknowledged")
def _(t):
    t.begin([(name.split()[0].lower(), [address]) for name, address in samples.PEOPLE])
    for number in range(ROUNDS):
        threads = [threading.Thread(target=send_until_killed, args=(t, number * SESSIONS + s + 1))
                   for s in range(SESSIONS)]
        for thread in threads:
            thread.start()
        time.sleep(rng.uniform(0.02, 1.0) * (1 if VARIANT == "release" else 3))
        t.server.kill()
        for thread in threads:
            thread.join(timeout=130)
        t.server.start()
    print(f"# {len(acknowledged)} of {len(tried)} mails were acknowledged")
    assert len(acknowledged) > ROUNDS, f"only {len(acknowledged)} mails in {ROUNDS} rounds"


@test("each is there exactly once, octet for octet")
def _(t):
    api = t.server.api()
    if "@catchall" in {f["fullName"] for f in api("GetChildFolders")}:
        t.grant_catchall(api)
    there = {}
    for message_id in all_ids(api):
        octets = base64.b64decode(api("GetMessageContent", id=message_id)["content"])
        digest = hashlib.sha256(octets).digest()
        assert digest not in there, f"{message_id} and {there[digest]} are the same mail"
        assert digest in tried, f"{message_id} is half a mail, or none that was sent"
        there[digest] = message_id
    lost = [token for digest, token in acknowledged.items() if digest not in there]
    assert not lost, f"{len(lost)} of {len(acknowledged)} lost: {lost[:5]}"
    t.there = there


@test("each is found by its own word")
def _(t):
    assert t.server.wait_indexed()
    api = t.server.api()
    for digest, token in acknowledged.items():
        found = api("SearchMessages", query=token)
        assert [i["id"] for i in found["items"]] == [t.there[digest]], (token, found)


@test("VerifyStore is clean, and no start had anything to complain of")
def _(t):
    complaints = [line for line in t.server.log_text().splitlines()
                  if re.match(r"\S+Z (warn|error) ", line)]
    assert not complaints, complaints[:5]
    t.server.api()("VerifyStore", id=1, includeIndexes="true")
    assert t.server.stop() == 0


main()
