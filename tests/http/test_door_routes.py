import asyncio
import base64
import gzip
import http.client
import json
import socket

import pytest

from cornicen.apps.http.app import Wiring, app
from cornicen.errors import Unavailable
from cornicen.events.shapes import Event, ProfileChange, Refusal
from cornicen.flows.records import Project
from cornicen.flows.vendors import Manifest, Outbound, Parsed, Route

NOW = 1_795_539_600
BASIC = {"authorization": "Basic " + base64.b64encode(b"shop-token:").decode()}
JSON = {**BASIC, "content-type": "application/json"}


def event(name="bought", time=NOW, key="a1"):
    return {"event": name, "properties": {"time": time, "distinct_id": "u1", "$insert_id": key}}


@pytest.mark.parametrize("path", ["/import", "/import/", "/import?strict=1", "/import/?strict=1&project_id=1"])
def test_what_the_door_acknowledges_is_on_disk(door, path):
    reply = door.ask("POST", path, json.dumps([event(), event("old", NOW - 10**7)]), JSON)
    assert (reply.status, reply.json) == (200, {"code": 200, "num_records_imported": 2, "status": "OK"})
    assert reply.headers["content-type"] == "application/json"
    assert [(lane, source, record.name) for lane, source, record in door.kept()] == [
        ("live", "mixpanel:/import", "bought"),
        ("bulk", "mixpanel:/import", "old"),
    ]


def test_bad_records_are_on_disk_too(door):
    reply = door.ask("POST", "/import?strict=1", json.dumps([event(), {"event": "x"}]), JSON)
    assert (reply.status, reply.json["num_records_imported"]) == (400, 1)
    assert [type(record) for _, _, record in door.kept()] == [Event, Refusal]


def test_a_large_gzip_body_arrives_whole(door):
    body = gzip.compress(json.dumps([event(key=f"k{n}") | {"note": "x" * 500} for n in range(2000)]).encode())
    assert door.ask("POST", "/import?strict=1", body, {**JSON, "content-encoding": "gzip"}).status == 200
    assert len({record.insert_id for _, _, record in door.kept()}) == 2000


def test_a_profile_change_is_on_disk(door):
    body = json.dumps([{"$token": "shop-token", "$distinct_id": "u1", "$set": {"a": 1}}])
    assert door.ask("POST", "/engage/", body, {"content-type": "application/json"}).body == b"1"
    assert [(source, type(record)) for _, source, record in door.kept()] == [("mixpanel:/engage", ProfileChange)]


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({}, ""),
        ({"authorization": "Basic " + base64.b64encode(b"sa:wrong").decode()}, "&project_id=1"),
        ({"authorization": "Basic " + base64.b64encode(b"sa:account-secret").decode()}, "&project_id=2"),
        ({"authorization": "Basic " + base64.b64encode(b"other:").decode()}, ""),
    ],
)
def test_a_stranger_gets_nothing_in(door, headers, query):
    reply = door.ask("POST", f"/import?strict=1{query}", json.dumps([event()]), headers)
    assert (reply.status, reply.json["status"]) == (401, "Unauthorized")
    assert door.spools == {}


def test_a_full_spool_is_told_and_keeps_nothing(door):
    door.spool_bytes = 0
    reply = door.ask("POST", "/import?strict=1", json.dumps([event()]), JSON)
    assert (reply.status, "retry-after" in reply.headers) == (429, True)
    assert door.kept() == []


def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_sent(door):
    with socket.create_connection(door.address, timeout=10) as line:
        line.sendall(b"POST /import HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")
        assert line.recv(65_536).startswith(b"HTTP/1.1 413")


def test_a_body_that_turns_out_too_large_is_not_read_on(door):
    line = http.client.HTTPConnection(*door.address, timeout=30)
    pieces = (b"x" * 1_000_000 for _ in range(12))
    line.request("POST", "/import?strict=1", pieces, JSON, encode_chunked=True)
    reply = line.getresponse()
    assert (reply.status, json.loads(reply.read())["error"]) == (413, "request exceeds max limit of 10485760 bytes")
    line.close()


def test_a_sender_that_hangs_up_leaves_nothing(door):
    with socket.create_connection(door.address, timeout=10) as line:
        line.sendall(b"POST /import HTTP/1.1\r\nHost: x\r\nAuthorization: Basic shop-token:\r\nContent-Length: 500\r\n\r\n[{")
    assert door.ask("GET", "/health").status == 200
    assert door.spools == {}


@pytest.mark.parametrize("path", ["/engage%23profile-set", "/engage/%23profile-set", "/engage#profile-set", "/engage?img=0"])
def test_a_documentation_anchor_is_no_part_of_the_path(door, path):  # C18
    body = json.dumps([{"$token": "shop-token", "$distinct_id": "u1", "$set": {"a": 1}}])
    assert door.ask("POST", path, body, {"content-type": "application/json"}).body == b"1"
    assert [source for _, source, _ in door.kept()] == ["mixpanel:/engage"]


@pytest.mark.parametrize("path", ["/track", "/groups", "/record/", "/flags/", "/settings/"])
def test_what_a_browser_asks_for_is_there_with_a_slash_and_without(door, path):
    for spelled in (path, path.rstrip("/"), f"{path.rstrip('/')}/"):
        assert door.ask("GET", f"{spelled}?verbose=1").status == 200


def test_an_unknown_token_among_known_ones_loses_only_its_own(door):  # A16
    body = json.dumps([{"event": name, "properties": {"token": name}} for name in ("shop-token", "stranger")])
    assert door.ask("POST", "/track", body, {"content-type": "application/json"}).body == b"1"
    assert [record.name for _, _, record in door.kept()] == ["shop-token"]


@pytest.mark.parametrize(("rule", "status"), [("original", 400), ("simplified", 200)])
def test_an_importer_learns_the_projects_rule_by_trying(door, rule, status):  # B18, B19
    door.state.projects.add(Project("2", "probed", "probed-token", identity=rule))
    probe = {"event": "probe", "properties": {"time": NOW, "$device_id": "d", "$user_id": "u", "$insert_id": "a1"}}
    reply = door.ask("POST", "/import?strict=1", json.dumps([probe]), {"authorization": "Basic probed-token:"})
    assert reply.status == status
    if status == 400:
        [failed] = reply.json["failed_records"]
        assert failed["message"] == "'properties.distinct_id' is invalid: must not be missing"
    assert [type(record) for _, _, record in door.kept("2")] == [Refusal if status == 400 else Event]


@pytest.mark.parametrize("path", ["/import", "/engage", "/track", "/groups", "/", "/health"])
def test_a_method_that_a_path_does_not_take_is_told_which_it_takes(door, path):
    reply = door.ask("DELETE", path)
    assert (reply.status, set(reply.json)) == (405, {"code", "what", "fix"})
    assert "GET" in reply.headers["allow"]


@pytest.mark.parametrize("path", ["/nowhere", "/import/x", "/%00", "/..%2f..", "/importx"])
def test_a_path_that_is_not_there_is_told(door, path):
    reply = door.ask("GET", path)
    assert (reply.status, reply.json["code"]) == (404, "not_found")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_health_is_told(door, method):
    reply = door.ask(method, "/health")
    assert reply.status == 200
    assert method == "HEAD" or reply.json["status"] == "ok"


def failing(error):
    def parse(_inbound):
        raise error

    return Manifest(
        "broken", "Broken", "analytics", routes=(Route(("POST",), "/broken", 10, parse, lambda: Outbound(413, b"")),)
    )


def ask_wrongly(house, wiring):
    """One request to an application that is not served, and what it answered."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/broken", "headers": [], "query_string": b""}
    asyncio.run(app(wiring)(scope, receive, send))
    return sent[0]["status"], json.loads(sent[1]["body"])


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ZeroDivisionError("a secret"), 500, "error"),
        (Unavailable("The disk failed.", "Look at the disk."), 503, "unavailable"),
    ],
)
def test_what_goes_wrong_inside_is_answered_and_logged_and_not_quoted(house, capsys, error, status, code):
    wiring = house.wiring()
    broken = Wiring((failing(error),), wiring.receiver, wiring.state, wiring.keeper, wiring.clock)
    answered, said = ask_wrongly(house, broken)
    assert (answered, said["code"], set(said)) == (status, code, {"code", "what", "fix"})
    assert "secret" not in json.dumps(said)
    out, err = capsys.readouterr()
    assert "/broken" in out + err


def test_two_vendors_cannot_want_one_path(house):
    wiring = house.wiring()
    twice = Route(("POST",), "/import/", 10, lambda _: Parsed((), lambda _: Outbound(200, b"")), lambda: Outbound(413, b""))
    manifests = (*wiring.manifests, Manifest("second", "Second", "analytics", routes=(twice,)))
    with pytest.raises(ValueError, match="/import"):
        app(Wiring(manifests, wiring.receiver, wiring.state, wiring.keeper, wiring.clock))
