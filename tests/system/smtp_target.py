"""A mail server to send to, which can be as bad as a test wants.

    with SmtpTarget(pem, tls="starttls", replies={"RCPT": "550 5.1.1 No such user"}) as target:
        ... target.port, target.mails, target.lines

`replies` takes the place of an answer: a text, or HANG (says nothing more) or DROP (closes). The
key is a verb, "GREETING", "HANDSHAKE" (HANG), "CONTENT" (while the mail comes) or "END" (behind its dot); for
"RCPT" a function of its line will do as well. By itself it is for tests in bash: see main().
"""

import base64
import contextlib
import os
import socket
import ssl
import subprocess
import sys
import threading

HANG, DROP = object(), object()


def make_pem(path, name="localhost"):
    """A self-signed certificate and its key in one file."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-keyout", path, "-out", path + ".crt", "-days", "30", "-subj",
                    f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"],
                   check=True, stderr=subprocess.DEVNULL)
    with open(path, "a") as pem, open(path + ".crt") as certificate:
        pem.write(certificate.read())
    return path


class Gone(Exception):
    pass


class SmtpTarget:
    def __init__(self, pem, tls="starttls", users=None, replies=None,
                 offers=("SIZE 10000000", "8BITMIME", "SMTPUTF8"), mechanisms="PLAIN LOGIN",
                 kept=None):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(pem)
        self.tls, self.users, self.replies = tls, users, replies or {}
        self.offers, self.mechanisms = offers, mechanisms
        self.lines, self.mails, self.threads, self.kept = [], [], [], kept
        self.closing = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def __enter__(self):
        thread = threading.Thread(target=self.accept, daemon=True)
        thread.start()
        return self

    def __exit__(self, *_):
        self.closing.set()
        self.listener.shutdown(socket.SHUT_RDWR)  # or accept() would keep it open
        self.listener.close()
        for thread in self.threads:
            thread.join(10)

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self.serve, args=(connection,), daemon=True)
            thread.start()
            self.threads.append(thread)

    def serve(self, connection):
        connection.settimeout(60)
        with contextlib.suppress(Gone, OSError):
            Session(self, connection).run()
        with contextlib.suppress(OSError):
            connection.close()


class Session:
    def __init__(self, target, connection):
        self.target, self.socket, self.secure = target, connection, False
        self.user = None
        if target.tls == "implicit":
            self.handshake()
        self.file = self.socket.makefile("rb")

    def handshake(self):
        if self.target.replies.get("HANDSHAKE") is HANG:
            self.special(HANG)
        self.socket = self.target.context.wrap_socket(self.socket, server_side=True)
        self.secure = True

    def special(self, what):
        if what is HANG:
            self.target.closing.wait(60)
        raise Gone

    def say(self, text):
        self.socket.sendall(text.encode("utf-8", "surrogateescape") + b"\r\n")

    def answer(self, key, text, line=""):
        """True: it is the usual one."""
        other = self.target.replies.get(key)
        if callable(other):
            other = other(line)
        if other is HANG or other is DROP:
            self.special(other)
        self.say(text if other is None else other)
        return other is None or other[0] == "2"

    def line(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise Gone
        return line[:-2].decode("utf-8", "surrogateescape")

    def run(self):
        self.answer("GREETING", "220 target.example ESMTP")
        while True:
            line = self.line()
            self.target.lines.append(line)
            verb = line.split(" ")[0].upper()
            getattr(self, "do_" + verb)(line)

    def do_EHLO(self, _):
        offers = list(self.target.offers)
        if self.target.tls == "starttls" and not self.secure:
            offers.append("STARTTLS")
        if self.target.users and (self.secure or self.target.tls == "clear-auth"):
            offers.append("AUTH " + self.target.mechanisms)
        lines = ["target.example greets"] + offers
        self.answer("EHLO", "\r\n".join(f"250-{l}" for l in lines[:-1]) +
                    ("\r\n" if len(lines) > 1 else "") + f"250 {lines[-1]}")

    def do_STARTTLS(self, _):
        if self.answer("STARTTLS", "220 go ahead"):
            self.file.close()
            self.handshake()
            self.file = self.socket.makefile("rb")

    def ask(self, text):
        self.say("334 " + base64.b64encode(text.encode()).decode())
        return base64.b64decode(self.line()).decode()

    def do_AUTH(self, line):
        words = line.split(" ")
        self.target.lines[-1] = "AUTH " + words[1]
        if words[1] == "PLAIN":
            text = base64.b64decode(words[2]).decode() if len(words) > 2 else self.ask("")
            _, user, password = text.split("\0")
        else:
            user, password = self.ask("Username:"), self.ask("Password:")
        good = (self.target.users or {}).get(user) == password
        if self.answer("AUTH", "235 2.7.0 good" if good else "535 5.7.8 Authentication failed") and good:
            self.user = user

    def do_MAIL(self, line):
        self.mail = {"from": line, "to": [], "user": self.user, "secure": self.secure}
        self.answer("MAIL", "250 2.1.0 ok")

    def do_RCPT(self, line):
        if self.answer("RCPT", "250 2.1.5 ok", line):
            self.mail["to"].append(line)

    def do_DATA(self, _):
        self.answer("DATA", "354 go on")
        lines = []
        while True:
            if "CONTENT" in self.target.replies and len(lines) > 3:
                self.answer("CONTENT", "")
            line = self.file.readline()
            if not line:
                raise Gone
            if line == b".\r\n":
                break
            lines.append(line[1:] if line.startswith(b".") else line)
        self.mail["data"] = b"".join(lines)
        if "END" not in self.target.replies:
            self.target.mails.append(self.mail)  # before the client can know
            if self.target.kept:
                self.target.kept(self.target)
        self.answer("END", "250 2.0.0 taken")

    def do_QUIT(self, _):
        self.say("221 bye")
        raise Gone


def main(folder):
    """By itself, for tests in bash: its port in FOLDER/port, each mail in FOLDER/1.eml ..., until its input ends."""
    def keep(target):
        for number, mail in enumerate(target.mails, 1):
            path = os.path.join(folder, f"{number}.eml")
            if not os.path.exists(path):
                with open(path + ".new", "wb") as file:
                    file.write(mail["data"])
                os.rename(path + ".new", path)

    refused = {"RCPT": lambda line: "550 5.1.1 No such user here" if "nobody@" in line else None}
    with SmtpTarget(make_pem(os.path.join(folder, "target.pem")), replies=refused, kept=keep) as target:
        with open(os.path.join(folder, "port"), "w") as file:
            file.write(str(target.port))
        sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1])
