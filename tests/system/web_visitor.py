"""Someone who asks the web API: by HTTP Basic, by a cookie with its CSRF token, or as nobody."""

import base64
import http.client
import json
import re
import ssl

API = "/api/v1/"


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def json(self):
        return json.loads(self.body)


class Visitor:
    """One keep-alive connection; @address is where it comes from (127.0.0.0/8 is all ours)."""

    def __init__(self, port, headers=None, address="127.0.0.1"):
        self.port, self.address = port, address
        self.headers = dict(headers or {})
        self.connection = None
        self.token = None  # CSRF

    def ask(self, method, path, body=None, headers=None):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        for attempt in (1, 2):
            if self.connection is None:
                self.connection = http.client.HTTPSConnection(
                    "127.0.0.1", self.port, context=context, timeout=120,
                    source_address=(self.address, 0))
            try:
                self.connection.request(method, path, body, {**self.headers, **(headers or {})})
                answer = Answer(self.connection.getresponse())
                if answer.headers.get("Connection", "").lower() == "close":
                    self.close()
                return answer
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError,
                    ssl.SSLEOFError):  # kept alive for longer than the server waits
                self.close()
                if attempt == 2:
                    raise

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def post_json(self, path, value, headers=None):
        return self.ask("POST", API + path, json.dumps(value),
                        {"Content-Type": "application/json", **(headers or {})})


def basic(port, user, password, address="127.0.0.1"):
    secret = base64.b64encode(f"{user}:{password}".encode()).decode()
    return Visitor(port, {"Authorization": "Basic " + secret}, address)


def cookie_of(answer):
    """The session's token in a Set-Cookie, or None."""
    found = re.match(r"mk_session=([0-9a-f]{64});", answer.headers.get("Set-Cookie", ""))
    return found.group(1) if found else None


def logged_in(port, user, password, address="127.0.0.1"):
    """By cookie; sends its CSRF token with everything."""
    visitor = Visitor(port, address=address)
    answer = visitor.post_json("session", {"userName": user, "password": password})
    assert answer.status == 200, (user, answer.status, answer.body)
    visitor.token = answer.json()["csrfToken"]
    visitor.headers = {"Cookie": "mk_session=" + cookie_of(answer), "X-CSRF-Token": visitor.token}
    return visitor
