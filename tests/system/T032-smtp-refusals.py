"""What is refused, with which reply, and that the session goes on where it should."""

import base64

from harness import JOURNAL, main, test
from smtp_raw import Smtp, mails

SIZE = 100 * 1024


@test("other recipients are refused: this is no relay")
def _(t):
    t.server.settings = "limits: {message_size: 100KiB}\n"
    t.api = t.begin()
    smtp = Smtp(t.server.ports["smtp"]).begin(JOURNAL)
    for address in ("nobody@archive.example", "somebody@gmail.example", "postmaster", "x@[127.0.0.1]",
                    "somebody%gmail.example@archive.example", "@archive.example:x@gmail.example"):
        assert smtp.say(f"RCPT TO:<{address}>") == "550 5.1.1", address
    assert smtp.say(f"RCPT TO:<{JOURNAL.upper()}>") == "250 2.1.5"
    assert smtp.say("RCPT TO:<>") == "501 5.1.3"
    assert smtp.say("DATA") == "354"
    smtp.send("x\r\n.\r\n")
    assert smtp.code() == "250 2.0.0"


@test("a suspended mailbox is a temporary refusal, a deleted one a lasting one")
def _(t):
    mailbox = t.api("CreateGatewayMailbox", address="second@archive.example")
    smtp = Smtp(t.server.ports["smtp"]).begin("second@archive.example")
    t.api("SetGatewayMailboxStatus", id=mailbox["id"], status="suspended")
    assert smtp.say("RCPT TO:<second@archive.example>") == "450 4.2.1"
    t.api("DeleteGatewayMailbox", id=mailbox["id"])
    assert smtp.say("RCPT TO:<second@archive.example>") == "550 5.1.1"


@test("too large: at MAIL when it is said, after the mail when it is found out")
def _(t):
    before = len(mails(t))
    smtp = Smtp(t.server.ports["smtp"])
    assert smtp.code() == "220"
    assert smtp.say("EHLO x") == "250"
    assert smtp.say(f"MAIL FROM:<> SIZE={SIZE + 1}") == "552 5.3.4"
    assert smtp.say("MAIL FROM:<> SIZE=99999999999999999999") == "552 5.3.4"
    assert smtp.say(f"MAIL FROM:<> SIZE={SIZE}") == "250 2.1.0"
    assert smtp.say(f"RCPT TO:<{JOURNAL}>") == "250 2.1.5"
    assert smtp.say("DATA") == "354"
    smtp.send(b"x" * 998 + b"\r\n" + b"y" * SIZE + b"\r\n.\r\nNOOP\r\n")
    assert smtp.codes(2) == ["552 5.3.4", "250 2.0.0"]
    assert smtp.say("MAIL FROM:<>") == "250 2.1.0"
    assert smtp.say(f"RCPT TO:<{JOURNAL}>") == "250 2.1.5"
    smtp.send(b"BDAT %d LAST\r\n" % (SIZE + 1) + b"z" * (SIZE + 1) + b"NOOP\r\n")
    assert smtp.codes(2) == ["552 5.3.4", "250 2.0.0"]
    assert len(mails(t)) == before


@test("a mail of exactly the limit is taken")
def _(t):
    octets = b"Subject: full\r\n\r\n".ljust(SIZE - 2, b"x") + b"\r\n"
    smtp = Smtp(t.server.ports["smtp"]).begin(JOURNAL)
    assert smtp.say("DATA") == "354"
    smtp.send(octets + b".\r\n")
    assert smtp.code() == "250 2.0.0"
    assert octets in mails(t).values()


@test("a mail without end is read for twice the limit, then the connection ends with 552")
def _(t):
    smtp = Smtp(t.server.ports["smtp"]).begin(JOURNAL)
    assert smtp.say("DATA") == "354"
    try:
        for _ in range(1000):
            smtp.send(b"x" * 65536)
    except OSError:
        pass
    assert smtp.code() == "552 5.3.4"
    assert smtp.is_closed()


@test("the order of commands")
def _(t):
    smtp = Smtp(t.server.ports["smtp"])
    assert smtp.code() == "220"
    assert smtp.say("MAIL FROM:<>") == "503 5.5.1"
    assert smtp.say("HELO x") == "250"
    assert smtp.say("RCPT TO:<x>") == "503 5.5.1"
    assert smtp.say("DATA") == "503 5.5.1"
    assert smtp.say("MAIL FROM:<>") == "250 2.1.0"
    assert smtp.say("MAIL FROM:<>") == "503 5.5.1"
    assert smtp.say("DATA") == "503 5.5.1"
    assert smtp.say("STARTTLS") == "503 5.5.1"
    assert smtp.say("RSET") == "250 2.0.0"
    assert smtp.say("VRFY x") == "252 2.0.0"
    assert smtp.say("EXPN x") == "502 5.5.1"
    assert smtp.say("HELP") == "214 2.0.0"
    assert smtp.say("FOO") == "500 5.5.2"


@test("no password is taken, in clear or in TLS")
def _(t):
    for port, certificate in ((t.server.ports["smtp"], None),
                              (t.server.ports["smtps"], t.server.certificate)):
        smtp = Smtp(port, certificate)
        assert smtp.code() == "220"
        assert smtp.say("EHLO x") == "250"
        assert smtp.say("AUTH PLAIN " + base64.b64encode(b"\0admin\0secret").decode()) == "502 5.7.0"
        assert smtp.say("AUTH LOGIN") == "502 5.7.0"
        assert smtp.say("NOOP") == "250 2.0.0"
    assert base64.b64encode(b"\0admin\0secret").decode() not in t.server.log_text()


@test("a line that is too long is one error; one that does not end is the end")
def _(t):
    smtp = Smtp(t.server.ports["smtp"])
    assert smtp.code() == "220"
    assert smtp.say("NOOP " + "x" * 2041) == "250 2.0.0"
    assert smtp.say("NOOP " + "x" * 2042) == "500 5.5.2"
    assert smtp.say("NOOP " + "x" * 50000) == "500 5.5.2"
    assert smtp.say("NOOP") == "250 2.0.0"
    try:
        for _ in range(100):
            smtp.send("x" * 65536)
    except OSError:
        pass
    assert smtp.code() == "421 4.5.2"
    assert smtp.is_closed()


@test("who makes nothing but errors is sent away")
def _(t):
    smtp = Smtp(t.server.ports["smtp"])
    assert smtp.code() == "220"
    assert [smtp.say("GET / HTTP/1.1") for _ in range(21)] == ["500 5.5.2"] * 21
    assert smtp.code() == "421 4.7.0"
    assert smtp.is_closed()


@test("1,000 recipients a transaction, the next is told to come again")
def _(t):
    smtp = Smtp(t.server.ports["smtp"]).begin(JOURNAL)
    smtp.send(f"RCPT TO:<{JOURNAL}>\r\n" * 1000)
    assert smtp.codes(1000) == ["250 2.1.5"] * 999 + ["452 4.5.3"]
    assert smtp.say("DATA") == "354"
    smtp.send("many\r\n.\r\n")
    assert smtp.code() == "250 2.0.0"


@test("addresses in UTF-8 need SMTPUTF8")
def _(t):
    smtp = Smtp(t.server.ports["smtp"])
    assert smtp.code() == "220"
    assert smtp.say("EHLO x") == "250"
    assert smtp.say("MAIL FROM:<\u00e4@x>") == "553 5.6.7"
    assert smtp.say("MAIL FROM:<>") == "250 2.1.0"
    assert smtp.say("RCPT TO:<\u00e4@x>") == "553 5.6.7"


main()
