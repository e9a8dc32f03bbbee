"""Pages of attached PDFs as pictures: what is on them is there, in its place, for those who may read the mail."""

import base64
import os
import struct
import threading
import time
import zlib

from harness import JOURNAL, PATIENCE, main, test
from mailkeep_client import crlf, smtp_connect, smtp_send
from web_visitor import API, basic

WIDTH, HEIGHT, OCTETS = 1200, 3000, 12 << 20  # limits.h
WHITE, RED = (255, 255, 255), (255, 0, 0)


# -- documents ------------------------------------------------------------------------------------

def pdf(pages, trailer=b""):
    """Pages are (entries of the page, content)."""
    kids = b" ".join(b"%d 0 R" % (3 + 2 * n) for n in range(len(pages)))
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, len(pages))]
    for number, (entries, content) in enumerate(pages):
        objects += [b"<</Type/Page/Parent 2 0 R/Contents %d 0 R %s>>" % (4 + 2 * number, entries),
                    b"<</Length %d>>stream\n%s\nendstream" % (len(content), content)]
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj%s\nendobj\n" % (number, body)
    start, size = len(out), len(objects) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n" % size + b"".join(b"%010d 00000 n \n" % p for p in places)
    return bytes(out + b"trailer<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, start))


def box(*sides):
    return b"/MediaBox[%d %d %d %d]" % sides


# The lower left quarter is red: it tells how the page was turned.
CORNER = b"1 0 0 rg 0 0 300 400 re f"
A_PAGE = (box(0, 0, 600, 800), CORNER)
LOCKED = b"/Encrypt<</Filter/Standard/V 1/R 2/P -4/O<%s>/U<%s>>>/ID[<31><31>]" % (b"5" * 64, b"5" * 64)


def bomb():
    """Forms that draw each other ten times each: more strokes than anybody waits for."""
    def form(number, content):
        return (b"%d 0 obj<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X %d 0 R>>>>"
                b"/Length %d>>stream\n%s\nendstream\nendobj\n" % (number, number + 1, len(content), content))
    forms = b"".join(form(number, b"/X Do " * 10) for number in range(20, 30)) + form(30, b"0 0 m 9 9 l S")
    whole = pdf([(box(0, 0, 600, 800) + b"/Resources<</XObject<</X 20 0 R>>>>", b"/X Do " * 10)])
    # The table of objects then has wrong places, so that readers go by the objects themselves.
    return whole[:9] + forms + whole[9:]


FILES = {
    "good": pdf([A_PAGE, (box(0, 0, 800, 600), b""), (box(0, 0, 600, 800) + b"/Rotate 90", CORNER),
                 (box(0, 0, 600, 800) + b"/CropBox[300 0 600 400]", CORNER),
                 (box(0, 0, 10, 10000), CORNER), (box(0, 0, 900000, 900000), CORNER)]),
    "endless": pdf([(box(0, 0, 2000000000, 2000000000), CORNER)]),
    "thin": pdf([(b"/MediaBox[0 0 .001 800]", CORNER)]),
    "liar": pdf([A_PAGE], b"/Info<</Title(x\nPages: 77\nPage    1 size: 9 x 9000 pts\n)>>"),
    "locked": pdf([A_PAGE], LOCKED),
    "broken": b"%PDF-1.4\n" + os.urandom(3000),
    "noise": pdf([(box(0, 0, 600, 800), b"q 600 0 0 800 0 0 cm BI/W 600/H 800/CS/RGB/BPC 8 ID " +
                   os.urandom(600 * 800 * 3) + b" EI Q")]),
    "text": b"no page at all",
    "empty": b"",
}


def mail(name, octets):
    return crlf(f"""From: a@b.example
To: anna@x.example
Subject: Paper {name}
Message-ID: <{name}@b>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="=_out"

--=_out
Content-Type: text/plain

see there
--=_out
Content-Type: application/octet-stream; name="{name}.bin"
Content-Disposition: attachment; filename="{name}.bin"
Content-Transfer-Encoding: base64

""".encode() + base64.encodebytes(octets) + b"\n--=_out--\n")


# -- pictures: read by PNG's own rules (PNG 1.2, 3, 6 and 9) -------------------------------------------

def chunks(octets):
    assert octets[:8] == b"\x89PNG\r\n\x1a\n"
    at, out = 8, []
    while at < len(octets):
        length, kind = struct.unpack(">I4s", octets[at:at + 8])
        data = octets[at + 8:at + 8 + length]
        assert zlib.crc32(kind + data) == struct.unpack(">I", octets[at + 8 + length:at + 12 + length])[0]
        out.append((kind, data))
        at += 12 + length
    assert out[0][0] == b"IHDR" and out[-1] == (b"IEND", b"")
    return out


def paeth(left, up, corner):
    to_left, to_up, to_corner = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
    if to_left <= to_up and to_left <= to_corner:
        return left
    return up if to_up <= to_corner else corner


def unfilter(kind, line, above):
    for i, octet in enumerate(line):
        left, up, corner = (line[i - 3], above[i], above[i - 3]) if i >= 3 else (0, above[i], 0)
        line[i] = (octet + (0, left, up, (left + up) // 2, paeth(left, up, corner))[kind]) & 255
    return line


class Picture:
    def __init__(self, octets):
        found = chunks(octets)
        self.width, self.height, *form = struct.unpack(">IIBBBBB", found[0][1])
        assert form == [8, 2, 0, 0, 0], form  # RGB, not interlaced
        self.raw = zlib.decompress(b"".join(data for kind, data in found if kind == b"IDAT"))
        assert len(self.raw) == self.height * (1 + 3 * self.width)

    def pixels(self, *places):
        """The colours at places, which are parts of width and height from the upper left."""
        stride, above, lines = 1 + 3 * self.width, bytearray(3 * self.width), {}
        wanted = {int(y * self.height) for _, y in places}
        for y in range(max(wanted) + 1):
            line = self.raw[y * stride:(y + 1) * stride]
            above = bytearray(line[1:]) if line[0] == 0 else unfilter(line[0], bytearray(line[1:]), above)
            lines[y] = above
        return [tuple(lines[int(y * self.height)][3 * int(x * self.width):][:3]) for x, y in places]


# -- tests ----------------------------------------------------------------------------------------------

def ask(t, name, page, visitor=None, method="GET"):
    return (visitor or t.anna).ask(method, f"{API}messages/{t.ids[name]}/attachments/2/pages/{page}")


def picture(t, name, page=1):
    answer = ask(t, name, page)
    assert answer.status == 200, (name, page, answer.status, answer.body[:200])
    assert len(answer.body) <= OCTETS
    return Picture(answer.body)


def refused(t, name, status, code, page=1):
    answer = ask(t, name, page)
    assert (answer.status, answer.json()["error"]["code"]) == (status, code), (name, answer.status, answer.body)
    assert b"PNG" not in answer.body and answer.headers["X-Page-Count"] is None


@test("a page is drawn, and the answer tells of how many")
def _(t):
    t.begin([("anna", ["anna@x.example"]), ("bert", ["bert@x.example"])])
    smtp = smtp_connect(t.server.ports["smtp"])
    for name, octets in FILES.items():
        smtp_send(smtp, "j@x.example", [JOURNAL], mail(name, octets))
    smtp.quit()
    assert t.server.wait_indexed(120)
    t.anna = basic(t.server.ports["https"], "anna", t.passwords["anna"])
    t.ids = {i["subject"].split()[1]: i["id"]
             for i in t.anna.ask("GET", API + "search?limit=100").json()["items"]}
    assert t.ids.keys() == FILES.keys()
    answer = ask(t, "good", 1)
    assert answer.status == 200, answer.body[:200]
    fields = {"Content-Type": "image/png", "X-Page-Count": "6", "X-Content-Type-Options": "nosniff",
              "Content-Disposition": 'inline; filename="page-1.png"', "Cache-Control": "no-store",
              "Cross-Origin-Resource-Policy": "same-origin"}
    assert {name: answer.headers[name] for name in fields} == fields, answer.headers
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none';")
    head = ask(t, "good", 2, method="HEAD")
    assert (head.status, head.body, head.headers["X-Page-Count"]) == (200, b"", "6")


@test("what is on a page is where it must be, whatever its size, turned and cut as its author said")
def _(t):
    corners = ((.25, .25), (.75, .25), (.25, .75), (.75, .75))
    for page, size, colours in (
            (1, (1200, 1600), (WHITE, WHITE, RED, WHITE)), (2, (1200, 900), 4 * (WHITE,)),
            (3, (1200, 900), (RED, WHITE, WHITE, WHITE)), (4, (1200, 1600), 4 * (WHITE,)),
            (5, (3, 3000), None), (6, (1200, 1200), None)):
        drawn = picture(t, "good", page)
        assert (drawn.width, drawn.height) == size, (page, drawn.width, drawn.height)
        if colours is not None:
            assert drawn.pixels(*corners) == list(colours), (page, drawn.pixels(*corners))


@test("there is no page but those that there are")
def _(t):
    for page in ("7", "1000000", "1000001", "0", "-1", "01x", "4294967297", "1e0", "%31x"):
        refused(t, "good", 404, "not-found", page)
    for page in ("", "1/", "1/2"):
        assert ask(t, "good", page).status == 404
    wrong = f"{API}messages/{t.ids['good']}/attachments/"
    for path in ("3/pages/1", "0/pages/1", "x/pages/1"):
        assert t.anna.ask("GET", wrong + path).status == 404, path
    assert t.anna.ask("GET", wrong + "1/pages/1").json()["error"]["code"] == "not-indexed"  # the mail's own text


@test("what cannot be drawn says why, and nothing that a document says of itself is believed")
def _(t):
    refused(t, "locked", 422, "encrypted")
    refused(t, "broken", 422, "failed")
    refused(t, "endless", 422, "failed")
    refused(t, "thin", 422, "failed")
    refused(t, "text", 422, "not-indexed")
    refused(t, "empty", 422, "not-indexed")
    answer = ask(t, "liar", 1)
    assert answer.headers["X-Page-Count"] == "1" and Picture(answer.body).height == 1600
    drawn = ask(t, "noise", 1)
    assert drawn.status == 200 and 1 << 20 < len(drawn.body) <= OCTETS, (drawn.status, len(drawn.body))


@test("who may not read the mail is not told that there is one")
def _(t):
    bert = basic(t.server.ports["https"], "bert", t.passwords["bert"])
    for name in FILES:
        answer = ask(t, name, 1, bert)
        assert (answer.status, answer.headers["X-Page-Count"]) == (404, None), (name, answer.status)
    assert ask(t, "good", 1, basic(t.server.ports["https"], "bert", "wrong")).status == 401


@test("a page that takes for ever is given up; meanwhile others are told to wait, and searches go on")
def _(t):
    smtp = smtp_connect(t.server.ports["smtp"])
    smtp_send(smtp, "j@x.example", [JOURNAL], mail("bomb", bomb()))
    smtp.quit()
    assert t.server.wait_indexed(120)
    items = t.anna.ask("GET", API + "search?q=subject:bomb").json()["items"]
    t.ids["bomb"] = items[0]["id"]
    answers = []
    other = basic(t.server.ports["https"], "anna", t.passwords["anna"])
    slow = threading.Thread(target=lambda: answers.append(ask(t, "bomb", 1, other)))
    slow.start()
    statuses, searched = set(), 0
    time.sleep(0.5)
    while slow.is_alive():
        statuses.add(ask(t, "good", 1).status)
        assert t.anna.ask("GET", API + "search?q=paper").status == 200
        searched += slow.is_alive()
        time.sleep(0.1)
    slow.join()
    assert 503 in statuses and statuses <= {200, 503} and searched > 0, statuses
    assert (answers[0].status, answers[0].json()["error"]["code"]) == (422, "failed"), answers[0].body
    assert picture(t, "good").width == WIDTH


@test("nothing of a document lies on the disk or in the log")
def _(t):
    for name in os.listdir("/tmp"):
        assert "ppm" not in name.lower() and not name.startswith("document"), name
    log = t.server.log_text()
    for name in FILES:
        assert f"{name}.bin" not in log and f"Paper {name}" not in log, name


main()
