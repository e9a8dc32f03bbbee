"""Every route of src/web/routes.c as every kind of visitor. A new route without a row fails.

Who there is: nobody; noel, who may not log in; zoe, whose mail it is; rita, who may read zoe's
archive; lisa, who may not; boss, an administrator without a right on the archive; admin, one with it.
Each of them by HTTP Basic and by cookie.
"""

import json
import os
import re

from harness import JOURNAL, main, test
from mailkeep_client import crlf, smtp_connect, smtp_send
from web_visitor import API, Visitor, basic, logged_in

ROUTES_C = os.path.join(os.path.dirname(__file__), "..", "..", "src", "web", "routes.c")
ROUTE = re.compile(r'\{\s*"([A-Z]+)",\s*(API\s*)?"([^"]*)",\s*(true|false),\s*(true|false),')

SECRET = "Zirconium"
PEOPLE = ("zoe", "rita", "lisa", "boss", "admin")
STRANGERS = ("lisa", "boss")

ALL, HERS, OWN = "all", "hers", "own"
FORM = ("application/x-www-form-urlencoded", "")
SEARCH = ("application/json", json.dumps({"name": "Name", "criteria": {"q": "x"}}))
CHANGED = ("application/json", json.dumps({"name": "Changed", "criteria": {"q": "x"}}))
RESTORE = ("application/json", json.dumps({"to": "zoe@x.example"}))
EMPTY = ("application/json", "{}")

# Method and pattern: (path below /api/v1/, body, who is answered well; else what each gets).
# {id} is zoe's mail, {saved} a saved search of hers. Answered well is any 2xx; ALL may be told 400,
# 409 or 422 too where the body asks for nothing that can be done; who may not see it gets 404. OWN is
# one's own account: anybody's, but in a session only.
TABLE = {
    "GET /": ("/", None, ALL),
    "POST session": ("session", EMPTY, ALL),
    "GET session": ("session", None, ALL),
    "DELETE session": (None, None, ALL),  # ends what the rest needs: the last test has it
    "GET folders": ("folders", None, ALL),
    "GET messages": ("messages?folder=zoe/Journal+Incoming", None, HERS),
    "GET search": ("search?folder=zoe", None, HERS),
    "GET suggest": ("suggest?q=zirc", None, ALL),
    "GET saved-searches": ("saved-searches", None, ALL),
    "POST saved-searches": ("saved-searches", SEARCH, ALL),
    "PUT saved-searches/{}": ("saved-searches/{saved}", CHANGED, {"zoe": 200}),
    "DELETE saved-searches/{}": ("saved-searches/{saved}", None, {"zoe": 204}),
    "GET messages/{}": ("messages/{id}", None, HERS),
    "GET messages/{}/raw": ("messages/{id}/raw", None, HERS),
    "GET messages/{}/conversation": ("messages/{id}/conversation", None, HERS),
    "GET messages/{}/headers": ("messages/{id}/headers", None, HERS),
    "GET messages/{}/attachments/{}": ("messages/{id}/attachments/2", None, HERS),
    "GET messages/{}/attachments/{}/text": ("messages/{id}/attachments/2/text", None, HERS),
    # No PDF (422); a stranger is not even told that. T358 draws one.
    "GET messages/{}/attachments/{}/pages/{}": ("messages/{id}/attachments/2/pages/1", None,
                                                {"zoe": 422, "rita": 422, "admin": 422}),
    "GET messages/{}/arrivals": ("messages/{id}/arrivals", None,
                                 {"zoe": 403, "rita": 403, "admin": 200}),
    "GET messages/{}/arrivals/{}/report": ("messages/{id}/arrivals/0/report", None,
                                           {"zoe": 403, "rita": 403, "admin": 404}),
    "GET messages/zip": ("messages/zip?ids={id}", None, HERS),
    # There is no mail server to leave by here (501); a stranger is not even told that.
    "POST messages/{}/restore": ("messages/{id}/restore", RESTORE,
                                 {"zoe": 501, "rita": 501, "admin": 501}),
    "POST invoke/{}": ("invoke/GetServerInfo", FORM, ALL),
    "GET get-metadata": ("get-metadata", None, ALL),
    "POST get-metadata": ("get-metadata", FORM, ALL),
    "POST get-status": ("get-status", FORM, {}),
    "POST cancel-async": ("cancel-async", FORM, {}),
    # No path names another's account. What each does is for a test of its own (T370).
    "GET account": ("account", None, OWN),
    "POST account/password": ("account/password", EMPTY, OWN),
    "POST account/two-factor": ("account/two-factor", EMPTY, OWN),
    "POST account/two-factor/confirm": ("account/two-factor/confirm", EMPTY, OWN),
    "POST account/two-factor/off": ("account/two-factor/off", EMPTY, OWN),
    "POST account/recovery-codes": ("account/recovery-codes", EMPTY, OWN),
    "POST account/app-passwords": ("account/app-passwords", EMPTY, OWN),
    "DELETE account/app-passwords/{}": ("account/app-passwords/99999", None, OWN),
    "DELETE account/sessions": (None, None, OWN),  # ends what the rest needs: a test at the end has it
    "DELETE account/sessions/{}": ("account/sessions/web-99999", None, OWN),
}


class Route:
    def __init__(self, method, pattern, needs_login, changes):
        self.method, self.name = method, f"{method} {pattern}"
        self.needs_login, self.changes = needs_login, changes
        self.row = TABLE.get(self.name)


def read_routes():
    with open(ROUTES_C, encoding="utf-8") as source:
        text = source.read()
    found = [Route(m, p, login == "true", changes == "true")
             for m, api, p, login, changes in ROUTE.findall(text)]
    table = text[text.index("static const WebRoute routes[]"):]
    assert len(found) == len(re.findall(r"^    \{", table[:table.index("\n};")], re.M)), "not all read"
    return found


ROUTES = read_routes()
# The only ones that anybody may ask for, and the only change without a token.
OPEN = {"GET /", "POST session"}


def mail():
    return crlf(f"""From: out@else.example
To: zoe@x.example
Subject: {SECRET} plans
Date: Tue, 02 Jan 2024 03:04:05 +0000
Message-ID: <z@else.example>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain

{SECRET} for zoe alone
--b
Content-Type: text/plain; name=z.txt
Content-Disposition: attachment; filename=z.txt

{SECRET} once more
--b--
""".encode())


def path_of(t, route):
    path = route.row[0].format(id=t.mail_id, saved=t.saved)
    return path if path.startswith("/") else API + path


def ask(t, route, visitor, headers=None):
    body = route.row[1]
    given = {"Content-Type": body[0]} if body else {}
    return visitor.ask(route.method, path_of(t, route), body[1] if body else None,
                       {**given, **(headers or {})})


def tried():
    return [r for r in ROUTES if r.row is not None and r.row[0] is not None]


def with_login():
    return [r for r in tried() if r.needs_login]


def changing():
    return [r for r in with_login() if r.changes]


def expect(answer, statuses, *what):
    assert answer.status in statuses, (*what, answer.status, answer.body[:200])


@test("every route has its row")
def _(t):
    missing = [r.name for r in ROUTES if r.row is None]
    assert not missing, f"routes without a row in TABLE: {missing}"
    assert not [r.name for r in ROUTES if not r.needs_login and r.name not in OPEN]
    assert not [r.name for r in ROUTES if r.method != "GET" and not r.changes and r.name not in OPEN]
    api = t.begin([(name, [f"{name}@x.example"]) for name in ("zoe", "rita", "lisa", "noel", "boss")])
    api("SetUserPrivilegesOnFolder", userName="rita", folder="zoe", privileges="read")
    api("SetUserPrivileges", userName="noel", privileges="none")
    api("SetUserPrivileges", userName="boss", privileges="admin")
    t.passwords["admin"] = t.server.password
    smtp = smtp_connect(t.server.ports["smtp"], t.server.certificate)
    smtp_send(smtp, "out@else.example", [JOURNAL], mail())
    smtp.quit()
    assert t.server.wait_indexed()
    t.port = t.server.ports["https"]
    t.by_cookie = {name: logged_in(t.port, name, t.passwords[name]) for name in PEOPLE}
    t.by_basic = {name: basic(t.port, name, t.passwords[name]) for name in PEOPLE}
    zoe = t.by_basic["zoe"]
    t.mail_id = zoe.ask("GET", API + "search").json()["items"][0]["id"]
    t.saved = zoe.post_json("saved-searches", {"name": "Hers", "criteria": {}}).json()["id"]


@test("nobody gets anything but the page and the login")
def _(t):
    for route in with_login():
        answer = ask(t, route, Visitor(t.port))
        expect(answer, (401,), route.name)
        assert SECRET.encode() not in answer.body and "Set-Cookie" not in answer.headers, route.name


@test("a cookie that is no session's is nobody's")
def _(t):
    token = t.by_cookie["zoe"].headers["Cookie"]
    for cookie in ("mk_session=" + 64 * "0", "mk_session=", token[:-1], token + "0",
                   token.upper().replace("MK_SESSION", "mk_session"), token.replace("mk_", "mk-")):
        if cookie == token:
            continue
        for route in with_login():
            answer = ask(t, route, Visitor(t.port, {"Cookie": cookie, "X-CSRF-Token": "0" * 64}))
            expect(answer, (401,), route.name, cookie)


@test("who may not log in is nobody, by Basic and by cookie")
def _(t):
    noel = {"userName": "noel", "password": t.passwords["noel"]}
    expect(Visitor(t.port, address="127.0.1.1").post_json("session", noel), (401,))
    for number, route in enumerate(with_login()):
        visitor = basic(t.port, "noel", t.passwords["noel"], f"127.0.1.{number + 2}")
        expect(ask(t, route, visitor), (401, 429), route.name)  # 429: too many by this name


@test("a wrong password is nobody's, also beside a token")
def _(t):
    for number, route in enumerate(with_login()):
        visitor = basic(t.port, f"nobody{number}", "Wrong-Horse-1", f"127.0.2.{number + 1}")
        expect(ask(t, route, visitor, {"X-CSRF-Token": t.by_cookie["zoe"].token}), (401,), route.name)


@test("without the CSRF token a cookie changes nothing")
def _(t):
    for route in changing():
        visitor = Visitor(t.port, {"Cookie": t.by_cookie["zoe"].headers["Cookie"]})
        expect(ask(t, route, visitor), (403,), route.name)


@test("nor with a wrong one, nor with that of another session")
def _(t):
    zoe, other = t.by_cookie["zoe"], logged_in(t.port, "zoe", t.passwords["zoe"])
    for token in ("", "0" * 64, zoe.token[:-1], zoe.token + "0", zoe.token.upper() + " ",
                  other.token, t.by_cookie["lisa"].token):
        for route in changing():
            visitor = Visitor(t.port, {"Cookie": zoe.headers["Cookie"]})
            expect(ask(t, route, visitor, {"X-CSRF-Token": token}), (403,), route.name, token)


@test("Basic that another site's page sends changes nothing")
def _(t):
    for site in ("cross-site", "same-site", "", "SAME-ORIGIN, cross-site"):
        for route in changing():
            answer = ask(t, route, t.by_basic["zoe"], {"Sec-Fetch-Site": site})
            expect(answer, (403,), route.name, site)


@test("one's own route, right and wrong method")
def _(t):
    for route in tried():
        answer = t.by_basic["zoe"].ask("PATCH", path_of(t, route))
        expect(answer, (405,), route.name)
        assert route.method in answer.headers["Allow"], (route.name, answer.headers["Allow"])


def wanted(route, name, kind):
    """What @name may be answered who comes by @kind."""
    who = route.row[2]
    if who == OWN:
        return (403,) if kind == "basic" else (404,) if "9999" in route.row[0] else \
            (200,) if route.row[1] is None else (400,)
    if who == ALL:
        return range(200, 300) if route.row[1] is None else (*range(200, 300), 400, 409, 422)
    if who == HERS:
        return (404,) if name in STRANGERS else range(200, 300)
    return (who.get(name, 404),)


def check(t, route, name, kind, visitor):
    answer = ask(t, route, visitor)
    expect(answer, wanted(route, name, kind), route.name, name, kind)
    if name in STRANGERS:
        told = answer.body + str(answer.headers).encode()
        assert SECRET.encode() not in told, f"{route.name}: {name} is told of the mail"
        assert b"zoe" not in told.replace(b"folder=zoe", b"") or route.name == "GET folders", route.name


# zoe, whose it is, comes last: she may delete.
for NAME in reversed(PEOPLE):
    for KIND in ("basic", "cookie"):
        @test(f"each route as {NAME} by {KIND}")
        def _(t, name=NAME, kind=KIND):
            visitor = (t.by_basic if kind == "basic" else t.by_cookie)[name]
            if name == "zoe":
                t.saved = t.by_basic["zoe"].post_json(
                    "saved-searches", {"name": "Again " + kind, "criteria": {}}).json()["id"]
            for route in tried():
                if route.name != "POST session":
                    check(t, route, name, kind, visitor)


@test("nothing of hers is said to strangers anywhere, whatever they ask for")
def _(t):
    asked = ["messages", "search", f"search?q={SECRET}", f"search?q={t.mail_id}", "suggest?q=zirc",
             "suggest?q=from:out", "folders", "saved-searches", "search?group=conversation",
             f"messages/{t.mail_id}/attachments/1", "search?text=not-indexed", "search?store=1",
             f"search?saved={t.saved}", f"messages/{t.mail_id}/conversation?order=desc"]
    for name in STRANGERS:
        for path in asked:
            answer = t.by_basic[name].ask("GET", API + path)
            assert SECRET.lower().encode() not in answer.body.lower(), (name, path)
            assert b"out@else" not in answer.body and b"zoe/" not in answer.body, (name, path)


@test("rights that are taken away count at once, in sessions that are open")
def _(t):
    api = t.server.api()
    rita = t.by_cookie["rita"]
    route = next(r for r in ROUTES if r.name == "GET messages/{}/raw")
    expect(ask(t, route, rita), (200,))
    api("SetUserPrivilegesOnFolder", userName="rita", folder="zoe", privileges="none")
    expect(ask(t, route, rita), (404,))
    api("SetUserPrivileges", userName="rita", privileges="none")
    expect(ask(t, route, rita), (401,))


@test("nobody ends another's sessions, and one's own are one's own")
def _(t):
    lisa, again = t.by_cookie["lisa"], logged_in(t.port, "lisa", t.passwords["lisa"])
    hers = t.by_cookie["zoe"].ask("GET", API + "account").json()["sessions"]
    assert hers
    for session in hers:
        expect(lisa.ask("DELETE", API + "account/sessions/" + session["id"]), (404,))
    assert all(s["id"] not in {h["id"] for h in hers}
               for s in lisa.ask("GET", API + "account").json()["sessions"])
    expect(lisa.ask("DELETE", API + "account/sessions"), (204,))
    expect(again.ask("GET", API + "session"), (401,))
    expect(lisa.ask("GET", API + "session"), (200,))
    expect(t.by_cookie["zoe"].ask("GET", API + "session"), (200,))


@test("what the first start had is gone for everybody")
def _(t):
    with open(os.path.join(os.path.dirname(ROUTES_C), "setup.c"), encoding="utf-8") as source:
        found = re.findall(r'\{ "([A-Z]+)", "(/?[a-z]*)",', source.read())
    assert len(found) >= 7, found
    for method, path in [("GET", ""), *found]:
        body, given = (None, {}) if method == "GET" else ("{}", {"Content-Type": "application/json"})
        for visitor in (Visitor(t.port), t.by_basic["lisa"], t.by_cookie["zoe"], t.by_cookie["admin"]):
            expect(visitor.ask(method, API + "setup" + path, body, given), (404,), method, path)


@test("logging out ends one session and no other")
def _(t):
    again = logged_in(t.port, "lisa", t.passwords["lisa"])
    lisa = t.by_cookie["lisa"]
    expect(lisa.ask("DELETE", API + "session"), (204,))
    expect(lisa.ask("GET", API + "session"), (401,))
    expect(again.ask("GET", API + "session"), (200,))


main()
