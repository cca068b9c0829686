"""`/track`, case by case; the names in comments are those of the protocol's conformance checklist."""

import base64
import gzip
import json
from urllib.parse import quote, urlencode

import pytest

from cornicen.events.shapes import Event, Ids, Refusal
from cornicen.flows.vendors import Credential, Fate
from cornicen.integrations.mixpanel import limits
from cornicen.integrations.mixpanel.answers import PIXEL

NOW = 1_795_539_600_000_000
SECONDS = NOW // 1_000_000
DAY = 86_400
VERBOSE = {"verbose": "1"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
OK = {"status": 1, "error": None}
EMPTY = {"error": "data, missing or empty", "status": 0}


@pytest.fixture
def track(ask):
    """Ask `/track`, without the credential that only `/import` looks at."""

    def track(body=b"", query=None, headers=None, **more):
        return ask("/track", body, query, {"authorization": None, **(headers or {})}, **more)

    return track


def coded(record):
    return base64.b64encode(json.dumps(record).encode()).decode()


def test_a_form_with_json_is_one_event(track, event):  # A1
    found = track(urlencode({"data": json.dumps(event())}).encode(), {}, FORM)
    assert (found.status, found.body, found.kind) == (200, b"1", "text/plain; charset=utf-8")
    assert [part.credential for part in found.parts] == [Credential("token", "T")]
    [kept] = found.records
    assert (kept.name, kept.ids, kept.time, kept.insert_id) == ("purchase", Ids(distinct="u1"), NOW, "a1")


ODD = {"note": ">>>???~~~ ąčę ûÿ"}
"""Its base64 has `+`, `/` and `=`."""


@pytest.mark.parametrize(
    ("method", "body", "query", "headers"),
    [
        ("POST", lambda data: urlencode({"data": data}).encode(), {}, FORM),  # A2
        ("GET", lambda _: b"", {"data": coded}, {"content-type": None}),  # A3
        ("POST", lambda data: b"data=" + data.encode(), {}, FORM),  # A6
        ("POST", lambda data: b"data=" + quote(data).encode(), {}, {"content-type": "text/plain;charset=UTF-8"}),  # A8
        ("POST", lambda data: b"data=" + data.encode(), {}, {"content-type": "text/plain;charset=UTF-8"}),
        ("POST", lambda _: b"", {"data": coded}, {"content-type": None}),
    ],
)
def test_base64_arrives_by_every_way(track, event, method, body, query, headers):
    record = event(**ODD)
    data = coded(record)
    assert {"+", "/", "="} & set(data)
    found = track(body(data), {name: make(record) for name, make in query.items()}, headers, method=method)
    assert found.body == b"1"
    assert json.loads(found.records[0].properties)["note"] == ODD["note"]


def test_the_browsers_form_is_answered_in_json(track, event):  # A4
    found = track(f"data={quote(coded([event()]))}".encode(), {"verbose": "1", "ip": "1", "_": "1795539600000"}, FORM)
    assert (found.status, found.json, found.kind) == (200, OK, "application/json")


@pytest.mark.parametrize("verbose", ["1", "2"])
def test_verbose_may_stand_inside_the_form(track, event, verbose):  # A5
    body = urlencode({"data": json.dumps(event()), "verbose": verbose, "ip": 0}).encode()
    assert track(body, {}, FORM).json == OK


def test_an_object_is_one_event_and_a_list_is_several(track, event):  # A7
    assert len(track(event()).records) == 1
    assert len(track([event("a"), event("b")]).records) == 2
    lines = b"\n".join(json.dumps(event(name)).encode() for name in "abc")
    assert len(track(lines, {}, {"content-type": "application/x-ndjson"}).records) == 3


def test_gzip_is_the_same_as_plain(track, event):  # A9
    for records in (event(), [event("a"), event("b")]):
        packed = gzip.compress(json.dumps(records).encode())
        assert track(packed, {}, {"content-encoding": "gzip"}).records == track(records).records


def test_what_is_not_the_gzip_it_is_said_to_be_keeps_nothing(track, event):  # A10
    whole = gzip.compress(json.dumps(event()).encode())
    for body in (json.dumps(event()).encode(), whole[:-9], b""):
        found = track(body, {}, {"content-encoding": "gzip"})
        assert (found.status, found.body, found.parts) == (200, b"0", ())


@pytest.mark.parametrize("body", [b"", b"verbose=1", b"data=", b"data=[]", b"data=[{}]", b"data=%5B%7B%7D%5D", b"[]", b"{}"])
def test_nothing_in_it_is_told(track, body):  # A11, A12
    found = track(body, VERBOSE, FORM if b"=" in body else {})
    assert (found.status, found.json, found.parts) == (200, EMPTY, ())
    assert track(body, {}, FORM).body == b"0" or b"verbose" in body
    assert track(b"", VERBOSE, {"content-type": None}, method="GET").json == EMPTY


@pytest.mark.parametrize("data", ["nonsense!", "eyJldmVu", "bm9uc2Vuc2U=", "5", '"x"', "null", "[1", "{]"])
def test_what_cannot_be_read_is_told(track, data):  # A13
    body = urlencode({"data": data}).encode()
    found = track(body, VERBOSE, FORM)
    assert (found.status, found.json["status"], found.records) == (200, 0, [])
    assert found.json["error"]
    assert track(body, {}, FORM).body == b"0"


@pytest.mark.parametrize("name", [None, "", " ", 5, ["a"], {"a": 1}, True])
def test_an_event_without_a_name_is_told(track, event, name):  # A14, A32
    record = {**event(), "event": name} if name is not None else {"properties": event()["properties"]}
    assert track(record, VERBOSE).json == {"error": "event, missing", "status": 0}
    assert track([record]).body == b"0"


@pytest.mark.parametrize("token", [None, "", " ", 5, ["T"]])
def test_an_event_without_a_token_is_told(track, event, token):  # A15
    found = track(event(token=token), VERBOSE)
    assert (found.json, found.parts) == ({"error": "token, missing or empty", "status": 0}, ())


def test_an_unknown_token_is_not_told(track, event):  # A16
    assert track(event(), fate=Fate.DENIED).body == b"1"
    assert track(event(), VERBOSE, fate=Fate.DENIED).json == OK


def test_one_good_event_is_success_and_the_bad_one_is_kept_with_its_reason(track, event):  # A17
    found = track([{"properties": event()["properties"]}, event()])
    assert found.body == b"1"
    assert [type(record) for record in found.records] == [Refusal, Event]
    nobodys = track([{"properties": {}}, event()], VERBOSE)
    assert nobodys.json == OK
    assert [type(record) for record in nobodys.records] == [Event, Refusal]


def test_all_bad_is_failure(track, event):  # A18
    assert track([{"properties": {}}, event(token=None), {"event": "a"}, 5]).body == b"0"


@pytest.mark.parametrize(("ignore", "kept"), [(True, 0), (1, 0), ("", 0), (False, 1), (None, 1)])
def test_an_event_to_be_ignored_is_success_and_is_not_kept(track, event, ignore, kept):  # A19
    found = track(event(**{"$ignore": ignore}))
    assert (found.body, len(found.records)) == (b"1", kept)
    assert [part.credential.username for part in found.parts] == ["T"]


def test_an_event_without_a_time_has_that_of_its_arrival(track, event):  # A20
    assert track(event(time=None)).records[0].time == NOW


def test_a_time_is_the_same_in_every_way_of_writing_it(track, event):  # A21
    when = SECONDS - 3600
    times = [float(when), when, when * 1000, str(when), str(when * 1000), f"{when}.0", when * 1000.0]
    assert {record.time for record in track([event(time=time) for time in times]).records} == {when * 10**6}


@pytest.mark.parametrize("time", [SECONDS - 6 * DAY, (SECONDS - 6 * DAY) * 1000, SECONDS - 5 * DAY - 1, 5, -1])
def test_an_old_event_is_success_and_is_kept_only_as_a_refusal(track, event, time):  # A22
    found = track(event(time=time), VERBOSE)
    assert found.json == OK
    [refusal] = found.records
    assert (type(refusal), refusal.field) == (Refusal, "properties.time")
    assert refusal.reason in {"time_too_old", "time_too_early"}
    assert [type(record) for record in track(event(time=SECONDS - 5 * DAY)).records] == [Event]


def test_a_missing_id_is_made_of_the_address_where_that_is_asked(track, event):  # A23
    def ids(token="T", **more):
        [found] = track(event(token=token, distinct_id=None), **more).records
        return found.ids

    one = ids(query={"ip": "1"}, address="192.0.2.7")
    assert one.distinct.startswith("$device:")
    assert "192.0.2.7" not in one.distinct
    assert one == ids(query={"ip": "1"}, address="192.0.2.7")
    assert one != ids(query={"ip": "1"}, address="192.0.2.8")
    assert one != ids("other", query={"ip": "1"}, address="192.0.2.7")
    assert ids(query={"ip": "0"}) == ids() == ids(query={"ip": "1"}, address="") == Ids()
    [named] = track(event(distinct_id=None, **{"$device_id": "d"}), {"ip": "1"}).records
    assert named.ids == Ids(device="d")
    assert track(event(), {"ip": "1"}).records[0].ids == Ids(distinct="u1")


@pytest.mark.parametrize("query", [{}, {"ip": "0"}, {"ip": "1"}])
def test_no_address_is_kept_and_no_place_is_made_of_it(track, event, query):  # A24, A25
    for address in ("192.0.2.1", "0", 0):
        kept = json.loads(track(event(ip=address, plan="pro"), query).records[0].properties)
        assert kept == {"time": SECONDS, "distinct_id": "u1", "$insert_id": "a1", "plan": "pro"}


def test_a_picture_is_answered_where_one_is_asked_for(track, event):  # A26
    for body in (event(), {"event": ""}):
        found = track(body, {"img": "1"})
        assert (found.status, found.kind, found.body) == (200, "image/gif", PIXEL)
    assert PIXEL[:10] == b"GIF89a\x01\x00\x01\x00"


@pytest.mark.parametrize(
    ("callback", "body"),
    [
        ("f", b"f(1);"),
        ("$_f1", b"$_f1(1);"),
        *((odd, b"1") for odd in ("1f", "a.b", "f(", "alert(1)//", "f\ng", "é", "x" * 129, "")),
    ],
)
def test_a_callback_is_called_where_its_name_is_one(track, event, callback, body):  # A27
    found = track(event(), {"callback": callback})
    assert (found.status, found.body) == (200, body)
    assert (found.kind.startswith("text/javascript")) == (body != b"1")
    assert track({"event": ""}, {"callback": callback}).body == body.replace(b"1)", b"0)") if b"(" in body else b"0"


def test_verbose_wins_over_callback_and_that_over_a_picture(track, event):
    every = {"verbose": "1", "callback": "f", "img": "1", "redirect": "https://elsewhere.example/"}
    assert track(event(), every).json == OK
    assert track(event(), {**every, "verbose": "0"}).body == b"f(1);"
    assert "location" not in track(event(), every).headers


@pytest.mark.parametrize("long", ["x" * 300, "ą" * 300, 'a"b' * 100, "\\" * 300, "😀" * 300])
@pytest.mark.parametrize("path", ["/track", "/import"])
def test_a_long_text_is_cut_and_all_else_stays(ask, event, path, long):  # A28
    nested = {"list": [long, "short", {"in": long}], "n": 1.5}
    for ascii_only in (True, False):
        record = event(note=long, nested=[nested], exact="x" * 255)
        body = json.dumps([record], ensure_ascii=ascii_only).replace("1.5", "1.50").encode()
        [found] = ask(path, body, {"strict": "0"}).records
        kept = json.loads(found.properties)
        assert kept["note"] == long[:255]
        assert kept["nested"] == [{"list": [long[:255], "short", {"in": long[:255]}], "n": 1.5}]
        assert kept["exact"] == "x" * 255
        assert b"1.50" in found.properties


@pytest.mark.parametrize(
    ("properties", "ok"),
    [
        ({f"p{n}": n for n in range(256)}, False),  # A29
        ({"list": list(range(255))}, False),
        ({"object": {f"k{n}": 1 for n in range(255)}}, False),
        ({"a": {"b": {"c": {"d": {"e": 1}}}}}, False),
        ({"a": [{"b": [[1]]}]}, False),
        ({f"p{n}": n for n in range(250)}, True),
        ({"list": list(range(254)), "text": "," * 250, "b": "[{" * 100}, True),
        ({"a": {"b": {"c": {"d": 1}}}, "l": [{"x": [1]}, {"y": [2]}, {"z": [3]}]}, True),
        ({f"p{n}": list(range(20)) for n in range(100)}, True),
    ],
)
def test_what_is_too_wide_or_deep_fails_only_a_strict_import(ask, event, properties, ok):
    assert [type(record) for record in ask("/track", event(**properties)).records] == [Event]
    found = ask("/import", [event(), event(**properties)], {"strict": "1"})
    assert (found.status, found.json["num_records_imported"]) == ((200, 2) if ok else (400, 1))
    if not ok:
        assert found.json["failed_records"][0]["field"] == "properties"


def test_too_many_events_are_refused_whole(track, event):  # A30
    assert len(track([event()] * 2000).records) == 2000
    found = track([event()] * 2001)
    assert (found.status, found.parts) == (413, ())
    assert found.json == {
        "code": 413,
        "error": "request exceeds max limit of 2000 records",
        "status": "Request Entity Too Large",
    }


def test_a_body_that_unpacks_beyond_the_limit_is_refused_whole(track, event):  # A31
    body = json.dumps([event(note="x" * limits.BODY)]).encode()
    for found in (track(body), track(gzip.compress(body), {}, {"content-encoding": "gzip"})):
        assert (found.status, found.parts) == (413, ())
        assert found.json["error"] == f"request exceeds max limit of {limits.BODY} bytes"


@pytest.mark.parametrize("properties", [None, [], "x", 5, "missing"])
def test_an_event_without_properties_is_told(track, properties):  # A33
    record = {"event": "a"} if properties == "missing" else {"event": "a", "properties": properties}
    found = track(record, VERBOSE)
    assert (found.status, found.json["status"], found.records) == (200, 0, [])


@pytest.mark.parametrize(
    "piece",
    [
        *(b'"x":"\\ud800"', b'"x":"\\u0000"', b'"x":"\0"', b'"x":1e400', b'"token":"T","token":"T"', b'"x":1,"x":2'),
        *(b'"x":' + b"[" * 200 + b"]" * 200, b'"x":"\xff"', b'"x":"\xed\xa0\x80"', b'"\\ud800":1', b'"x":NaN'),
        *(b'"$insert_id":"\\ud800"', b'"time":1e400', b'"distinct_id":"\\ud800"', b'"x":"' + b"\\ud800" * 300 + b'"'),
    ],
)
def test_odd_json_is_taken_or_told(track, piece):  # A34
    found = track(b'[{"event":"e","properties":{"token":"T",' + piece + b"}}]")
    assert (found.status, found.body in {b"0", b"1"}) == (200, True)
    assert (found.body == b"1") == any(isinstance(record, Event) for record in found.records)


def test_each_token_has_a_part_of_its_own_and_stands_for_itself(ask, event):
    found = ask("/track", [event("a"), event("b", token="U"), event("c"), {"event": "d", "properties": {}}])
    assert [(part.credential, [getattr(one, "name", "refused") for one in part.records]) for part in found.parts] == [
        (Credential("token", "T"), ["a", "c", "refused"]),
        (Credential("token", "U"), ["b"]),
    ]


@pytest.mark.parametrize(("fate", "status"), [(Fate.FULL, 429), (Fate.UNAVAILABLE, 503)])
def test_a_door_that_cannot_keep_it_says_so_whatever_was_asked_for(track, event, fate, status):
    for query in ({}, VERBOSE, {"img": "1"}, {"callback": "f"}):
        found = track(event(), query, fate=fate)
        assert (found.status, found.json["code"], int(found.headers["retry-after"]) >= 1) == (status, status, True)


@pytest.mark.parametrize("path", ["/record", "/flags", "/settings"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_the_browser_asks_for_beside_its_events_is_empty(ask, path, method):
    found = ask(path, b"\x1f\x8bnonsense", {"verbose": "1"}, {"authorization": None, "content-encoding": "gzip"}, method=method)
    assert (found.status, found.json, found.parts) == (200, {}, ())
