"""Nothing that a sender can send breaks parsing, and no event is lost without a word."""

import gzip
import json
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cornicen.events.shapes import Event, GroupChange, ProfileChange, Refusal, UserMapping
from cornicen.flows.events.pace import Paced
from cornicen.flows.vendors import Fate, Inbound
from cornicen.integrations.amplitude import MANIFEST
from cornicen.integrations.amplitude.limits import NOBODY
from cornicen.integrations.amplitude.operations import operations

NOW = 1_795_539_600_000_000
MILLISECONDS = NOW // 1000
ROUTES = {route.path: route for route in MANIFEST.routes}
EVENTS_PATHS = ["/2/httpapi", "/batch"]
FORM = {"content-type": "application/x-www-form-urlencoded"}
VERBS = {"set", "set_once", "add", "append", "prepend", "union", "pre_insert", "remove", "unset", "clear"}

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(0, 2 * MILLISECONDS)
    | st.floats()  # json writes NaN and Infinity, which no JSON reader has to take
    | st.text()
    | st.sampled_from(
        [10**30, 10**400, "\ud800", "undefined", "", "u-1001", "ab", "-", "$remote", -1, 1e300, "2.5", "x" * 1100]
    )
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=8
)
WORDS = st.sampled_from(
    [
        *("$set", "$setOnce", "$add", "$append", "$prepend", "$preInsert", "$postInsert", "$remove", "$unset", "$clearAll"),
        *("plan", "$odd"),
    ]
)
CHANGES = st.dictionaries(WORDS, VALUES | st.dictionaries(st.text(max_size=2), VALUES, max_size=2), max_size=4)
FIELDS = st.sampled_from(
    [
        *("event_type", "user_id", "device_id", "time", "insert_id", "event_properties", "user_properties", "groups"),
        *("group_properties", "session_id", "ip", "price", "quantity", "revenue", "platform", "language", "plan"),
        *("$skip_user_properties_sync", "group_type", "group_value", "global_user_id", "unmap", "paying"),
    ]
)
OBJECTS = st.dictionaries(FIELDS | st.text(max_size=3), VALUES | CHANGES, max_size=6)
KINDS = st.sampled_from(["paid", "$identify", "$groupidentify", "revenue_amount"])
GOOD = {"event_type": "paid", "user_id": "u-1001", "time": MILLISECONDS, "event_properties": {"note": "NOTE"}}
EVENTS = st.builds(lambda kind, one: {"event_type": kind, "user_id": "u-1001", **one}, KINDS, OBJECTS)
MAPPINGS = st.builds(lambda one: {"user_id": "a", "global_user_id": "g", **one}, OBJECTS)
RECORDS = st.lists(st.just(GOOD) | EVENTS | MAPPINGS | OBJECTS | VALUES, max_size=5)
ENVELOPES = st.fixed_dictionaries(
    {},
    optional={
        "api_key": st.just("K") | VALUES,
        "events": RECORDS | VALUES,
        "options": st.just({"min_id_length": 1}) | VALUES,
        "client_upload_time": st.just("2026-11-24T10:00:00.000Z") | VALUES,
    },
)
NOTES = st.sampled_from(
    [b"fine", b"\xff", b"\xed\xa0\x80", b"\\ud800", b"\\q", b"\0", b"\\u0000", b'"', "ą".encode(), b"x" * 1030]
)
BROKEN = st.sampled_from([b"{", b"}", b"NaN", b'"\xff"', b"[" * 2000, b'{"a":' * 2000, b"\0", b"\xed\xa0\x80", b"\\"])


@st.composite
def bodies(draw):
    """A body in any of the forms, sound or not."""
    text = draw(
        st.binary()
        | ENVELOPES.map(lambda one: json.dumps(one).encode())
        | RECORDS.map(lambda some: json.dumps({"api_key": "K", "events": some}).encode())
        | RECORDS.map(lambda some: urlencode({"api_key": "K", **dict.fromkeys(LISTS, json.dumps(some))}).encode())
    )
    text = text.replace(b"NOTE", draw(NOTES))
    if draw(st.booleans()):
        place = draw(st.integers(0, len(text)))
        text = text[:place] + draw(BROKEN) + text[place:]
    match draw(st.sampled_from(["plain", "plain", "gzip", "cut"])):
        case "gzip":
            return gzip.compress(text, 1)
        case "cut":
            packed = gzip.compress(text, 1)
            return packed[: draw(st.integers(0, len(packed)))]
    return text


LISTS = ("identification", "mapping")
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "content-type": st.sampled_from(
            ["application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "x"]
        ),
        "content-encoding": st.sampled_from(["gzip", "identity", "br"]),
        "cornicen-lane": st.sampled_from(["bulk", "x"]),
    },
)
QUERIES = st.fixed_dictionaries(
    {}, optional={"api_key": st.text(), "identification": st.text(), "mapping": st.text(), "options": st.text()}
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(ROUTES)), st.sampled_from(["GET", "POST"]), bodies(), QUERIES, HEADERS)
@example("/batch", "POST", b'{"api_key":"K","events":' + b"[" * 100_000, {}, {})
@example("/2/httpapi", "POST", b'{"api_key":"K","events":[{"event_type":"a","time":"x","time":5}]}', {}, {})
@example("/2/httpapi", "POST", b'{"api_key":"K","events":[{"event_type":"a","user_id":' + b"1" * 10_000 + b"}]}", {}, {})
@example("/identify", "GET", b"", {"api_key": "K", "identification": "[" * 100_000}, {})
@example("/identify", "GET", b"", {"api_key": "\ud800", "identification": "{}"}, {})
def test_no_request_breaks_parsing_or_its_answers(path, method, body, query, headers):
    parsed = ROUTES[path].parse(Inbound(method, path, query, headers, body, NOW, "192.0.2.7"))
    for fate in Fate:
        answer = parsed.answer(fate)
        assert answer.status in {200, 400, 413, 503}
        if answer.content_type == "application/json":
            said = json.loads(answer.body)
            assert said["code"] == answer.status
            assert (answer.status == 200) is ("error" not in said)
            assert all(type(said[name]) is int for name in said if name.endswith(("ingested", "bytes", "time")))
        else:
            assert (answer.body == b"success") is (answer.status == 200)
    assert parsed.pace is None or parsed.pace(Paced()) is None
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
            assert record.first_stays
            assert 0 <= record.time <= NOW
            assert record.ids.user or record.ids.device
            assert not {record.ids.user.lower(), record.ids.device.lower()} & NOBODY
            properties = json.loads(record.properties.decode())
            assert not [text for text in texts(properties) if len(text) > 1024]
            check_operations(record.operations)
        case ProfileChange():
            assert record.ids.user or record.ids.device
            assert 0 <= record.time <= NOW
            check_operations(record.operations)
        case GroupChange():
            assert record.key
            assert record.id
            check_operations(record.operations)
        case UserMapping():
            assert record.user
        case Refusal():
            assert record.reason
            assert len(record.record) <= 4096


def texts(value):
    match value:
        case str():
            yield value
        case dict():
            for name, inner in value.items():
                yield name
                yield from texts(inner)
        case list():
            for inner in value:
                yield from texts(inner)


def check_operations(found):
    for operation in found:
        assert operation.verb in VERBS
        operand = json.loads(operation.operand.decode())
        match operation.verb:
            case "clear":
                assert operand is None
            case "unset":
                assert all(type(name) is str for name in operand)
            case "set" | "set_once":
                assert type(operand) is dict
            case "add":
                assert all(type(number) in {int, float} for number in operand.values())
            case _:
                assert all(type(values) is list for values in operand.values())


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(EVENTS_PATHS), st.lists(st.just(GOOD) | EVENTS | VALUES, max_size=6))
def test_all_events_are_taken_or_every_faulty_one_is_named_and_kept(path, events):
    body = json.dumps({"api_key": "K", "events": events}).encode()
    parsed = ROUTES[path].parse(Inbound("POST", path, {}, {}, body, NOW))
    kept = [record for part in parsed.parts for record in part.records]
    said = json.loads(parsed.answer(Fate.KEPT).body)
    if said.get("error") == "Invalid JSON request body":  # NaN, or a number that no JSON reader takes
        return
    named = {
        index for name, fields in said.items() if name.startswith("events_with") for some in fields.values() for index in some
    }
    if said["code"] == 200:
        assert said["events_ingested"] == len(kept) == len(events)
        assert not any(isinstance(record, Refusal) for record in kept)
    else:
        assert named
        assert len(kept) == len(named)
        assert all(isinstance(record, Refusal) for record in kept)
        assert not named & {index for index, event in enumerate(events) if event is GOOD}


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(EVENTS_PATHS), st.lists(st.just(GOOD) | EVENTS, min_size=1, max_size=6))
def test_what_is_not_named_is_taken_when_it_is_sent_again(path, events):
    def sent(some):
        body = json.dumps({"api_key": "K", "events": some}).encode()
        return json.loads(ROUTES[path].parse(Inbound("POST", path, {}, {}, body, NOW)).answer(Fate.KEPT).body)

    said = sent(events)
    if said["code"] == 400 and said["error"] != "Invalid JSON request body":
        named = {i for name, fields in said.items() if name.startswith("events_with") for some in fields.values() for i in some}
        assert sent([event for index, event in enumerate(events) if index not in named])["code"] == 200


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(CHANGES)
def test_plain_properties_are_written_as_they_came(changes):
    plain = {f"p{name}": value for name, value in changes.items()}
    text = json.dumps(plain, allow_nan=True).encode()
    try:
        msgspec.json.Decoder(msgspec.Raw).decode(text)
    except msgspec.DecodeError:
        return
    found = operations(text)
    assert [(one.verb, json.loads(one.operand).keys()) for one in found] == ([("set", plain.keys())] if plain else [])


@pytest.mark.parametrize("path", sorted(ROUTES))
def test_the_answer_to_a_body_that_is_not_even_read_is_the_vendors(path):
    answer = ROUTES[path].too_large()
    assert (answer.status, b"Payload too large" in answer.body) in {(413, True), (400, False)}
