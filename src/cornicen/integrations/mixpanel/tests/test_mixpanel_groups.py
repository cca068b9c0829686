"""`/groups`, case by case; the names in comments are those of the protocol's conformance checklist."""

import json
from urllib.parse import urlencode

import pytest

from cornicen.events.shapes import GroupChange, Operation, Refusal
from cornicen.flows.vendors import Credential, Fate

VERBOSE = {"verbose": "1"}


def update(**members):
    record = {"$token": "T", "$group_key": "company", "$group_id": "acme", **{f"${name}": one for name, one in members.items()}}
    return {name: value for name, value in record.items() if value is not None}


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"set": {"plan": "pro"}}, ("set", b'{"plan": "pro"}')),  # C21
        ({"set_once": {"plan": "pro"}}, ("set_once", b'{"plan": "pro"}')),
        ({"unset": ["plan"]}, ("unset", b'["plan"]')),
        ({"union": {"tags": ["a", "b"]}}, ("union", b'{"tags":["a", "b"]}')),
        ({"remove": {"tags": "a"}}, ("remove", b'{"tags":["a"]}')),
        ({"delete": ""}, ("delete", b"null")),
    ],
)
def test_an_operation_becomes_a_change_of_the_group(ask, members, expected):
    found = ask("/groups", [update(**members)])
    assert found.body == b"1"
    assert [part.credential for part in found.parts] == [Credential("token", "T")]
    assert found.records == [GroupChange("company", "acme", (Operation(*expected),))]


@pytest.mark.parametrize("group", [5, "0", "none", True])
def test_any_scalar_may_be_a_groups_id(ask, group):
    text = group if isinstance(group, str) else json.dumps(group)
    assert ask("/groups", [update(group_id=group, set={})]).records[0].id == text


def test_the_python_client_gets_what_it_reads(ask):
    body = urlencode({"data": json.dumps(update(set={"a": 1}, time=1_700_000_000.5)), "verbose": 1, "ip": 0}).encode()
    found = ask("/groups", body, {}, {"content-type": "application/x-www-form-urlencoded"})
    assert found.json == {"status": 1, "error": None}
    assert found.records[0].time == 1_700_000_000_500_000


@pytest.mark.parametrize(
    ("members", "field", "reason"),
    [
        ({"distinct_id": "u1", "set": {}}, "$distinct_id", "not_for_groups"),  # C22
        ({"add": {"n": 1}}, "$add", "not_for_groups"),
        ({"set": {}, "append": {"n": 1}}, "$append", "not_for_groups"),
        ({"group_key": None, "set": {}}, "$group_key", "group_missing"),
        ({"group_id": "", "set": {}}, "$group_id", "group_missing"),
        ({"group_id": ["a"], "set": {}}, "$group_id", "group_id_invalid"),
        ({"group_key": "x" * 256, "set": {}}, "$group_key", "group_key_too_long"),
        ({}, "", "operation_missing"),
        ({"unset": "plan"}, "$unset", "operand_invalid"),
    ],
)
def test_what_is_no_change_of_a_group_is_refused_and_counted(ask, members, field, reason):
    found = ask("/groups", [update(**members)], VERBOSE)
    assert (found.status, found.json["status"]) == (200, 0)
    [refusal] = found.records
    assert (type(refusal), refusal.reason, refusal.field) == (Refusal, reason, field)


def test_a_bad_record_is_named_when_strict(ask):
    found = ask("/groups", [update(set={}), update(group_id=None, set={})], {"strict": "1"})
    assert (found.status, found.json["num_records_imported"]) == (400, 1)
    [failed] = found.json["failed_records"]
    assert (failed["index"], failed["group_key"], failed["field"]) == (1, "company", "$group_id")


def test_an_unknown_token_is_told_only_to_who_is_strict(ask):
    assert ask("/groups", [update(set={})], fate=Fate.DENIED).body == b"1"
    assert ask("/groups", [update(set={})], {"strict": "1"}, fate=Fate.DENIED).status == 401


def test_a_record_without_a_token_is_told(ask):
    assert ask("/groups", [update(token=None, set={})], VERBOSE).json == {"error": "$token, missing or empty", "status": 0}
