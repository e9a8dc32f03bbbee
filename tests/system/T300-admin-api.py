"""The Administration API over HTTPS, as scripts and operators know it."""

import base64
import email.utils
import http.client
import json
import os
import re
import socket
import ssl
import subprocess
import threading
import time

from harness import JOURNAL, PATIENCE, main, test
from mailkeep_client import Failure, crlf, smtp_connect, smtp_send, tls_context

KEYS = ["error", "token", "statusVersion", "statusCode", "percentProgress", "statusText", "result",
        "logOutput"]
MAIL = crlf(b"""From: Hans <hans@partner.example>
To: lisa@mailkeep.example
Subject: Quartalsbericht Sommer
Message-ID: <q@partner.example>
Date: Fri, 6 Mar 2020 10:00:00 +0100
Content-Type: text/plain; charset=utf-8

Die Zahlen sind da.
""")


def curl(t, path, *arguments, login=True):
    """(status, header fields, body) of curl, which waits for a 401 unless told otherwise."""
    command = ["curl", "-sS", "-i", "--max-time", "60", "--cacert", t.server.certificate, *arguments]
    if login:
        command += ["-u", f"admin:{t.server.password}"]
    out = subprocess.run([*command, f"https://localhost:{t.server.ports['api']}{path}"],
                         stdout=subprocess.PIPE, check=True).stdout
    while True:
        head, _, out = out.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        status = int(lines[0].split()[1])
        if status != 100 and not (status == 401 and out.startswith(b"HTTP/1.1 ")):
            return status, dict(line.split(": ", 1) for line in lines[1:]), out


def fails(api, text, function, **arguments):
    try:
        api(function, **arguments)
    except Failure as why:
        assert text in str(why), why
    else:
        raise AssertionError(f"{function} should have failed: {text}")


@test("a short call: envelope, key order, byte order mark, header fields")
def _(t):
    t.api = t.begin([("lisa", ["lisa@mailkeep.example"])])
    status, fields, body = curl(t, "/api/invoke/GetServerInfo", "-X", "POST", "-d", "")
    assert status == 200 and body.startswith(b"\xef\xbb\xbf{")
    answer = json.loads(body.decode("utf-8-sig"))
    assert list(answer) == KEYS
    assert answer["result"]["version"] and answer["result"]["machineName"] == "localhost"
    assert [answer[k] for k in KEYS if k != "result"] == [None, None, 2, "succeeded", None, None, None]
    assert fields["Content-Type"] == "application/json" and fields["Pragma"] == "no-cache"
    assert fields["Cache-Control"] == ("no-cache,private,no-store,must-revalidate,max-stale=0,"
                                       "post-check=0,pre-check=0")
    when = {k: email.utils.parsedate_to_datetime(fields[k]) for k in ("Date", "Expires")}
    assert 86390 <= (when["Date"] - when["Expires"]).total_seconds() <= 86410


@test("the port speaks HTTPS only")
def _(t):
    with socket.create_connection(("127.0.0.1", t.server.ports["api"]), timeout=20 * PATIENCE) as s:
        s.sendall(b"POST /api/invoke/GetVersion HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        s.settimeout(20 * PATIENCE)
        try:
            got = s.recv(1000)
        except ConnectionResetError:
            got = b""
    assert b"HTTP" not in got and b"version" not in got


@test("401 first, credentials second, on one kept connection")
def _(t):
    connection = http.client.HTTPSConnection("localhost", t.server.ports["api"],
                                             context=tls_context(t.server.certificate), timeout=60 * PATIENCE)
    connection.request("POST", "/api/invoke/GetVersion")
    answer = connection.getresponse()
    assert answer.status == 401, answer.status
    assert re.fullmatch(r'Basic realm="[^"]+"', answer.headers["WWW-Authenticate"])
    answer.read()
    first = connection.sock
    for _ in range(3):
        connection.request("POST", "/api/invoke/GetVersion", headers=t.api.headers)
        answer = connection.getresponse()
        assert answer.status == 200 and b'"succeeded"' in answer.read()
        assert connection.sock is first
    status, _, _ = curl(t, "/api/invoke/GetVersion", "--anyauth", "-X", "POST")
    assert status == 200


@test("wrong password, unknown user and a user who is no administrator: 401, all alike")
def _(t):
    def answer(user, password):
        status, fields, body = t.server.api(user, password).request("POST", "/api/invoke/GetUsers")
        return status, fields["WWW-Authenticate"], body
    wrong = answer("admin", "Wrong-Password-1")
    assert wrong[0] == 401
    assert answer("nobody", "Wrong-Password-1") == wrong
    assert answer("lisa", t.passwords["lisa"]) == wrong


@test("doubled slashes, a slash at the end, no Content-Type, GET of the metadata")
def _(t):
    for path in ("/api//invoke/GetVersion", "/api/invoke/GetVersion/", "//api//invoke//GetVersion"):
        status, _, body = t.api.request("POST", path)
        assert status == 200 and b'"succeeded"' in body, (path, status)
    listed = [t.api.request(method, "/api/get-metadata") for method in ("GET", "POST")]
    assert [status for status, _, _ in listed] == [200, 200] and listed[0][2] == listed[1][2]
    status, _, _ = t.api.request("GET", "/api/invoke/GetUsers")
    assert status == 405


@test("get-metadata lists what works, each with its arguments")
def _(t):
    _, _, body = t.api.request("POST", "/api/get-metadata")
    t.functions = {f["name"]: f["args"] for f in json.loads(body.decode("utf-8-sig"))}
    assert len(t.functions) == len(json.loads(body.decode("utf-8-sig")))
    assert t.functions["VerifyStore"] == [
        {"name": "id", "type": "number", "nullable": False},
        {"name": "includeIndexes", "type": "bool", "nullable": True}]
    assert t.functions["GetUsers"] == [] and "CreateProfile" not in t.functions
    for name, arguments in t.functions.items():
        for a in arguments:
            assert set(a) == {"name", "type", "nullable"}, name
            assert a["type"] in ("string", "number", "bool", "json"), name


@test("the documentation lists just these functions and arguments")
def _(t):
    path = os.path.join(os.environ["SOURCE_DIR"], "docs", "protocols", "admin-api.md")
    with open(path, encoding="utf-8") as f:
        rows = re.findall(r"^\| `([A-Z]\w+)` \| ([^|]*)\|", f.read(), re.M)
    documented = {name: re.findall(r"\[?`\w+`\]?", arguments) for name, arguments in rows}
    assert len(documented) == len(rows)
    listed = {name: [f"[`{a['name']}`]" if a["nullable"] else f"`{a['name']}`" for a in arguments]
              for name, arguments in t.functions.items()}
    assert documented == listed, set(map(str, documented.items())) ^ set(map(str, listed.items()))


@test("unknown functions and bad arguments fail in the envelope with status 200")
def _(t):
    for function, arguments, text in (
            ("Nothing", {}, "Unknown API function Nothing."),
            ("GetUserInfo", {}, "Missing API argument userName."),
            ("GetUserInfo", {"userName": "lisa", "x": 1}, "Unknown API argument x"),
            ("VerifyStore", {"id": "one"}, "API argument id must be a number."),
            ("GetStores", {"includeSize": "maybe"}, "API argument includeSize must be true or false."),
            ("GetUserInfo", {"userName": "nobody"}, ""),
            ("CreateProfile", {"properties": "{}", "raw": "true"}, "not available in this version")):
        answer = t.api.post("invoke/" + function, arguments)
        assert answer["statusCode"] == "failed" and text in answer["error"]["message"], answer
        assert list(answer["error"]) == ["message", "details"] and answer["result"] is None


@test("booleans of any case; UTF-8 in arguments and answers")
def _(t):
    for value in ("true", "True", "false", "False"):
        stores = t.api("GetStores", includeSize=value)
        assert (stores[0]["statisticsCount"] is None) == (value.lower() == "false"), stores
    t.api("SetUserFullName", userName="lisa", fullName="Lïsa Müller 李")
    assert t.api("GetUserInfo", userName="lisa")["fullName"] == "Lïsa Müller 李"


@test("users: from creation to deletion")
def _(t):
    api = t.api
    assert api("CreateUser", userName="max", privileges="login,changePassword", fullName="Max M",
               distinguishedName="CN=max,DC=x", authentication="integrated",
               password="Kirschbaum-77") is None
    assert {"userName": "max", "fullName": "Max M", "distinguishedName": "CN=max,DC=x"} in api("GetUsers")
    api("SetUserEmailAddresses", userName="max", emailAddresses="max@x.example, m@x.example")
    api("SetUserPop3UserNames", userName="max", pop3UserNames="max.pop,m2")
    api("SetUserPrivilegesOnFolder", userName="max", folder="max", privileges="read,write")
    api("SetUserPrivileges", userName="max", privileges="login,delete")
    api("SetUserDistinguishedName", userName="max")
    api("SetUserAuthentication", userName="max", authentication="directoryServices")
    info = api("GetUserInfo", userName="max")
    assert list(info) == ["userName", "fullName", "distinguishedName", "authentication",
                          "emailAddresses", "pop3UserNames", "privileges", "privilegesOnFolders", "twoFactor"]
    assert info["emailAddresses"] == ["max@x.example", "m@x.example"]
    assert info["pop3UserNames"] == ["max.pop", "m2"] and not info["distinguishedName"]
    assert info["authentication"] == "directoryServices" and info["privileges"] == ["login", "delete"]
    assert info["privilegesOnFolders"] == [{"folder": "max", "privileges": ["read", "write"]}]
    api("ClearUserPrivilegesOnFolders", userName="max")
    api("SetUserPrivileges", userName="max", privileges="none")
    api("SetUserEmailAddresses", userName="max")
    info = api("GetUserInfo", userName="max")
    assert info["privilegesOnFolders"] == [] and info["privileges"] == [] == info["emailAddresses"]
    api("DeleteUser", userName="max")
    fails(api, "", "GetUserInfo", userName="max")


@test("a CreateUser that fails leaves no user behind")
def _(t):
    for arguments in ({"privileges": "fly"}, {"privileges": "admin,login"}, {"password": "short"},
                      {"authentication": "magic"}, {"fullName": "x" * 5000}):
        fails(t.api, "", "CreateUser", **{"userName": "eve", "privileges": "login", **arguments})
        assert "eve" not in [u["userName"] for u in t.api("GetUsers")], arguments
    fails(t.api, "", "CreateUser", userName="lisa", privileges="login")
    assert t.api("GetUserInfo", userName="lisa")["emailAddresses"] == ["lisa@mailkeep.example"]


@test("gateway mailboxes: made, suspended (4xx), active again, deleted only when suspended")
def _(t):
    api = t.api
    made = api("CreateGatewayMailbox", address="second@archive.example", name="Branch",
               description="of the branch office")
    assert re.fullmatch(r"mbx-[0-9a-f]{32}", made["id"]), made
    listed = {m["id"]: m for m in api("GetGatewayMailboxes")}
    assert listed[made["id"]] == {**made, "name": "Branch", "description": "of the branch office",
                                  "mode": "archive", "status": "active"}
    fails(api, "", "CreateGatewayMailbox", address="SECOND@archive.example")
    fails(api, "no password", "CreateGatewayMailbox", address="x@archive.example", password="x")
    fails(api, "", "DeleteGatewayMailbox", id=made["id"])

    def rcpt():
        smtp = smtp_connect(t.server.ports["smtp"], t.server.certificate)
        smtp.mail("a@x.example")
        code = smtp.rcpt("second@archive.example")[0]
        smtp.quit()
        return code
    assert rcpt() == 250
    api("SetGatewayMailboxStatus", id=made["id"], status="suspended")
    assert 400 <= rcpt() < 500
    assert {m["id"]: m["status"] for m in api("GetGatewayMailboxes")}[made["id"]] == "suspended"
    api("SetGatewayMailboxStatus", id=made["id"], status="active")
    assert rcpt() == 250
    api("SetGatewayMailboxStatus", id=made["id"], status="suspended")
    api("DeleteGatewayMailbox", id=made["id"])
    assert rcpt() == 550
    fails(api, "", "DeleteGatewayMailbox", id=made["id"])
    fails(api, "active or suspended", "SetGatewayMailboxStatus", id=made["id"], status="off")


@test("folders, messages, statistics, search, content")
def _(t):
    api = t.api
    smtp = smtp_connect(t.server.ports["smtp"], t.server.certificate)
    smtp_send(smtp, "journal@contoso.example", [JOURNAL], MAIL)
    smtp.quit()
    assert t.server.wait_indexed()
    folders = [f["fullName"] for f in api("GetChildFolders", folder="lisa")]
    assert "lisa/Journal Incoming" in folders, folders
    top = api("GetChildFolders", maxLevels=1)
    assert all("/" not in f["fullName"] and f["name"] == f["fullName"] for f in top) and top
    t.ids = [m["id"] for m in api("GetMessages", folder="lisa/Journal Incoming")]
    assert len(t.ids) == 1 and re.fullmatch(r"1:\d+", t.ids[0]), t.ids
    assert t.ids == [m["id"] for m in api("GetMessages")]  # each but once, whatever its folders
    fails(api, "", "GetMessages", folder="lisa/Nothing")
    statistics = {s["folder"]: s for s in api("GetFolderStatistics")}
    assert statistics["lisa/Journal Incoming"] == {"folder": "lisa/Journal Incoming", "count": 1,
                                                   "size": len(MAIL)}
    found = api("SearchMessages", query="subject:quartalsbericht")
    assert found["total"] == 1 and found["items"][0]["id"] == t.ids[0]
    assert found["items"][0]["date"] == "2020-03-06T09:00:00"
    assert api("SearchMessages", query="zahlen", folder="lisa", sort="subject", order="asc",
               limit=1)["total"] == 1
    for begin, end, total in (("2020-03-06", "2020-03-06", 1), ("2020-03-07", "", 0),
                              ("", "2020-03-05", 0), ("2020-03-06T09:00:00", "2020-03-06T09:00:00", 1)):
        assert api("SearchMessages", query="", **{"from": begin, "to": end})["total"] == total
    fails(api, "from must be a date", "SearchMessages", query="", **{"from": "yesterday"})
    fails(api, "limit", "SearchMessages", query="", limit=100000)
    fails(api, "sort", "SearchMessages", query="", sort="colour")
    content = api("GetMessageContent", id=t.ids[0])
    assert base64.b64decode(content["content"]) == MAIL and content["size"] == len(MAIL)
    for bad in ("1:999999", "7:1"):
        fails(api, "", "GetMessageContent", id=bad)
    fails(api, "id must read", "GetMessageContent", id="x")
    arrivals = api("GetMessageArrivals", id=t.ids[0])
    assert arrivals[0]["reversePath"] == "journal@contoso.example" and not arrivals[0]["hasReport"]
    fails(api, "", "GetMessageReport", id=t.ids[0])


@test("an administrator reads only what was granted")
def _(t):
    t.api("ClearUserPrivilegesOnFolders", userName="admin")
    fails(t.api, "", "GetMessages", folder="lisa/Journal Incoming")
    fails(t.api, "", "GetMessageContent", id=t.ids[0])
    assert t.api("GetMessages") == [] and t.api("SearchMessages", query="zahlen")["total"] == 0
    assert "lisa/Journal Incoming" in [f["fullName"] for f in t.api("GetChildFolders")]
    t.api("SetUserPrivilegesOnFolder", userName="admin", folder="lisa", privileges="read")
    assert len(t.api("GetMessages", folder="lisa/Journal Incoming")) == 1


@test("the machine: stores, indexes, sessions, services, time zones")
def _(t):
    store = t.api("GetStores")[0]
    assert list(store) == ["id", "name", "type", "requestedState", "databasePath", "contentPath",
                           "indexPath", "databaseName", "serverName", "userName", "statisticsSize",
                           "statisticsCount", "error", "needsUpgrade", "searchIndexesNeedRebuild"]
    assert store["id"] == 1 and store["requestedState"] == "current" and store["statisticsCount"] == 1
    assert store["contentPath"].startswith(t.server.data) and store["statisticsSize"] > 0
    indexes = t.api("GetStoreIndexes", id=1)
    assert sum(i["count"] for i in indexes) == 1 and t.api("GetStoreIndexes", id=9) == []
    assert all(i["storeName"] == store["name"] and not i["needsRebuild"] for i in indexes)
    mine = [s for s in t.api("GetActiveSessions") if s["userName"] == "admin"]
    assert mine and mine[0]["protocol"] == "api" and mine[0]["address"] in ("127.0.0.1", "::1")
    services = {e["name"]: e for e in t.api("GetServiceConfiguration")["endpoints"]}
    assert services["api"]["port"] == t.server.ports["api"] and services["api"]["enabled"]
    assert not services["imap"]["enabled"]
    zones = {z["id"] for z in t.api("GetTimeZones")}
    assert {"$Local", "W. Europe Standard Time", "Europe/Berlin", "UTC"} <= zones
    assert t.api("GetVersion")["product"] == "Mailkeep"


@test("VerifyStore: token, growing versions, each log line once, an end")
def _(t):
    answer = t.api.post("invoke/VerifyStore", {"id": 1, "includeIndexes": "True"})
    assert list(answer) == KEYS and re.fullmatch(r"[0-9a-f]{32}", answer["token"])
    assert answer["statusCode"] == "running" and answer["percentProgress"] == 0
    assert answer["logOutput"].endswith("\r\n") and answer["result"] is None
    token, log, versions = answer["token"], answer["logOutput"], [answer["statusVersion"]]
    while answer["statusCode"] == "running":
        answer = t.api.post("get-status", {"token": token, "lastKnownStatusVersion": versions[-1],
                                           "millisecondsTimeout": 10000})
        log += answer["logOutput"] or ""
        versions.append(answer["statusVersion"])
    assert answer["statusCode"] == "succeeded" and answer["error"] is None
    assert answer["token"] is None and answer["percentProgress"] is None
    assert versions == sorted(set(versions)) and log.count("VerifyStore has started.") == 1
    assert "No errors were found.\r\n" in log and "\n" not in log.replace("\r\n", "")
    assert answer["result"][0]["errors"] == 0 and answer["result"][0]["messages"] == 1
    t.token = token
    fails(t.api, "no store", "VerifyStore", id=0)
    fails(t.api, "", "VerifyStore", id=99)
    t.api("VerifyStores")


@test("get-status: waits as long as told; unknown tokens and other people's are 404")
def _(t):
    begin = time.monotonic()
    status, _, _ = t.api.request("POST", f"/api/get-status", f"token={t.token}&lastKnownStatusVersion=0"
                                 "&millisecondsTimeout=0")
    assert status == 200 and time.monotonic() - begin < 5 * PATIENCE
    for path in ("get-status", "cancel-async"):
        status, _, body = t.api.request("POST", "/api/" + path, "token=" + "0" * 32)
        assert status == 404 and json.loads(body.decode("utf-8-sig"))["error"]["message"]
    t.api("CreateUser", userName="second", privileges="admin", password="Kirschbaum-77")
    other = t.server.api("second", "Kirschbaum-77")
    status, _, _ = other.request("POST", "/api/get-status", "token=" + t.token)
    assert status == 404
    t.api("DeleteUser", userName="second")


@test("a body too long, a form that is none, many calls at once")
def _(t):
    connection = http.client.HTTPSConnection("localhost", t.server.ports["api"],
                                             context=tls_context(t.server.certificate), timeout=60 * PATIENCE)
    connection.putrequest("POST", "/api/invoke/GetVersion")
    connection.putheader("Authorization", t.api.headers["Authorization"])
    connection.putheader("Content-Length", str(1 << 30))
    connection.endheaders()
    assert connection.getresponse().status == 413
    answer = json.loads(t.api.request("POST", "/api/invoke/GetVersion", "a=%zz")[2].decode("utf-8-sig"))
    assert answer["statusCode"] == "failed"
    errors = []

    def work():
        try:
            api = t.server.api()
            for _ in range(20):
                assert api("GetVersion")["product"] == "Mailkeep"
        except (Failure, AssertionError, OSError, ssl.SSLError) as why:
            errors.append(why)
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors[0]


@test("logins are throttled after too many failures, for this user name too")
def _(t):
    codes = [t.server.api("lisa", "Wrong-Password-1").request("POST", "/api/invoke/GetUsers")[0]
             for _ in range(12)]
    assert codes[0] == 401 and codes[-1] == 429, codes
    status, fields, _ = t.server.api("lisa", "Wrong-Password-1").request("POST", "/api/invoke/GetUsers")
    assert status == 429 and int(fields["Retry-After"]) > 0


@test("it stops when told to")
def _(t):
    assert t.server.stop() == 0


main()
