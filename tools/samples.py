"""Mails made up for demo and tests when no corpus is at hand: deterministic, in several languages
and forms, some with attachments that repeat."""

import base64
import random

PEOPLE = [
    ("Lisa Maier", "lisa@mailkeep.example"),
    ("Michael Müller", "michael@mailkeep.example"),
    ("John Doe", "john@mailkeep.example"),
    ("ZDNet", "news@zdnet.example"),
    ("Versand", "versand@example.com"),
    ("Zoë Łukasz", "zoe@partner.example"),
]
WORDS = {
    "en": "the meeting invoice contract delivery project update please find attached report "
          "customer order number payment schedule review office price offer thanks".split(),
    "de": "die Rechnung Lieferung Vertrag Besprechung Angebot Kunde bitte Anhang Zahlung Auftrag "
          "Nummer Übersicht Größe Straße Termin Woche vielen Dank".split(),
}


def _encode_word(text):
    if text.isascii():
        return text
    return "=?utf-8?B?" + base64.b64encode(text.encode()).decode() + "?="


def _text(rng, language, token):
    words = [rng.choice(WORDS[language]) for _ in range(rng.randint(30, 400))]
    words.insert(rng.randrange(len(words)), token)
    lines = [" ".join(words[i:i + 10]) for i in range(0, len(words), 10)]
    return "\r\n".join(lines) + "\r\n"


def _attachment(rng, pool):
    data, name = rng.choice(pool)
    body = base64.b64encode(data).decode()
    lines = "\r\n".join(body[i:i + 76] for i in range(0, len(body), 76))
    return (f'Content-Type: application/octet-stream; name="{name}"\r\n'
            "Content-Transfer-Encoding: base64\r\n"
            f'Content-Disposition: attachment; filename="{name}"\r\n\r\n{lines}\r\n')


def make(count, seed=1):
    """Yields (token, sender, recipients, subject, message_id, octets with CRLF)."""
    rng = random.Random(seed)
    pool = [(rng.randbytes(rng.randint(2000, 40000)), f"plan-{i}.bin") for i in range(12)]
    for number in range(count):
        token = f"tok{seed}x{number:06d}q"
        language = rng.choice(("en", "de"))
        sender = rng.choice(PEOPLE)
        to = rng.sample(PEOPLE, rng.randint(1, 3))
        subject = " ".join(rng.choice(WORDS[language]) for _ in range(rng.randint(2, 7)))
        message_id = f"<{token}@samples.example>"
        header = [
            f"From: {_encode_word(sender[0])} <{sender[1]}>",
            "To: " + ",\r\n\t".join(f"{_encode_word(n)} <{a}>" for n, a in to),
            f"Subject: {_encode_word(subject)}",
            f"Message-ID: {message_id}",
            f"Date: {rng.randint(1, 28)} Mar 20{rng.randint(10, 25)} 1{rng.randint(0, 9)}:07:09 +0100",
            "MIME-Version: 1.0",
        ]
        text = _text(rng, language, token)
        if rng.random() < 0.3:
            boundary = f"b{number}-{rng.randrange(10**9)}"
            header.append(f'Content-Type: multipart/mixed; boundary="{boundary}"')
            body = (f"--{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\n"
                    f"Content-Transfer-Encoding: 8bit\r\n\r\n{text}\r\n"
                    f"--{boundary}\r\n{_attachment(rng, pool)}--{boundary}--\r\n")
        else:
            header += ["Content-Type: text/plain; charset=utf-8",
                       "Content-Transfer-Encoding: 8bit"]
            body = text
        mail = ("\r\n".join(header) + "\r\n\r\n" + body).encode()
        yield token, sender[1], [a for _, a in to], subject, message_id, mail
