"""Real clients: swaks, openssl, smtplib; DATA and BDAT, one by one and pipelined, in clear and TLS."""

import os
import shutil
import smtplib
import subprocess

from harness import JOURNAL, PATIENCE, Skip, main, test
from mailkeep_client import tls_context
from smtp_raw import Smtp, mails


def mail(subject, body="x"):
    return f"From: a@contoso.example\r\nSubject: {subject}\r\n\r\n{body}\r\n".encode()


def assert_kept(t, octets):
    found = [i for i, kept in mails(t).items() if kept == octets]
    assert len(found) == 1, (len(found), octets[:60])
    return found[0]


def run(*command, **options):
    if not shutil.which(command[0]):
        raise Skip(f"{command[0]} is not installed")
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60 * PATIENCE,
                          check=False, **options)
    return done.returncode, done.stdout.decode(errors="replace")


def swaks(t, port, octets, *arguments):
    """Swaks turns LF into CRLF, stuffs the dots and ends the last line itself."""
    status, output = run("swaks", "--server", "127.0.0.1", "--port", str(port), "--from",
                         "s@contoso.example", "--to", JOURNAL, "--data",
                         "@" + write(t, octets[:-2].replace(b"\r\n", b"\n")), *arguments)
    if "requires Net::SSLeay" in output:
        raise Skip("swaks has no TLS here")
    assert status == 0, output
    return output


def write(t, octets):
    path = os.path.join(t.work, "mail")
    with open(path, "wb") as out:
        out.write(octets)
    return path


@test("EHLO offers what is promised, and AUTH and BINARYMIME not")
def _(t):
    t.api = t.begin()
    smtp = Smtp(t.server.ports["smtp"])
    code, status, text = smtp.reply()
    assert (code, status, text) == (220, "", "localhost ESMTP Mailkeep")
    smtp.send("EHLO x\r\n")
    offered = smtp.reply()[2].split("\n")[1:]
    assert sorted(offered) == ["8BITMIME", "CHUNKING", "ENHANCEDSTATUSCODES", "PIPELINING",
                               f"SIZE {150 << 20}", "SMTPUTF8", "STARTTLS"], offered


@test("swaks in clear")
def _(t):
    swaks(t, t.server.ports["smtp"], mail("swaks clear", "..dots\r\n.\r\n.x"))
    assert_kept(t, mail("swaks clear", "..dots\r\n.\r\n.x"))


@test("swaks with STARTTLS, certificate verified, pipelined")
def _(t):
    output = swaks(t, t.server.ports["smtp"], mail("swaks tls"), "--tls", "--pipeline",
                   "--tls-ca-path", t.server.certificate, "--tls-verify")
    assert "TLS started" in output
    arrivals = t.api("GetMessageArrivals", id=assert_kept(t, mail("swaks tls")))
    assert arrivals[0]["tls"], arrivals


@test("swaks with TLS from the first octet")
def _(t):
    swaks(t, t.server.ports["smtps"], mail("swaks smtps"), "--tls-on-connect")
    assert_kept(t, mail("swaks smtps"))


@test("openssl s_client, TLS 1.2 and 1.3")
def _(t):
    for version in ("-tls1_2", "-tls1_3"):
        octets = mail("openssl " + version)
        talk = (b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<" + JOURNAL.encode() + b">\r\nDATA\r\n" + octets +
                b".\r\nQUIT\r\n")
        status, output = run("openssl", "s_client", "-quiet", "-connect",
                             f"127.0.0.1:{t.server.ports['smtp']}", "-starttls", "smtp", version,
                             input=talk)
        assert "221 2.0.0" in output, (status, output)
        assert_kept(t, octets)


@test("openssl s_client cannot agree on TLS 1.1")
def _(t):
    status, output = run("openssl", "s_client", "-connect", f"127.0.0.1:{t.server.ports['smtps']}",
                         "-tls1_1", "-cipher", "ALL:@SECLEVEL=0", input=b"")
    assert status != 0, output


@test("smtplib: several mails in one session, 8BITMIME, SIZE, addresses in UTF-8")
def _(t):
    t.api("CreateGatewayMailbox", address="j\u00fcrgen@archive.example")
    with smtplib.SMTP("localhost", t.server.ports["smtp"], timeout=20 * PATIENCE) as smtp:
        smtp.starttls(context=tls_context(t.server.certificate))
        for number in range(3):
            smtp.sendmail("a@contoso.example", [JOURNAL], mail(f"smtplib {number}"))
        smtp.sendmail("\u00e4@contoso.example", ["j\u00fcrgen@archive.example"],
                      mail("smtplib 8bit", "\u00e4\u00f6\u00fc"), ["SMTPUTF8", "BODY=8BITMIME"])
    for number in range(3):
        assert_kept(t, mail(f"smtplib {number}"))
    assert_kept(t, mail("smtplib 8bit", "\u00e4\u00f6\u00fc"))


@test("everything pipelined in one packet, two mails and QUIT")
def _(t):
    one = f"MAIL FROM:<>\r\nRCPT TO:<{JOURNAL}>\r\nDATA\r\n"
    smtp = Smtp(t.server.ports["smtp"])
    smtp.send(b"EHLO x\r\n" + one.encode() + mail("pipelined 1") + b".\r\n" + one.encode() +
              mail("pipelined 2") + b".\r\nQUIT\r\n")
    want = "220 250 250_2.1.0 250_2.1.5 354 250_2.0.0 250_2.1.0 250_2.1.5 354 250_2.0.0 221_2.0.0"
    assert [c.replace(" ", "_") for c in smtp.codes(11)] == want.split()
    assert smtp.is_closed()
    assert_kept(t, mail("pipelined 1"))
    assert_kept(t, mail("pipelined 2"))


@test("BDAT: binary octets in chunks of any cut, pipelined, LAST with and without octets")
def _(t):
    octets = b"Subject: chunks\r\n\r\n" + bytes(range(256)) * 300 + b"\r\n.\r\n\r\n..\n.\n"
    for chunk in (1 << 20, 30000, 997):
        pieces = [octets[i:i + chunk] for i in range(0, len(octets), chunk)]
        smtp = Smtp(t.server.ports["smtp"]).begin(JOURNAL)
        talk = b"".join(b"BDAT %d\r\n" % len(p) + p for p in pieces) + b"BDAT 0 LAST\r\n"
        smtp.send(talk + b"QUIT\r\n")
        assert set(smtp.codes(len(pieces) + 1)) == {"250 2.0.0"}
        assert smtp.code() == "221 2.0.0"
    smtp = Smtp(t.server.ports["smtps"], t.server.certificate).begin(JOURNAL)
    smtp.send(b"BDAT %d LAST\r\n" % len(octets) + octets)
    assert smtp.code() == "250 2.0.0"
    assert len(t.api("GetMessageArrivals", id=assert_kept(t, octets))) == 4


@test("a mail of 20 MB, in clear and in TLS, back bit for bit")
def _(t):
    octets = b"Subject: big\r\n\r\n" + (os.urandom(57 * 1000).hex().encode() + b"\r\n") * 180
    for port, certificate in ((t.server.ports["smtp"], None),
                              (t.server.ports["smtps"], t.server.certificate)):
        smtp = Smtp(port, certificate).begin(JOURNAL)
        assert smtp.say("DATA") == "354"
        smtp.send(octets + b".\r\n")
        assert smtp.code() == "250 2.0.0"
    assert_kept(t, octets)


@test("a client that closes its side after the dot still hears 250")
def _(t):
    smtp = Smtp(t.server.ports["smtp"]).begin(JOURNAL)
    assert smtp.say("DATA") == "354"
    smtp.send(mail("half closed") + b".\r\n")
    smtp.socket.shutdown(1)
    assert smtp.code() == "250 2.0.0"
    assert smtp.is_closed()
    assert_kept(t, mail("half closed"))


main()
