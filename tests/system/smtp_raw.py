"""An SMTP client that says exactly the octets it is told to, and cannot be talked out of it."""

import base64
import socket
import ssl
import time

from harness import PATIENCE, all_ids
from mailkeep_client import tls_context


class Smtp:
    """One connection. Replies are (code, enhanced status or "", text of all lines)."""

    def __init__(self, port, certificate=None, timeout=20 * PATIENCE):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.file = None
        self.buffer = b""
        if certificate:
            self.secure(certificate)

    def secure(self, certificate):
        self.socket = tls_context(certificate).wrap_socket(self.socket,
                                                           server_hostname="localhost")

    def send(self, octets):
        self.socket.sendall(octets if isinstance(octets, bytes) else octets.encode())

    def line(self):
        while b"\r\n" not in self.buffer:
            data = self.socket.recv(65536)
            if not data:
                raise EOFError(f"the server has closed; last octets: {self.buffer!r}")
            self.buffer += data
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line.decode()

    def reply(self):
        lines = [self.line()]
        while lines[-1][3:4] == "-":
            lines.append(self.line())
        first = lines[-1][4:].split(" ")[0]
        status = first if first.count(".") == 2 and first[0].isdigit() else ""
        return int(lines[0][:3]), status, "\n".join(line[4:] for line in lines)

    def code(self):
        code, status, _ = self.reply()
        return f"{code} {status}".strip()

    def codes(self, count):
        return [self.code() for _ in range(count)]

    def say(self, line):
        """One command and its reply's code."""
        self.send(line + "\r\n")
        return self.code()

    def begin(self, recipient, sender="s@contoso.example"):
        """Greeting to RCPT."""
        assert self.code() == "220"
        assert self.say("EHLO client.example") == "250"
        assert self.say(f"MAIL FROM:<{sender}>") == "250 2.1.0"
        assert self.say(f"RCPT TO:<{recipient}>") == "250 2.1.5"
        return self

    def is_closed(self, seconds=10 * PATIENCE):
        """Whether the server ends the connection; what it still says is thrown away."""
        self.socket.settimeout(seconds)
        try:
            while self.socket.recv(65536):
                pass
            return True
        except ssl.SSLError:
            return True
        except socket.timeout:
            return False
        except ConnectionError:
            return True

    def close(self):
        self.socket.close()


def silence(smtp, seconds=0.3):
    """True when nothing comes for a while."""
    end = time.monotonic() + seconds
    smtp.socket.settimeout(seconds)
    try:
        return smtp.buffer == b"" and smtp.socket.recv(1) is None
    except socket.timeout:
        return time.monotonic() >= end - 0.05
    finally:
        smtp.socket.settimeout(20 * PATIENCE)


def mails(t):
    """Id and octets of all that is kept: nobody owns these mails, they are in the catch-all."""
    if t.api("GetChildFolders", maxLevels=1):
        t.grant_catchall(t.api)
    return {i: base64.b64decode(t.api("GetMessageContent", id=i)["content"])
            for i in all_ids(t.api)}
