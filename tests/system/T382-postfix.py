"""Restoring through a real Postfix: STARTTLS, what it delivers is the mail, what it refuses is told."""

import glob
import json
import os
import pwd
import shutil
import socket
import subprocess
import sys
import time

from harness import JOURNAL, PATIENCE, main, test
from mailkeep_client import smtp_connect, smtp_send_bdat
from smtp_target import make_pem

PROGRAM = "/usr/lib/postfix/sbin/master"
if not os.path.exists(PROGRAM) or os.geteuid() != 0:
    print("1..0 # SKIP needs Postfix (tools/deps.sh bench), and root for it")
    sys.exit(0)

MAIN = """\
compatibility_level = 3.6
myhostname = mx.x.example
mydestination =
mynetworks =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
virtual_mailbox_domains = x.example
virtual_mailbox_base = {dir}/mail
virtual_mailbox_maps = inline:{{{{anna@x.example=anna/}}}}
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
smtpd_relay_restrictions = reject_unauth_destination
smtpd_tls_security_level = encrypt
smtpd_tls_chain_files = {dir}/chain.pem
local_header_rewrite_clients =
message_size_limit = 100000
virtual_mailbox_limit = 0
queue_directory = {dir}/queue
data_directory = {dir}/data
maillog_file =
"""
MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
proxymap  unix  - - n - - proxymap
virtual   unix  - n n - - virtual
error     unix  - - n - - error
retry     unix  - - n - - error
anvil     unix  - - n - 1 anvil
"""
MAILS = {
    "ugly": b"From: a@b.example\r\nTo: anna@x.example\r\nSubject: =?utf-8?q?=C3=BCgly?= \xc3\xbc\r\n\r\n"
            b".\r\n..dots\r\n. \r\nGr\xfc\xdfe\r\n" + b"x" * 900 + b"\r\n\r\n\r\n",
    "bare": b"From: a@b.example\r\nTo: anna@x.example\r\nSubject: bare\r\n\r\none\n.\nMAIL FROM:<x@x.example>\r.\r\ntwo\r\n",
    "large": b"From: a@b.example\r\nTo: anna@x.example\r\nSubject: large\r\n\r\n" + b"y" * 70 * 1500 + b"\r\n",
}


def settings(t, **more):
    t.api("SetSmtpSettings", settings=json.dumps({
        "hostname": "localhost", "port": t.port, "protocol": "SMTP-TLS", "ignoreSslPolicyErrors": True,
        "fromEmailAddress": "archive@x.example", "recipientEmailAddress": "anna@x.example"} | more))


def restore(t, name, to="anna@x.example"):
    status, _, answer = t.anna.request("POST", f"/api/v1/messages/{t.ids[name]}/restore",
                                       json.dumps({"to": to}).encode(), {"Content-Type": "application/json"})
    return status, json.loads(answer)["error"] if answer else None


def eventually(what, seconds=30):
    end = time.time() + seconds * PATIENCE
    while not what():
        assert time.time() < end
        time.sleep(0.1)


def answers(t):
    try:
        socket.create_connection(("127.0.0.1", t.port), 1).close()
        return True
    except OSError:
        return False


def delivered(t):
    return sorted(glob.glob(os.path.join(t.dir, "mail/anna/new/*")))


def take(t, count):
    eventually(lambda: len(delivered(t)) >= count)
    mails = []
    for path in delivered(t):
        with open(path, "rb") as file:
            mails.append(file.read())
        os.unlink(path)
    assert len(mails) == count
    return mails


@test("Postfix and the archive are there")
def _(t):
    t.api = t.begin([("anna", ["anna@x.example"])])
    smtp = smtp_connect(t.server.ports["smtp"])
    for mail in MAILS.values():
        smtp_send_bdat(smtp, "j@x.example", [JOURNAL], mail)
    smtp.quit()
    assert t.server.wait_indexed(60)
    t.anna = t.server.web("anna", t.passwords["anna"])
    raws = {t.anna.raw(i["id"]): i["id"] for i in t.anna.json("messages")["items"]}
    t.ids = {name: raws[mail] for name, mail in MAILS.items()}
    os.chmod(t.work, 0o755)
    t.dir = os.path.join(t.work, "postfix")
    user = pwd.getpwnam("nobody")
    for folder in ("", "queue", "data", "mail"):
        os.mkdir(os.path.join(t.dir, folder))
    shutil.chown(os.path.join(t.dir, "data"), "postfix")
    shutil.chown(os.path.join(t.dir, "mail"), user.pw_uid, user.pw_gid)
    make_pem(os.path.join(t.dir, "chain.pem"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        t.port = free.getsockname()[1]
    for name, text in (("main.cf", MAIN), ("master.cf", MASTER)):
        with open(os.path.join(t.dir, name), "w") as file:
            file.write(text.format(dir=t.dir, port=t.port, uid=user.pw_uid, gid=user.pw_gid))
    subprocess.run(["postfix", "-c", t.dir, "check"], check=True, stderr=subprocess.DEVNULL)
    t.postfix = subprocess.Popen([PROGRAM, "-c", t.dir, "-d"], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
    eventually(lambda: answers(t))
    settings(t)


def without_trace(mail):
    """What Postfix has put before it, off; its files have LF."""
    lines = mail.split(b"\n")
    while lines[0].startswith((b"Return-Path:", b"Delivered-To:", b"X-Original-To:", b"Received:", b"\t", b" ")):
        lines.pop(0)
    return b"\n".join(lines)


@test("the mail that comes out is the one that went in")
def _(t):
    assert restore(t, "ugly") == (204, None)
    assert without_trace(take(t, 1)[0]) == MAILS["ugly"].replace(b"\r\n", b"\n")


@test("bare line ends smuggle nothing")
def _(t):
    assert restore(t, "bare") == (204, None)
    assert without_trace(take(t, 1)[0]) == MAILS["bare"].replace(b"\r\n", b"\n").replace(b"\r", b"\n")


@test("the test mail arrives")
def _(t):
    t.api("TestSmtpSettings")
    mail = take(t, 1)[0]
    assert b"\nSubject: =?UTF-8?B?" in mail or b"\nSubject: Mailkeep" in mail
    assert b"Return-Path: <archive@x.example>" in mail


@test("what Postfix refuses is told in its words")
def _(t):
    for name, to, words in (("ugly", "bob@else.example", "Relay access denied"),
                            ("ugly", "bob@x.example", "User unknown"), ("large", "anna@x.example", "100000")):
        status, error = restore(t, name, to)
        assert status == 502 and error["code"] == "refused" and words in error["message"], error
    settings(t, protocol="SMTP")
    assert "Must issue a STARTTLS" in restore(t, "ugly")[1]["message"]
    settings(t, ignoreSslPolicyErrors=False)
    assert restore(t, "ugly")[1]["code"] == "tls"
    settings(t, authenticationRequired=True, username="u", password="p")
    assert "no login" in restore(t, "ugly")[1]["message"]
    settings(t, protocol="SMTP-SSL")
    status, error = restore(t, "ugly")
    assert (status, error["code"]) == (502, "tls"), error
    assert delivered(t) == []


@test("Postfix ends")
def _(t):
    t.postfix.terminate()
    t.postfix.wait(30)


main()
