"""Many at once, idle ones, vanishing ones; the limit of connections; the stop."""

import time

from harness import JOURNAL, PATIENCE, main, test
from smtp_raw import Smtp, mails, silence


def wait_until(what, seconds=20 * PATIENCE):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


@test("100 idle connections do not keep anybody from sending")
def _(t):
    t.server.settings = "limits: {connections: 120}\n"
    t.api = t.begin()
    t.idle = [Smtp(t.server.ports["smtp"]) for _ in range(100)]
    assert {smtp.code() for smtp in t.idle} == {"220"}
    began = time.monotonic()
    for number in range(20):
        smtp = Smtp(t.server.ports["smtp"]).begin(JOURNAL)
        assert smtp.say("DATA") == "354"
        smtp.send(f"Subject: {number}\r\n\r\nx\r\n.\r\nQUIT\r\n")
        assert smtp.codes(2) == ["250 2.0.0", "221 2.0.0"]
        smtp.close()
    assert time.monotonic() - began < 20 * PATIENCE
    assert len(mails(t)) == 20
    assert t.server.metric("smtp_sessions") >= 100


@test("who comes when the house is full gets 421, and all is well when somebody has left")
def _(t):
    wait_until(lambda: t.server.metric("smtp_sessions") == 100)
    more = [Smtp(t.server.ports["smtp"]) for _ in range(20)]
    assert {smtp.code() for smtp in more} == {"220"}
    late = Smtp(t.server.ports["smtp"])
    assert late.code() == "421 4.3.2"
    assert late.is_closed()
    for smtp in more + t.idle[10:]:
        smtp.close()
    del t.idle[10:]
    wait_until(lambda: t.server.metric("smtp_sessions") == 10)
    assert Smtp(t.server.ports["smtp"]).code() == "220"


@test("mails that break off leave nothing, wherever it happens")
def _(t):
    before = len(mails(t))
    talk = f"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<{JOURNAL}>\r\nDATA\r\nSubject: cut\r\n\r\nbody\r\n.\r"
    for length in range(0, len(talk) + 1, 3):
        smtp = Smtp(t.server.ports["smtp"])
        smtp.send(talk[:length])
        smtp.close()
    for size in (1, 100000, 3000000):
        smtp = Smtp(t.server.ports["smtp"]).begin(JOURNAL)
        smtp.send(f"BDAT {size + 1} LAST\r\n" + "x" * size)
        smtp.close()
    wait_until(lambda: t.server.metric("smtp_sessions") == 10)
    assert len(mails(t)) == before


@test("a sender who drips is served like any other, as long as he is not too slow")
def _(t):
    smtp = Smtp(t.server.ports["smtp"]).begin(JOURNAL)
    assert smtp.say("DATA") == "354"
    for _ in range(10):
        smtp.send("drip\r\n")
        time.sleep(0.1)
    assert silence(smtp, 0.1)
    smtp.send(".\r\n")
    assert smtp.code() == "250 2.0.0"


@test("the stop: 421 to those who wait, the mail under way is finished")
def _(t):
    busy = Smtp(t.server.ports["smtp"]).begin(JOURNAL)
    assert busy.say("DATA") == "354"
    t.server.process.terminate()
    for smtp in t.idle:
        assert smtp.code() == "421 4.3.2"
        assert smtp.is_closed()
    busy.send("Subject: last\r\n\r\nx\r\n.\r\n")
    assert busy.codes(2) == ["250 2.0.0", "421 4.3.2"]
    assert busy.is_closed()
    assert t.server.process.wait(timeout=30 * PATIENCE) == 0


main()
