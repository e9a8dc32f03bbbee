"""Users: passwords, names, privileges, and what they decide about who sees which mail."""

import base64
import os
import re
import subprocess
import urllib.parse

from harness import JOURNAL, main, test
from mailkeep_client import Failure, crlf, exchange_report, smtp_connect, smtp_send


def mail(sender, recipient, word):
    return crlf(f"From: {sender}\nTo: {recipient}\nSubject: {word}\nMessage-ID: <{word}@x>\n"
                f"Date: Fri, 6 Mar 2020 10:00:00 +0100\n\n{word}\n".encode())


def send(t, sender, recipients, word):
    octets = mail(sender, recipients[0], word)
    smtp = smtp_connect(t.server.ports["smtp"], t.server.certificate)
    smtp_send(smtp, "journal@contoso.example", [JOURNAL], exchange_report(
        octets, sender, [("To", r) for r in recipients], word, f"<{word}@x>", len(word)))
    smtp.quit()
    assert t.server.wait_indexed()
    return octets


def refused(function, *arguments, **named):
    try:
        function(*arguments, **named)
    except Failure as why:
        return str(why)
    raise AssertionError("this should have been refused")


def found(t, user, word, password=None):
    """The folders in which @user finds the word."""
    web = t.server.web(user, password or t.passwords[user])
    return sorted(i["folder"] for i in web.json("search", q=word)["items"])


def login_status(t, user, password):
    return t.server.web(user, password).request("GET", "/api/v1/folders")[0]


@test("the password policy, rule by rule")
def _(t):
    t.api = t.begin([("lisa", ["lisa@mailkeep.example"]), ("john", ["john@mailkeep.example"])])
    t.api("CreateUser", userName="zora", privileges="login")
    for bad in ("Ab1-5678x", "Zora-1234-xy", "x-zORA-12345", "Mailkeep-1234", "my-MAILKEEP-99",
                "MailStore-1234", "Aaa-bbbb-11", "abcdefghijkl", "abcdefgh1234", "ÄÖÜäöüÄÖÜ12ab",
                ""):
        refused(t.api, "SetUserPassword", userName="zora", password=bad)
    for good in ("Ab1-56789x", "aa-bb-11-cc", "blank 1 blank", "abcdefghi1李", "A1bcdefghijkl"):
        t.api("SetUserPassword", userName="zora", password=good)
        assert login_status(t, "zora", good) == 200, good
    assert login_status(t, "zora", "Ab1-56789x") == 401  # the last one counts
    assert "zora" not in t.server.log_text() and "Ab1-56789x" not in t.server.log_text()


@test("mail is archived for a user who may not log in")
def _(t):
    t.api("SetUserPrivileges", userName="zora", privileges="none")
    t.api("SetUserEmailAddresses", userName="zora", emailAddresses="zora@mailkeep.example")
    assert login_status(t, "zora", "A1bcdefghijkl") == 401
    send(t, "a@partner.example", ["zora@mailkeep.example"], "Vorstellung")
    t.api("SetUserPrivilegesOnFolder", userName="admin", folder="zora", privileges="read")
    assert found(t, "admin", "Vorstellung", t.server.password) == ["zora/Journal Incoming"]
    t.api("SetUserPrivileges", userName="zora", privileges="login")
    # The API grants nothing on the own archive (C2).
    assert found(t, "zora", "Vorstellung", "A1bcdefghijkl") == []
    t.api("SetUserPrivilegesOnFolder", userName="zora", folder="zora", privileges="read")
    assert found(t, "zora", "Vorstellung", "A1bcdefghijkl") == ["zora/Journal Incoming"]


@test("each sees the own mail; what others may see, an administrator grants and takes away")
def _(t):
    t.octets = send(t, "lisa@mailkeep.example", ["john@mailkeep.example"], "Gehaltsliste")
    assert found(t, "lisa", "Gehaltsliste") == ["lisa/Journal Outgoing"]
    assert found(t, "john", "Gehaltsliste") == ["john/Journal Incoming"]
    send(t, "boss@partner.example", ["lisa@mailkeep.example"], "Geheimnis")
    assert found(t, "john", "Geheimnis") == []
    t.api("SetUserPrivilegesOnFolder", userName="john", folder="lisa/Journal Incoming",
          privileges="read")
    assert found(t, "john", "Geheimnis") == ["lisa/Journal Incoming"]
    hit = t.server.web("john", t.passwords["john"]).json("search", q="Geheimnis")["items"][0]["id"]
    t.api("SetUserPrivilegesOnFolder", userName="john", folder="lisa/Journal Incoming",
          privileges="none")
    assert found(t, "john", "Geheimnis") == []
    path = "/api/v1/messages/" + urllib.parse.quote(hit)
    web = t.server.web("john", t.passwords["john"])
    for part in ("", "/raw", "/headers", "/attachments/0"):
        assert web.request("GET", path + part)[0] == 404, part
    assert t.server.web("lisa", t.passwords["lisa"]).request("GET", path + "/raw")[0] == 200


@test("write access alone shows nothing; unknown rights, users and folders are refused")
def _(t):
    t.api("SetUserPrivilegesOnFolder", userName="john", folder="lisa", privileges="write")
    assert found(t, "john", "Geheimnis") == []
    t.api("SetUserPrivilegesOnFolder", userName="john", folder="lisa", privileges="none")
    for arguments in ({"privileges": "fly"}, {"privileges": "none,read"}, {"userName": "nobody"},
                      {"folder": "nobody"}, {"folder": ""}):
        refused(t.api, "SetUserPrivilegesOnFolder", **{"userName": "john", "folder": "lisa",
                                                       "privileges": "read", **arguments})
    for privileges in ("none,login", "admin,login", "root", "login,", "log in"):
        refused(t.api, "SetUserPrivileges", userName="john", privileges=privileges)


@test("administrative functions are for administrators, also on the web port")
def _(t):
    web = t.server.web("john", t.passwords["john"])
    for function in ("GetUsers", "CreateUser", "GetChildFolders", "VerifyStore", "GetStores"):
        status, _, body = web.request("POST", f"/api/v1/invoke/{function}", "", {
            "Content-Type": "application/x-www-form-urlencoded"})
        assert b"for administrators" in body or status in (401, 403), (function, status, body)
        assert not body.startswith(b"\xef\xbb\xbf")
    status, _, body = web.request("POST", "/api/v1/invoke/SearchMessages", "query=Gehaltsliste", {
        "Content-Type": "application/x-www-form-urlencoded"})
    assert status == 200 and b'"john/Journal Incoming"' in body and b"lisa/" not in body, body


@test("an address of several users archives for all of them")
def _(t):
    for user in ("lisa", "john"):
        t.api("SetUserEmailAddresses", userName=user,
              emailAddresses=f"{user}@mailkeep.example,sales@mailkeep.example")
    send(t, "c@partner.example", ["sales@mailkeep.example"], "Bestellung")
    assert found(t, "lisa", "Bestellung") == ["lisa/Journal Incoming"]
    assert found(t, "john", "Bestellung") == ["john/Journal Incoming"]


@test("a new name changes nothing else")
def _(t):
    t.api("RenameUser", oldUserName="lisa", newUserName="elisabeth")
    t.passwords["elisabeth"] = t.passwords["lisa"]
    assert login_status(t, "lisa", t.passwords["lisa"]) == 401
    assert found(t, "elisabeth", "Geheimnis") == ["lisa/Journal Incoming"]
    info = t.api("GetUserInfo", userName="elisabeth")
    assert info["privilegesOnFolders"] == [{"folder": "lisa", "privileges": ["read"]}]
    send(t, "d@partner.example", ["lisa@mailkeep.example"], "Nachzuegler")
    assert found(t, "elisabeth", "Nachzuegler") == ["lisa/Journal Incoming"]
    refused(t.api, "RenameUser", oldUserName="elisabeth", newUserName="john")
    refused(t.api, "RenameUser", oldUserName="lisa", newUserName="x")
    refused(t.api, "RenameUser", oldUserName="elisabeth", newUserName="a/b")


@test("a new password ends what was logged in with the old one")
def _(t):
    old = t.passwords["john"]
    assert login_status(t, "john", old) == 200
    t.passwords["john"] = "Neu-gewaehlt-42"
    t.api("SetUserPassword", userName="john", password=t.passwords["john"])
    assert login_status(t, "john", old) == 401
    assert login_status(t, "john", t.passwords["john"]) == 200


@test("a deleted user's mail stays and can be given to others")
def _(t):
    ids = [m["id"] for m in t.api("GetMessages", folder="john/Journal Incoming")]
    t.api("DeleteUser", userName="john")
    assert login_status(t, "john", t.passwords["john"]) == 401
    assert [m["id"] for m in t.api("GetMessages", folder="john/Journal Incoming")] == ids
    assert t.octets in [base64.b64decode(t.api("GetMessageContent", id=i)["content"]) for i in ids]
    t.api("SetUserPrivilegesOnFolder", userName="elisabeth", folder="john", privileges="read")
    assert "john/Journal Incoming" in found(t, "elisabeth", "Bestellung")
    # A new user of the old name is not the old one: what that one had does not come back.
    t.api("CreateUser", userName="john", privileges="login", password=t.passwords["john"])
    assert t.api("GetUserInfo", userName="john")["privilegesOnFolders"] == []
    assert found(t, "john", "Bestellung") == []


@test("the last administrator can neither be deleted nor lose the privilege")
def _(t):
    refused(t.api, "DeleteUser", userName="admin")
    refused(t.api, "SetUserPrivileges", userName="admin", privileges="login")
    assert t.api("GetUserInfo", userName="admin")["privileges"] == ["admin"]


@test("all of it holds after a restart, and no name or word is in the log")
def _(t):
    assert t.server.stop() == 0
    t.server.start()
    t.api = t.server.api()
    assert {u["userName"] for u in t.api("GetUsers")} == {"admin", "elisabeth", "john", "zora"}
    assert found(t, "elisabeth", "Geheimnis") == ["lisa/Journal Incoming"]
    words = ["elisabeth", "john", "zora", "lisa", "Geheimnis", "sales@", "partner.example", "journal@"]
    result = subprocess.run(["grep", "-aniE", "|".join(map(re.escape, words)), t.server.log],
                            stdout=subprocess.PIPE, check=False)
    assert result.returncode == 1, result.stdout[:500]
    assert os.path.getsize(t.server.log) > 0
    assert t.server.stop() == 0


main()
