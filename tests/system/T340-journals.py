"""Every form of journal: the mail inside reaches its owners' folders, the report can be fetched.

Own samples first; then the derived corpus, line by line of its TRUTH.tsv.
"""

import base64
import csv
import hashlib
import os
import re

from harness import CORPUS, JOURNAL, Skip, main, test
from mailkeep_client import crlf, smtp_connect, smtp_send_bdat

IN, OUT = "Journal Incoming", "Journal Outgoing"
CATCHALL = "@catchall/Unknown E-mail Addresses"
USERS = [(name, [f"{name}@mailkeep.example"]) for name in ("lisa", "john", "zoe", "max")]


def send(t, mails):
    smtp = smtp_connect(t.server.ports["smtp"], t.server.certificate)
    for octets in mails:
        smtp_send_bdat(smtp, "journal@contoso.example", [JOURNAL], octets)
    smtp.quit()


def content(api, mail_id):
    return base64.b64decode(api("GetMessageContent", id=mail_id)["content"])


def reports(api, mail_id):
    arrivals = api("GetMessageArrivals", id=mail_id)
    return [base64.b64decode(api("GetMessageReport", id=mail_id, arrival=n)["content"])
            for n, arrival in enumerate(arrivals) if arrival["hasReport"]]


class Kept:
    """What lies where: sha256 of a mail -> its id and folders."""

    def __init__(self, api):
        self.ids, self.folders = {}, {}
        names = {}
        for folder in api("GetChildFolders"):
            for mail in api("GetMessages", folder=folder["fullName"]):
                names.setdefault(mail["id"], set()).add(folder["fullName"])
        for mail_id, folders in names.items():
            digest = sha256(content(api, mail_id))
            assert digest not in self.ids, "one mail stored twice"
            self.ids[digest], self.folders[digest] = mail_id, folders


def sha256(octets):
    return hashlib.sha256(octets).hexdigest()


def mail(word, fields="", to="lisa@mailkeep.example", sender="hans@partner.example"):
    return crlf(f"From: {sender}\nTo: {to}\nSubject: {word}\n{fields}"
                f"Message-ID: <{word}@x>\nDate: Fri, 6 Mar 2020 10:00:00 +0100\n\n{word}\n".encode())


def report(text, *inner, fields="X-MS-Journal-Report:\n", encoding="us-ascii", closed=True):
    """A report of Exchange's form around mails; @text are its lines."""
    head = crlf(("From: journal@contoso.example\nTo: journal@archive.example\nSubject: report\n"
                 f"MIME-Version: 1.0\n{fields}Content-Type: multipart/mixed; boundary=\"=_b\"\n\n"
                 f"--=_b\nContent-Type: text/plain; charset=\"{encoding}\"\n"
                 "Content-Transfer-Encoding: base64\n\n").encode())
    octets = head + crlf(base64.encodebytes(text.replace("\n", "\r\n").encode(encoding)))
    for one in inner:
        octets += b"\r\n--=_b\r\nContent-Type: message/rfc822\r\n\r\n" + one
    return octets + (b"\r\n--=_b--\r\n" if closed else b"")


def lines(word, *recipients, sender="hans@partner.example"):
    return "\n".join([f"Sender: {sender}", f"Subject: {word}", f"Message-Id: <{word}@x>",
                      *recipients, ""])


def samples():
    """(form, octets as sent, octets of the mail inside, folders it must be in)."""
    def one(word, *recipients, folders, **more):
        inner = mail(word)
        return word, report(lines(word, *recipients, **more), inner), inner, set(folders)
    yield one("to-cc", "To: lisa@mailkeep.example", "Cc: zoe@mailkeep.example",
              folders=[f"lisa/{IN}", f"zoe/{IN}"])
    yield one("bcc-only", "Bcc: max@mailkeep.example", folders=[f"max/{IN}"])
    yield one("type-unknown", "Recipient: LISA@Mailkeep.Example", folders=[f"lisa/{IN}"])
    yield one("expanded", "To: lisa@mailkeep.example, Expanded: all@mailkeep.example",
              "To: zoe@mailkeep.example, Forwarded: old@mailkeep.example",
              folders=[f"lisa/{IN}", f"zoe/{IN}"])
    yield one("outgoing", "To: x@partner.example", sender="john@mailkeep.example",
              folders=[f"john/{OUT}"])
    yield one("on-behalf", "On-Behalf-Of: john@mailkeep.example", "To: x@partner.example",
              sender="max@mailkeep.example", folders=[f"max/{OUT}", f"john/{OUT}"])
    yield one("null-sender", "To: lisa@mailkeep.example", sender="<>", folders=[f"lisa/{IN}"])
    yield one("nobody", "To: x@partner.example", folders=[CATCHALL])
    inner = mail("charset")
    yield ("charset", report(lines("Grüße aus Köln", "Bcc: zoe@mailkeep.example"), inner,
                             encoding="iso-8859-1"), inner, {f"zoe/{IN}"})
    inner = mail("utf-16")
    yield ("utf-16", report(lines("Grüße", "To: zoe@mailkeep.example"), inner, encoding="utf-16"),
           inner, {f"zoe/{IN}"})
    inner = mail("exchange-2003")
    yield ("exchange-2003", report(
        "Sender: hans@partner.example\nMessage-ID: <exchange-2003@x>\nRecipients:\n"
        "\tlisa@mailkeep.example\n\tmax@mailkeep.example\n", inner,
        fields="Content-Identifier: ExJournalReport\n"), inner, {f"lisa/{IN}", f"max/{IN}"})
    secret, clear = mail("protected"), mail("decrypted-copy", "X-Clear: yes\n")
    text = lines("protected", "To: zoe@mailkeep.example")
    yield "protected", report(text, secret, clear), secret, {f"zoe/{IN}"}
    yield "decrypted-copy", report(text, secret, clear), clear, {f"zoe/{IN}"}


def copies():
    """(form, octets, folders): mails that are kept as they came."""
    yield "plain", mail("plain"), {f"lisa/{IN}"}
    # Beside the envelope's addresses those of the header count (IF-16).
    octets = b"Return-Path: <john@mailkeep.example>\r\nX-Gm-Original-To: max@mailkeep.example\r\n"
    yield "google", octets + mail("google"), {f"max/{IN}", f"john/{OUT}", f"lisa/{IN}"}
    octets = b"X-Envelope-From: john@mailkeep.example\r\nX-Envelope-To: zoe@mailkeep.example\r\n"
    yield "x-envelope-to", octets + mail("x-envelope-to", to="x@partner.example"), {
        f"zoe/{IN}", f"john/{OUT}"}
    octets = (b"Return-Path: <hans@partner.example>\r\nX-Original-To: lisa@mailkeep.example\r\n"
              b"Delivered-To: journal@archive.example\r\n")
    yield "always_bcc", octets + mail("always_bcc"), {f"lisa/{IN}"}
    for field in ("Cc", "Bcc", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To",
                  "Resent-To", "Resent-Cc", "Resent-Bcc"):
        yield field, mail(f"by-{field}", f"{field}: zoe@mailkeep.example\n",
                          to="x@partner.example"), {f"zoe/{IN}"}
    for field in ("Sender", "Resent-From", "Resent-Sender"):
        yield field, mail(f"by-{field}", f"{field}: john@mailkeep.example\n",
                          to="x@partner.example"), {f"john/{OUT}"}
    broken = report(lines("headless", "To: zoe@mailkeep.example"))
    yield "report without a mail", broken, {f"zoe/{IN}"}
    yield "no mail at all", b"\xff\xfe\x00 Klabautermann\r\n", {CATCHALL}


@test("each form of a report: the mail inside is in its owners' folders, bit for bit")
def _(t):
    t.api = t.begin(USERS)
    t.samples = list(samples())
    t.copies = list(copies())
    send(t, [s[1] for s in t.samples if s[0] != "decrypted-copy"] + [c[1] for c in t.copies])
    t.grant_catchall(t.api)
    t.kept = Kept(t.api)
    for form, _, inner, folders in t.samples:
        assert t.kept.folders.get(sha256(inner)) == folders, (form, t.kept.folders.get(sha256(inner)))


@test("the report around it comes back as it was sent")
def _(t):
    for form, octets, inner, _ in t.samples:
        assert octets in reports(t.api, t.kept.ids[sha256(inner)]), form


@test("routed and plain copies, and what cannot be parsed, are kept whole in the right folder")
def _(t):
    for form, octets, folders in t.copies:
        assert t.kept.folders.get(sha256(octets)) == folders, (form, t.kept.folders.get(sha256(octets)))
    assert len(t.kept.ids) == len(t.samples) + len(t.copies)


@test("what could not be unwrapped or parsed is found, and its flag shown")
def _(t):
    assert t.server.wait_indexed(60)
    web = t.server.web()
    flagged = {octets: form for form, octets, _ in t.copies if form.startswith(("report without", "no mail"))}
    for octets, form in flagged.items():
        mail_id = t.kept.ids[sha256(octets)]
        word = "headless" if form.startswith("report") else "Klabautermann"
        hits = web.json("search", q=word)["items"]
        assert mail_id in {h["id"] for h in hits}, form
        assert web.json(f"messages/{mail_id}")["summary"]["isMalformed"] is True, form
    whole = t.kept.ids[sha256(mail("plain"))]
    assert web.json(f"messages/{whole}")["summary"]["isMalformed"] is False


def truth():
    if CORPUS is None:
        raise Skip("MAILKEEP_CORPUS is not set")
    path = os.path.join(CORPUS, "journal", "derived")
    with open(os.path.join(path, "TRUTH.tsv"), encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE):
            if not os.path.exists(os.path.join(path, row["file"])):
                continue  # packed
            with open(os.path.join(path, row["file"]), "rb") as octets:
                row["octets"] = octets.read()
            row["from"] = [row["sender"], *re.findall("On-Behalf-Of: (.*)", row["note"] or "")]
            row["to"] = [item.split("=", 1)[1].split(", ")[0]
                         for item in row["recipients"].split(";") if "=" in item]
            yield row


def is_address(text):
    return text.count("@") == 1 and not set(text) & set(' ,;<>"') and not text.startswith("@")


# These are kept whole: they are no reports, or there is too little of the mail inside.
WHOLE = ("not-a-journal", "always_bcc", "x-real", "x-envelope")
NESTED = "27-journal-of-a-journal.eml"  # TRUTH.tsv gives the report inside; that is unwrapped too


@test("the derived corpus by SMTP: each line of its truth table")
def _(t):
    rows = list(truth())
    addresses = {a.casefold(): a for row in rows for a in row["from"] + row["to"] if is_address(a)}
    users = {}
    for address in addresses.values():
        users[address.casefold()] = name = f"u{len(users)}"
        t.api("CreateUser", userName=name, privileges="none")
        t.api("SetUserEmailAddresses", userName=name, emailAddresses=address)
        t.api("SetUserPrivilegesOnFolder", userName="admin", folder=name, privileges="read")
    send(t, [row["octets"] for row in rows])
    kept = Kept(t.api)
    wanted = {}  # sha256 -> folders, merged over the reports of one mail
    for row in rows:
        whole = row["inner_sha256"] not in kept.ids or row["form"] in WHOLE
        if whole and row["form"] not in (*WHOLE, "broken") and row["file"] != NESTED:
            raise AssertionError(f"{row['file']}: the mail inside is not there")
        row["sha256"] = sha256(row["octets"]) if whole else row["inner_sha256"]
        folders = {f"{users[a.casefold()]}/{IN}" for a in row["to"] if a.casefold() in users}
        folders |= {f"{users[a.casefold()]}/{OUT}" for a in row["from"] if a.casefold() in users}
        if row["file"] != NESTED:
            wanted.setdefault(row["sha256"], set()).update(folders)
    for row in rows:
        if row["file"] == NESTED:
            continue
        got = kept.folders.get(row["sha256"])
        assert got is not None, f"{row['file']}: lost"
        assert wanted[row["sha256"]] <= got, (row["file"], wanted[row["sha256"]] - got)
        if row["form"] not in (*WHOLE, "broken"):
            spare = got - wanted[row["sha256"]] - {CATCHALL}
            assert not spare, (row["file"], spare)
            assert row["octets"] in reports(t.api, kept.ids[row["sha256"]]), row["file"]
    print(f"# {len(rows)} lines, {len(users)} users, {len(kept.ids)} mails", flush=True)


@test("all of it verifies")
def _(t):
    assert t.server.wait_indexed(60)
    stores = t.api("VerifyStore", id=1, includeIndexes="true")
    assert stores[0]["errors"] == 0, stores
    assert t.server.stop() == 0


main()
