"""`/import`, case by case; the names in brackets are those of the protocol's conformance checklist."""

import base64
import gzip
import json
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cornicen.events.shapes import Event, Ids, Refusal
from cornicen.flows.vendors import Credential, Fate
from cornicen.integrations.mixpanel import limits
from cornicen.integrations.mixpanel.refusing import Refused, Rules, moment

unhurried = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NOW = 1_795_539_600_000_000
SECONDS = NOW // 1_000_000
STRICT = {"strict": "1"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
DAY = 86_400


def basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


def ndjson(records, end="\n"):
    return "".join(json.dumps(record) + end for record in records).encode()


def test_two_good_events_of_a_service_account_are_imported(ask, event):  # B1
    found = ask("/import", [event(), event()], {**STRICT, "project_id": "1"}, {"authorization": basic("sa:sec")})
    assert (found.status, found.json) == (200, {"code": 200, "num_records_imported": 2, "status": "OK"})
    assert [part.credential for part in found.parts] == [Credential("account", "sa", "sec", "1")]
    assert [type(record) for record in found.records] == [Event, Event]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\r\n \n"])
@pytest.mark.parametrize("kind", ["application/x-ndjson", "application/json"])
def test_lines_are_the_same_as_an_array(ask, event, end, kind):  # B2
    found = ask("/import", ndjson([event(), event()], end), STRICT, {"content-type": kind})
    assert found.json == {"code": 200, "num_records_imported": 2, "status": "OK"}


def test_gzip_is_the_same_as_plain(ask, event):  # B3
    body = gzip.compress(json.dumps([event(), event()]).encode())
    assert ask("/import", body, STRICT, {"content-encoding": "gzip"}).json["num_records_imported"] == 2


@pytest.mark.parametrize(
    ("header", "query", "credential"),
    [
        (basic("T:"), {}, Credential("token_or_secret", "T")),  # B4
        (
            basic("a-secret:"),
            {},
            Credential("token_or_secret", "a-secret"),
        ),  # B5: which of the two it is, the receiver looks up
        (basic("a-secret"), {}, Credential("token_or_secret", "a-secret")),
        (basic("T:"), {"project_id": "7"}, Credential("token_or_secret", "T", project="7")),
        ("Basic sa:sec", {"project_id": "1"}, Credential("account", "sa", "sec", "1")),  # B6
        (None, {"api_key": "T"}, Credential("token_or_secret", "T")),
    ],
)
def test_who_sends_is_read_from_where_clients_say_it(ask, event, header, query, credential):
    found = ask("/import", [event()], {**STRICT, **query}, {"authorization": header})
    assert [part.credential for part in found.parts] == [credential]


@pytest.mark.parametrize("header", [None, "Bearer x", "Basic ", "nonsense"])
@pytest.mark.parametrize("query", [STRICT, {"strict": "0"}, {"verbose": "1"}])
def test_nobody_gets_in_without_saying_who_they_are(ask, event, header, query):  # B7
    found = ask("/import", [event()], query, {"authorization": header})
    assert (found.status, found.json["code"], found.json["status"]) == (401, 401, "Unauthorized")
    assert found.parts == ()


SHAPES = [STRICT, {"strict": "0"}, {"strict": "0", "verbose": "1"}, {"strict": "0", "callback": "f"}]


@pytest.mark.parametrize("query", SHAPES)
def test_a_wrong_credential_is_always_told(ask, event, query):  # B8, B10
    found = ask("/import", [event()], query, fate=Fate.DENIED)
    assert (found.status, found.json) == (401, {"code": 401, "error": "Invalid credentials", "status": "Unauthorized"})


@pytest.mark.parametrize("body", [b"[]", b"", b"[{}]", b"{", b"\xff"])
def test_a_credential_is_looked_at_even_where_nothing_is_kept(ask, body):
    assert ask("/import", body, fate=Fate.DENIED).status == 401


def test_one_bad_event_of_three_is_named_and_the_others_are_kept(ask, event):  # B11
    found = ask("/import", [event("a"), event("b", time=None, **{"$insert_id": "b-2"}), event("c")], STRICT)
    assert (found.status, found.json["num_records_imported"], found.json["status"]) == (400, 2, "Bad Request")
    assert found.json["error"] == "some data points in the request failed validation"
    assert found.json["failed_records"] == [
        {
            "index": 1,
            "insert_id": "b-2",
            "$insert_id": "b-2",
            "field": "properties.time",
            "message": "'properties.time' is invalid: must not be missing",
        }
    ]
    kept = [record.name for record in found.records if isinstance(record, Event)]
    refused = [record for record in found.records if isinstance(record, Refusal)]
    assert (kept, [one.reason for one in refused]) == (["a", "c"], ["time_missing"])
    assert json.loads(refused[0].record)["event"] == "b"


BAD_INSERT_ID = "'$insert_id' is invalid: must only contain alphanumeric or hyphen '-' characters"
STRICTLY_BAD = [
    ({"$insert_id": None}, "$insert_id", "insert_id_missing", ""),  # B12
    ({"$insert_id": ""}, "$insert_id", "insert_id_missing", ""),
    ({"$insert_id": "a:b"}, "$insert_id", "insert_id_invalid", BAD_INSERT_ID),  # B13
    ({"$insert_id": "a" * 37}, "$insert_id", "insert_id_invalid", BAD_INSERT_ID),
    ({"$insert_id": "ą"}, "$insert_id", "insert_id_invalid", BAD_INSERT_ID),
    ({"$insert_id": "a\n"}, "$insert_id", "insert_id_invalid", BAD_INSERT_ID),
    ({"$insert_id": "undefined"}, "$insert_id", "insert_id_refused", ""),  # B14
    ({"distinct_id": "N/A"}, "properties.distinct_id", "distinct_id_refused", ""),
    ({"distinct_id": "0"}, "properties.distinct_id", "distinct_id_refused", ""),
    ({"distinct_id": 0}, "properties.distinct_id", "distinct_id_refused", ""),
    ({"distinct_id": "[]"}, "properties.distinct_id", "distinct_id_refused", ""),
    ({"distinct_id": []}, "properties.distinct_id", "distinct_id_refused", ""),
    ({"distinct_id": True}, "properties.distinct_id", "distinct_id_refused", ""),
    ({"distinct_id": {"a": 1}}, "properties.distinct_id", "distinct_id_invalid", ""),
    ({"distinct_id": "x" * 256}, "properties.distinct_id", "distinct_id_too_long", ""),
    ({"distinct_id": None}, "properties.distinct_id", "distinct_id_missing", "must not be missing"),
    ({"$user_id": "NULL"}, "properties.$user_id", "user_id_refused", ""),
    ({"time": 0}, "properties.time", "time_too_early", ""),  # B16
    ({"time": 31_535_999}, "properties.time", "time_too_early", ""),
    ({"time": -1.5}, "properties.time", "time_too_early", ""),
    ({"time": SECONDS + 7200}, "properties.time", "time_in_future", ""),
    ({"time": SECONDS * 1000 + 7_200_000}, "properties.time", "time_in_future", ""),
    ({"time": 1e300}, "properties.time", "time_in_future", ""),
    ({"time": 10**30}, "properties.time", "time_in_future", ""),
    ({"time": "yesterday"}, "properties.time", "time_invalid", "must be specified as seconds since epoch"),
    ({"time": True}, "properties.time", "time_invalid", "must be specified as seconds since epoch"),
    ({"time": [1]}, "properties.time", "time_invalid", "must be specified as seconds since epoch"),
]


@pytest.mark.parametrize(("properties", "field", "reason", "message"), STRICTLY_BAD)
def test_what_strict_mode_refuses(ask, event, properties, field, reason, message):
    found = ask("/import", [event(**properties), event("good")], STRICT)
    assert (found.status, found.json["num_records_imported"]) == (400, 1)
    [failed] = found.json["failed_records"]
    assert (failed["index"], failed["field"]) == (0, field)
    assert message in failed["message"]
    assert [one.reason for one in found.records if isinstance(one, Refusal)] == [reason]


@pytest.mark.parametrize(
    ("record", "field"),
    [
        ({"properties": {"time": SECONDS}}, "event"),
        ({"event": " ", "properties": {}}, "event"),
        ({"event": 5, "properties": {}}, "event"),
        ({"event": ["a"], "properties": {}}, "event"),
        ({"event": "a"}, "properties"),
        ({"event": "a", "properties": None}, "properties"),
        ({"event": "a", "properties": []}, "properties"),
        ({}, "event"),
        (5, ""),
        (None, ""),
        ([], ""),
        ("x", ""),
    ],
)
def test_what_is_no_event_is_a_failed_record(ask, event, record, field):
    found = ask("/import", [event(), record], STRICT)
    assert [(failed["index"], failed["field"]) for failed in found.json["failed_records"]] == [(1, field)]
    assert found.json["num_records_imported"] == 1


@pytest.mark.parametrize("who", ["", "$device:"])
def test_an_empty_distinct_id_is_kept_and_is_nobodys(ask, event, who):  # B15
    found = ask("/import", [event(distinct_id=who)], STRICT)
    assert found.status == 200
    assert found.records[0].ids == Ids()


def test_a_time_half_an_hour_ahead_becomes_now(ask, event):  # B17
    found = ask("/import", [event(time=SECONDS + 1800)], STRICT)
    assert (found.status, found.records[0].time) == (200, NOW)


@pytest.mark.parametrize("which", ["$device_id", "$user_id"])
def test_one_id_of_the_three_is_enough(ask, event, which):  # B18
    found = ask("/import", [event(distinct_id=None, **{which: "D1"})], STRICT)
    assert found.json["num_records_imported"] == 1
    assert found.records[0].ids == (Ids(device="D1") if which == "$device_id" else Ids(user="D1"))


@pytest.mark.parametrize("which", ["$device_id", "$user_id"])
@pytest.mark.parametrize("empty", ["", "$device:"])
def test_a_device_id_with_nothing_behind_its_prefix_is_a_missing_id(ask, event, which, empty):
    found = ask("/import", [event(distinct_id=None, **{which: empty})], STRICT)
    assert found.json["failed_records"][0]["message"] == "'properties.distinct_id' is invalid: must not be missing"
    [other] = ask("/import", [event(distinct_id="u1", **{which: empty})], STRICT).records
    assert other.ids == Ids(distinct="u1")
    [made] = ask("/track", [event(distinct_id=None, **{which: empty})], {"ip": "1"}).records
    assert made.ids.distinct.startswith("$device:")
    assert made.ids.distinct != "$device:"


def test_ids_and_properties_travel_as_sent(ask):
    ids = b'"distinct_id" : 42,"$user_id":"u","$device_id":"d","$insert_id":"k-1"'
    properties = b'{ "time":1795539599.5,' + ids + b' ,"n":1.10,"\\u0105":"\\n" ,"o":{"token":"T"}}'
    [found] = ask("/import", b'[{"extra":1,"properties":' + properties + b',"event":"e"}]', STRICT).records
    assert found == Event("e", Ids("u", "d", "42"), NOW - 500_000, properties, "k-1")


def test_the_python_client_gets_what_it_reads(ask, event):  # B23
    body = urlencode({"data": json.dumps(event()), "verbose": 1, "ip": 0}).encode()
    found = ask("/import", body, {"project_id": "1"}, {**FORM, "authorization": basic("sa:sec")})
    assert (found.json["status"], found.json["error"]) == (1, None)
    assert len(found.records) == 1


@pytest.mark.parametrize("verbose", ["0", "1"])
def test_the_node_client_gets_what_it_reads(ask, event, verbose):  # B24
    data = base64.b64encode(json.dumps(event()).encode()).decode()
    found = ask("/import", b"", {"data": data, "verbose": verbose}, {"content-type": None}, method="GET")
    assert found.body == b"1" if verbose == "0" else found.json["status"] == 1
    assert len(found.records) == 1


@pytest.mark.parametrize("wrap", [quote, lambda text: text])
def test_base64_in_a_form_arrives_encoded_or_not(ask, event, wrap):
    data = base64.b64encode(json.dumps([event(note=">>>???~~~"), event(note="ąčę ûÿ")]).encode()).decode()
    for kind in ("application/x-www-form-urlencoded", "text/plain;charset=UTF-8", None):
        found = ask("/import", f"data={wrap(data)}&verbose=1".encode(), {}, {"content-type": kind})
        assert (found.json["status"], len(found.records)) == (1, 2)


def test_strict_wins_over_verbose(ask, event):  # B25
    found = ask("/import", [event()], {"strict": "1", "verbose": "1"})
    assert found.json == {"code": 200, "num_records_imported": 1, "status": "OK"}


def test_under_the_original_rule_only_a_distinct_id_is_one(ask, event):  # B19
    batch = [event(distinct_id=None, **{"$device_id": "D1", "time": SECONDS - 6 * DAY}), event(**{"$user_id": "U1"})]
    assert ask("/import", batch, STRICT).json["num_records_imported"] == 2
    found = ask("/import", batch, STRICT, under="original")
    [failed] = found.json["failed_records"]
    assert (found.status, found.json["num_records_imported"], failed["index"]) == (400, 1, 0)
    assert failed["message"] == "'properties.distinct_id' is invalid: must not be missing"
    assert [type(record) for record in found.records] == [Refusal, Event]
    assert {part.credential for part in found.parts} == {Credential("token_or_secret", "T")}


def test_the_same_event_sent_twice_has_the_same_key(ask, event):  # B20, B21, B22
    one, two, changed, later = ask("/import", [event(), event(), event(plan="pro"), event(time=SECONDS - 60)], STRICT).records
    key = [(found.name, found.ids, found.time, found.insert_id, found.first_stays) for found in (one, two, changed, later)]
    assert key[0] == key[1] == key[2] != key[3]
    assert one.insert_id == later.insert_id


def test_two_thousand_events_are_taken_and_one_more_is_not(ask, event):  # B26
    assert ask("/import", [event()] * 2000, STRICT).json["num_records_imported"] == 2000
    for body in ([event()] * 2001, ndjson([event()] * 2001)):
        found = ask("/import", body, STRICT)
        assert (found.status, found.json["code"], found.json["status"]) == (413, 413, "Request Entity Too Large")
        assert "2000 records" in found.json["error"]
        assert found.parts == ()


def test_what_unpacks_beyond_the_limit_is_too_large(ask, event):  # B27
    for body, headers in (
        (gzip.compress(json.dumps([event(note="x" * 11_000_000)]).encode(), mtime=0), {"content-encoding": "gzip"}),
        (json.dumps([event(note="x" * 11_000_000)]).encode(), {}),
        (gzip.compress(b"\0" * 100_000_000), {"content-encoding": "gzip"}),
    ):
        found = ask("/import", body, STRICT, headers)
        assert (found.status, found.json["error"]) == (413, "request exceeds max limit of 10485760 bytes")
        assert found.parts == ()


@pytest.mark.parametrize(
    ("body", "headers"),
    [(b"[{", {}), (b"nonsense", {}), (b"{}" * 3 + b"[", {"content-encoding": "gzip"}), (b"x", {"content-encoding": "br"})],
)
def test_a_body_of_which_nothing_can_be_read_is_told_and_counted(ask, body, headers):  # B28
    found = ask("/import", body, STRICT, headers)
    assert (found.status, found.json["code"], found.json["status"]) == (400, 400, "Bad Request")
    assert [record.reason for record in found.records] == ["body_unreadable"]
    assert found.records[0].record == body


def test_a_broken_line_is_a_failed_record_among_good_ones(ask, event):  # B28
    lines = [json.dumps(event("a")), '{"event":"b","prop', json.dumps(event("c"))]
    found = ask("/import", "\n".join(lines).encode(), STRICT, {"content-type": "application/x-ndjson"})
    assert (found.status, found.json["num_records_imported"]) == (400, 2)
    assert [failed["index"] for failed in found.json["failed_records"]] == [1]


def test_a_broken_element_is_a_failed_record_among_good_ones(ask, event):
    good = json.dumps(event("a")).encode()
    deep = b'{"event":"d","properties":{"x":' + b"[" * 3000 + b"]" * 3000 + b"}}"
    for bad in (b'{"event":NaN}', b'{"event":"b","properties":{"x":NaN}}', deep, b'{"event":"\\ud800"}', b'{"event":1e999}'):
        found = ask("/import", b"[" + good + b"," + bad + b"," + good + b"]", STRICT)
        assert (found.status, found.json["num_records_imported"]) == (400, 2)
        assert [failed["index"] for failed in found.json["failed_records"]] == [1]


def test_nesting_is_bounded_by_depth_and_not_by_number(ask, event):
    wide = event(**{f"p{i}": [{"a": [i]}] for i in range(200)}, text="[{" * 200)
    assert ask("/import", [wide], STRICT).status == 200
    assert ask("/import", [wide], LOOSE).json["status"] == 1

    def nested(levels):
        value = 1
        for _ in range(levels):
            value = [value]
        return event(deep=value)

    for query, deepest in ((LOOSE, limits.NESTING - 2), (STRICT, limits.LEVELS)):
        assert [type(one) for one in ask("/import", [nested(deepest)], query).records] == [Event]
        [found] = ask("/import", [nested(deepest + 1)], query).records
        assert found.reason == "nested_too_deep"


def test_broken_utf8_is_told_with_the_property_that_holds_it(ask, event):
    good = json.dumps(event("a")).encode()
    bad = good.replace(b'"u1"', b'"u1", "utm_source":"\xff"')
    found = ask("/import", b"[" + good + b"," + bad + b"]", STRICT)
    [failed] = found.json["failed_records"]
    assert failed["message"] == "properties.utm_source is invalid: string should be valid utf8"
    assert (failed["index"], failed["insert_id"], found.json["num_records_imported"]) == (1, "a1", 1)


def test_a_record_above_its_own_limit_fails_alone(ask, event):
    found = ask("/import", [event(), event(note="x" * limits.RECORD)], STRICT)
    assert [record.reason for record in found.records if isinstance(record, Refusal)] == ["record_too_large"]
    assert [len(record.record) for record in found.records if isinstance(record, Refusal)] == [4096]


def test_a_service_account_must_name_its_project(ask, event):  # B29
    found = ask("/import", [event()], STRICT, {"authorization": basic("sa:sec")})
    assert (found.status, found.parts) == (400, ())
    assert "project_id" in found.json["error"]


def test_a_full_spool_asks_the_sender_to_come_back(ask, event):  # B30
    for query in (STRICT, {"strict": "0"}):
        found = ask("/import", [event()], query, fate=Fate.FULL)
        assert found.status == 429
        assert found.json["error"] == "Project exceeded rate limits. Please retry the request with exponential backoff."
        assert int(found.headers["retry-after"]) >= 1


def test_a_credential_is_tried_with_an_empty_event(ask):
    found = ask("/import", [{}])
    assert (found.status, found.json) == (200, {"error": "data, missing or empty", "status": 0})
    assert found.records == []


LOOSE = {"strict": "0", "verbose": "1"}


def test_without_strict_nothing_but_an_event_is_needed(ask):
    [found] = ask("/import", [{"event": "a", "properties": {}}], LOOSE).records
    assert found == Event("a", Ids(), NOW, b"{}", "")


@pytest.mark.parametrize("key", ["a:b", "x" * 37])
def test_without_strict_an_odd_insert_id_is_still_a_key(ask, event, key):
    assert ask("/import", [event(**{"$insert_id": key})], LOOSE).records[0].insert_id == key


@pytest.mark.parametrize("key", ["undefined", "", None, "x" * 256])
def test_without_strict_what_cannot_be_a_key_is_none(ask, event, key):
    assert ask("/import", [event(**{"$insert_id": key})], LOOSE).records[0].insert_id == ""


def test_without_strict_a_future_time_is_now_and_a_spelled_one_counts(ask, event):
    found = ask("/import", [event(time=SECONDS + 10**6), event(time="1700000000"), event(time="1700000000.25")], LOOSE)
    assert [record.time for record in found.records] == [NOW, 1_700_000_000_000_000, 1_700_000_000_250_000]


def test_without_strict_one_good_record_is_success_and_the_bad_are_counted(ask, event):
    found = ask("/import", [event(), {"event": "", "properties": {}}], LOOSE)
    assert ask("/import", [event()], LOOSE).json == {"status": 1, "error": None, "code": 200, "num_records_imported": 1}
    assert (found.status, found.json["status"], found.json["error"], found.json["num_records_imported"]) == (200, 1, None, 1)
    assert [failed["index"] for failed in found.json["failed_records"]] == [1]
    assert [type(record) for record in found.records] == [Event, Refusal]


def test_without_strict_all_bad_is_failure(ask):
    bad = [{"properties": {}}, {"event": "a"}]
    assert ask("/import", bad, {"strict": "0"}).body == b"0"
    found = ask("/import", bad, LOOSE)
    assert (found.status, found.json) == (200, {"error": "event, missing", "status": 0})


def test_a_body_that_asks_for_nothing_is_read_strictly_and_a_form_is_not(ask, event):
    assert ask("/import", [event(time=None)]).status == 400
    assert ask("/import", urlencode({"data": json.dumps([event(time=None)])}).encode(), {}, FORM).body == b"1"


def test_json_that_curl_calls_a_form_is_json(ask, event):
    assert ask("/import", [event()], STRICT, FORM).json["num_records_imported"] == 1


def test_a_long_event_name_is_cut(ask, event):
    assert ask("/import", [event("ą" * 300)], STRICT).records[0].name == "ą" * 255


def test_old_events_go_by_the_bulk_lane_and_refusals_live(ask, event):
    at_edge, older = SECONDS - 5 * DAY, SECONDS - 5 * DAY - 1
    found = ask("/import", [event("new"), event("edge", time=at_edge), event("old", time=older), event(time=None)], STRICT)
    assert [getattr(record, "name", "refused") for record in found.lane("live")] == ["new", "edge", "refused"]
    assert [record.name for record in found.lane("bulk")] == ["old"]


def test_our_importer_puts_everything_into_the_bulk_lane(ask, event):
    found = ask("/import", [event(), event(time=None)], STRICT, {"cornicen-lane": "bulk"})
    assert found.lane("live") == []
    assert len(found.lane("bulk")) == 2


RULES = Rules(strict=True, now=4_102_444_800_000_000, utf8=True)
MOMENTS = st.integers(31_536_000_000_000, RULES.now)


@unhurried
@given(MOMENTS)
def test_a_float_is_exact_to_the_microsecond(micros):
    seconds, milliseconds = f"{micros // 10**6}.{micros % 10**6:06}", f"{micros // 1000}.{micros % 1000:03}"
    assert moment(float(seconds), "time", RULES) == micros
    assert moment(float(milliseconds), "time", RULES) == micros


@unhurried
@given(MOMENTS)
def test_an_integer_is_exact_in_seconds_and_in_milliseconds(micros):
    assert moment(micros // 10**6, "time", RULES) == micros // 10**6 * 10**6
    assert moment(micros // 1000, "time", RULES) == micros // 1000 * 1000


@unhurried
@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False), st.booleans())
def test_no_number_is_later_than_now_or_earlier_than_1971(value, strict):
    try:
        found = moment(value, "time", Rules(strict, NOW, utf8=True))
    except Refused:
        return
    assert limits.EARLIEST * 10**6 <= found <= NOW
