"""Nothing that a sender can send breaks parsing, and no record is lost without a word."""

import base64
import gzip
import json

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cornicen.events.shapes import Event, ProfileChange, Refusal
from cornicen.flows.vendors import Fate, Inbound
from cornicen.integrations.mixpanel import MANIFEST
from cornicen.integrations.mixpanel.limits import EARLIEST

NOW = 1_795_539_600_000_000
SECONDS = NOW // 10**6
ROUTES = {route.path: route for route in MANIFEST.routes}
AUTHORIZED = {"authorization": "Basic " + base64.b64encode(b"T:").decode()}

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(0, 2 * SECONDS * 1000)
    | st.floats()  # json writes NaN and Infinity, which no JSON reader has to take
    | st.text()
    | st.sampled_from([10**30, 10**400, "\ud800", "undefined", "", "u1", "a1", SECONDS, "0", 1e300])
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=8
)
FIELDS = st.sampled_from(
    [
        *("event", "properties", "time", "distinct_id", "$user_id", "$device_id", "$insert_id", "token"),
        *("$token", "$distinct_id", "$set", "$set_once", "$add", "$unset", "$delete", "$append", "$time"),
    ]
)
OBJECTS = st.dictionaries(FIELDS | st.text(max_size=3), VALUES, max_size=6)
EVENTS = st.builds(lambda name, properties: {"event": name, "properties": properties}, st.just("e") | VALUES, OBJECTS | VALUES)
UPDATES = st.builds(lambda one: {"$token": "T", "$distinct_id": "u", **one}, OBJECTS)
GOOD = {"event": "good", "properties": {"time": SECONDS, "distinct_id": "u1", "$insert_id": "a1", "note": "NOTE"}}
GOOD_UPDATE = {"$token": "T", "$distinct_id": "u", "$set": {"note": "NOTE"}}
RECORDS = st.lists(st.sampled_from([GOOD, GOOD_UPDATE]) | EVENTS | UPDATES | OBJECTS | VALUES, max_size=5)
NOTES = st.sampled_from([b"fine", b"\xff", b"\xed\xa0\x80", b"\\ud800", b"\\q", b"\0", b"\\u0000", b'"', "ą".encode()])
BROKEN = st.sampled_from(
    [b"{", b"}", b"NaN", b'"\xff"', b'{"event":"\xff"}', b"[" * 2000, b'{"a":' * 2000, b"\0", b"\xed\xa0\x80"]
)


@st.composite
def bodies(draw):
    """A body in any of the forms, sound or not."""
    text = draw(
        st.binary()
        | RECORDS.map(lambda records: json.dumps(records).encode("utf-8", "replace"))
        | RECORDS.map(lambda records: "\n".join(map(json.dumps, records)).encode())
        | OBJECTS.map(lambda record: json.dumps(record).encode())
    )
    text = text.replace(b"NOTE", draw(NOTES))
    if draw(st.booleans()):
        place = draw(st.integers(0, len(text)))
        text = text[:place] + draw(BROKEN) + text[place:]
    match draw(st.sampled_from(["plain", "gzip", "cut", "form", "base64"])):
        case "gzip":
            return gzip.compress(text, 1)
        case "cut":
            packed = gzip.compress(text, 1)
            return packed[: draw(st.integers(0, len(packed)))]
        case "form":
            return b"data=" + text + b"&verbose=1"
        case "base64":
            return b"verbose=1&data=" + base64.b64encode(text)
    return text


HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "content-type": st.sampled_from(
            ["application/json", "application/x-ndjson", "application/x-www-form-urlencoded", "text/plain"]
        ),
        "content-encoding": st.sampled_from(["gzip", "identity", "br"]),
        "cornicen-lane": st.sampled_from(["bulk", "x"]),
        "authorization": st.sampled_from(["Basic sa:sec", "Basic =", "x"]),
    },
)
QUERIES = st.fixed_dictionaries(
    {},
    optional={
        "strict": st.sampled_from(["0", "1", "x"]),
        "verbose": st.sampled_from(["0", "1", "2"]),
        "project_id": st.text(),
        "data": st.text(),
        "api_key": st.text(),
    },
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(ROUTES)), st.sampled_from(["GET", "POST"]), bodies(), QUERIES, HEADERS)
@example("/import", "POST", b"[" * 100_000, {}, {})
@example("/engage", "POST", b'{"$token":"T","$distinct_id":' + b"1" * 10_000 + b"}", {}, {})
def test_no_request_breaks_parsing_or_its_answers(path, method, body, query, headers):
    parsed = ROUTES[path].parse(Inbound(method, path, query, {**AUTHORIZED, **headers}, body, NOW))
    for fate in Fate:
        answer = parsed.answer(fate)
        assert answer.status in {200, 400, 401, 413, 429, 503}
        if answer.content_type == "application/json":
            json.loads(answer.body)
        else:
            assert answer.body in {b"0", b"1"}
    for part in parsed.parts:
        assert part.lane in {"live", "bulk"}
        for record in part.records:
            check(record)


def check(record):
    """What whoever reads records later may rely on."""
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(record), type=type(record)) == record
    match record:
        case Event():
            assert record.name.strip()
            assert EARLIEST * 10**6 <= record.time <= NOW
            assert isinstance(json.loads(record.properties.decode()), dict)
        case ProfileChange():
            assert record.ids.distinct
            assert record.operations
            for operation in record.operations:
                json.loads(operation.operand.decode())
        case Refusal():
            assert record.reason
            assert len(record.record) <= 4096


def sort(record):
    """One of: taken, refused."""
    return "refused" if isinstance(record, Refusal) else "taken"


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.just(GOOD) | EVENTS | VALUES, min_size=1, max_size=6), st.booleans(), st.booleans())
def test_every_record_is_taken_or_named_and_kept(records, lines, strict):
    pieces = [json.dumps(record).encode() for record in records]
    body = b"\n".join(pieces) if lines else b"[" + b",".join(pieces) + b"]"
    headers = {**AUTHORIZED, "content-type": "application/x-ndjson" if lines else "application/json"}
    query = {"strict": "1"} if strict else {"strict": "0", "verbose": "1"}
    parsed = ROUTES["/import"].parse(Inbound("POST", "/import", query, headers, body, NOW))
    kept = [record for part in parsed.parts for record in part.records]
    answer = json.loads(parsed.answer(Fate.KEPT).body)
    if answer.get("error") == "data, missing or empty":
        assert not any(piece.strip(b"{} ") for piece in pieces)
        return
    failed = {one["index"] for one in answer.get("failed_records", [])}
    assert len(kept) == len(records)
    assert sum(sort(record) == "refused" for record in kept) == len(failed)
    assert not failed & {index for index, record in enumerate(records) if record is GOOD}


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(UPDATES | st.just(GOOD_UPDATE), min_size=1, max_size=6))
def test_every_update_is_taken_or_named_and_kept(records):
    body = json.dumps(records).encode()
    parsed = ROUTES["/engage"].parse(Inbound("POST", "/engage", {"strict": "1"}, {}, body, NOW))
    kept = [record for part in parsed.parts for record in part.records]
    answer = json.loads(parsed.answer(Fate.KEPT).body)
    failed = answer.get("failed_records", [])
    assert answer["num_records_imported"] + len(failed) == len(records)
    if kept:
        assert len(kept) == len(records)


@pytest.mark.parametrize("path", sorted(ROUTES))
def test_the_answer_to_a_body_that_is_not_even_read_is_the_vendors(path):
    answer = ROUTES[path].too_large()
    assert answer.status == 413
    assert json.loads(answer.body)["error"] == f"request exceeds max limit of {ROUTES[path].limit} bytes"
