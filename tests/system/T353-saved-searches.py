"""Saved searches: kept, run, changed, each user's own, gone with the user, sealed on the disk."""

import email.utils
import json
import os
import time

from harness import JOURNAL, main, test
from mailkeep_client import Failure, crlf, smtp_connect, smtp_send

WORD = "Zwetschgenkuchen"


def call(web, method, path, body=None):
    status, _, answer = web.request(method, "/api/v1/" + path,
                                    None if body is None else json.dumps(body).encode(),
                                    {"Content-Type": "application/json"})
    return status, json.loads(answer) if answer else None


@test("one is made, listed and run; its relative date is reckoned when it runs")
def _(t):
    t.api = t.begin([("anna", ["anna@x.example"]), ("bert", ["bert@x.example"])])
    smtp = smtp_connect(t.server.ports["smtp"])
    for days in (0, 800):
        smtp_send(smtp, "j@x.example", [JOURNAL], crlf(
            f"From: a@b.example\nTo: anna@x.example\nSubject: {WORD} {days}\n"
            f"Date: {email.utils.formatdate(time.time() - days * 86400)}\n\nx\n".encode()))
    smtp.quit()
    assert t.server.wait_indexed(60)
    t.web = t.server.web("anna", t.passwords["anna"])
    criteria = {"q": WORD, "preset": "today", "sizeMin": 1, "subfolders": True, "own": {"x": [1]}}
    status, answer = call(t.web, "POST", "saved-searches", {"name": "Kuchen", "criteria": criteria})
    assert status == 200, answer
    t.id = answer["id"]
    listed = t.web.json("saved-searches")["savedSearches"]
    assert [(s["id"], s["name"], s["criteria"]) for s in listed] == [(t.id, "Kuchen", criteria)]
    assert [i["subject"] for i in t.web.json("search", saved=t.id)["items"]] == [f"{WORD} 0"]
    # what the request says counts more
    assert t.web.json("search", saved=t.id, preset="custom")["total"] == 2
    assert t.web.json("search", saved=t.id, q="800")["total"] == 0


@test("names are unique, criteria must be able to run, sizes are bounded")
def _(t):
    for body, status in (({"name": "KUCHEN", "criteria": {}}, 409), ({"name": "", "criteria": {}}, 400),
                         ({"name": "a\x01", "criteria": {}}, 400), ({"name": "b"}, 400),
                         ({"name": "b", "criteria": []}, 400), ({"criteria": {}}, 400),
                         ({"name": "b", "criteria": {"preset": "soon"}}, 400),
                         ({"name": "b", "criteria": {"q": ["x"]}}, 400),
                         ({"name": "b", "criteria": {"own": "x" * 17000}}, 422),
                         ({"name": "b" * 201, "criteria": {}}, 400)):
        assert call(t.web, "POST", "saved-searches", body)[0] == status, body
    assert t.web.request("POST", "/api/v1/saved-searches", b'{"name":"b","criteria":{}}')[0] == 400
    assert len(t.web.json("saved-searches")["savedSearches"]) == 1


@test("it is changed, survives a kill, and lies sealed on the disk")
def _(t):
    new = {"name": "Kuchen (alle)", "criteria": {"q": WORD}}
    assert call(t.web, "PUT", f"saved-searches/{t.id}", new)[0] == 200
    assert call(t.web, "PUT", "saved-searches/4711", new)[0] == 404
    t.server.kill()
    t.server.start()
    t.web = t.server.web("anna", t.passwords["anna"])
    t.api = t.server.api()
    assert t.web.json("search", saved=t.id)["total"] == 2
    for folder, _, files in os.walk(t.server.data):
        for name in files:
            with open(os.path.join(folder, name), "rb") as file:
                octets = file.read().lower()
            assert b"zwetschgen" not in octets and b"kuchen" not in octets, name


@test("it is nobody else's")
def _(t):
    bert = t.server.web("bert", t.passwords["bert"])
    assert bert.json("saved-searches")["savedSearches"] == []
    assert bert.request("GET", f"/api/v1/search?saved={t.id}")[0] == 404
    assert call(bert, "PUT", f"saved-searches/{t.id}", {"name": "x", "criteria": {}})[0] == 404
    assert bert.request("DELETE", f"/api/v1/saved-searches/{t.id}")[0] == 404
    assert t.api("GetSavedSearches") == []


@test("the API has the caller's own")
def _(t):
    made = t.api("SetSavedSearch", name="Alles", criteria='{"q": ""}')
    assert t.api("GetSavedSearches")[0]["criteria"] == {"q": ""}
    t.api("SetSavedSearch", id=made["id"], name="Nichts", criteria='{"attachments": "neither"}')
    assert [s["name"] for s in t.api("GetSavedSearches")] == ["Nichts"]
    for arguments in ({"name": "x", "criteria": "[]"}, {"name": "x", "criteria": '{"group": "z"}'},
                      {"id": 4711, "name": "x", "criteria": "{}"}):
        try:
            t.api("SetSavedSearch", **arguments)
            raise AssertionError(arguments)
        except Failure:
            pass
    t.api("DeleteSavedSearch", id=made["id"])
    assert t.api("GetSavedSearches") == []


@test("it is deleted, and the rest goes with the user")
def _(t):
    status, answer = call(t.web, "POST", "saved-searches", {"name": "Zweite", "criteria": {}})
    assert status == 200
    assert t.web.request("DELETE", f"/api/v1/saved-searches/{t.id}")[0] == 204
    assert t.web.request("DELETE", f"/api/v1/saved-searches/{t.id}")[0] == 404
    assert [s["name"] for s in t.web.json("saved-searches")["savedSearches"]] == ["Zweite"]
    t.api("DeleteUser", userName="anna")
    assert t.web.request("GET", "/api/v1/saved-searches")[0] == 401


main()
