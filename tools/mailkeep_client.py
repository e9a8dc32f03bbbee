"""What the demo and the system tests need of a mail server and of the archive's clients.

Standard library only. TLS is verified against the archive's own certificate.
"""

import base64
import http.client
import json
import re
import smtplib
import ssl
import urllib.parse


def tls_context(certificate):
    """A client's context that trusts just this certificate."""
    context = ssl.create_default_context(cafile=certificate)
    context.check_hostname = True
    return context


class Failure(Exception):
    """A call was answered with an error."""


class Http:
    """One keep-alive HTTPS connection with HTTP Basic; opened again when the server closed it."""

    def __init__(self, port, certificate, user, password, host="localhost", timeout=120):
        self.address = (host, port)
        self.context = tls_context(certificate)
        self.timeout = timeout
        secret = base64.b64encode(f"{user}:{password}".encode()).decode()
        self.headers = {"Authorization": "Basic " + secret}
        self.connection = None

    def request(self, method, path, body=None, headers=None):
        for attempt in (1, 2):
            if self.connection is None:
                self.connection = http.client.HTTPSConnection(
                    *self.address, context=self.context, timeout=self.timeout)
            try:
                self.connection.request(method, path, body, {**self.headers, **(headers or {})})
                response = self.connection.getresponse()
                return response.status, response.headers, response.read()
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                self.connection = None
                if attempt == 2:
                    raise


class Api(Http):
    """The Administration API."""

    def post(self, path, arguments):
        body = urllib.parse.urlencode({k: v for k, v in arguments.items() if v is not None})
        status, _, data = self.request(
            "POST", "/api/" + path, body, {"Content-Type": "application/x-www-form-urlencoded"})
        if status != 200:
            raise Failure(f"{path}: HTTP {status}")
        return json.loads(data.decode("utf-8-sig"))

    def __call__(self, function, **arguments):
        """The function's result; a long-running one is waited for."""
        answer = self.post("invoke/" + function, arguments)
        while answer["statusCode"] == "running":
            answer = self.post("get-status", {
                "token": answer["token"], "millisecondsTimeout": 5000,
                "lastKnownStatusVersion": answer["statusVersion"]})
        if answer["error"] is not None:
            raise Failure(f"{function}: {answer['error']['message']}")
        return answer["result"]


class Web(Http):
    """The web application's routes."""

    def get(self, path, **query):
        path = "/api/v1/" + path
        if query:
            path += "?" + urllib.parse.urlencode(query)
        status, _, data = self.request("GET", path)
        if status != 200:
            raise Failure(f"{path}: HTTP {status}")
        return data

    def json(self, path, **query):
        return json.loads(self.get(path, **query))

    def raw(self, message_id):
        return self.get(f"messages/{message_id}/raw")


def crlf(mail):
    """A mail with the line ends of SMTP."""
    return re.sub(rb"\r?\n", b"\r\n", mail)


def exchange_report(mail, sender, recipients, subject, message_id, number):
    """A mail as an Exchange envelope journal report: @recipients are (type, address)."""
    boundary = f"_{number:08x}-9aa9-8654-e3ba-533dc506a1e8_"
    lines = [
        "From: <journal@contoso.example>",
        "To: <journal@archive.example>",
        "Subject: Journal report",
        f"Message-ID: <{number:08x}@journal.report.generator>",
        "MIME-Version: 1.0",
        "X-MS-Journal-Report:",
        "Content-Type: multipart/mixed;",
        f'\tboundary="{boundary}"',
        "",
        f"--{boundary}",
        'Content-Type: text/plain; charset="us-ascii"',
        "Content-Transfer-Encoding: 7bit",
        "",
        f"Sender: {sender}",
        f"Subject: {subject}",
        f"Message-Id: {message_id}",
        *(f"{kind}: {address}" for kind, address in recipients),
        "",
        f"--{boundary}",
        "Content-Type: message/rfc822",
        "",
        "",
    ]
    head = "\r\n".join(lines).encode("ascii", "replace")
    return head + mail + f"\r\n--{boundary}--\r\n".encode()


def smtp_connect(port, certificate=None, host="localhost", timeout=120):
    """A session, with STARTTLS when there is a certificate to check."""
    session = smtplib.SMTP(host, port, "client.example", timeout=timeout)
    if certificate is not None:
        session.starttls(context=tls_context(certificate))
    session.ehlo()
    return session


def smtp_send(session, sender, recipients, mail):
    """Sends exact octets by DATA; raises what the server refused."""
    refused = session.sendmail(sender, recipients, mail, ["BODY=8BITMIME"])
    if refused:
        raise Failure(f"refused: {len(refused)} recipients")


def smtp_send_bdat(session, sender, recipients, mail, chunk=65536):
    """The same by BDAT (RFC 3030)."""
    for command in [f"MAIL FROM:<{sender}> BODY=8BITMIME",
                    *(f"RCPT TO:<{r}>" for r in recipients)]:
        code, text = session.docmd(command)
        if code != 250:
            raise Failure(f"{code} {text!r}")
    pieces = [mail[i:i + chunk] for i in range(0, len(mail), chunk)] or [b""]
    for number, piece in enumerate(pieces):
        last = " LAST" if number == len(pieces) - 1 else ""
        session.send(f"BDAT {len(piece)}{last}\r\n".encode() + piece)
        code, text = session.getreply()
        if code != 250:
            raise Failure(f"{code} {text!r}")
