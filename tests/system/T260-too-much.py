"""Large, many and deep: bounded memory and clear answers."""

import base64
import io
import os
import re
import smtplib
import socket
import time
import zipfile

from harness import JOURNAL, VARIANT, all_ids, main, test
from mailkeep_client import smtp_connect, smtp_send, smtp_send_bdat

MEMORY_MIB = 256 if VARIANT == "release" else 2500  # sanitizers keep freed memory


def peak_mib(t):
    with open(f"/proc/{t.server.process.pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1)) / 1024


def header(extra=""):
    return ("From: john@mailkeep.example\r\nTo: lisa@mailkeep.example\r\nSubject: much\r\n"
            + extra).encode()


def keep(t, octets):
    """Sends it and sees that it comes back."""
    before = set(all_ids(t.api))
    smtp = smtp_connect(t.server.ports["smtp"], timeout=600)
    smtp_send_bdat(smtp, "j@contoso.example", [JOURNAL], octets, chunk=1 << 20)
    smtp.quit()
    new = set(all_ids(t.api)) - before
    assert len(new) == 1, new
    assert t.server.web().raw(new.pop()) == octets


@test("1,000 idle connections, and the next user is served")
def _(t):
    t.api = t.begin([("lisa", ["lisa@mailkeep.example"])])
    count = 1000 if VARIANT == "release" else 200
    idle = [socket.create_connection(("127.0.0.1", t.server.ports["smtp"])) for _ in range(count)]
    for connection in idle[:50]:
        assert connection.recv(100).startswith(b"220")
    t.api("GetServerInfo")
    if count == 1000:
        with socket.create_connection(("127.0.0.1", t.server.ports["smtp"])) as one_more:
            one_more.settimeout(20)
            assert one_more.recv(100).startswith(b"421")
    for connection in idle:
        connection.close()
    for _ in range(100):
        with socket.create_connection(("127.0.0.1", t.server.ports["smtp"])) as again:
            if again.recv(100).startswith(b"220"):
                break
        time.sleep(0.1)
    else:
        raise AssertionError("the places were not given back")
    t.idle_peak = peak_mib(t)
    assert t.idle_peak < MEMORY_MIB, t.idle_peak


@test("100,000 recipients over many transactions; more than a transaction takes are 452")
def _(t):
    smtp = smtp_connect(t.server.ports["smtp"])
    rounds = 100 if VARIANT == "release" else 3
    line = f"RCPT TO:<{JOURNAL}>\r\n".encode()
    for number in range(rounds):
        if number % 9 == 8:  # a session that never sends a mail is ended at some point
            smtp.close()
            smtp = smtp_connect(t.server.ports["smtp"])
        smtp.send(b"MAIL FROM:<a@b.example>\r\n" + line * 1000 + b"RSET\r\n")  # pipelined
        codes = [smtp.getreply()[0] for _ in range(1002)]
        assert codes == [250] * 1002
    smtp.send(b"MAIL FROM:<a@b.example>\r\n" + line * 1001)
    assert [smtp.getreply()[0] for _ in range(1002)][-1] == 452
    smtp.close()


@test("a header of 10 MiB is kept")
def _(t):
    field = "X-Long: " + "x" * 900 + "\r\n"
    keep(t, header(field * (10 * 1024 * 1024 // len(field))) + b"\r\nbody\r\n")


@test("parts nested 1,000 deep are kept")
def _(t):
    mail = header("MIME-Version: 1.0\r\n")
    for depth in range(1000):
        mail += f'Content-Type: multipart/mixed; boundary="b{depth}"\r\n\r\n--b{depth}\r\n'.encode()
    mail += b"Content-Type: text/plain\r\n\r\ndeepest\r\n"
    for depth in reversed(range(1000)):
        mail += f"--b{depth}--\r\n".encode()
    keep(t, mail)


@test("a zip bomb is an attachment like any other")
def _(t):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("zeros", bytes(300 << 20))
    body = base64.encodebytes(out.getvalue()).replace(b"\n", b"\r\n")
    keep(t, header('MIME-Version: 1.0\r\nContent-Type: application/zip; name="bomb.zip"\r\n'
                   "Content-Transfer-Encoding: base64\r\n") + b"\r\n" + body)
    assert t.server.wait_indexed()
    assert peak_mib(t) < MEMORY_MIB, peak_mib(t)


@test("a mail of nearly 150 MiB comes back")
def _(t):
    size = (149 if VARIANT == "release" else 20) << 20
    line = base64.b64encode(os.urandom(57)) + b"\r\n"
    block = b"".join(base64.b64encode(os.urandom(57)) + b"\r\n" for _ in range(4000))
    octets = header("MIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\n"
                    "Content-Transfer-Encoding: base64\r\n") + b"\r\n"
    octets += b"".join(block[:-len(line)] + base64.b64encode(os.urandom(57)) + b"\r\n"
                       for _ in range(size // len(block)))
    keep(t, octets)
    t.large_peak = peak_mib(t)
    print(f"# peak memory: {t.idle_peak:.0f} MiB with idle connections, "
          f"{t.large_peak:.0f} MiB after the large mail")
    assert t.large_peak < 2 * MEMORY_MIB, t.large_peak


@test("a larger one is refused: at MAIL when it says so, else at its end")
def _(t):
    smtp = smtp_connect(t.server.ports["smtp"], timeout=600)
    code, _ = smtp.docmd(f"MAIL FROM:<a@b.example> SIZE={151 << 20}")
    assert code == 552, code
    assert int(smtp.esmtp_features["size"]) == 150 << 20
    if VARIANT != "release":
        return
    try:
        smtp_send(smtp, "a@b.example", [JOURNAL], header() + b"\r\n" + b"x" * 70 + b"\r\n")
        assert smtp.docmd("MAIL FROM:<a@b.example>")[0] == 250
        assert smtp.docmd(f"RCPT TO:<{JOURNAL}>")[0] == 250
        assert smtp.docmd("DATA")[0] == 354
        block = (b"x" * 998 + b"\r\n") * 1024
        for _ in range(156):
            smtp.send(block)
        smtp.send(b".\r\n")
        assert smtp.getreply()[0] == 552
    except (smtplib.SMTPServerDisconnected, BrokenPipeError, ConnectionResetError) as cut:
        raise AssertionError("no answer to a mail that is too large") from cut


@test("and all is well")
def _(t):
    t.api("VerifyStore", id=1, includeIndexes="true")
    assert t.server.stop() == 0


main()
