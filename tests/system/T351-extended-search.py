"""The extended search (search-syntax.md 4): every criterion by web and API, marks, snippets, suggestions."""

import datetime
import email.utils
import json
import time

from harness import JOURNAL, main, test
from mailkeep_client import Failure, crlf, smtp_connect, smtp_send

NOW = time.time()
DAY = 86400


def mail(name, to, subject, body, days=0, head="", attachment=None):
    text = (f"From: Anna Meier <anna@contoso.example>\nTo: {to}\nSubject: {subject}\n"
            f"Date: {email.utils.formatdate(NOW - days * DAY)}\nMessage-ID: <{name}@x>\n{head}")
    if attachment is None:
        return crlf(f"{text}\n{body}\n".encode())
    return crlf(f"""{text}MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="=_b"

--=_b
Content-Type: text/plain; charset=utf-8

{body}
--=_b
Content-Type: text/plain; name="liste.txt"
Content-Disposition: attachment; filename="liste.txt"

{attachment}
--=_b--
""".encode())


MAILS = {
    "low": mail("low", "Bert <bert@contoso.example>", "Angebot 4711", "Das Angebot liegt bei.",
                head="Importance: Low\n"),
    "high": mail("high", "bert@contoso.example", "Mahnung", "eilig " * 4000, days=400,
                 head="X-Priority: 1\n"),
    "plain": mail("plain", "bert@contoso.example", "Nachtrag", "zum Vorgang 4711 \U0001f600 Gruß",
                  head="Cc: clara@contoso.example\n"),
    "list": mail("list", "clara@contoso.example", "Liste", "siehe Anhang", days=3,
                 attachment="Schrauben und Muttern"),
}


@test("the mails come in")
def _(t):
    api = t.begin([(n, [f"{n}@contoso.example"]) for n in ("anna", "bert", "clara")])
    t.api = api
    smtp = smtp_connect(t.server.ports["smtp"])
    for octets in MAILS.values():
        smtp_send(smtp, "journal@contoso.example", [JOURNAL], octets)
    smtp.quit()
    assert t.server.wait_indexed(60)
    t.web = t.server.web()
    t.names = {}
    for item in t.web.json("search")["items"]:
        octets = t.web.raw(item["id"])
        t.names[item["id"]] = next(n for n, o in MAILS.items() if o == octets)
    assert sorted(t.names.values()) == sorted(MAILS)


def found(t, **arguments):
    web = t.web.json("search", **arguments)
    named = {("query" if n == "q" else n): v for n, v in arguments.items()}
    api = t.api("SearchMessages", **{"query": "", **named})
    assert [i["id"] for i in web["items"]] == [i["id"] for i in api["items"]], arguments
    assert web["total"] == web["mailTotal"] == api["total"] == len(web["items"]), arguments
    return " ".join(sorted(t.names[i["id"]] for i in web["items"]))


def day(days):
    return (datetime.datetime.fromtimestamp(NOW, datetime.timezone.utc)
            - datetime.timedelta(days=days)).strftime("%Y-%m-%d")


CASES = [
    ({"q": "4711"}, "low plain"),
    ({"q": "4711", "fields": "subject"}, "low"),
    ({"q": "4711", "fields": "body"}, "plain"),
    ({"q": "4711", "fields": "addresses,attachmentNames"}, ""),
    ({"q": "bert", "fields": "addresses"}, "high low plain"),
    ({"q": "subject:4711", "fields": "body"}, "low"),  # the prefix wins
    ({"q": "liste", "fields": "attachmentNames"}, "list"),
    ({"q": "Muttern", "fields": "attachmentContents"}, "list"),
    ({"fromWords": '"Anna Meier"', "q": "Mahnung"}, "high"),
    ({"fromWords": "bert"}, ""),
    ({"recipients": "clara"}, "list plain"),  # To and Cc
    ({"recipients": "anna"}, ""),
    ({"folder": "clara"}, "list plain"),
    ({"folder": "clara", "subfolders": "false"}, ""),
    ({"folder": "clara/Journal Incoming", "subfolders": "false"}, "list plain"),
    ({"preset": "today"}, "low plain"),
    ({"preset": "last-year"}, None),
    ({"from": day(3), "to": day(3)}, "list"),
    ({"to": day(399)}, "high"),
    ({"archivedPreset": "today"}, "high list low plain"),
    ({"archivedPreset": "yesterday"}, ""),
    ({"archivedTo": day(1)}, ""),
    ({"attachments": "with"}, "list"),
    ({"attachments": "without"}, "high low plain"),
    ({"attachments": "neither"}, ""),
    ({"sizeMin": 20000}, "high"),
    ({"sizeMin": 1, "sizeMax": 20000}, "list low plain"),
    ({"sizeMin": len(MAILS["low"]), "sizeMax": len(MAILS["low"])}, "low"),
    ({"importance": "low"}, "low"),
    ({"importance": "normal"}, "list plain"),
    ({"importance": "high"}, "high"),
    ({"importance": "low,high"}, "high low"),
    ({"importance": "low,normal"}, "list low plain"),
    ({"importance": "low,normal,high"}, "high list low plain"),
    ({"text": "failed"}, ""),
    ({"store": 1, "q": "Liste"}, "list"),
    ({"q": "4711", "importance": "normal", "recipients": "bert", "attachments": "without"}, "plain"),
]


@test("each criterion, by web and API alike")
def _(t):
    # near midnight the presets are another day's
    if time.gmtime(NOW).tm_mday != time.gmtime().tm_mday:
        return
    for arguments, wanted in CASES:
        got = found(t, **arguments)
        if wanted is not None:
            assert got == wanted, (arguments, got)


@test("what cannot be understood is refused with its name")
def _(t):
    for name, value in (("fields", "colour"), ("preset", "soon"), ("sizeMin", "5 MB"),
                        ("importance", "urgent"), ("group", "all"), ("store", "x")):
        status, _, body = t.web.request("GET", f"/api/v1/search?{name}={value.replace(' ', '+')}")
        assert status == 400 and name.encode() in body, (name, status, body)
    try:
        t.api("SearchMessages", query="", store=9)
        raise AssertionError("there is a store 9")
    except Failure:
        pass


@test("the store is for administrators, and neither tells of others' mail")
def _(t):
    web = t.server.web("clara", t.passwords["clara"])
    assert web.request("GET", "/api/v1/search?store=1")[0] == 403
    for arguments, _ in CASES:
        if "store" in arguments:
            continue
        status, _, body = web.request(
            "GET", "/api/v1/search?" + "&".join(f"{n}={v}" for n, v in arguments.items())
            .replace(" ", "%20").replace('"', "%22"))
        assert status in (200, 404)
        assert status == 404 or {t.names[i["id"]] for i in json.loads(body)["items"]} <= {"list", "plain"}


def marked(text, ranges):
    units = text.encode("utf-16-le")
    return [units[2 * o:2 * (o + n)].decode("utf-16-le") for o, n in ranges]


@test("words are marked in subject, sender and recipient, and in the snippet")
def _(t):
    item = t.web.json("search", q="anna 4711 bert liegt", snippets=1)["items"][0]
    assert marked(item["subject"], item["highlights"]["subject"]) == ["4711"]
    assert marked(item["from"], item["highlights"]["from"]) == ["Anna", "anna"]
    assert marked(item["to"], item["highlights"]["to"]) == ["Bert", "bert"]
    assert marked(item["snippet"]["text"], item["snippet"]["highlights"]) == ["liegt"]
    item = t.web.json("search", q="gruß", snippets=1)["items"][0]  # behind a pair of code units
    assert marked(item["snippet"]["text"], item["snippet"]["highlights"]) == ["Gruß"]
    assert item["highlights"] == {}
    item = t.web.json("search", fromWords="meier", recipients="clara", attachments="with")["items"][0]
    assert marked(item["from"], item["highlights"]["from"]) == ["Meier"]
    assert marked(item["to"], item["highlights"]["to"]) == ["clara"]
    item = t.web.json("search", q="muttern", snippets=1)["items"][0]  # only the attachment has it
    assert marked(item["snippet"]["text"], item["snippet"]["highlights"]) == ["Muttern"]
    assert t.api("SearchMessages", query="liegt", snippets=True)["items"][0]["snippet"]
    item = t.web.json("search", q="eilig", snippets=1)["items"][0]
    assert item["snippet"]["cutAfter"] and len(item["snippet"]["text"].encode()) <= 240


@test("suggestions come from what may be read")
def _(t):
    def texts(web, q):
        return [s["text"] for s in web.json("suggest", q=q)["suggestions"]]
    clara = t.server.web("clara", t.passwords["clara"])
    assert "angebot" in texts(t.web, "eine Ange")
    assert "angebot" not in texts(clara, "eine Ange") and "siehe" in texts(clara, "sieh")
    assert texts(t.web, "4711 from:ann") == ["from:anna@contoso.example"]
    assert texts(t.web, "-to:ber") == ["-to:bert@contoso.example"]
    assert texts(clara, "to:cla") == ["to:clara@contoso.example"] and texts(clara, "") == []
    assert "anna/Journal Outgoing" in texts(t.web, "Journal") and texts(clara, "ann") != []
    assert not any("anna/" in s for s in texts(clara, "Journal"))


main()
