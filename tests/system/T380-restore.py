"""Restoring by mail and the SMTP settings: how they are kept, what the other server gets, what is told of it."""

import email
import email.policy
import json
import os
import threading
import time

from harness import JOURNAL, PATIENCE, main, test
from mailkeep_client import Failure, crlf, smtp_connect, smtp_send
from smtp_target import DROP, HANG, SmtpTarget, make_pem

PASSWORD = "Streng-geheim-4711"
MAIL = crlf("From: Ärger <a@b.example>\nTo: anna@x.example\nSubject: Angebot Quittenmus\n"
            "Date: Fri, 02 Jan 2026 03:04:05 +0000\n\n.dot\n..two\nGrüße\n.\nlast\n".encode())


def settings(port, /, **more):
    return {"hostname": "localhost", "port": port, "protocol": "SMTP-TLS", "ignoreSslPolicyErrors": True,
            "authenticationRequired": False, "username": "", "fromDisplayName": "Archiv der Firma",
            "fromEmailAddress": "archiv@x.example", "recipientEmailAddress": "chef@x.example"} | more


def set_settings(t, port, /, **more):
    t.api("SetSmtpSettings", settings=json.dumps(settings(port, **more)))


def fails(function, *arguments, **named):
    try:
        function(*arguments, **named)
    except Failure as failure:
        return str(failure)
    raise AssertionError(f"{arguments} {named} was accepted")


def restore(web, mail_id, to="bob@else.example"):
    status, _, answer = web.request("POST", f"/api/v1/messages/{mail_id}/restore",
                                    json.dumps({"to": to}).encode(), {"Content-Type": "application/json"})
    return status, json.loads(answer)["error"] if answer else None


@test("without settings nothing can be sent, and the defaults are shown")
def _(t):
    t.api = t.begin([("anna", ["anna@x.example"]), ("bert", ["bert@x.example"])])
    smtp = smtp_connect(t.server.ports["smtp"])
    smtp_send(smtp, "j@x.example", [JOURNAL], MAIL)
    smtp_send(smtp, "j@x.example", [JOURNAL], crlf(b"From: a@b.example\nTo: bert@x.example\n\nx\n"))
    smtp.quit()
    assert t.server.wait_indexed(60)
    t.anna = t.server.web("anna", t.passwords["anna"])
    t.bert = t.server.web("bert", t.passwords["bert"])
    t.id = t.anna.json("messages")["items"][0]["id"]
    t.bert_id = t.bert.json("messages")["items"][0]["id"]
    t.pem = make_pem(os.path.join(t.work, "target.pem"))
    assert t.api("GetSmtpSettings") == settings(
        587, hostname="", ignoreSslPolicyErrors=False, fromDisplayName="", fromEmailAddress="",
        recipientEmailAddress="")
    session = t.anna.json("session")
    assert (session["canRestore"], session["emailAddress"]) == (False, "anna@x.example")
    assert restore(t.anna, t.id)[0] == 501
    assert "no SMTP settings" in fails(t.api, "TestSmtpSettings")


@test("settings are checked, the password is never shown and kept when it is left out")
def _(t):
    for wrong in ({"port": 0}, {"port": 65536}, {"port": "x"}, {"protocol": "ESMTP"}, {"hostname": "a b"},
                  {"hostname": "a\nb"}, {"fromEmailAddress": "x"}, {"fromEmailAddress": "a@b>\r\nRCPT TO:<c@d"},
                  {"recipientEmailAddress": "a@b, c"}, {"recipientEmailAddress": "a@b," * 21},
                  {"authenticationRequired": True}, {"ignoreSslPolicyErrors": "maybe"}, {"hostname": 7},
                  {"protocol": "SMTP", "authenticationRequired": True, "username": "u", "password": "p"}):
        fails(set_settings, t, 25, **wrong)
    fails(t.api, "SetSmtpSettings", settings="[]")
    assert t.api("GetSmtpSettings")["hostname"] == ""
    login = {"authenticationRequired": True, "username": "u", "recipientEmailAddress": "a@x.example, b@x.example"}
    set_settings(t, "2525", password=PASSWORD, **login)
    kept = settings(2525, **login)
    assert t.api("GetSmtpSettings") == kept and t.anna.json("session")["canRestore"]
    t.api("SetSmtpSettings", settings=json.dumps(kept))
    assert "password" in fails(set_settings, t, 2525, hostname="127.0.0.1", **login)
    assert PASSWORD not in t.server.log_text()
    t.server.kill()
    t.server.start()
    t.api = t.server.api()
    t.anna = t.server.web("anna", t.passwords["anna"])
    t.bert = t.server.web("bert", t.passwords["bert"])
    assert t.api("GetSmtpSettings") == kept
    for folder, _, files in os.walk(t.server.data):
        for name in files:
            with open(os.path.join(folder, name), "rb") as file:
                octets = file.read()
            assert PASSWORD.encode() not in octets and b"archiv@x.example" not in octets, name
    with SmtpTarget(t.pem, users={"u": PASSWORD}) as target:
        set_settings(t, target.port, **login)
        assert restore(t.anna, t.id) == (204, None)
        assert target.mails[0]["user"] == "u"


@test("the mail arrives octet for octet, by STARTTLS, by TLS from the start and in clear")
def _(t):
    for tls, protocol in (("starttls", "SMTP-TLS"), ("implicit", "SMTP-SSL"), ("none", "SMTP")):
        with SmtpTarget(t.pem, tls=tls) as target:
            set_settings(t, target.port, protocol=protocol)
            assert restore(t.anna, t.id, "büro@else.example") == (204, None)
            mail, = target.mails
            assert mail["data"] == t.anna.raw(t.id) == MAIL
            assert mail["secure"] == (tls != "none")
            assert mail["from"] == f"MAIL FROM:<archiv@x.example> SIZE={len(MAIL)} BODY=8BITMIME SMTPUTF8"
            assert mail["to"] == ["RCPT TO:<büro@else.example>"]


@test("PLAIN and LOGIN log in, but behind TLS only")
def _(t):
    login = {"authenticationRequired": True, "username": "ü@x.example", "password": PASSWORD * 30}
    for mechanisms in ("PLAIN", "LOGIN", "XOAUTH2 LOGIN PLAIN"):
        with SmtpTarget(t.pem, users={login["username"]: login["password"]}, mechanisms=mechanisms) as target:
            set_settings(t, target.port, **login)
            assert restore(t.anna, t.id) == (204, None)
            assert target.mails[0]["user"] == login["username"]
    with SmtpTarget(t.pem, users={"u": "other"}) as target:
        set_settings(t, target.port, **login)
        status, error = restore(t.anna, t.id)
        assert (status, error["code"]) == (502, "refused")
        assert "535 5.7.8 Authentication failed" in error["message"]
        assert PASSWORD not in error["message"]
    with SmtpTarget(t.pem, tls="clear-auth", users={"u": "p"}) as target:
        set_settings(t, target.port, **login)
        assert "STARTTLS" in restore(t.anna, t.id)[1]["message"]
        assert not any(line.startswith(("AUTH", "MAIL")) for line in target.lines)


@test("a certificate that nobody known has signed is refused, whatever the protocol")
def _(t):
    for tls, protocol in (("starttls", "SMTP-TLS"), ("implicit", "SMTP-SSL")):
        with SmtpTarget(t.pem, tls=tls) as target:
            set_settings(t, target.port, protocol=protocol, ignoreSslPolicyErrors=False)
            status, error = restore(t.anna, t.id)
            assert (status, error["code"]) == (502, "tls") and "not trusted" in error["message"], error
            assert "trusted" in fails(t.api, "TestSmtpSettings")
            assert target.mails == [] and not any(line.startswith("MAIL") for line in target.lines)


@test("what the server refuses is told in its own words, cleaned and cut")
def _(t):
    for key, reply, words in (
            ("GREETING", "554 5.7.1 not you", "not you"), ("MAIL", "550 5.7.1 sender denied", "sender denied"),
            ("RCPT", "550 5.1.1 One or more recipients rejected.", "One or more recipients rejected"),
            ("RCPT", "450-4.2.0 first\r\n450 4.2.0 \x07sec\u202eond", "first 4.2.0  sec ond"),
            ("DATA", "554 5.5.1 no", "554"), ("END", "552 5.3.4 too large", "too large"),
            ("END", "554 " + "y" * 1500, "yyy ...")):
        with SmtpTarget(t.pem, replies={key: reply}) as target:
            set_settings(t, target.port)
            status, error = restore(t.anna, t.id)
            assert (status, error["code"]) == (502, "refused"), (key, status, error)
            assert words in error["message"] and len(error["message"]) < 700, error
            assert target.mails == []
    log = t.server.log_text()
    assert "restore.failed" in log and "reply=550" in log and "rejected" not in log
    assert "else.example" not in log and "x.example" not in log


@test("servers that drop the connection or are no mail server fail clearly, and no half mail is taken")
def _(t):
    for replies, offers in (({"GREETING": DROP}, ()), ({"GREETING": "HTTP/1.1 200 OK"}, ()), ({"EHLO": DROP}, ()),
                            ({"RCPT": DROP}, ("8BITMIME", "SMTPUTF8")), ({"CONTENT": DROP}, ("8BITMIME",)),
                            ({"END": DROP}, ("8BITMIME",)), ({"STARTTLS": "220 go\r\n250 injected"}, ())):
        with SmtpTarget(t.pem, replies=replies, offers=offers) as target:
            set_settings(t, target.port)
            status, error = restore(t.anna, t.id)
            assert status == 502 and error["code"] == "network", (replies, status, error)
            assert target.mails == []
    with SmtpTarget(t.pem) as target:
        port = target.port
    set_settings(t, port)
    assert restore(t.anna, t.id)[1]["code"] == "network"


@test("a server that lacks what the mail needs gets nothing")
def _(t):
    for offers, to, words in (((), "bob@else.example", "8BITMIME"), (("8BITMIME",), "büro@else.example", "SMTPUTF8"),
                              (("SIZE 100", "8BITMIME"), "bob@else.example", "100")):
        with SmtpTarget(t.pem, offers=offers) as target:
            set_settings(t, target.port)
            status, error = restore(t.anna, t.id, to)
            assert (status, error["code"]) == (502, "refused") and words in error["message"], error
            assert not any(line.startswith("MAIL") for line in target.lines)


@test("the test mail reaches the notified, or the sender; a test that hangs can be cancelled")
def _(t):
    with SmtpTarget(t.pem) as target:
        set_settings(t, target.port, fromDisplayName="Büro „Archiv“", recipientEmailAddress="a@x.example,b@x.example")
        assert t.api("TestSmtpSettings") is None
        assert target.mails[0]["to"] == ["RCPT TO:<a@x.example>", "RCPT TO:<b@x.example>"]
        set_settings(t, target.port, recipientEmailAddress="")
        t.api("TestSmtpSettings")
        assert target.mails[1]["to"] == ["RCPT TO:<archiv@x.example>"]
        mail = email.message_from_bytes(target.mails[0]["data"], policy=email.policy.default)
        assert mail["From"].addresses[0].display_name == "Büro „Archiv“"
        assert [a.addr_spec for a in mail["To"].addresses] == ["a@x.example", "b@x.example"]
        assert "SMTP-Einstellungen prüft" in mail.get_content() and not mail.defects
        assert mail["Date"].datetime is not None and mail["Message-ID"].endswith("@x.example>")
    with SmtpTarget(t.pem, replies={"RCPT": "550 5.1.1 One or more recipients rejected."}) as target:
        set_settings(t, target.port)
        assert "One or more recipients rejected." in fails(t.api, "TestSmtpSettings")
    for key in ("GREETING", "HANDSHAKE", "CONTENT"):
        with SmtpTarget(t.pem, replies={key: HANG}) as target:
            set_settings(t, target.port)
            answer = t.api.post("invoke/TestSmtpSettings", {})
            assert answer["statusCode"] == "running"
            time.sleep(0.3)
            t.api.post("cancel-async", {"token": answer["token"]})
            while answer["statusCode"] == "running":
                answer = t.api.post("get-status", {"token": answer["token"], "millisecondsTimeout": 5000,
                                                   "lastKnownStatusVersion": answer["statusVersion"]})
            assert answer["statusCode"] == "cancelled", answer


@test("only one's own mails, only to one address, only in a request that says so")
def _(t):
    with SmtpTarget(t.pem) as target:
        set_settings(t, target.port)
        assert restore(t.bert, t.id)[0] == 404
        assert restore(t.anna, "1:4711")[0] == 404
        assert restore(t.anna, "x")[0] == 404
        for to in ("", "x", "a@b,c@d", "a@b c@d", "a@b>\r\nRCPT TO:<c@d", "<a@b>", "a@b@c", "@b", "a@",
                   "Bob <a@b>", "a@" + "b" * 260, 7, None, ["a@b"]):
            assert restore(t.anna, t.id, to)[0] == 400, to
        path = f"/api/v1/messages/{t.id}/restore"
        body = b'{"to": "bob@else.example"}'
        json_type = {"Content-Type": "application/json"}
        assert t.anna.request("POST", path, body)[0] == 400
        assert t.anna.request("GET", path)[0] == 405
        assert t.anna.request("POST", path, b'{"to": "' + b"b" * 5000 + b'"}', json_type)[0] == 422
        nobody = t.server.web("anna", "wrong-Password-1")
        assert nobody.request("POST", path, body, json_type)[0] == 401
        elsewhere = json_type | {"Sec-Fetch-Site": "cross-site"}
        assert t.anna.request("POST", path, body, elsewhere)[0] == 403
        assert target.lines == []


@test("administration is for administrators")
def _(t):
    for function in ("GetSmtpSettings", "TestSmtpSettings"):
        status, _, answer = t.anna.request("POST", f"/api/v1/invoke/{function}", b"")
        assert status == 200 and "administrators" in json.loads(answer)["error"]["message"]


@test("nobody sends without end, and not all at once")
def _(t):
    with SmtpTarget(t.pem, replies={"GREETING": HANG}) as target:
        set_settings(t, target.port)
        webs = [t.server.web() for _ in range(4)]
        threads = [threading.Thread(target=restore, args=(web, t.id), daemon=True) for web in webs]
        for thread in threads:
            thread.start()
        deadline = time.time() + 20 * PATIENCE
        while len(target.threads) < 4 and time.time() < deadline:
            time.sleep(0.05)
        status, error = restore(t.bert, t.bert_id)
        assert (status, error["code"]) == (503, "busy"), (status, error)
    for thread in threads:
        thread.join(20 * PATIENCE)
    with SmtpTarget(t.pem) as target:
        set_settings(t, target.port)
        statuses = [restore(t.anna, t.id)[0] for _ in range(32)]
        assert set(statuses) <= {204, 429} and statuses[-1] == 429, statuses
        assert len(target.mails) < 30


@test("a stop cuts off what hangs")
def _(t):
    with SmtpTarget(t.pem, replies={"GREETING": HANG}) as target:
        set_settings(t, target.port)
        thread = threading.Thread(target=lambda: restore(t.bert, t.bert_id), daemon=True)
        thread.start()
        deadline = time.time() + 20 * PATIENCE
        while not target.threads and time.time() < deadline:
            time.sleep(0.05)
        assert t.server.stop() == 0


main()
