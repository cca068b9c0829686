"""`/engage`, case by case; the names in brackets are those of the protocol's conformance checklist."""

import base64
import gzip
import json
from urllib.parse import urlencode

import pytest

from cornicen.events.shapes import Ids, Operation, ProfileChange, Refusal
from cornicen.flows.vendors import Credential, Fate

NOW = 1_795_539_600_000_000
VERBOSE = {"verbose": "1"}


def update(token="T", who="u1", **operations):
    record = {"$token": token, "$distinct_id": who, **{f"${name}": operand for name, operand in operations.items()}}
    return {name: value for name, value in record.items() if value is not None}


SEEN = Operation("touch", b'{"$last_seen":"2026-11-24T17:00:00"}')
"""What every change says beside what it was asked to."""


def change(who="u1", *operations, time=0):
    return ProfileChange(Ids(distinct=who), (*(Operation(verb, operand) for verb, operand in operations), SEEN), time)


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ({"set": {"plan": "pro", "n": 1}}, ("set", b'{"plan": "pro", "n": 1}')),  # C1
        ({"set": {}}, ("set", b"{}")),
        ({"set_once": {"plan": "pro"}}, ("set_once", b'{"plan": "pro"}')),  # C2
        ({"add": {"n": -2, "m": 0.5}}, ("add", b'{"n": -2, "m": 0.5}')),  # C3
        ({"append": {"a": 1, "b": [1, 2], "c": {"x": 1.10}}}, ("append", b'{"a":[1],"b":[[1, 2]],"c":[{"x": 1.1}]}')),  # C5
        ({"union": {"a": [1, "x"], "b": 2}}, ("union", b'{"a":[1, "x"],"b":[2]}')),  # C6
        ({"remove": {"a": 1, "b": [1]}}, ("remove", b'{"a":[1],"b":[[1]]}')),  # C7
        ({"unset": ["plan", "n"]}, ("unset", b'["plan", "n"]')),  # C8
        ({"delete": ""}, ("delete", b"null")),  # C9
        ({"delete": None, "ignore_alias": True}, None),
    ],
)
def test_an_operation_becomes_a_change(ask, operations, expected):
    record = {"$token": "T", "$distinct_id": "u1", **{f"${name}": operand for name, operand in operations.items()}}
    found = ask("/engage", [record], VERBOSE)
    assert found.json == {"status": 1, "error": None}
    assert found.records == [change("u1", expected or ("delete", b"null"))]


def test_operations_of_one_record_keep_their_order(ask):  # C10
    found = ask("/engage", b'{"$token":"T","$add":{"n":1},"$distinct_id":"u1","$set":{"a":1},"$unset":["b"]}')
    assert found.body == b"1"
    assert found.records == [change("u1", ("add", b'{"n":1}'), ("set", b'{"a":1}'), ("unset", b'["b"]'))]


def test_records_keep_their_order(ask):  # C23
    updates = [update(set={"n": n}) if n % 2 else update(add={"n": n}) for n in range(2000)]
    assert [json.loads(record.operations[0].operand)["n"] for record in ask("/engage", updates).records] == list(range(2000))


@pytest.mark.parametrize(
    ("operations", "field", "reason"),
    [
        ({"add": {"n": "1"}}, "$add", "operand_invalid"),  # C4
        ({"add": {"n": True}}, "$add", "operand_invalid"),
        ({"add": {"n": 1, "m": None}}, "$add", "operand_invalid"),
        ({"add": 5}, "$add", "operand_invalid"),
        ({"unset": "plan"}, "$unset", "operand_invalid"),  # C8
        ({"unset": [1]}, "$unset", "operand_invalid"),
        ({"set": []}, "$set", "operand_invalid"),
        ({"set": None}, "$set", "operand_invalid"),
        ({"set_once": "x"}, "$set_once", "operand_invalid"),
        ({"set": {"a": 1}, "add": {"n": "x"}}, "$add", "operand_invalid"),
        ({}, "", "operation_missing"),  # C13
        ({"ip": "0", "ignore_time": True}, "", "operation_missing"),
        ({"append": [1]}, "$append", "operand_invalid"),
        ({"union": 5}, "$union", "operand_invalid"),
        ({"set": {"a": 1}, "remove": "a"}, "$remove", "operand_invalid"),
        ({"set": {f"p{n}": n for n in range(2001)}}, "", "too_many_properties"),  # C17
        ({"set": {f"p{n}": n for n in range(1500)}, "add": {f"q{n}": n for n in range(501)}}, "", "too_many_properties"),
        ({"set": {"a": 1}, "time": "now"}, "$time", "time_invalid"),
    ],
)
def test_what_is_refused_changes_nothing_and_is_counted(ask, operations, field, reason):
    record = {"$token": "T", "$distinct_id": "u1", **{f"${name}": operand for name, operand in operations.items()}}
    found = ask("/engage", [record], VERBOSE)
    assert (found.status, found.json["status"]) == (200, 0)
    assert found.json["error"]
    [refusal] = found.records
    assert (type(refusal), refusal.reason, refusal.field) == (Refusal, reason, field)
    assert json.dumps({**record, "$token": "(left out)"})[:4096] == refusal.record.decode()
    assert ask("/engage", [record]).body == b"0"


def test_a_bad_record_among_good_is_no_failure_and_is_named_when_strict(ask):  # C11
    batch = [update(set={"a": 1}), update(token=None, set={"a": 2}), update(set={"a": 3})]
    found = ask("/engage", batch)
    assert found.body == b"1"
    assert [type(record) for record in found.records] == [ProfileChange, ProfileChange, Refusal]
    strict = ask("/engage", batch, {"strict": "1"})
    assert (strict.status, strict.json["num_records_imported"], strict.json["status"]) == (400, 2, 0)
    assert strict.json["failed_records"] == [
        {"index": 1, "distinct_id": "u1", "field": "$token", "message": "$token, missing or empty"}
    ]
    good = ask("/engage", batch[:1], {"strict": "1"})
    assert (good.status, good.json["status"], good.json["error"], good.json["num_good_events"]) == (200, 1, None, 1)


@pytest.mark.parametrize("who", [None, "", "$device:"])
def test_a_profile_of_nobody_is_refused(ask, who):  # C12
    found = ask("/engage", [update(who=who, set={"a": 1})], VERBOSE)
    assert found.json == {"error": "$distinct_id, missing or empty", "status": 0}


@pytest.mark.parametrize("ignore", [True, 1, "true", "1"])
def test_a_profile_is_seen_unless_the_sender_says_not_to_tell(ask, ignore):  # C14
    [told, old, not_told] = ask(
        "/engage",
        [update(set={}), update(set={}, time=1_700_000_000), update(set={}, ignore_time=ignore)],
    ).records
    assert told.operations[-1] == SEEN
    assert old.operations[-1] == Operation("touch", b'{"$last_seen":"2023-11-14T22:13:20"}')
    assert [operation.verb for operation in not_told.operations] == ["set"]
    assert ask("/engage", [update(set={}, ignore_time=False)]).records == [change("u1", ("set", b"{}"))]


def test_no_address_is_kept(ask):  # C15
    for address in ("0", "192.0.2.1"):
        assert ask("/engage", [update(set={"a": 1}, ip=address)], {"ip": "1"}).records == [change("u1", ("set", b'{"a": 1}'))]


def test_as_many_properties_as_a_profile_may_have_are_taken(ask):  # C17
    most = {f"p{n}": [1, 2, 3] for n in range(2000)}
    assert [type(record) for record in ask("/engage", [update(set=most, add=dict.fromkeys(most, 1))]).records] == [
        ProfileChange
    ]


@pytest.mark.parametrize("who", ["undefined", "NULL", 0, True, [], {"a": 1}, "x" * 256])
def test_an_id_that_is_nobodys_is_refused(ask, who):
    [refusal] = ask("/engage", [update(who=who, set={"a": 1})]).records
    assert refusal.field == "$distinct_id"


def test_a_numeric_id_is_its_text(ask):  # C16
    assert ask("/engage", [update(who=4, set={"a": 1})]).records == [change("4", ("set", b'{"a": 1}'))]


@pytest.mark.parametrize("token", [None, "", " ", 5])
def test_a_record_without_a_token_is_told(ask, token):
    found = ask("/engage", [update(token=token, set={"a": 1})], VERBOSE)
    assert found.json == {"error": "$token, missing or empty", "status": 0}
    assert found.parts == ()


def test_each_token_has_a_part_of_its_own_in_order(ask):
    batch = [update("A", "1", set={}), update("B", "2", set={}), update("A", "3", set={}), update(None, "4", set={})]
    found = ask("/engage", batch)
    assert [(part.credential, part.lane, len(part.records)) for part in found.parts] == [
        (Credential("token", "A"), "live", 3),
        (Credential("token", "B"), "live", 1),
    ]
    assert isinstance(found.parts[0].records[-1], Refusal)


def test_our_importer_puts_everything_into_the_bulk_lane(ask):
    assert [part.lane for part in ask("/engage", [update(set={})], {}, {"cornicen-lane": "bulk"}).parts] == ["bulk"]


@pytest.mark.parametrize(
    ("time", "expected"), [(1_700_000_000, 1_700_000_000_000_000), (1_700_000_000_123, 1_700_000_000_123_000)]
)
def test_a_time_is_seconds_or_milliseconds(ask, time, expected):
    assert ask("/engage", [update(set={}, time=time)]).records[0].time == expected


def test_a_missing_or_empty_time_is_that_of_arrival(ask):
    found = ask("/engage", [update(set={}), update(set={}, time=0), update(set={}, time=NOW // 10**6 + 999)])
    assert [record.time for record in found.records] == [0, 0, NOW]


def test_every_form_of_the_body_is_the_same(ask):
    record = update(set={"name": "Ąžuolas + co?"})
    plain, form = json.dumps(record), {"content-type": "application/x-www-form-urlencoded"}
    coded = base64.b64encode(plain.encode()).decode()
    forms = [
        ask("/engage", plain.encode()),
        ask("/engage", [record]),
        ask("/engage", gzip.compress(plain.encode()), {}, {"content-encoding": "gzip"}),
        ask("/engage", urlencode({"data": plain}).encode(), {}, form),
        ask("/engage", urlencode({"data": coded}).encode(), {}, form),
        ask("/engage", f"data={coded}".encode(), {}, form),
        ask("/engage", b"", {"data": coded}, method="GET"),
    ]
    assert ask("/engage", [record], {"callback": "f"}).body == b"f(1);"
    for found in forms:
        assert found.body == b"1"
        [kept] = found.records
        assert json.loads(kept.operations[0].operand) == {"name": "Ąžuolas + co?"}


@pytest.mark.parametrize("body", [b"", b"[]", b"[{}]", b"data=", b"data=%5B%5D", b"ip=1"])
def test_nothing_in_it_is_told(ask, body):
    kind = {"content-type": "application/x-www-form-urlencoded"} if b"=" in body else {}
    assert ask("/engage", body, VERBOSE, kind).json == {"error": "data, missing or empty", "status": 0}
    assert ask("/engage", body, {}, kind).body == b"0"


@pytest.mark.parametrize("body", [b"nonsense", b"[{", b"5", b'"x"', b"null"])
def test_what_cannot_be_read_is_told(ask, body):
    assert ask("/engage", body).body == b"0"
    assert ask("/engage", body, VERBOSE).json["status"] == 0
    assert ask("/engage", body, {"strict": "1"}).status == 400


def test_too_many_records_are_refused_whole(ask):
    found = ask("/engage", [update(set={})] * 2001)
    assert (found.status, found.parts) == (413, ())


def test_an_unknown_token_is_told_only_to_who_is_strict(ask):  # A16
    assert ask("/engage", [update(set={})], fate=Fate.DENIED).body == b"1"
    assert ask("/engage", [update(set={})], VERBOSE, fate=Fate.DENIED).json == {"status": 1, "error": None}
    assert ask("/engage", [update(set={})], {"strict": "1"}, fate=Fate.DENIED).status == 401


def test_a_full_spool_asks_the_sender_to_come_back(ask):
    found = ask("/engage", [update(set={})], fate=Fate.FULL)
    assert (found.status, int(found.headers["retry-after"]) >= 1) == (429, True)
