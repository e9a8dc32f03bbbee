"""Nothing readable lies on the disk, while the archive works and afterwards."""

import base64
import io
import json
import os
import subprocess
import threading
import time
import zipfile

from harness import JOURNAL, PATIENCE, main, make_password, test
from mailkeep_client import exchange_report, smtp_connect, smtp_send

WORDS = {
    "body": "Quittenbrot7731", "subject": "Zwetschgendatschi4412", "address": "rumpelstilz9921",
    "file name": "Blaubeerkuchen5523", "attachment": "Apfelstrudel8812", "user": "pumpernickel3321",
    "full name": "Gugelhupf6610", "mailbox": "geheimeadresse4410", "envelope": "bccempfaenger7719",
    "document": "Streuselkuchen3340", "saved search": "Nussecken2217",
    "search": "Suchbegriff1199", "folder": "pumpernickel3321/Journal",
}


def document():
    """A DOCX, whose text only the helper process brings to light."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", '<w:document xmlns:w="http://schemas.openxmlformats.org/'
                         f'wordprocessingml/2006/main"><w:t>{WORDS["document"]} {"und mehr " * 50}</w:t></w:document>')
    return base64.encodebytes(out.getvalue()).decode().replace("\n", "\r\n")


def mail(size=0):
    padding = "".join(f"{n} {WORDS['body']} Text\r\n" for n in range(size // 30))
    return (f"From: <{WORDS['address']}@mailkeep.example>\r\nTo: <{WORDS['user']}@mailkeep.example>\r\n"
            f"Subject: {WORDS['subject']}\r\nMIME-Version: 1.0\r\n"
            'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\n'
            f"{WORDS['body']}\r\n{padding}\r\n--b\r\nContent-Type: text/plain\r\n"
            f'Content-Disposition: attachment; filename="{WORDS["file name"]}.txt"\r\n\r\n'
            f"{WORDS['attachment']} {size}\r\n--b\r\nContent-Type: application/octet-stream\r\n"
            'Content-Disposition: attachment; filename="a.docx"\r\n'
            f"Content-Transfer-Encoding: base64\r\n\r\n{document()}--b--\r\n").encode()


def readable(t):
    """Words of ours in any file of the archive, in /tmp's or the log; deleted files still open too."""
    words = list(WORDS.values()) + [t.server.password, t.passwords["pumpernickel3321"]]
    words += [w.lower() for w in words]
    found = []
    paths = [t.server.data, t.server.log]
    for fd in os.listdir(f"/proc/{t.server.process.pid}/fd") if t.server.process.poll() is None else []:
        path = f"/proc/{t.server.process.pid}/fd/{fd}"
        try:
            # What the helper process is handed lies in memory, never on a disk.
            if os.path.isfile(path) and not os.readlink(path).startswith("/memfd:"):
                paths.append(path)
        except OSError:
            pass
    for word in words:
        result = subprocess.run(["grep", "-rlaF", "--", word, *paths], stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, check=False)
        found += [(word, name) for name in result.stdout.decode().splitlines()]
    return found


@test("while mail comes in, is indexed and searched")
def _(t):
    api = t.begin([(WORDS["user"], [f"{WORDS['user']}@mailkeep.example"])])
    api("SetUserFullName", userName=WORDS["user"], fullName=WORDS["full name"])
    api("CreateGatewayMailbox", address=f"{WORDS['mailbox']}@archive.example")
    api("SetSavedSearch", name=WORDS["saved search"], criteria=json.dumps({"q": WORDS["saved search"]}))

    def send():
        smtp = smtp_connect(t.server.ports["smtp"], t.server.certificate)
        for number in range(20):
            octets = mail(size=(0, 30000, 3000000)[number % 3] + number)
            smtp_send(smtp, f"{WORDS['envelope']}@contoso.example", [JOURNAL], exchange_report(
                octets, f"{WORDS['address']}@mailkeep.example",
                [("To", f"{WORDS['user']}@mailkeep.example"),
                 ("Bcc", f"{WORDS['envelope']}@mailkeep.example")],
                WORDS["subject"], "<x@x>", number))
        smtp.quit()
    sender = threading.Thread(target=send)
    sender.start()
    rounds = 0
    while sender.is_alive() or rounds == 0:
        found = readable(t)
        assert not found, found[:5]
        rounds += 1
    sender.join()
    assert t.server.wait_indexed()
    assert api("SearchMessages", query=WORDS["body"])["total"] == 20
    until = time.time() + 60 * PATIENCE  # slow documents follow in a second pass
    while api("SearchMessages", query="acontent:" + WORDS["document"])["total"] < 20:
        assert time.time() < until, "documents are never read"
        time.sleep(0.2)
    api("SearchMessages", query=WORDS["search"])


@test("afterwards, with the daemon still running")
def _(t):
    found = readable(t)
    assert not found, found[:5]


@test("and when it has stopped")
def _(t):
    assert t.server.stop() == 0
    found = readable(t)
    assert not found, found[:5]


@test("the same search finds what is there to be found")
def _(t):
    with open(os.path.join(t.work, "data", "sentinel"), "w", encoding="utf-8") as out:
        out.write(WORDS["body"])
    assert readable(t), "the test itself is blind"
    assert make_password() != make_password()


main()
