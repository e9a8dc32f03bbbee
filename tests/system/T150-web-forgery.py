"""Sessions and forged requests: fixation, CSRF, throttling, cookie flags, caches, sniffing."""

import re

from harness import main, test
from web_visitor import API, Visitor, basic, cookie_of, logged_in

LOGIN = API + "session"


def login_body(t, user="zoe", password=None):
    return {"userName": user, "password": password or t.passwords[user]}


def visitor(t, address="127.0.0.1", **headers):
    return Visitor(t.port, headers, address)


@test("the cookie's flags")
def _(t):
    t.api = t.begin([("zoe", ["zoe@x.example"]), ("lisa", ["lisa@x.example"]),
                     ("kim", ["kim@x.example"])])
    t.port = t.server.ports["https"]
    answer = visitor(t).post_json("session", login_body(t))
    flags = [f.strip() for f in answer.headers["Set-Cookie"].split(";")][1:]
    assert sorted(flags) == ["HttpOnly", "Path=/", "SameSite=Strict", "Secure"], flags
    assert len(answer.headers.get_all("Set-Cookie")) == 1
    assert cookie_of(answer) not in answer.body.decode(), "no script has the token"


@test("fixation: a cookie that was planted before is worth nothing after the login")
def _(t):
    planted = "a" * 64
    answer = visitor(t, Cookie="mk_session=" + planted).post_json("session", login_body(t))
    assert answer.status == 200 and cookie_of(answer) not in (None, planted)
    assert visitor(t, Cookie="mk_session=" + planted).ask("GET", LOGIN).status == 401


@test("fixation: a session of one's own that was planted ends when another logs in with it")
def _(t):
    attacker = logged_in(t.port, "lisa", t.passwords["lisa"])
    victim = visitor(t, Cookie=attacker.headers["Cookie"]).post_json("session", login_body(t))
    assert victim.status == 200 and "mk_session=" + cookie_of(victim) != attacker.headers["Cookie"]
    assert attacker.ask("GET", LOGIN).status == 401


@test("each login has a cookie and a CSRF token of its own")
def _(t):
    seen = [logged_in(t.port, "zoe", t.passwords["zoe"]) for _ in range(4)]
    assert len({v.headers["Cookie"] for v in seen}) == 4 and len({v.token for v in seen}) == 4
    for v in seen:
        assert re.fullmatch("[0-9a-f]{64}", v.token) and v.token not in v.headers["Cookie"]


@test("a failed login keeps the session that was there, and gives none")
def _(t):
    zoe = logged_in(t.port, "zoe", t.passwords["zoe"])
    answer = visitor(t, "127.0.3.1", Cookie=zoe.headers["Cookie"]).post_json(
        "session", login_body(t, password="Wrong-Horse-1"))
    assert answer.status == 401 and "Set-Cookie" not in answer.headers
    assert zoe.ask("GET", LOGIN).status == 200


@test("two cookies of the name: neither opens what only the other may")
def _(t):
    zoe = logged_in(t.port, "zoe", t.passwords["zoe"]).headers["Cookie"]
    for cookies in (zoe + "; mk_session=0", "mk_session=0; " + zoe):
        assert visitor(t, Cookie=cookies).ask("GET", LOGIN).status in (200, 401)
    assert visitor(t, Cookie="x=" + zoe).ask("GET", LOGIN).status == 401


@test("forged logins: only JSON that is announced as such, as no form of another site can")
def _(t):
    body = '{"userName":"zoe","password":"%s"}' % t.passwords["zoe"]
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b",
                 "application/jsonp", "text/plain; application/json", "", "application/json-seq"):
        answer = visitor(t).ask("POST", LOGIN, body, {"Content-Type": kind})
        assert answer.status == 400 and "Set-Cookie" not in answer.headers, (kind, answer.status)
    for kind in ("application/json", "application/json; charset=utf-8", "APPLICATION/JSON"):
        assert visitor(t).ask("POST", LOGIN, body, {"Content-Type": kind}).status == 200, kind


@test("forged changes: by every content type a form can send, with the cookie alone")
def _(t):
    zoe = logged_in(t.port, "zoe", t.passwords["zoe"])
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b",
                 "application/json"):
        for path in ("saved-searches", "invoke/GetServerInfo"):
            forged = Visitor(t.port, {"Cookie": zoe.headers["Cookie"], "Content-Type": kind,
                                      "Origin": "https://evil.example"})
            assert forged.ask("POST", API + path, "{}").status == 403, (kind, path)
    assert zoe.ask("GET", API + "saved-searches").json() == {"savedSearches": []}


@test("forged changes: with the token, but of no content type that changes a saved search")
def _(t):
    zoe = logged_in(t.port, "zoe", t.passwords["zoe"])
    body = '{"name":"x","criteria":{}}'
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        assert zoe.ask("POST", API + "saved-searches", body, {"Content-Type": kind}).status == 400


@test("a token elsewhere than in its header is none")
def _(t):
    zoe = logged_in(t.port, "zoe", t.passwords["zoe"])
    bare = Visitor(t.port, {"Cookie": zoe.headers["Cookie"] + "; X-CSRF-Token=" + zoe.token})
    path = API + "invoke/GetServerInfo"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert bare.ask("POST", path + "?X-CSRF-Token=" + zoe.token, "", form).status == 403
    assert bare.ask("POST", path, "X-CSRF-Token=" + zoe.token, form).status == 403


@test("the method counts as it stands: no override turns a GET into a change")
def _(t):
    zoe = logged_in(t.port, "zoe", t.passwords["zoe"])
    for header in ("X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"):
        assert zoe.ask("GET", LOGIN, headers={header: "DELETE"}).status == 200
    assert zoe.ask("GET", LOGIN + "?_method=DELETE").status == 200
    assert zoe.ask("GET", LOGIN).status == 200


@test("no other origin is told that it may read: there is no CORS")
def _(t):
    zoe = basic(t.port, "zoe", t.passwords["zoe"])
    for path in ("/", LOGIN, API + "folders", API + "nothing"):
        for method in ("GET", "OPTIONS"):
            answer = zoe.ask(method, path, headers={
                "Origin": "https://evil.example", "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "x-csrf-token"})
            cors = [h for h in answer.headers if h.lower().startswith("access-control")]
            assert not cors, (method, path, cors)
            assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


@test("every answer of the API stays out of caches and is not sniffed")
def _(t):
    zoe = basic(t.port, "zoe", t.passwords["zoe"])
    asked = [("GET", LOGIN), ("GET", API + "folders"), ("GET", API + "search"), ("GET", API + "nothing"),
             ("PUT", LOGIN), ("GET", API + "search?limit=0"), ("POST", API + "invoke/GetServerInfo"),
             ("GET", API + "get-metadata"), ("HEAD", API + "folders")]
    for method, path in asked:
        answer = zoe.ask(method, path, "" if method == "POST" else None)
        head = answer.headers
        assert "no-store" in head["Cache-Control"] and "public" not in head["Cache-Control"], path
        assert head["X-Content-Type-Options"] == "nosniff", path
        assert head["Content-Type"].split(";")[0] in ("application/json", "application/json"), path
        assert head["X-Frame-Options"] == "DENY" and "frame-ancestors 'none'" in \
            head["Content-Security-Policy"], path


@test("what is asked for is not said back as HTML")
def _(t):
    zoe = basic(t.port, "zoe", t.passwords["zoe"])
    for path in ("<script>alert(1)</script>", "messages/<b>", "search?q=<script>&limit=<b>",
                 "messages/1:1/attachments/<img>"):
        answer = zoe.ask("GET", API + path.replace("<", "%3C").replace(">", "%3E"))
        assert answer.headers["Content-Type"] == "application/json" and b"<" not in answer.body, path


@test("JSON answers are objects: none is a script of its own")
def _(t):
    zoe = basic(t.port, "zoe", t.passwords["zoe"])
    for path in ("session", "folders", "messages", "search", "suggest?q=a", "saved-searches"):
        assert zoe.ask("GET", API + path).body[:1] == b"{", path


@test("names are not told apart: a wrong password and an unknown user are answered alike")
def _(t):
    answers = [visitor(t, "127.0.3.2").post_json("session", login_body(t, user, "Wrong-Horse-1"))
               for user in ("lisa", "nobody-of-that-name")]
    assert answers[0].body == answers[1].body and answers[0].status == answers[1].status == 401
    fields = [sorted(h for h in a.headers if h != "Date") for a in answers]
    assert fields[0] == fields[1]


@test("throttling: after ten wrong passwords of one name even the right one waits")
def _(t):
    for number in range(10):
        answer = visitor(t, f"127.0.4.{number + 1}").post_json(
            "session", login_body(t, "kim", "Wrong-Horse-1"))
        assert answer.status == 401, number
    late = visitor(t, "127.0.4.99").post_json("session", login_body(t, "kim"))
    assert late.status == 429 and int(late.headers["Retry-After"]) > 0
    assert "Set-Cookie" not in late.headers
    assert basic(t.port, "kim", t.passwords["kim"], "127.0.4.98").ask("GET", LOGIN).status == 429
    assert visitor(t, "127.0.4.99").post_json("session", login_body(t)).status == 200, "and no other"


@test("throttling: after ten wrong ones of one address whoever comes from there waits")
def _(t):
    for number in range(10):
        status = basic(t.port, f"n{number}", "Wrong-Horse-1", "127.0.5.1").ask("GET", LOGIN).status
        assert status == 401, (number, status)
    assert visitor(t, "127.0.5.1").post_json("session", login_body(t, "lisa")).status == 429
    assert visitor(t, "127.0.5.2").post_json("session", login_body(t, "lisa")).status == 200


@test("throttling: what a proxy's field claims changes no address")
def _(t):
    for number in range(3):
        answer = visitor(t, "127.0.5.1").ask("POST", LOGIN, "{}", {
            "X-Forwarded-For": f"192.0.2.{number}", "Forwarded": f"for=192.0.2.{number}",
            "Content-Type": "application/json"})
        assert answer.status in (400, 429)
    claimed = Visitor(t.port, {"X-Forwarded-For": "192.0.2.9"}, "127.0.5.1")
    assert claimed.post_json("session", login_body(t, "lisa")).status == 429


@test("a session in use is not throttled")
def _(t):
    zoe = logged_in(t.port, "zoe", t.passwords["zoe"], "127.0.6.1")
    for number in range(11):
        basic(t.port, "zoe", "Wrong-Horse-1", "127.0.6.2").ask("GET", LOGIN)
    assert zoe.ask("GET", API + "folders").status == 200


@test("no token, password or name is in the log")
def _(t):
    log = t.server.log_text()
    zoe = logged_in(t.port, "lisa", t.passwords["lisa"], "127.0.7.1")
    for secret in (zoe.token, zoe.headers["Cookie"].split("=")[1], t.passwords["zoe"],
                   t.passwords["lisa"], "Wrong-Horse-1"):
        assert secret not in log + t.server.log_text()


main()
