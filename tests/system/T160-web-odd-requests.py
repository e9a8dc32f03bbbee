"""Requests that no honest client makes: methods, paths, fields. Each gets a plain refusal, and the
connection or the next one works on."""

import socket
import ssl

from harness import main, test
from web_visitor import API, basic

PATIENCE_S = 20


class Raw:
    """Octets through TLS, as they are."""

    def __init__(self, port):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        plain = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self.tls = context.wrap_socket(plain)

    def talk(self, octets):
        try:
            self.tls.sendall(octets)
            answer = b""
            while True:
                piece = self.tls.recv(65536)
                if piece == b"":
                    return answer
                answer += piece
        except (ConnectionResetError, BrokenPipeError, ssl.SSLError, TimeoutError):
            return b""
        finally:
            self.tls.close()


def status(answer):
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else None


def ask(t, target, method=b"GET", fields=b"", body=b""):
    return Raw(t.port).talk(method + b" " + target + b" HTTP/1.1\r\nHost: localhost\r\n"
                            b"Connection: close\r\n" + t.authorization + fields + b"\r\n" + body)


def still_serves(t):
    assert t.zoe.ask("GET", API + "folders").status == 200


@test("methods that echo, tunnel or are unknown do nothing")
def _(t):
    t.begin([("zoe", ["zoe@x.example"])])
    t.port = t.server.ports["https"]
    t.zoe = basic(t.port, "zoe", t.passwords["zoe"])
    t.authorization = f"Authorization: {t.zoe.headers['Authorization']}\r\n".encode()
    for method in (b"TRACE", b"TRACK", b"CONNECT", b"DEBUG", b"PROPFIND", b"get", b"GETX", b"PATCH",
                   b"OPTIONS", b"DELETE", b"PUT"):
        answer = ask(t, b"/api/v1/folders", method, b"X-Secret: told-back\r\n")
        assert status(answer) in (400, 404, 405, 501), (method, answer[:80])
        assert b"told-back" not in answer and b"Basic " not in answer, method
    still_serves(t)


FILES = (b"/etc/passwd", b"/proc/self/environ", b"/tls/certificate.pem", b"/mailkeep.yaml", b"/.git/config")
STEPS = (b"..", b"%2e%2e", b"%2E%2E", b".%2e", b"..%2f..", b"%2e%2e%2f%2e%2e", b"..%5c..", b"..\\..",
         b"%252e%252e", b"..;", b"%c0%ae%c0%ae", b"%e0%80%ae%e0%80%ae", b"....//")


@test("no path leads out of the program to a file")
def _(t):
    for start in (b"", b"/assets", b"/api/v1", b"/folder", b"/message"):
        for step in STEPS:
            for file in FILES:
                answer = ask(t, start + b"/" + step + b"/" + step + file)
                assert b"root:" not in answer and b"BEGIN" not in answer and b"data_dir" not in answer
                # Below /folder and the like there is the application's page for whatever stands there.
                assert status(answer) in ((400, 404, 200) if start in (b"/folder", b"/message")
                                          else (400, 404)), (start, step, answer[:60])
    still_serves(t)


@test("no other spelling of a path gets round what guards it")
def _(t):
    secret = ask(t, b"/api/v1/folders").replace(t.authorization, b"")
    assert status(secret) == 200
    nobody, t.authorization = t.authorization, b""
    try:
        for target in (b"//api/v1/folders", b"/api//v1/folders", b"/api/v1//folders", b"/api/v1/./folders",
                       b"/api/v1/x/../folders", b"/api/v1/folders/", b"/API/v1/folders", b"/api/v1/%66olders",
                       b"/api/v1/folders%00", b"/api/v1/folders;a=b", b"/api/v1/folders%20",
                       b"/assets/../api/v1/folders", b"/folder/../api/v1/folders", b"\\api\\v1\\folders",
                       b"/api/v1/folders%2f", b"/%61pi/v1/folders", b"/api%2fv1%2ffolders"):
            answer = ask(t, target)
            assert b'"folders"' not in answer and b'"path"' not in answer, target
            assert status(answer) in (200, 400, 401, 404), (target, answer[:60])
    finally:
        t.authorization = nobody


@test("NUL, overlong and broken UTF-8 in paths and queries are refused")
def _(t):
    for octets in (b"%00", b"a%00b", b"%c0%80", b"%c0%af", b"%e0%80%af", b"%f0%80%80%af", b"%ff", b"%c3%28",
                   b"%ed%a0%80", b"%f4%90%80%80"):
        for target in (b"/" + octets, b"/api/v1/messages/" + octets, b"/api/v1/search?q=" + octets,
                       b"/folder/" + octets):
            assert status(ask(t, target)) == 400, target
    for octets in (b"%", b"%4", b"%zz", b"%u0041"):
        assert status(ask(t, b"/api/v1/messages/" + octets)) in (400, 404), octets


@test("control characters and blanks in the target are refused")
def _(t):
    for octets in (b"\x00", b"\x01", b"\t", b"\x0b", b"\x7f", b" x", b"\r", b"\n"):
        answer = ask(t, b"/api/v1/" + octets + b"folders")
        assert status(answer) in (400, 404, 505, None), octets
        assert b'"folders"' not in answer, octets
    still_serves(t)


@test("encoded line ends come back in no field")
def _(t):
    for target in (b"/api/v1/%0d%0aSet-Cookie:%20a=b", b"/%0d%0aX-Split:%201", b"/folder/a%0d%0aX-Split:%201",
                   b"/api/v1/messages/1:1%0d%0aX-Split:1/raw", b"/api/v1/search?q=%0d%0aX-Split:%201"):
        head = ask(t, target).split(b"\r\n\r\n")[0].lower()
        assert b"x-split" not in head and b"a=b" not in head, target


@test("fields that are too many, too long or of no form end the connection with a refusal")
def _(t):
    for fields, wanted in ((b"X: " + b"a" * 40000 + b"\r\n", 431), (b"X: y\r\n" * 200, 431),
                           (b"Cookie: " + b"mk_session=0; " * 3000 + b"\r\n", 431),
                           (b"X y: z\r\n", 400), (b": z\r\n", 400), (b"X : z\r\n", 400),
                           (b"X: a\r\n b\r\n", 400), (b"X: a\x00b\r\n", 400), (b"X\xff: a\r\n", 400)):
        assert status(ask(t, b"/api/v1/folders", fields=fields)) == wanted, fields[:40]
    still_serves(t)


@test("a length that is no length, and a body of a GET")
def _(t):
    for length in (b"-1", b"+5", b"0x10", b"5 5", b"99999999999999999999", b"1e3", b""):
        answer = ask(t, b"/api/v1/session", b"POST", b"Content-Length: " + length + b"\r\n", b"hello")
        assert status(answer) in (400, 413), (length, answer[:60])
    smuggled = b"GET /api/v1/folders HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = ask(t, b"/", b"GET", b"Content-Length: %d\r\n" % len(smuggled), smuggled)
    assert answer.count(b"HTTP/1.1 ") == 1, "the body is no request"
    still_serves(t)


@test("whatever host or forwarding is claimed, no answer takes it up")
def _(t):
    for field in (b"X-Forwarded-Host: evil.example\r\n", b"X-Original-URL: /api/v1/folders\r\n",
                  b"X-Rewrite-URL: /api/v1/folders\r\n", b"Forwarded: host=evil.example\r\n",
                  b"X-Forwarded-Prefix: /evil\r\n"):
        answer = ask(t, b"/nothing", fields=field)
        assert status(answer) == 404 and b"evil.example" not in answer and b"/evil" not in answer, field
    raw = Raw(t.port).talk(b"GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
    assert b"evil.example" not in raw


@test("a file is what its type says, and HTML only where a page is")
def _(t):
    page = t.zoe.ask("GET", "/")
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    for part in page.body.decode().split('"'):
        if part.startswith("/assets/"):
            answer = t.zoe.ask("GET", part)
            kind = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}[part.rsplit(".")[-1]]
            assert answer.headers["Content-Type"].startswith(kind), part
            assert answer.headers["X-Content-Type-Options"] == "nosniff", part


main()
