import json

import pytest

from cornicen.events.shapes import GroupChange, Ids, Operation, ProfileChange, Refusal

NOW = 1_795_539_600_000_000
MILLISECONDS = NOW // 1000


def verbs(change):
    """A change's operations, their operands read."""
    return [(one.verb, json.loads(one.operand)) for one in change.operations]


@pytest.fixture
def identify(send, event):
    """What one ``$identify`` with these user properties leads to."""

    def identify(properties, **fields):
        return send(event(event_type="$identify", user_properties=properties, **fields))

    return identify


def test_an_identify_changes_a_profile_and_is_no_event(identify):
    sent = {"$set": {"plan": "pro"}, "$add": {"visits": 1}, "$append": {"seen": "a"}}
    found = identify(sent, device_id="device-1", time=MILLISECONDS - 1, insert_id="i-1")
    assert found.json["events_ingested"] == 1
    [change] = found.records
    assert isinstance(change, ProfileChange)
    assert (change.ids, change.time, change.insert_id) == (Ids("u-1001", "device-1"), NOW - 1000, "i-1")
    assert verbs(change) == [("set", {"plan": "pro"}), ("add", {"visits": 1}), ("append", {"seen": ["a"]})]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"$setOnce": {"first": "a"}}, [("set_once", {"first": "a"})]),
        ({"$add": {"n": 3}}, [("add", {"n": 3})]),
        ({"$add": {"n": "-2.5"}}, [("add", {"n": -2.5})]),
        ({"$append": {"l": ["a", "a"]}}, [("append", {"l": ["a", "a"]})]),
        ({"$prepend": {"l": "a"}}, [("prepend", {"l": ["a"]})]),
        ({"$postInsert": {"l": "a"}}, [("union", {"l": ["a"]})]),
        ({"$preInsert": {"l": ["b", "a"]}}, [("pre_insert", {"l": ["b", "a"]})]),
        ({"$remove": {"l": "a", "m": [1, 2]}}, [("remove", {"l": ["a"], "m": [1, 2]})]),
        ({"$append": {"l": None}}, []),
        ({"$unset": {"p": "-", "q": 5}}, [("unset", ["p", "q"])]),
        ({"$clearAll": "-"}, [("clear", None)]),
        ({"$set": {}, "$unset": {}}, []),
        ({"plan": "pro", "$odd": 1}, [("set", {"plan": "pro", "$odd": 1})]),
        ({}, []),
        (None, []),
    ],
)
def test_every_operation_has_its_verb(identify, sent, expected):
    assert verbs(identify(sent).records[0]) == expected


def test_operations_are_applied_in_the_servers_order_whatever_the_senders(identify):
    last_first = {
        "$remove": {"l": 1},
        "$postInsert": {"l": 1},
        "$preInsert": {"l": 1},
        "$prepend": {"l": 1},
        "$append": {"l": 1},
        "$add": {"n": 1},
        "$setOnce": {"y": 1},
        "$set": {"x": 1},
        "$unset": {"x": "-"},
        "$clearAll": "-",
    }
    order = ["clear", "unset", "set", "set_once", "add", "append", "prepend", "pre_insert", "union", "remove"]
    assert [one.verb for one in identify(last_first).records[0].operations] == order


@pytest.mark.parametrize(
    "sent",
    [
        {"$set": {"a": 1}, "plain": 1},
        {"$set": {"a": 1}, "$odd": {"b": 1}},
        {"$set": "x"},
        {"$set": [1]},
        {"$add": {"n": "x"}},
        {"$add": {"n": True}},
        {"$add": {"n": None}},
        {"$add": 1},
        {"$append": ["a"]},
        {"$unset": ["p"]},
        {"$unset": "p"},
        "x",
        [{}],
    ],
)
def test_what_is_no_change_is_a_fault_of_user_properties(identify, sent):
    found = identify(sent)
    assert (found.status, found.json["events_with_invalid_fields"]) == (400, {"user_properties": [0]})
    [refusal] = found.records
    assert (type(refusal), refusal.reason) == (Refusal, "user_properties_invalid")


def test_an_identify_without_operations_still_says_who_is_who(identify):
    assert identify(None, device_id="device-1").records == [ProfileChange(Ids("u-1001", "device-1"), ())]


def test_an_identify_that_is_not_to_be_synced_changes_nothing(identify):
    found = identify({"$set": {"a": 1}}, **{"$skip_user_properties_sync": True})
    assert found.records[0].operations == ()


def test_joining_a_group_is_a_property_of_the_user(identify):
    found = identify({"$set": {"company": "acme"}}, groups={"company": "acme"})
    assert verbs(found.records[0]) == [("set", {"company": "acme"})] * 2
    assert verbs(identify(None, groups={"company": ["acme", "beta"]}).records[0]) == [("set", {"company": ["acme", "beta"]})]


def test_built_in_fields_of_an_identify_are_properties_of_the_profile(identify):
    found = identify({"$set": {"a": 1}}, platform="Web", os_name="Linux", city=None, library="x", ip="$remote")
    assert verbs(found.records[0]) == [("set", {"$platform": "Web", "$os": "Linux"}), ("set", {"a": 1})]


def test_texts_in_operations_are_cut(identify):
    assert identify({"$set": {"a": "x" * 2000}}).records[0].operations == (Operation("set", b'{"a": "%b"}' % (b"x" * 1024)),)
    assert verbs(identify({"$append": {"a": "x" * 2000}}).records[0]) == [("append", {"a": ["x" * 1024]})]


GROUP = {"event_type": "$groupidentify", "groups": {"company": "acme"}}


@pytest.mark.parametrize("name", ["acme", ["acme"]])
def test_a_group_identify_changes_a_group(send, name):
    sent = {**GROUP, "groups": {"company": name}, "group_properties": {"$set": {"seats": 5}, "$unset": {"old": "-"}}}
    [change] = send(sent).records
    assert (type(change), change.key, change.id) == (GroupChange, "company", "acme")
    assert verbs(change) == [("unset", ["old"]), ("set", {"seats": 5})]


def test_a_group_identify_may_name_a_user_and_a_time(send):
    [change] = send({**GROUP, "group_properties": {"plan": "pro"}, "user_id": "u-1001", "time": MILLISECONDS - 5}).records
    assert (change.time, verbs(change)) == (NOW - 5000, [("set", {"plan": "pro"})])


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"groups": {}}, "groups"),
        ({"groups": {"company": "acme", "team": "x"}}, "groups"),
        ({"groups": {"company": ["a", "b"]}}, "groups"),
        ({"groups": {"company": ""}}, "groups"),
        ({"groups": None}, "groups"),
        ({"groups": "acme"}, "groups"),
        ({"group_properties": {"$postInsert": {"a": 1}}}, "group_properties"),
        ({"group_properties": {"$set": {"a": 1}, "b": 1}}, "group_properties"),
        ({"group_properties": "x"}, "group_properties"),
        ({"user_id": 5}, "user_id"),
    ],
)
def test_what_is_no_change_of_a_group_is_a_fault(send, fields, field):
    found = send({**GROUP, **fields})
    assert (found.status, found.json["events_with_invalid_fields"]) == (400, {field: [0]})
