"""make demo: start an empty archive, send it mail as a company's server would, search, compare.

The half of the mails goes in as Exchange journal reports, the other half as plain copies, all by
SMTP with STARTTLS over four sessions.
"""

import argparse
import email
import email.utils
import glob
import hashlib
import os
import queue
import re
import signal
import statistics
import sys
import threading
import time

import samples
from mailkeep_client import crlf, exchange_report, smtp_connect, smtp_send
from mailkeep_server import Server, disk_bytes, make_password

JOURNAL = "journal@archive.example"
SESSIONS = 4
COMPARED = 500
QUERIES = {"corpus": ("linux", "from:linux.ie", '"mailing list"'),
           "samples": ("Rechnung", "from:lisa@mailkeep.example", "deliver*")}
# who gets an archive in the demo: name, full name, addresses that stand in the corpus
USERS = [
    ("justin", "Justin", ["yyyy@spamassassin.taint.org", "zzzz@spamassassin.taint.org",
                          "jm@jmason.org", "yyyy@example.com"]),
    ("fork", "Friends of Rohit Khare", ["fork@spamassassin.taint.org", "fork@xent.com",
                                        "fork@example.com"]),
    ("ilug", "Irish Linux Users", ["ilug@linux.ie", "ilug@example.com"]),
    ("lisa", "Lisa Maier", ["lisa@mailkeep.example"]),
]


def say(text=""):
    print(text, flush=True)


class Mail:
    """One mail with the envelope that its header suggests."""

    def __init__(self, octets):
        self.octets = octets
        head = email.message_from_bytes(octets.split(b"\r\n\r\n", 1)[0] + b"\r\n\r\n")
        self.sender = self.addresses(head, "From")[:1]
        self.recipients = ([("To", a) for a in self.addresses(head, "To")] +
                           [("Cc", a) for a in self.addresses(head, "Cc")])[:50]
        # A report names at least the mailbox that got the mail.
        self.recipients = self.recipients or [("Recipient", USERS[0][2][0])]
        self.subject = "".join(c for c in str(head.get("Subject", "")) if " " <= c <= "~")[:200]
        self.message_id = str(head.get("Message-ID", "<none>")).strip().split("\n")[0][:200]

    @staticmethod
    def addresses(head, name):
        found = email.utils.getaddresses([str(v) for v in head.get_all(name, [])])
        return [a for _, a in found if re.fullmatch(r"[!-~]+@[!-~]+", a)]


def load(path):
    files = sorted(glob.glob(os.path.join(path, "*", "*.txt")))
    if files:
        say(f"{len(files)} mails of the SpamAssassin corpus")
        for name in files:
            with open(name, "rb") as mail:
                octets = crlf(mail.read())
            yield Mail(octets if octets.endswith(b"\r\n") else octets + b"\r\n")
        return
    say("600 made-up mails")
    for *_, octets in samples.make(600):
        yield Mail(octets)


def set_up(api):
    for name, full_name, addresses in USERS:
        api("CreateUser", userName=name, privileges="login", fullName=full_name)
        api("SetUserEmailAddresses", userName=name, emailAddresses=",".join(addresses))
        api("SetUserPassword", userName=name, password=make_password())
        api("SetUserPrivilegesOnFolder", userName=name, folder=name, privileges="read")
        api("SetUserPrivilegesOnFolder", userName="admin", folder=name, privileges="read")
    api("CreateGatewayMailbox", address=JOURNAL, name="Journal")


def as_sent(number, mail):
    """Every second mail as it leaves Exchange, the others as a plain copy."""
    if number % 2 == 0:
        return exchange_report(mail.octets, (mail.sender or [""])[0], mail.recipients,
                               mail.subject, mail.message_id, number)
    return mail.octets


def send_all(server, mails):
    work = queue.Queue()
    for item in enumerate(mails):
        work.put(item)
    counts = {"done": 0, "octets": 0}
    failures = []
    lock = threading.Lock()

    def session():
        try:
            smtp = smtp_connect(server.ports["smtp"], server.certificate)
            while True:
                try:
                    number, mail = work.get_nowait()
                except queue.Empty:
                    break
                octets = as_sent(number, mail)
                smtp_send(smtp, "journal@contoso.example", [JOURNAL], octets)
                with lock:
                    counts["done"] += 1
                    counts["octets"] += len(octets)
            smtp.quit()
        except Exception as failure:  # shown below; the demo has then failed
            failures.append(f"{type(failure).__name__}: {failure}")

    threads = [threading.Thread(target=session, daemon=True) for _ in range(SESSIONS)]
    began = time.monotonic()
    for t in threads:
        t.start()
    while any(t.is_alive() for t in threads):
        time.sleep(0.5)
        print(f"\r  {counts['done']:6d} of {len(mails)} mails durable, "
              f"{time.monotonic() - began:5.1f} s", end="", flush=True)
    say()
    return counts, time.monotonic() - began, failures


def search_times(api, query):
    times = []
    total = 0
    for _ in range(11):
        began = time.perf_counter()
        total = api("SearchMessages", query=query, limit=50)["total"]
        times.append((time.perf_counter() - began) * 1000)
    return total, statistics.median(times), max(times)


def all_ids(api):
    ids = set()
    for folder in api("GetChildFolders"):
        ids.update(m["id"] for m in api("GetMessages", folder=folder["fullName"]))
    return sorted(ids, key=lambda i: int(i.split(":")[1]))


def compare(server, ids, mails):
    """Fetches some of all mails back; each must be one of those sent, to the octet."""
    sent = {hashlib.sha256(m.octets).digest() for m in mails}
    step = max(1, len(ids) // COMPARED)
    web = server.web()
    some = ids[::step]
    good = sum(hashlib.sha256(web.raw(i)).digest() in sent for i in some)
    return good, len(some), len(sent)


class Checks:
    def __init__(self):
        self.all_held = True

    def __call__(self, text, held):
        say(f"  {'ok    ' if held else 'FAILED'}  {text}")
        self.all_held = self.all_held and held


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--mails", required=True)
    parser.add_argument("--once", action="store_true")
    arguments = parser.parse_args()

    def on_signal(*_):
        raise KeyboardInterrupt
    signal.signal(signal.SIGTERM, on_signal)
    server = Server(arguments.bin, os.path.abspath(arguments.work))
    try:
        return run(server, arguments)
    except KeyboardInterrupt:
        say("\nStopping.")
        return 130
    finally:
        server.stop()


def run(server, arguments):
    check = Checks()
    mails = list(load(arguments.mails))
    say("Starting with an empty data directory ...")
    server.init()
    server.start()
    api = server.api()
    set_up(api)
    say(f"Sending to {JOURNAL} on port {server.ports['smtp']} with STARTTLS, {SESSIONS} sessions:")
    counts, seconds, failures = send_all(server, mails)
    caught_up = server.wait_indexed()
    catchall = any(f["fullName"] == "@catchall" for f in api("GetChildFolders"))
    if catchall:
        api("SetUserPrivilegesOnFolder", userName="admin", folder="@catchall", privileges="read")
    ids = all_ids(api)
    good, compared, distinct = compare(server, ids, mails)

    say("Searches (median and longest of 11, as a client sees them, API and TLS included):")
    found_all = True
    for query in QUERIES["corpus" if os.path.isdir(arguments.mails) else "samples"]:
        total, median, longest = search_times(api, query)
        found_all = found_all and total > 0
        say(f"  {query:28} {total:6d} mails   {median:6.1f} ms   {longest:6.1f} ms")

    disk = disk_bytes(os.path.join(server.data, "stores", "default", "content"))
    disk += disk_bytes(os.path.join(server.data, "stores", "default", "catalog"))
    index = disk_bytes(os.path.join(server.data, "stores", "default", "index"))
    say("Summary:")
    say(f"  {counts['done']} mails, {counts['octets'] / 1e6:.1f} MB received in {seconds:.1f} s "
        f"({counts['done'] / seconds:.0f} a second, each durable before its 250)")
    say(f"  {disk / counts['octets'] if counts['octets'] else 0:.2f} octets on disk per octet "
        f"received, and {index / max(1, counts['octets']):.2f} for the index")
    check(f"all {len(mails)} mails were answered with 250", counts["done"] == len(mails))
    for failure in failures[:5]:
        say(f"          {failure}")
    check(f"{distinct} different mails were sent, {len(ids)} are kept", distinct == len(ids))
    check(f"{good} of {compared} fetched back are identical to the octet",
          good == compared and compared > 0)
    check("the index has caught up", caught_up)
    check("each search found mails", found_all)
    try:
        api("VerifyStore", id=1, includeIndexes="true")
        check("VerifyStore found no errors", True)
    except Exception as failure:
        check(f"VerifyStore: {failure}", False)
    if arguments.once:
        return 0 if check.all_held else 1
    say()
    say(f"  https://localhost:{server.ports['https']}/   user admin, password {server.password}")
    say(f"  mailkeep --h=localhost:{server.ports['api']} --u=admin   (management shell)")
    say("Running until Ctrl-C.")
    server.process.wait()
    return 0 if check.all_held else 1


if __name__ == "__main__":
    sys.exit(main())
