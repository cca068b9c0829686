import gzip
import json
from datetime import UTC, datetime

import pytest

from cornicen.events.shapes import Event, Ids, Operation, Refusal
from cornicen.flows.vendors import Credential, Fate
from cornicen.integrations.amplitude import limits

NOW = 1_795_539_600_000_000
MILLISECONDS = NOW // 1000
DAY = 86_400_000
PATHS = ["/2/httpapi", "/batch"]
NOT_JSON = {"code": 400, "error": "Invalid JSON request body"}


def said(found):
    """The answer without what every answer of its kind has."""
    return {name: value for name, value in found.json.items() if name not in {"code", "error"}}


def upload(milliseconds):
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.mark.parametrize("path", PATHS)
def test_one_event_is_taken_and_counted(ask, path):
    body = json.dumps({"api_key": "K", "events": [{"event_type": "a", "user_id": "u-1001"}]}).encode()
    found = ask(path, body)
    assert (found.status, found.kind) == (200, "application/json")
    assert found.json == {
        "code": 200,
        "events_ingested": 1,
        "payload_size_bytes": len(body),
        "server_upload_time": MILLISECONDS,
    }
    assert found.parts[0].credential == Credential("token", "K")
    assert found.records == [Event("a", Ids(user="u-1001"), NOW, b'{"$user_id":"u-1001"}', "", first_stays=True)]


KINDS = ["application/json; charset=UTF-8", "text/plain;charset=UTF-8", "application/x-www-form-urlencoded", ""]


@pytest.mark.parametrize("kind", KINDS)
def test_the_content_type_does_not_matter(send, event, kind):
    assert send(event(), headers={"content-type": kind}).json["events_ingested"] == 1


def test_gzip_is_undone_and_its_size_is_that_of_the_json(ask, event):
    body = json.dumps({"api_key": "K", "events": [event(event_properties={"note": "x" * 500})]}).encode()
    found = ask("/2/httpapi", gzip.compress(body), headers={"content-encoding": "gzip"})
    assert (found.status, found.json["payload_size_bytes"]) == (200, len(body))


@pytest.mark.parametrize("body", [b"no gzip", gzip.compress(b"{}" * 50, mtime=0)[:-9]])
def test_broken_gzip_is_no_json(ask, body):
    found = ask("/2/httpapi", body, headers={"content-encoding": "gzip"})
    assert (found.status, found.json, found.parts) == (400, NOT_JSON, ())


@pytest.mark.parametrize("body", [b"", b" \n", b"\xef\xbb\xbf"])
def test_an_empty_body_is_told(ask, body):
    assert ask("/2/httpapi", body).json == {"code": 400, "error": "Missing request body"}


UNREADABLE = [
    b'{"api_key":',
    b"[1,2]",
    b"7",
    b'"x"',
    b"null",
    b"{}{}",
    b'{"api_key":"\xff","events":[]}',
    b'{"events":' + b"[" * 9999,
]


@pytest.mark.parametrize("body", UNREADABLE)
def test_what_is_no_json_object_is_told(ask, body):
    found = ask("/2/httpapi", body)
    assert (found.status, found.json, found.parts) == (400, NOT_JSON, ())


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"events": []}, "api_key"),
        ({"api_key": None, "events": []}, "api_key"),
        ({"api_key": "", "events": []}, "api_key"),
        ({}, "api_key"),
        ({"api_key": "K"}, "events"),
        ({"api_key": "K", "Events": [{"event_type": "a", "user_id": "u-1001"}]}, "events"),
        ({"api_key": "K", "events": None}, "events"),
        ({"api_key": "K", "events": {"event_type": "a"}}, "events"),
        ({"api_key": "K", "events": "x"}, "events"),
    ],
)
def test_a_field_of_the_request_that_is_missing_is_named(ask, body, field):
    found = ask("/2/httpapi", body)
    expected = {"code": 400, "error": "Request missing required field", "missing_field": field}
    assert (found.status, found.json) == (400, expected)
    assert [record.reason for record in found.records] == (["events_missing"] if field == "events" else [])


@pytest.mark.parametrize(("key", "named"), [("nope1", "nope1"), (17, "17"), ("ą", "ą")])
def test_an_unknown_key_is_named_behind_a_colon(ask, event, key, named):
    for events in ([event()], [{}], ["x"], []):
        found = ask("/2/httpapi", {"api_key": key, "events": events}, fate=Fate.DENIED)
        assert (found.status, found.json) == (400, {"code": 400, "error": f"Invalid API key: {named}"})
        assert found.parts[0].credential == Credential("token", named)


def test_no_events_are_no_fault(send):
    found = send()
    assert (found.status, found.json["events_ingested"], found.records, len(found.parts)) == (200, 0, [], 1)


def test_what_is_no_object_is_no_event(send, event):
    found = send(event(), "x", 5, event(time="x"), None)
    assert (found.status, found.json["error"]) == (400, "Invalid event JSON")
    assert said(found) == {"events_with_invalid_fields": {"event": [1, 2, 4], "time": [3]}}
    assert [record.reason for record in found.records] == ["event_not_an_object"] * 2 + ["time_invalid", "event_not_an_object"]


FAULTS = [
    ({"event_type": None}, {"events_with_missing_fields": {"event_type": [1]}}),
    ({"event_type": ""}, {"events_with_invalid_fields": {"event_type": [1]}}),
    ({"event_type": " "}, {"events_with_invalid_fields": {"event_type": [1]}}),
    ({"event_type": 5}, {"events_with_invalid_fields": {"event_type": [1]}}),
    ({"time": "2026-05-04T10:00:00Z"}, {"events_with_invalid_fields": {"time": [1]}}),
    ({"time": "1777888800000"}, {"events_with_invalid_fields": {"time": [1]}}),
    ({"time": True}, {"events_with_invalid_fields": {"time": [1]}}),
    ({"time": -1}, {"events_with_invalid_fields": {"time": [1]}}),
    ({"time": 2**63}, {"events_with_invalid_fields": {"time": [1]}}),
    ({"time": 10**30}, {"events_with_invalid_fields": {"time": [1]}}),
    ({"time": 1e300}, {"events_with_invalid_fields": {"time": [1]}}),
    ({"event_properties": "x"}, {"events_with_invalid_fields": {"event_properties": [1]}}),
    ({"event_properties": [1]}, {"events_with_invalid_fields": {"event_properties": [1]}}),
    ({"user_properties": "x"}, {"events_with_invalid_fields": {"user_properties": [1]}}),
    ({"user_properties": {"$set": {"a": 1}, "b": 2}}, {"events_with_invalid_fields": {"user_properties": [1]}}),
    ({"groups": ["a"]}, {"events_with_invalid_fields": {"groups": [1]}}),
    ({"session_id": "x"}, {"events_with_invalid_fields": {"session_id": [1]}}),
    ({"price": "2"}, {"events_with_invalid_fields": {"price": [1]}}),
    ({"insert_id": 5}, {"events_with_invalid_fields": {"insert_id": [1]}}),
    ({"user_id": 12345}, {"events_with_invalid_fields": {"user_id": [1]}}),
    ({"user_id": 12345, "device_id": "device-1"}, {"events_with_invalid_fields": {"user_id": [1]}}),
    ({"user_id": None}, {"events_with_missing_fields": {"user_id": [1], "device_id": [1]}}),
    ({"user_id": "", "device_id": ""}, {"events_with_missing_fields": {"user_id": [1], "device_id": [1]}}),
    ({"user_id": "anonymous"}, {"events_with_invalid_fields": {"user_id": [1]}}),
    ({"user_id": "UNDEFINED", "device_id": "device-1"}, {"events_with_invalid_fields": {"user_id": [1]}}),
    ({"device_id": "00000000-0000-0000-0000-000000000000"}, {"events_with_invalid_fields": {"device_id": [1]}}),
    ({"device_id": "0000000000000000"}, {"events_with_invalid_fields": {"device_id": [1]}}),
    ({"user_id": "ab"}, {"events_with_invalid_id_lengths": {"user_id": [1]}}),
    ({"user_id": "ab", "device_id": "cd"}, {"events_with_invalid_id_lengths": {"user_id": [1], "device_id": [1]}}),
    ({"user_id": "null"}, {"events_with_invalid_id_lengths": {"user_id": [1]}}),
    ({"event_type": "", "time": "x"}, {"events_with_invalid_fields": {"event_type": [1], "time": [1]}}),
]


@pytest.mark.parametrize(("fields", "maps"), FAULTS)
@pytest.mark.parametrize("path", PATHS)
def test_a_faulty_event_is_named_and_no_other_is_stored(send, event, path, fields, maps):
    found = send(event(), event(**fields), event(), path=path)
    assert (found.status, found.json["code"], said(found)) == (400, 400, maps)
    [refusal] = found.records
    assert isinstance(refusal, Refusal)
    assert json.loads(refusal.record) == event(**fields)
    assert found.pace is None


def test_the_error_says_what_the_faults_have_in_common(send, event):
    missing, invalid, short = event(event_type=None), event(time="x"), event(user_id="ab")
    assert send(missing).json["error"] == "Request missing required field"
    assert send(invalid).json["error"] == "Invalid field values on some events"
    assert send(short).json["error"] == "Invalid id length for user_id or device_id"
    assert send(short, invalid).json["error"] == "Invalid field values on some events"


def test_a_text_for_a_time_is_named_wherever_it_stands(send, event):
    bad = event(time="2026-05-04T10:00:00Z")
    found = send(bad, event(), bad)
    assert said(found) == {"events_with_invalid_fields": {"time": [0, 2]}}


def test_all_kinds_of_faults_are_told_at_once(send, event):
    found = send(event(time="x"), event(), event(event_type=None), event(), event(time=[]), event(user_id="ab"))
    assert said(found) == {
        "events_with_invalid_fields": {"time": [0, 4]},
        "events_with_missing_fields": {"event_type": [2]},
        "events_with_invalid_id_lengths": {"user_id": [5]},
    }
    assert [record.reason for record in found.records] == [
        *("time_invalid", "event_type_missing", "time_invalid", "user_id_too_short"),
    ]


def test_one_event_with_two_faults_is_one_refusal_that_names_both(send, event):
    [refusal] = send(event(event_type=None, time="x")).records
    assert (refusal.reason, refusal.field) == ("event_type_missing", "event_type, time")


def test_a_short_id_beside_a_good_one_is_a_fault_on_httpapi(send, event):
    found = send(event(user_id="ab", device_id="device-1"))
    assert found.json == {
        "code": 400,
        "error": "Invalid id length for user_id or device_id",
        "events_with_invalid_id_lengths": {"user_id": [0]},
    }


def test_a_short_id_beside_a_good_one_is_left_out_on_batch(send, event):
    found = send(event(user_id="ab", device_id="device-1"), path="/batch")
    assert (found.status, found.records[0].ids) == (200, Ids(device="device-1"))
    assert found.properties == {"$device_id": "device-1"}


def test_the_sender_says_how_short_an_id_may_be(send, event):
    found = send(event(user_id="ab", device_id="device-1"), options={"min_id_length": 1})
    assert (found.status, found.records[0].ids) == (200, Ids("ab", "device-1"))
    assert send(event(), options={"min_id_length": 7}).status == 400
    for odd in (None, [], {"min_id_length": "1"}, "x"):
        assert send(event(user_id="ab"), options=odd).status == 400


@pytest.mark.parametrize("value", sorted(limits.NOBODY))
def test_nobody_has_the_id_of_nobody(send, event, value):
    for spelled in (value, value.upper()):
        found = send(event(user_id=spelled), options={"min_id_length": 1})
        assert said(found) == {"events_with_invalid_fields": {"user_id": [0]}}


def test_two_thousand_events_are_taken_and_one_more_is_not(send, event):
    assert send(*[event()] * 2000).json["events_ingested"] == 2000
    for events in ([event()] * 2001, [1] * 2001):
        found = send(*events)
        assert (found.status, found.json, found.parts) == (413, {"code": 413, "error": "Payload too large"}, ())


def test_a_body_above_the_limit_is_too_large_on_httpapi_alone(send, event):
    big = event(event_properties={"notes": ["x" * 1000] * 1100})
    assert send(big).json == {"code": 413, "error": "Payload too large"}
    assert send(big, path="/batch").status == 200


def test_a_small_gzip_of_a_large_body_is_too_large(ask):
    found = ask("/batch", gzip.compress(b" " * (limits.BATCH_BODY + 1)), headers={"content-encoding": "gzip"})
    assert found.json == {"code": 413, "error": "Payload too large"}


def test_a_body_of_very_many_members_is_read_all_the_same(ask, event):
    many = {f"k{number}": number for number in range(limits.EVENTS * 60)}
    body = {"api_key": "K", "events": [event(**many), event(event_properties=many, insert_id="i-1")]}
    found = ask("/batch", body)
    assert found.status == 200
    assert [record.insert_id for record in found.records] == ["", "i-1"]
    assert json.loads(found.records[1].properties)["k119999"] == 119_999


def test_the_key_for_de_duplication_is_kept_and_the_first_is_to_stay(send, event):
    found = send(event(device_id="device-1", insert_id="8f0c-1"))
    assert (found.records[0].insert_id, found.records[0].first_stays) == ("8f0c-1", True)
    assert found.properties["$insert_id"] == "8f0c-1"


def test_a_repeated_event_is_counted_again(send, event):
    one = event(device_id="device-1", insert_id="8f0c-1")
    assert send(one, one).json["events_ingested"] == 2


def test_without_a_time_it_happened_at_arrival(send, event):
    for fields in ({}, {"time": None}):
        found = send({**event(), **fields})
        assert found.records[0].time == NOW
        assert "$client_event_time" not in found.properties


@pytest.mark.parametrize(
    ("behind", "shift"),
    [(600_000, 600_000), (30_000, 0), (59_999, 0), (60_000, 60_000), (-30_000, 0), (-600_000, -600_000)],
)
def test_a_clock_that_is_a_minute_wrong_is_put_right(send, event, behind, shift):
    sent = MILLISECONDS - 3_600_000
    found = send(event(time=sent), client_upload_time=upload(MILLISECONDS - behind))
    assert found.records[0].time == (sent + shift) * 1000
    assert found.properties.get("$client_event_time") == (sent if shift else None)


@pytest.mark.parametrize("odd", ["yesterday", 5, None, "", "2026", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "٢"])
def test_an_odd_upload_time_fails_no_event(send, event, odd):
    found = send(event(time=MILLISECONDS), client_upload_time=odd)
    assert found.status == 200
    assert 0 <= found.records[0].time <= NOW


def test_a_time_ahead_becomes_arrival_and_the_senders_own_is_kept(send, event):
    ahead = MILLISECONDS + 86_400_000
    found = send(event(time=ahead))
    assert (found.records[0].time, found.properties["$client_event_time"]) == (NOW, ahead)


def test_a_time_is_exact_in_milliseconds(send, event):
    assert send(event(time=1_700_000_000_123)).records[0].time == 1_700_000_000_123_000
    assert send(event(time=1_700_000_000_123.0)).records[0].time == 1_700_000_000_123_000
    assert send(event(time=0)).records[0].time == 0


def test_late_events_go_by_the_bulk_lane(send, event):
    at_edge, older = MILLISECONDS - 5 * DAY, MILLISECONDS - 5 * DAY - 1
    found = send(event(event_type="new"), event(event_type="edge", time=at_edge), event(event_type="old", time=older))
    assert [record.name for record in found.lane("live")] == ["new", "edge"]
    assert [record.name for record in found.lane("bulk")] == ["old"]
    assert found.json["events_ingested"] == 3


def test_an_old_identify_stays_in_the_lane_of_the_events_around_it(send, event):
    found = send(event(event_type="$identify", time=1_700_000_000_000), event(time=1_700_000_000_001))
    assert len(found.lane("bulk")) == 2
    assert found.lane("live") == []


def test_our_importer_puts_everything_into_the_bulk_lane(send, event):
    for events in ([event()], [event(time="x")]):
        found = send(*events, headers={"cornicen-lane": "bulk"})
        assert found.lane("live") == []
        assert len(found.lane("bulk")) == 1


def test_a_text_is_cut_and_its_neighbours_stay_as_they_came(send, event):
    long = 'ą"\\' * 400
    found = send(event(event_properties={"a": "x" * 1025, "b": long, "c": "x" * 1024, "n" * 1025: [1.10, {"d": "y" * 2000}]}))
    assert found.properties == {
        "$user_id": "u-1001",
        "a": "x" * 1024,
        "b": long[:1024],
        "c": "x" * 1024,
        "n" * 1024: [1.1, {"d": "y" * 1024}],
    }
    assert b"[1.1," in found.records[0].properties


def test_numbers_in_a_long_text_are_not_touched(ask):
    properties = b'{"n":1.10,"big":123456789012345678901234567890,"t":"%b"}' % (b"x" * 1030)
    body = b'{"api_key":"K","events":[{"event_type":"a","user_id":"u-1001","event_properties":' + properties + b"}]}"
    [found] = ask("/2/httpapi", body).records
    assert found.properties == b'{"$user_id":"u-1001",' + properties[1:].replace(b"x" * 1030, b"x" * 1024)


def test_names_and_ids_are_cut(send, event):
    [found] = send(event(event_type="e" * 1025, user_id="u" * 1025, device_id="d" * 1025, insert_id="i" * 1025)).records
    assert (len(found.name), len(found.ids.user), len(found.ids.device), len(found.insert_id)) == (1024,) * 4
    assert found.ids.user == json.loads(found.properties)["$user_id"]


def nested(levels):
    value = 1
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


@pytest.mark.parametrize("field", ["event_properties", "user_properties", "groups"])
def test_forty_levels_are_taken_and_one_more_is_a_fault(send, event, field):
    assert send(event(**{field: {"deep": nested(40)}})).status == 200
    found = send(event(), event(**{field: {"deep": nested(41)}}))
    assert said(found) == {"events_with_invalid_fields": {field: [1]}}


def test_many_brackets_side_by_side_are_not_deep(send, event):
    assert send(event(event_properties={"wide": [{"a": [1]}] * 100, "text": "[{" * 100})).status == 200


def test_unknown_fields_are_left_out(send, event):
    found = send(event(extra={"a": 1}, delay=5, country="Lithuania"), partner_id="p", request_metadata={"sdk": {}})
    assert found.properties == {"$user_id": "u-1001", "$country": "Lithuania"}


@pytest.mark.parametrize(("sent", "kept"), [(-1, None), (1_777_888_800_000, 1_777_888_800_000)])
def test_a_session_of_minus_one_is_none(send, event, sent, kept):
    assert send(event(session_id=sent)).properties["$session_id"] == kept


@pytest.mark.parametrize(("address", "kept"), [("198.51.100.4", "198.51.100.4"), ("", None), ("2001:db8::1", "2001:db8::1")])
def test_the_senders_address_stands_for_remote(ask, event, address, kept):
    found = ask("/2/httpapi", {"api_key": "K", "events": [event(ip="$remote")]}, address=address)
    assert found.properties["$ip"] == kept


def test_an_address_that_is_sent_is_kept_and_none_is_made_up(send, event):
    assert send(event(ip="203.0.113.9")).properties["$ip"] == "203.0.113.9"
    assert "$ip" not in send(event()).properties


@pytest.mark.parametrize(
    ("amounts", "revenue"),
    [
        ({"price": 2, "quantity": 3, "revenue": 1}, "6"),
        ({"price": 0.1, "quantity": 3}, "0.3"),
        ({"price": 2.5}, "2.5"),
        ({"price": 2.5, "revenue": 4}, "4"),
        ({"revenue": 4.20}, "4.2"),
        ({"price": -2, "quantity": 3}, "-6"),
        ({"price": None, "quantity": 3, "revenue": 1}, "1"),
        ({"price": 1e300, "quantity": 1e300}, "null"),
    ],
)
def test_revenue_is_price_times_quantity(send, event, amounts, revenue):
    [found] = send({**event(), **amounts}).records
    assert f'"$revenue":{revenue}'.encode() in found.properties


@pytest.mark.parametrize(
    ("amounts", "revenue"),
    [
        ({"$price": 3.99, "$quantity": 3}, 11.97),
        ({"$price": 3.99, "$quantity": 3, "$revenue": 10}, 10),
        ({"$price": 3.99}, 3.99),
        ({"$price": "x"}, None),
        ({}, None),
    ],
)
def test_an_sdks_revenue_event_has_its_revenue(send, event, amounts, revenue):
    assert send(event(event_type="revenue_amount", event_properties=amounts)).properties["$revenue"] == revenue
    assert send(event(event_properties=amounts)).properties.get("$revenue") == amounts.get("$revenue")


def test_the_senders_property_wins_over_a_field_of_the_same_name(send, event):
    found = send(event(city="Vilnius", event_properties={"$city": "Kaunas"}))
    assert found.properties["$city"] == "Kaunas"


def test_groups_beyond_the_limits_are_ignored(send, event):
    six = {f"g{number}": "x" for number in range(6)}
    assert list(send(event(groups=six)).properties["$groups"]) == ["g0", "g1", "g2", "g3", "g4"]
    many = {"a": [f"n{number}" for number in range(8)], "b": ["x", "y", "z"], "c": "late"}
    assert send(event(groups=many)).properties["$groups"] == {"a": many["a"], "b": ["x", "y"]}


def test_user_properties_are_a_snapshot_and_a_change_of_the_profile(send, event):
    found = send(event(user_properties={"plan": "pro", "age": 5}))
    assert found.properties["$user_properties"] == {"plan": "pro", "age": 5}
    assert found.records[0].operations == (Operation("set", b'{"plan": "pro", "age": 5}'),)


def test_user_properties_that_are_not_to_be_synced_change_no_profile(send, event):
    found = send(event(user_properties={"plan": "pro"}, **{"$skip_user_properties_sync": True}))
    assert (found.records[0].operations, found.properties["$user_properties"]) == ((), {"plan": "pro"})
    found = send(event(user_properties={"plan": "pro"}, **{"$skip_user_properties_sync": False}))
    assert len(found.records[0].operations) == 1


def test_operations_on_an_ordinary_event_are_not_applied(send, event):
    found = send(event(user_properties={"$set": {"plan": "pro"}}))
    assert (found.status, found.records[0].operations) == (200, ())
    assert found.properties["$user_properties"] == {"$set": {"plan": "pro"}}


@pytest.mark.parametrize("nothing", [{}, None])
def test_no_user_properties_change_nothing(send, event, nothing):
    assert send({**event(), "user_properties": nothing}).records[0].operations == ()


def test_the_case_of_an_id_matters(send, event):
    found = send(event(user_id="User-1"), event(user_id="user-1"))
    assert [record.ids.user for record in found.records] == ["User-1", "user-1"]


def test_half_an_emoji_costs_no_event(ask):
    properties = b'{"t":"\\ud83d","u":"\\ud83d\\ude00","v":"\\\\ud83d"}'
    half = b'{"api_key":"K","events":[{"event_type":"a","user_id":"u-1001","event_properties":' + properties + b"}]}"
    found = ask("/2/httpapi", half)
    assert (found.status, found.json["payload_size_bytes"]) == (200, len(half))
    assert found.properties == {"$user_id": "u-1001", "t": "\ufffd", "u": "😀", "v": "\\ud83d"}


@pytest.mark.parametrize("fate", [Fate.FULL, Fate.UNAVAILABLE])
def test_what_could_not_be_kept_is_to_be_sent_again(send, event, fate):
    for events in ([event()], [event(time="x")]):
        found = send(*events, fate=fate)
        assert (found.status, found.json) == (503, {"code": 503, "error": "Service unavailable"})
        assert int(found.headers["retry-after"]) >= 1


@pytest.mark.parametrize("path", ["/2/*", "/httpapi", "/batch/*"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_path_of_nothing_is_told(ask, path, method):
    found = ask(path, b"{}", method=method)
    assert (found.status, found.json, found.parts) == (400, {"code": 400, "error": "Invalid request path"}, ())
