"""Every mail, journaled by SMTP as DATA and as BDAT, comes back identical to the octet."""

import base64
import hashlib
import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import samples
from harness import CORPUS, JOURNAL, Skip, VARIANT, all_ids, corpus_mails, main, test
from mailkeep_client import crlf, exchange_report, smtp_connect, smtp_send, smtp_send_bdat

THREADS = 4
sent = {}  # sha256 -> name


def wrap(octets, number):
    return exchange_report(octets, "a@contoso.example", [("To", "lisa@mailkeep.example")],
                           "journaled", f"<{number}@x>", number)


class Shared:
    """An iterator that several threads read."""

    def __init__(self, items):
        self.items, self.lock = iter(items), threading.Lock()

    def __iter__(self):
        return self

    def __next__(self):
        with self.lock:
            return next(self.items)


def in_threads(function, items):
    """Calls function(items) in each of several threads; they share the items."""
    shared = Shared(items)
    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(function, shared) for _ in range(THREADS)]:
            done.result()


def send(t, mails):
    """By turns plain or in a report, by DATA or by BDAT."""
    in_threads(lambda numbered: send_some(t, numbered), enumerate(mails))


def send_some(t, numbered):
    smtp = smtp_connect(t.server.ports["smtp"], t.server.certificate)
    for number, (name, octets) in numbered:
        if not octets:
            continue
        journaled = wrap(octets, number) if number % 2 == 0 else octets
        way = smtp_send if number % 4 < 2 else smtp_send_bdat
        if way is smtp_send and not is_data_safe(journaled):
            way = smtp_send_bdat
        way(smtp, "journal@contoso.example", [JOURNAL], journaled)
        sent[hashlib.sha256(octets).digest()] = name
    smtp.quit()


def is_data_safe(octets):
    """smtplib stuffs dots also behind a bare LF, and DATA must end with CRLF."""
    return b"\n" not in octets.replace(b"\r\n", b"") and octets.endswith(b"\r\n")


@test("own samples are taken")
def _(t):
    t.begin([("lisa", ["lisa@mailkeep.example"])])
    send(t, [(token, octets) for token, _, _, _, _, octets in samples.make(60)])


@test("mails of the corpus are taken, whatever they look like")
def _(t):
    if VARIANT != "release":
        raise Skip("the release run does it; here only samples")
    send(t, ((name, crlf(octets)) for name, octets in corpus_mails("real")))
    send(t, corpus_mails("torture"))


@test("each comes back by the raw route, and there are no others")
def _(t):
    api = t.server.api()
    if "@catchall" in {f["fullName"] for f in api("GetChildFolders")}:
        t.grant_catchall(api)
    back = {}

    def fetch(ids):
        web = t.server.web()
        for message_id in ids:
            back[hashlib.sha256(web.raw(message_id)).digest()] = message_id
    in_threads(fetch, all_ids(api))
    missing = [name for digest, name in sent.items() if digest not in back]
    others = [i for digest, i in back.items() if digest not in sent]
    assert not missing, f"{len(missing)} of {len(sent)} missing: {missing[:10]}"
    assert len(others) <= t_extra(), f"not sent: {others[:10]}"
    t.back = back


def t_extra():
    """The corpus holds a few journal reports of its own: their inner mails come besides."""
    return 60 if CORPUS is not None and VARIANT == "release" else 0


@test("and by GetMessageContent")
def _(t):
    def fetch(some):
        api = t.server.api()
        for digest, message_id in some:
            answer = api("GetMessageContent", id=message_id)
            assert hashlib.sha256(base64.b64decode(answer["content"])).digest() == digest, message_id
    step = max(1, len(t.back) // 1500)
    in_threads(fetch, itertools.islice(t.back.items(), 0, None, step))


@test("the store verifies")
def _(t):
    t.server.api()("VerifyStore", id=1, includeIndexes="true")
    assert t.server.stop() == 0


main()
