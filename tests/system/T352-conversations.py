"""Conversations and copies: grouped, counted, listed, and never across what may be read."""

from harness import JOURNAL, main, test
from mailkeep_client import crlf, exchange_report, smtp_connect, smtp_send


def mail(name, sender, to, subject, refs="", reply="", hour=8, way=""):
    head = "".join(f"{field}: {value}\n" for field, value in (
        ("Received", way), ("From", sender), ("To", to), ("Subject", subject),
        ("Date", f"Tue, 5 May 2020 {hour:02}:00:00 +0000"), ("Message-ID", name and f"<{name}@x>"),
        ("References", refs), ("In-Reply-To", reply)) if value)
    return crlf(f"{head}\nText von {name or 'keinem'}\n".encode())


ANNA, BERT, CLARA = (f"{n}@contoso.example" for n in ("anna", "bert", "clara"))
MAILS = [
    ("root", mail("root", ANNA, BERT, "Treffen")),
    ("answer", mail("answer", BERT, ANNA, "AW: Treffen", refs="<root@x>", hour=9)),
    ("third", mail("third", ANNA, BERT, "Re: [alle] Treffen", refs="<root@x> <answer@x>", hour=10)),
    ("chained", mail("chained", BERT, ANNA, "Re: Treffen", reply="<third@x>", hour=11)),
    ("turned", mail("turned", ANNA, BERT, "Essen", refs="<root@x>", hour=12)),
    ("other", mail("other", ANNA, BERT, "Treffen", hour=13)),
    ("loose", mail("", ANNA, BERT, "Treffen", hour=14)),
    # Clara has got hold of a Message-ID, and writes under it to herself.
    ("forged", mail("root", CLARA, CLARA, "Treffen", hour=15)),
    ("copy", mail("third", ANNA, BERT, "Re: [alle] Treffen", refs="<root@x> <answer@x>", hour=10,
                  way="from elsewhere")),
]


@test("the mails come in")
def _(t):
    api = t.begin([(a.split("@")[0], [a]) for a in (ANNA, BERT, CLARA)])
    smtp = smtp_connect(t.server.ports["smtp"])
    for number, (name, octets) in enumerate(MAILS):
        if name == "answer":  # as a report, and in a batch of its own
            octets = exchange_report(octets, BERT, [("To", ANNA)], "AW: Treffen", "answer@x", number)
            assert t.server.wait_indexed(60)
        smtp_send(smtp, "journal@contoso.example", [JOURNAL], octets)
    smtp.quit()
    assert t.server.wait_indexed(60)
    t.web = t.server.web()
    t.names = {}
    for item in t.web.json("search")["items"]:
        octets = t.web.raw(item["id"])
        t.names[item["id"]] = next(n for n, o in MAILS if o == octets)
    t.ids = {n: i for i, n in t.names.items()}
    assert sorted(t.ids) == sorted(n for n, _ in MAILS)


def names(t, ids):
    return " ".join(t.names[i] for i in ids)


@test("the conversation of a mail, oldest first")
def _(t):
    for name, wanted in (("root", "root forged answer third copy chained"), ("loose", "loose"),
                         ("turned", "turned"), ("other", "other")):
        answer = t.web.json(f"messages/{t.ids[name]}/conversation")
        got = names(t, [i["id"] for i in answer["items"]])
        assert sorted(got.split()) == sorted(wanted.split()) and \
            answer["total"] == len(wanted.split()), (name, got)
        dates = [i["date"] for i in answer["items"]]
        assert dates == sorted(dates)


@test("grouped by conversation: one row each, counts and members exact")
def _(t):
    answer = t.web.json("search", q="treffen", group="conversation")
    assert answer["total"] == 3 and answer["mailTotal"] == 8
    rows = {t.names[i["id"]]: i for i in answer["items"]}
    assert set(rows) == {"forged", "loose", "other"}  # the newest of each
    assert rows["forged"]["groupCount"] == 6 and rows["other"]["groupCount"] == 1
    assert sorted(t.names[i] for i in rows["forged"]["group"]) == \
        ["answer", "chained", "copy", "root", "third"]


@test("copies of one mail are one row")
def _(t):
    answer = t.web.json("search", q="alle", group="copies")
    assert answer["total"] == 1 and answer["mailTotal"] == 2
    assert answer["items"][0]["groupCount"] == 2
    assert sorted([answer["items"][0]["id"]] + answer["items"][0]["group"]) == \
        sorted([t.ids["third"], t.ids["copy"]])


@test("a Message-ID of somebody else's mail shows nothing of it")
def _(t):
    clara = t.server.web("clara", t.passwords["clara"])
    for group in ("conversation", "copies"):
        answer = clara.json("search", group=group)
        assert answer["total"] == answer["mailTotal"] == 1
        assert answer["items"][0]["id"] == t.ids["forged"]
        assert answer["items"][0]["groupCount"] == 1 and answer["items"][0]["group"] == []
    answer = clara.json(f"messages/{t.ids['forged']}/conversation")
    assert [i["id"] for i in answer["items"]] == [t.ids["forged"]] and answer["total"] == 1
    assert clara.request("GET", f"/api/v1/messages/{t.ids['root']}/conversation")[0] == 404
    anna = t.server.web("anna", t.passwords["anna"])
    answer = anna.json(f"messages/{t.ids['root']}/conversation")
    assert t.ids["forged"] not in {i["id"] for i in answer["items"]} and answer["total"] == 5


@test("a restart changes none of it")
def _(t):
    t.server.kill()
    t.server.start()
    web = t.server.web()
    assert t.server.wait_indexed(60)
    assert web.json("search", q="treffen", group="conversation")["total"] == 3


main()
