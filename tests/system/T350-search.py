"""The search language through the whole stack: the nine sample mails, Q01 to Q33, sorting, pages.

Mails M1 to M9 and the queries are those of spec/search-syntax.md, word for word; they come in by
SMTP and are asked for by the Administration API and by the web.
"""

import base64

from harness import JOURNAL, main, test
from mailkeep_client import Failure, crlf, smtp_connect, smtp_send

# From, To, Cc, Bcc, Subject, Body, attachment (name, type, content)
ZDNET, ALL = "ZDNet <news@zdnet.example>", "all@mailkeep.example"
TXT = "text/plain"
MAILS = {
    "M1": (ZDNET, "lisa@mailkeep.example", "", "", "Download-Tipp der Woche",
           "Neues zum Thema Auto", None),
    "M2": (ZDNET, "lisa@mailkeep.example", "", "", "Nachrichten",
           "Automatisch lesen: Daily Update", None),
    "M3": ("vorname.nachname@example.com", "michael@mailkeep.example", "", "", "Termin",
           "Herr Meier kommt, Autoreparatur folgt", None),
    "M4": ("versand@example.com", "meineadresse@company.tld", "", "", "Lieferung 4711",
           "siehe Anhang", ("R4711.txt", TXT, b"Rechnung ueber 10 EUR")),
    "M5": ("versand@example.com", "meineadresse@company.tld", "", "", "Mahnung 2",
           "siehe Anhang", ("R4711.txt", TXT, b"Rechnung offen")),
    "M6": ("max@firma.example", "bewerbung@example.com", "", "", "Bewerbung als Koch",
           "mein Lebenslauf", ("cv.pdf", "application/pdf", b"%PDF-1.4 Lebenslauf")),
    "M7": ("max@firma.example", "bewerbung@example.com", "", "", "Nachtrag", "Zeugnis folgt", None),
    "M8": ("john@mailkeep.example", ALL, "lisa@mailkeep.example", "customers@mailkeep.example",
           "Info", "Microsoft Windows ist da, Frau Meyer", None),
    "M9": ("john@mailkeep.example", ALL, "", "", "Rechnung Mai",
           "Microsoft Works und Windows 95, Herr Maier", None),
}

EVERY = "M1 M2 M3 M4 M5 M6 M7 M8 M9"
ERROR = None
QUERIES = [
    ("Q01", "Auto*", "M1 M2 M3"),
    ("Q02", "*example.com", "M3 M4 M5 M6 M7"),
    ("Q03", "vorname.nachname*", "M3"),
    ("Q04", "Me?er", "M3 M8"),
    ("Q05", "?eier", ERROR),
    ("Q06", "Meie?", ERROR),
    ("Q07", '"Microsoft Windows"', "M8"),
    ("Q08", "Microsoft Windows", "M8 M9"),
    ("Q09", "subject:Nachrichten", "M2"),
    ("Q10", "from:john@mailkeep.example", "M8 M9"),
    ("Q11", "to:michael@mailkeep.example", "M3"),
    ("Q12", "cc:lisa@mailkeep.example", "M8"),
    ("Q13", "bcc:customers@mailkeep.example", "M8"),
    ("Q14", "bcontent:Rechnung", ""),
    ("Q15", "acontent:Rechnung", "M4 M5"),
    ("Q16", "Rechnung", "M4 M5 M9"),
    ("Q17", "ZDNet -Download-Tipp", "M2"),
    ("Q18", 'ZDNET -"Daily Update"', "M1"),
    ("Q19", "from:ZDNET bcontent:Auto", "M1"),
    ("Q20", "from:versand@example.com acontent:Rechnung", "M4 M5"),
    ("Q21", "to:bewerbung@example.com -Bewerbung", "M7"),
    ("Q21b", "lisa@mailkeep.example -lisa", ""),
    ("Q22", "from:versand@example.com to:meineadresse@company.tld acontent:Rechnung "
            "-subject:Mahnung", "M4"),
    ("Q23a", "vorname", "M3"),
    ("Q23b", "nachname", "M3"),
    ("Q23c", "vorname.nachname", "M3"),
    ("Q24", "nachname.vorname", ""),
    ("Q25", "zdnet", "M1 M2"),
    ("Q26", "acontent:Lebenslauf", ""),
    ("Q27", "R4711", "M4 M5"),
    ("Q28", "-ZDNet", "M3 M4 M5 M6 M7 M8 M9"),
    ("Q29", "re:Termin", ""),
    ("Q30", "", EVERY),
    ("Q31", 'bcontent:"Daily Update"', "M2"),
    ("Q32", 'subject:"Daily Update"', ""),
    ("Q33", '-"Microsoft Windows" from:john@mailkeep.example', "M9"),
]


def build(name):
    sender, to, cc, bcc, subject, body, attachment = MAILS[name]
    head = "".join(f"{field}: {value}\n" for field, value in (
        ("From", sender), ("To", to), ("Cc", cc), ("Bcc", bcc), ("Subject", subject),
        ("Date", f"Fri, {int(name[1])} May 2020 10:00:00 +0000"),
        ("Message-ID", f"<{name}@x>")) if value)
    if attachment is None:
        return crlf(f"{head}\n{body}\n".encode())
    file_name, kind, content = attachment
    return crlf(f"""{head}MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="=_b"

--=_b
Content-Type: text/plain

{body}
--=_b
Content-Type: {kind}; name="{file_name}"
Content-Disposition: attachment; filename="{file_name}"
Content-Transfer-Encoding: base64

{base64.encodebytes(content).decode()}--=_b--
""".encode())


def send(t, octets):
    smtp = smtp_connect(t.server.ports["smtp"], t.server.certificate)
    smtp_send(smtp, "journal@contoso.example", [JOURNAL], octets)
    smtp.quit()


def names(t, ids):
    return " ".join(sorted(t.names[i] for i in ids))


@test("the nine sample mails come in")
def _(t):
    t.api = t.begin([("lisa", ["lisa@mailkeep.example"]), ("john", ["john@mailkeep.example"]),
                     ("michael", ["michael@mailkeep.example"])])
    for name in MAILS:
        send(t, build(name))
    t.grant_catchall(t.api)
    assert t.server.wait_indexed(60)
    t.names = {}
    for m in t.api("GetMessages"):
        octets = base64.b64decode(t.api("GetMessageContent", id=m["id"])["content"])
        t.names[m["id"]] = next(n for n in MAILS if build(n) == octets)
    assert sorted(t.names.values()) == EVERY.split()
    t.web = t.server.web()


@test("Q01 to Q33 by SearchMessages")
def _(t):
    for number, query, wanted in QUERIES:
        try:
            found = t.api("SearchMessages", query=query)
        except Failure as why:
            assert wanted is ERROR and "*" in str(why), (number, why)  # the hint names the star
            continue
        assert wanted is not ERROR, number
        got = names(t, [i["id"] for i in found["items"]])
        assert got == wanted and found["total"] == len(wanted.split()), (number, query, got)


@test("Q01 to Q33 by the web")
def _(t):
    for number, query, wanted in QUERIES:
        if wanted is ERROR:
            status, _, body = t.web.request("GET", "/api/v1/search?q=" + query.replace("?", "%3F"))
            assert status == 400 and b"*" in body, (number, status, body)
            continue
        found = t.web.json("search", q=query)
        got = names(t, [i["id"] for i in found["items"]])
        assert got == wanted and found["total"] == len(wanted.split()), (number, query, got)


ORDERS = [
    ("date", "asc", EVERY), ("date", "desc", " ".join(reversed(EVERY.split()))),
    # by the text that is shown, in the order of code points after case folding
    ("subject", "asc", "M6 M1 M8 M4 M5 M2 M7 M9 M3"),
    ("subject", "desc", "M3 M9 M7 M2 M5 M4 M8 M1 M6"),
]
SENDERS = ["john@", "max@", "versand@", "vorname.", "ZDNet"]
RECIPIENTS = sorted((MAILS[name][1].lower() for name in EVERY.split()))


@test("sorted by date, subject, sender and recipient, both ways, by API and web")
def _(t):
    for sort, order, wanted in ORDERS:
        for found in (t.api("SearchMessages", query="", sort=sort, order=order),
                      t.web.json("search", q="", sort=sort, order=order)):
            assert [t.names[i["id"]] for i in found["items"]] == wanted.split(), (sort, order)
    for order, wanted in (("asc", SENDERS), ("desc", SENDERS[::-1])):
        for found in (t.api("SearchMessages", query="", sort="from", order=order),
                      t.web.json("search", q="", sort="from", order=order)):
            ranks = [next(n for n, s in enumerate(wanted) if i["from"].startswith(s))
                     for i in found["items"]]
            assert ranks == sorted(ranks) and len(ranks) == 9, (order, ranks)
    for order, wanted in (("asc", RECIPIENTS), ("desc", RECIPIENTS[::-1])):
        for found in (t.api("SearchMessages", query="", sort="to", order=order),
                      t.web.json("search", q="", sort="to", order=order)):
            assert [MAILS[t.names[i["id"]]][1].lower() for i in found["items"]] == wanted, order


@test("pages are stretches of the whole, the total is exact on each")
def _(t):
    for sort, order, wanted in ORDERS:
        for size in (1, 2, 4, 9):
            got = []
            for offset in range(0, 12, size):
                page = t.api("SearchMessages", query="", sort=sort, order=order, offset=offset,
                             limit=size)
                web = t.web.json("search", q="", sort=sort, order=order, offset=offset, limit=size)
                assert page["total"] == web["total"] == 9
                assert [i["id"] for i in page["items"]] == [i["id"] for i in web["items"]]
                got += [t.names[i["id"]] for i in page["items"]]
            assert got == wanted.split(), (sort, size, got)


@test("folders and dates narrow it, both ends included")
def _(t):
    def found(**arguments):
        got = names(t, [i["id"] for i in t.api("SearchMessages", query="", **arguments)["items"]])
        web = names(t, [i["id"] for i in t.web.json("search", q="", **arguments)["items"]])
        assert got == web, (arguments, got, web)
        return got
    assert found(folder="lisa") == "M1 M2 M8" and found(folder="john/Journal Outgoing") == "M8 M9"
    assert found(**{"from": "2020-05-03", "to": "2020-05-05"}) == "M3 M4 M5"
    assert found(**{"from": "2020-05-08"}) == "M8 M9" and found(to="2020-05-01") == "M1"
    assert found(folder="lisa", to="2020-05-02") == "M1 M2"


@test("each user's search sees the own archive only, whatever is asked for")
def _(t):
    for user, own in (("lisa", "M1 M2 M8"), ("john", "M8 M9"), ("michael", "M3")):
        web = t.server.web(user, t.passwords[user])
        for number, query, wanted in QUERIES:
            if wanted is ERROR:
                continue
            mine = " ".join(m for m in wanted.split() if m in own)
            found = web.json("search", q=query)
            got = names(t, [i["id"] for i in found["items"]])
            assert got == mine and found["total"] == len(mine.split()), (user, number, got)
            assert all(i["folder"].split("/")[0] == user for i in found["items"])


@test("what comes in later, or before a kill, is found after the restart")
def _(t):
    send(t, crlf(b"From: a@b.example\nTo: lisa@mailkeep.example\nSubject: Autobahn\n\nspaet\n"))
    t.server.kill()
    t.server.start()
    t.api = t.server.api()
    assert t.server.wait_indexed(60)
    found = t.api("SearchMessages", query="Auto*")
    assert found["total"] == 4 and "Autobahn" in {i["subject"] for i in found["items"]}
    assert t.server.stop() == 0


main()
