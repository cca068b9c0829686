"""Nothing that a sender can send breaks parsing, and no record is lost without a word."""

import base64
import gzip
import json
import re

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cornicen.events.shapes import Event, GroupChange, ProfileChange, Refusal
from cornicen.flows.vendors import Fate, Inbound
from cornicen.integrations.mixpanel import MANIFEST
from cornicen.integrations.mixpanel.answers import PIXEL
from cornicen.integrations.mixpanel.asking import understand
from cornicen.integrations.mixpanel.event import at_once, event_of
from cornicen.integrations.mixpanel.limits import EARLIEST
from cornicen.integrations.mixpanel.refusing import Refused, Rules

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
        *(
            "$union",
            "$remove",
            "$group_key",
            "$group_id",
            "$ignore_time",
            "ip",
            "$ignore",
            "alias",
            "$anon_id",
            "$distinct_ids",
        ),
    ]
)
OBJECTS = st.dictionaries(FIELDS | st.text(max_size=3), VALUES, max_size=6)
NAMES = st.sampled_from(["e", "$identify", "$create_alias", "$merge"]) | VALUES
EVENTS = st.builds(lambda name, properties: {"event": name, "properties": properties}, NAMES, OBJECTS | VALUES)
UPDATES = st.builds(lambda one: {"$token": "T", "$distinct_id": "u", **one}, OBJECTS)
GROUPS = st.builds(lambda one: {"$token": "T", "$group_key": "company", "$group_id": "acme", "$set": {}, **one}, OBJECTS)
GOOD = {
    "event": "good",
    "properties": {"token": "T", "time": SECONDS, "distinct_id": "u1", "$insert_id": "a1", "note": "NOTE"},
}
GOOD_UPDATE = {"$token": "T", "$distinct_id": "u", "$set": {"note": "NOTE"}}
RECORDS = st.lists(st.sampled_from([GOOD, GOOD_UPDATE]) | EVENTS | UPDATES | GROUPS | OBJECTS | VALUES, max_size=5)
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
        "callback": st.sampled_from(["f", "alert(1)", ""]) | st.text(),
        "img": st.sampled_from(["0", "1"]),
        "ip": st.sampled_from(["0", "1"]),
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
        match answer.content_type.partition(";")[0]:
            case "application/json":
                json.loads(answer.body)
            case "text/javascript":
                assert re.fullmatch(rb"[A-Za-z_$][A-Za-z0-9_$]*\([01]\);", answer.body)
            case "image/gif":
                assert answer.body == PIXEL
            case _:
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
            check_operations(record.operations)
        case GroupChange():
            assert record.key
            assert record.id
            check_operations(record.operations)
        case Refusal():
            assert record.reason
            assert len(record.record) <= 4096


LISTED = {"append", "union", "remove"}


def check_operations(operations):
    for operation in operations:
        operand = json.loads(operation.operand.decode())
        assert operation.verb not in LISTED or all(isinstance(value, list) for value in operand.values())


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
    assert len(kept) == len(records)
    assert sum(sort(record) == "taken" for record in kept) >= sum(record is GOOD for record in records)
    if strict or answer["status"] == 1:
        failed = {one["index"] for one in answer.get("failed_records", [])}
        assert sum(sort(record) == "refused" for record in kept) == len(failed)
        assert not failed & {index for index, record in enumerate(records) if record is GOOD}


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(EVENTS | st.just(GOOD), min_size=1, max_size=6))
def test_every_tracked_event_of_a_project_is_taken_or_kept_with_its_reason(records):
    parsed = ROUTES["/track"].parse(Inbound("POST", "/track", {}, {}, json.dumps(records).encode(), NOW))
    kept = [record for part in parsed.parts for record in part.records]
    unwanted = sum(bool(record["properties"].get("$ignore", False) not in (None, False)) for record in records if owned(record))
    if any(map(owned, records)):
        assert len(kept) == len(records) - unwanted


def owned(record):
    """Whether a record can be read as far as its token, and has one."""
    name, properties = record["event"], record["properties"]
    if not (isinstance(name, str) and name.strip() and isinstance(properties, dict)):
        return False
    token = properties.get("token")
    try:
        whole = json.dumps(record, allow_nan=False)
        return bool(isinstance(token, str) and token.strip() and msgspec.json.decode(whole))
    except (ValueError, msgspec.DecodeError):
        return False


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(EVENTS | st.just(GOOD), min_size=1, max_size=4), st.booleans(), st.booleans(), st.booleans())
def test_an_event_read_with_all_others_is_the_one_read_alone(records, lines, strict, trusted):
    pieces = [json.dumps(record).encode() for record in [GOOD, *records]]
    body = b"\n".join(pieces) if lines else b"[" + b",".join(pieces) + b"]"
    kind = {"content-type": "application/x-ndjson" if lines else "application/json"}
    asked = understand(Inbound("POST", "/import", {}, kind, body, NOW))
    found = at_once(asked)
    assert found is not None or "not_json" in [read(piece, RULES)[0] for piece in pieces]
    rules = Rules(strict, NOW, utf8=True, trusted=trusted)
    assert [read(one, rules) for one in found or asked.records] == [read(one, rules) for one in asked.records]


RULES = Rules(strict=False, now=NOW, utf8=True)


def read(record, rules):
    try:
        return event_of(record, rules)
    except Refused as refused:
        return refused.reason, refused.field, refused.message


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(["/engage", "/groups"]), st.lists(UPDATES | GROUPS | st.just(GOOD_UPDATE), min_size=1, max_size=6))
def test_every_update_is_taken_or_named_and_kept(path, records):
    body = json.dumps(records).encode()
    parsed = ROUTES[path].parse(Inbound("POST", path, {"strict": "1"}, {}, body, NOW))
    kept = [record for part in parsed.parts for record in part.records]
    answer = json.loads(parsed.answer(Fate.KEPT).body)
    failed = answer.get("failed_records", [])
    assert answer["num_records_imported"] + len(failed) == len(records)
    if kept:
        assert len(kept) == len(records)


@pytest.mark.parametrize("path", sorted(ROUTES.keys() - {"/record", "/flags", "/settings"}))
def test_the_answer_to_a_body_that_is_not_even_read_is_the_vendors(path):
    answer = ROUTES[path].too_large()
    assert answer.status == 413
    assert json.loads(answer.body)["error"] == f"request exceeds max limit of {ROUTES[path].limit} bytes"
