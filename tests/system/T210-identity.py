"""A mail's identity is its exact bytes: what differs is kept apart, what repeats is kept once."""

import base64

from harness import JOURNAL, all_ids, main, test
from mailkeep_client import exchange_report, smtp_connect, smtp_send


def mail(message_id, body):
    field = f"Message-ID: {message_id}\r\n" if message_id else ""
    return (f"From: john@mailkeep.example\r\nTo: lisa@mailkeep.example\r\nSubject: same\r\n"
            f"{field}Date: Fri, 6 Mar 2020 10:00:00 +0100\r\n\r\n{body}\r\n").encode()


def send(t, *mails):
    smtp = smtp_connect(t.server.ports["smtp"], t.server.certificate)
    for octets in mails:
        smtp_send(smtp, "journal@contoso.example", [JOURNAL], octets)
    smtp.quit()


def contents(api):
    return {i: base64.b64decode(api("GetMessageContent", id=i)["content"]) for i in all_ids(api)}


@test("four different mails with one Message-ID and four without any are all kept")
def _(t):
    t.api = t.begin([("lisa", ["lisa@mailkeep.example"]), ("john", ["john@mailkeep.example"]),
                     ("zoe", ["zoe@partner.example"])])
    mails = [mail("<same@x>", f"body {n}") for n in range(4)]
    mails += [mail(None, f"no id {n}") for n in range(4)]
    send(t, *mails)
    back = sorted(contents(t.api).values())
    assert back == sorted(mails), back[:2]


@test("one sent three times is stored once, with three arrivals")
def _(t):
    octets = mail("<thrice@x>", "three times")
    before = len(all_ids(t.api))
    send(t, octets, octets)
    send(t, octets)
    ids = [i for i, c in contents(t.api).items() if c == octets]
    assert len(all_ids(t.api)) == before + 1 and len(ids) == 1
    arrivals = t.api("GetMessageArrivals", id=ids[0])
    assert len(arrivals) == 3, arrivals
    assert all(a["forwardPaths"] == [JOURNAL] for a in arrivals)
    assert all(a["tls"] and not a["hasReport"] for a in arrivals)


@test("several reports of one mail are merged, each report can be fetched as it came")
def _(t):
    octets = mail("<bifurcated@x>", "one mail, two reports")
    reports = [exchange_report(octets, "john@mailkeep.example", [("To", "lisa@mailkeep.example")],
                               "same", "<bifurcated@x>", 1),
               exchange_report(octets, "john@mailkeep.example", [("Bcc", "zoe@partner.example")],
                               "same", "<bifurcated@x>", 2)]
    send(t, *reports)
    ids = [i for i, c in contents(t.api).items() if c == octets]
    assert len(ids) == 1
    for folder in ("lisa/Journal Incoming", "zoe/Journal Incoming", "john/Journal Outgoing"):
        assert ids[0] in {m["id"] for m in t.api("GetMessages", folder=folder)}, folder
    back = [base64.b64decode(t.api("GetMessageReport", id=ids[0], arrival=n)["content"])
            for n in (0, 1)]
    assert back == reports


@test("the owner finds it, another user does not, nor fetches it")
def _(t):
    assert t.server.wait_indexed()
    found = t.server.web("zoe", t.passwords["zoe"]).json("search", q="bifurcated OR reports")
    assert found["total"] == 0  # OR is a word like any other
    zoe = t.server.web("zoe", t.passwords["zoe"]).json("search", q="two reports")
    assert zoe["total"] == 1 and zoe["items"][0]["folder"] == "zoe/Journal Incoming", zoe
    lisas = t.server.web("lisa", t.passwords["lisa"]).json("search", q="three times")
    assert lisas["total"] == 1
    status, _, _ = t.server.web("zoe", t.passwords["zoe"]).request(
        "GET", f"/api/v1/messages/{lisas['items'][0]['id']}/raw")
    assert status == 404


@test("all of it is there after a restart")
def _(t):
    before = contents(t.api)
    assert t.server.stop() == 0
    t.server.start()
    assert contents(t.server.api()) == before
    t.server.api()("VerifyStore", id=1, includeIndexes="true")


main()
