"""Amplitude's routes as the door mounts them."""

import gzip
import json
from urllib.parse import urlencode

import pytest

from cornicen.events.shapes import Event, GroupChange, ProfileChange, Refusal, UserMapping
from cornicen.flows.events.pace import OVER

NOW = 1_795_539_600_000
JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


def event(**fields):
    return {"event_type": "paid", "user_id": "u-1001", "time": NOW, **fields}


def body(*events, key="shop-token"):
    return json.dumps({"api_key": key, "events": events, "options": {}}).encode()


@pytest.mark.parametrize("path", ["/2/httpapi", "/2/httpapi/", "/batch"])
def test_what_the_door_acknowledges_is_on_disk(door, path):
    reply = door.ask("POST", path, body(event(), event(time=NOW - 10**9)), JSON)
    assert (reply.status, reply.json["events_ingested"]) == (200, 2)
    source = f"amplitude:{path.rstrip('/')}"
    assert [(lane, kept, type(record)) for lane, kept, record in door.kept()] == [
        ("live", source, Event),
        ("bulk", source, Event),
    ]


def test_a_gzip_body_of_plain_text_arrives(door):
    packed = gzip.compress(body(*[event(insert_id=f"i-{number}") for number in range(500)]))
    headers = {"content-type": "text/plain;charset=UTF-8", "content-encoding": "gzip"}
    assert door.ask("POST", "/2/httpapi", packed, headers).json["events_ingested"] == 500
    assert len({record.insert_id for _, _, record in door.kept()}) == 500


def test_a_wrong_key_is_told_as_sdks_read_it_and_keeps_nothing(door):
    reply = door.ask("POST", "/2/httpapi", body(event(), event(time="x"), key="nope1"), JSON)
    assert (reply.status, reply.json) == (400, {"code": 400, "error": "Invalid API key: nope1"})
    assert door.kept() == []


def test_a_faulty_event_is_on_disk_with_its_reason_and_the_others_are_not(door):
    reply = door.ask("POST", "/batch", body(event(), event(time="x")), JSON)
    assert (reply.status, reply.json["events_with_invalid_fields"]) == (400, {"time": [1]})
    assert [(type(record), record.reason) for _, _, record in door.kept()] == [(Refusal, "time_invalid")]


def test_a_body_above_the_limit_is_not_even_read(door):
    reply = door.ask("POST", "/2/httpapi", b"x" * 1_100_000, JSON)
    assert (reply.status, reply.json) == (413, {"code": 413, "error": "Payload too large"})


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_forms_and_queries_are_on_disk(door, method):
    sent = {
        "/identify": ("identification", {"user_id": "u-1001", "user_properties": {"plan": "pro"}}, ProfileChange),
        "/groupidentify": ("identification", {"group_type": "company", "group_value": "acme"}, GroupChange),
        "/usermap": ("mapping", {"user_id": "a", "global_user_id": "g"}, UserMapping),
    }
    for path, (field, item, _) in sent.items():
        form = urlencode({"api_key": "shop-token", field: json.dumps([item])})
        if method == "GET" and path != "/usermap":
            reply = door.ask("GET", f"{path}?{form}")
        else:
            reply = door.ask("POST", path, form, FORM)
        assert (reply.status, reply.text, reply.headers["content-type"]) == (200, "success", "text/plain; charset=utf-8")
    assert [type(record) for _, _, record in door.kept()] == [kind for _, _, kind in sent.values()]


@pytest.mark.parametrize("path", ["/2/nothing", "/2", "/2/httpapi/more", "/httpapi", "/batch/x"])
def test_a_path_of_nothing_is_told_as_amplitude_does(door, path):
    reply = door.ask("POST", path, body(event()), JSON)
    assert (reply.status, reply.json) == (400, {"code": 400, "error": "Invalid request path"})
    assert door.kept() == []


def test_who_is_too_fast_is_told_and_nothing_of_the_request_is_kept(door):
    fast = [event(user_id=None, device_id="d-77aa")] * (30 * OVER + 1)
    reply = door.ask("POST", "/2/httpapi", body(event(), *fast), JSON)
    assert (reply.status, reply.json["code"], reply.json["throttled_devices"]) == (429, 429, {"d-77aa": 31})
    assert door.kept() == []


def test_a_sender_that_found_no_room_sends_again(door):
    door.spool_bytes = 300
    replies = [door.ask("POST", "/2/httpapi", body(event(insert_id=f"i-{number}")), JSON) for number in range(9)]
    assert {reply.status for reply in replies} == {200, 503}
    assert {reply.json["code"] for reply in replies if reply.status != 200} == {503}
