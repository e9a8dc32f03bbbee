"""One mail stays one mail: bare line ends, pipelined STARTTLS and odd chunks smuggle nothing in."""

import time

from harness import JOURNAL, main, test
from smtp_raw import Smtp, mails, silence

# What another server may take for the end of a mail, and we never do.
NO_ENDS = [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\n.\r", b"\n\n.\n\n",
           b"\r\r\n.\r\r\n", b"\r\n.\0\r\n", b"\r\n\0.\r\n", b"\r\n .\r\n", b"\r\n.\r\r\n"]
SMUGGLED = b"MAIL FROM:<boss@contoso.example>\r\nRCPT TO:<%b>\r\nDATA\r\nSubject: smuggled\r\n\r\nx" % (
    JOURNAL.encode())


def kept(octets):
    """What the archive must give back: the dot behind a CRLF was a stuffed one."""
    return octets.replace(b"\r\n.", b"\r\n")


@test("nothing but CRLF.CRLF ends a mail, and its octets stay as they were")
def _(t):
    t.api = t.begin()
    wanted = []
    for number, end in enumerate(NO_ENDS):
        mail = b"Subject: %d\r\n\r\nfirst" % number + end + SMUGGLED + b"\r\n"
        smtp = Smtp(t.server.ports["smtp"]).begin(JOURNAL)
        assert smtp.say("DATA") == "354"
        smtp.send(mail)
        assert silence(smtp, 0.1), end
        smtp.send(b".\r\nQUIT\r\n")
        assert smtp.codes(2) == ["250 2.0.0", "221 2.0.0"], end
        wanted.append(kept(mail))
        smtp.close()
    assert sorted(mails(t).values()) == sorted(wanted)


@test("the same with every octet in a packet of its own")
def _(t):
    before = len(mails(t))
    mail = b"Subject: drops\r\n\r\na" + b"b".join(NO_ENDS) + b"\r\n"
    smtp = Smtp(t.server.ports["smtp"]).begin(JOURNAL)
    assert smtp.say("DATA") == "354"
    for octet in mail + b".\r\n":
        smtp.send(bytes([octet]))
        time.sleep(0.001)
    assert smtp.code() == "250 2.0.0"
    assert len(mails(t)) == before + 1
    assert kept(mail) in mails(t).values()


@test("a command line with a bare CR or LF is one bad line, not two commands")
def _(t):
    smtp = Smtp(t.server.ports["smtp"]).begin(JOURNAL)
    for line in (b"NOOP\nQUIT\r\n", b"NOOP\rQUIT\r\n", b"NOOP\n\r\n", b"NOOP\r\r\n", b"\nNOOP\r\n"):
        smtp.send(line + b"NOOP\r\n")
        assert smtp.codes(2) == ["500 5.5.2", "250 2.0.0"], line
    smtp.send(b"NOOP\n")
    assert silence(smtp)


@test("octets pipelined behind STARTTLS end the session")
def _(t):
    for injected in (b"EHLO x\r\n", b"M", b"\r\n", b"\x16\x03\x01"):
        smtp = Smtp(t.server.ports["smtp"])
        assert smtp.code() == "220"
        assert smtp.say("EHLO x") == "250"
        smtp.send(b"STARTTLS\r\n" + injected)
        assert smtp.code() == "501 5.5.2"
        assert smtp.is_closed()


@test("octets in clear that come a moment later do not become commands either")
def _(t):
    before = len(mails(t))
    smtp = Smtp(t.server.ports["smtp"])
    assert smtp.code() == "220"
    assert smtp.say("EHLO x") == "250"
    assert smtp.say("STARTTLS") == "220 2.0.0"
    smtp.send(f"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<{JOURNAL}>\r\nDATA\r\nx\r\n.\r\n")
    assert smtp.is_closed()
    assert len(mails(t)) == before


@test("what was said before STARTTLS is forgotten")
def _(t):
    smtp = Smtp(t.server.ports["smtp"])
    assert smtp.code() == "220"
    assert smtp.say("EHLO x") == "250"
    assert smtp.say("STARTTLS") == "220 2.0.0"
    smtp.secure(t.server.certificate)
    assert smtp.say("MAIL FROM:<>") == "503 5.5.1"
    assert smtp.say("STARTTLS") == "503 5.5.1"
    smtp.send("EHLO x\r\n")
    assert "STARTTLS" not in smtp.reply()[2]


@test("a chunk is never read as commands, whatever the reply to its BDAT")
def _(t):
    before = len(mails(t))
    chunk = SMUGGLED + b"\r\n.\r\n"
    smtp = Smtp(t.server.ports["smtp"])
    assert smtp.code() == "220"
    smtp.send(b"BDAT %d\r\n" % len(chunk) + chunk + b"NOOP\r\n")
    assert smtp.codes(2) == ["503 5.5.1", "250 2.0.0"]
    assert smtp.say("EHLO x") == "250"
    assert smtp.say("MAIL FROM:<>") == "250 2.1.0"
    smtp.send(b"BDAT %d LAST\r\n" % len(chunk) + chunk + b"NOOP\r\n")
    assert smtp.codes(2) == ["503 5.5.1", "250 2.0.0"]
    smtp.send(b"BDAT many\r\n" + chunk)
    assert smtp.code() == "501 5.5.4"
    assert smtp.is_closed()
    assert len(mails(t)) == before


main()
