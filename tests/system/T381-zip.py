"""Several mails as one ZIP: octet for octet, names that fit every system, rights, limits, slow readers."""

import hashlib
import http.client
import io
import os
import random
import re
import shutil
import socket
import ssl
import subprocess
import time
import unicodedata
import zipfile

from harness import JOURNAL, PATIENCE, Skip, corpus_mails, main, test
from mailkeep_client import crlf, smtp_connect, smtp_send

SUBJECTS = ["Angebot", "ANGEBOT", "angebot", "", "CON", "a/b\\c:d*e?f\"g<h>i|j", "../../etc/passwd", "Grüße  \t zu\u202e!",
            "u\u0308ber", "Punkt ... ", "x" * 500, "漢字" * 100, "\U0001f600" * 60, "-rf *"]


def zip_of(web, ids, method="GET"):
    return web.request(method, "/api/v1/messages/zip?ids=" + ",".join(ids))


def check(t, octets):
    """What two other programs say of it."""
    path = os.path.join(t.work, "mails.zip")
    with open(path, "wb") as file:
        file.write(octets)
    if shutil.which("unzip"):
        done = subprocess.run(["unzip", "-tq", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0, done.stdout
    archive = zipfile.ZipFile(io.BytesIO(octets))
    assert archive.testzip() is None
    return archive


@test("mails come as they were received, under names that every system takes")
def _(t):
    t.api = t.begin([("anna", ["anna@x.example"]), ("bert", ["bert@x.example"])])
    smtp = smtp_connect(t.server.ports["smtp"])
    for number, subject in enumerate(SUBJECTS):
        date = "" if subject == "" else "Date: Fri, 02 Jan 2026 23:59:59 +0000\r\n"
        smtp_send(smtp, "j@x.example", [JOURNAL], (
            f"From: a@b.example\r\nTo: anna@x.example\r\nSubject: {subject}\r\n{date}X-N: {number}\r\n\r\n"
            f".\r\nbare\nlf and \rcr{number}\r\n").encode())
    smtp.quit()
    assert t.server.wait_indexed(60)
    t.anna = t.server.web("anna", t.passwords["anna"])
    t.ids = [i["id"] for i in t.anna.json("messages", limit=100)["items"]]
    assert len(t.ids) == len(SUBJECTS)
    status, fields, octets = zip_of(t.anna, t.ids + t.ids[:3])
    fields = {name.lower(): value for name, value in dict(fields).items()}
    assert (status, fields["content-type"], int(fields["content-length"])) == (200, "application/zip", len(octets))
    assert fields["content-disposition"] == 'attachment; filename="mails.zip"'
    archive = check(t, octets)
    infos = archive.infolist()
    assert [archive.read(info) for info in infos] == [t.anna.raw(i) for i in t.ids]
    names = [info.filename for info in infos]
    for name in names:
        stem, suffix = os.path.splitext(name)
        assert suffix == ".eml" and len(name.encode()) <= 140, name
        assert re.match(r"\d{4}-\d\d-\d\d( |$)", stem), name
        assert not set(name) & set('<>:"/\\|?*') and stem == stem.rstrip(" ."), name
        assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs") for c in name), name
        assert unicodedata.is_normalized("NFC", name), name
    assert len({name.casefold() for name in names}) == len(names), names
    assert "2026-01-02 über.eml" in names and "2026-01-02 a_b_c_d_e_f_g_h_i_j.eml" in names, names
    assert {i.date_time for i in infos if "2026-01-02" in i.filename} == {(2026, 1, 2, 23, 59, 58)}


@test("corpus mails of all kinds, too")
def _(t):
    smtp = smtp_connect(t.server.ports["smtp"])
    smtp.ehlo()
    sent = 0
    for _, mail in corpus_mails("torture"):
        if b"\r\n" in mail[:2000] and len(mail) < 300000 and sent < 150:
            smtp_send(smtp, "j@x.example", [JOURNAL], b"Received: x\r\n" + mail)
            sent += 1
    smtp.quit()
    if sent == 0:
        raise Skip("no mails")
    t.grant_catchall(t.api)
    assert t.server.wait_indexed(120)
    admin = t.server.web()
    ids = [i["id"] for i in admin.json("messages", limit=1000)["items"]]
    archive = check(t, zip_of(admin, ids)[2])
    got = sorted(hashlib.sha256(archive.read(info)).digest() for info in archive.infolist())
    assert got == sorted(hashlib.sha256(admin.raw(i)).digest() for i in ids)


@test("one that must not be seen spoils all; so do ids that are none, none at all, or too many")
def _(t):
    bert = t.server.web("bert", t.passwords["bert"])
    assert zip_of(bert, t.ids[:1])[0] == 404
    assert zip_of(t.anna, [t.ids[0], "1:99999"])[0] == 404
    for ids, status in (([], 400), (["x"], 400), ([t.ids[0], ""], 400), (["1:1"] * 1001, 422)):
        assert zip_of(t.anna, ids)[0] == status, ids[:3]
    assert zip_of(t.anna, ["1:1"] * 1000)[0] in (200, 404)
    assert t.server.web("anna", "wrong-Password-1").request("GET", "/api/v1/messages/zip?ids=1:1")[0] == 401
    assert t.anna.request("POST", "/api/v1/messages/zip?ids=1:1")[0] == 405


@test("HEAD says what there would be")
def _(t):
    status, fields, octets = zip_of(t.anna, t.ids, "HEAD")
    whole = zip_of(t.anna, t.ids)[2]
    fields = {name.lower(): value for name, value in dict(fields).items()}
    assert (status, octets, int(fields["content-length"])) == (200, b"", len(whole))
    assert zip_of(t.anna, ["1:99999"], "HEAD")[0] == 404


def resident(t):
    with open(f"/proc/{t.server.process.pid}/status") as file:
        return int(file.read().split("VmRSS:")[1].split()[0]) * 1024


def raw_request(t, ids):
    """A request whose answer is read by hand, with a small buffer."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
    plain.connect(("127.0.0.1", t.server.ports["https"]))
    secure = context.wrap_socket(plain)
    secure.sendall(f"GET /api/v1/messages/zip?ids={','.join(ids)} HTTP/1.1\r\nHost: x\r\n"
                   f"Authorization: {t.anna.headers['Authorization']}\r\nConnection: close\r\n\r\n".encode())
    return secure


@test("large mails go to a slow reader in bounded memory, and one that leaves harms nobody")
def _(t):
    numbers = random.Random(7)
    smtp = smtp_connect(t.server.ports["smtp"])
    for n in range(6):
        body = b"\r\n".join(numbers.randbytes(450).hex().encode() for _ in range(12 * 1024))
        smtp_send(smtp, "j@x.example", [JOURNAL],
                  f"From: a@b.example\r\nTo: anna@x.example\r\nSubject: gross {n}\r\n\r\n".encode() + body + b"\r\n")
    smtp.quit()
    assert t.server.wait_indexed(120)
    ids = [i["id"] for i in t.anna.json("search", q="gross", limit=100)["items"]]
    assert len(ids) == 6
    before = resident(t)
    with raw_request(t, ids) as slow, raw_request(t, ids) as leaves:
        leaves.recv(1000)
        leaves.close()
        answer = http.client.HTTPResponse(slow)
        answer.begin()
        octets = bytearray()
        for _ in range(20):
            octets += answer.read(4096)
            time.sleep(0.02)
        grown = resident(t) - before
        octets += answer.read()
    assert PATIENCE > 1 or grown < 45 << 20, grown  # all of it has 66 MB
    archive = check(t, bytes(octets))
    assert sorted(hashlib.sha256(archive.read(i)).digest() for i in archive.infolist()) == \
        sorted(hashlib.sha256(t.anna.raw(i)).digest() for i in ids)


@test("a right that is taken away ends a download under way")
def _(t):
    ids = [i["id"] for i in t.anna.json("search", q="gross", limit=100)["items"]]
    with raw_request(t, ids) as slow:
        answer = http.client.HTTPResponse(slow)
        answer.begin()
        answer.read(4096)
        t.api("SetUserPrivilegesOnFolder", userName="anna", folder="anna", privileges="none")
        try:
            octets = answer.read()
            raise AssertionError(f"{len(octets)} octets came")
        except (http.client.IncompleteRead, ssl.SSLError, ConnectionError):
            pass


main()
