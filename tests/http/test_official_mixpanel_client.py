"""Mixpanel's own Python client, as released, against a running door."""

import json
import logging

import pytest
from mixpanel import BufferedConsumer, Consumer, Mixpanel, MixpanelException, ServiceAccountCredentials

from cornicen.events.shapes import Event, GroupChange, Link, ProfileChange

NOW = 1_795_539_600


@pytest.fixture(autouse=True)
def _quiet(caplog):
    caplog.set_level(logging.ERROR, "mixpanel")


def consumer(door, kind=Consumer, **more):
    address = "http://{}:{}".format(*door.address)
    paths = {"events_url": "track", "people_url": "engage", "groups_url": "groups", "import_url": "import"}
    return kind(**{name: f"{address}/{path}" for name, path in paths.items()}, retry_limit=0, **more)


def changes(door):
    """The profile operations on disk, but for those that say when: ``(id, verb, operand)``."""
    records = [record for _, _, record in door.kept() if isinstance(record, ProfileChange)]
    steps = [(one.ids.distinct, step) for one in records for step in one.operations if step.verb != "touch"]
    return [(who, step.verb, json.loads(step.operand)) for who, step in steps]


def test_a_tracked_event_arrives(door):
    Mixpanel("shop-token", consumer=consumer(door)).track("u1", "Signed up", {"plan": "Ąžuolas & co=1+1"})
    [(lane, source, event)] = door.kept()
    assert (lane, source, event.name, event.ids.distinct) == ("live", "mixpanel:/track", "Signed up", "u1")
    assert event.insert_id
    kept = json.loads(event.properties)
    assert kept["plan"] == "Ąžuolas & co=1+1"
    assert "token" not in kept


def test_group_calls_arrive(door):
    client = Mixpanel("shop-token", consumer=consumer(door))
    client.group_set("company", "acme", {"plan": "pro"})
    client.group_set_once("company", "acme", {"since": 2026})
    client.group_union("company", "acme", {"tags": ["a"]})
    client.group_remove("company", "acme", {"tags": "a"})
    client.group_unset("company", "acme", ["plan"])
    client.group_delete("company", "acme")
    records = [record for _, _, record in door.kept()]
    assert {(type(one), one.key, one.id) for one in records} == {(GroupChange, "company", "acme")}
    assert [(step.verb, json.loads(step.operand)) for one in records for step in one.operations] == [
        ("set", {"plan": "pro"}),
        ("set_once", {"since": 2026}),
        ("union", {"tags": ["a"]}),
        ("remove", {"tags": ["a"]}),
        ("unset", ["plan"]),
        ("delete", None),
    ]


def test_a_merge_arrives_as_a_link(door):
    Mixpanel("shop-token", consumer=consumer(door)).merge(None, "a", "b", api_secret="shop-token")
    [(_, source, event)] = door.kept()
    assert (source, event.name, event.link) == ("mixpanel:/import", "$merge", Link("merge", "a", "b"))


@pytest.mark.parametrize("secret", ["account", "token", "secret"])
def test_import_data_arrives(door, secret):
    if secret == "account":
        credentials = ServiceAccountCredentials(username="sa", secret="account-secret", project_id="1")
        client = Mixpanel("shop-token", consumer=consumer(door, credentials=credentials))
        client.import_data(None, "u1", "Signed up", NOW - 60, {"plan": "Ąžuolas & co=1+1"})
    else:
        client = Mixpanel("shop-token", consumer=consumer(door))
        word = {"token": "shop-token", "secret": "account-secret"}[secret]
        client.import_data(None, "u1", "Signed up", NOW - 60, {"plan": "Ąžuolas & co=1+1"}, api_secret=word)
    [(lane, source, event)] = door.kept()
    assert (lane, source, type(event)) == ("live", "mixpanel:/import", Event)
    assert (event.name, event.ids.distinct, event.time) == ("Signed up", "u1", (NOW - 60) * 10**6)
    assert event.insert_id
    assert json.loads(event.properties)["plan"] == "Ąžuolas & co=1+1"


def test_a_wrong_secret_is_an_error_for_the_client(door):
    for credentials in (
        ServiceAccountCredentials(username="sa", secret="wrong", project_id="1"),
        ServiceAccountCredentials(username="sa", secret="account-secret", project_id="2"),
    ):
        client = Mixpanel("shop-token", consumer=consumer(door, credentials=credentials))
        with pytest.raises(MixpanelException, match="Invalid credentials"):
            client.import_data(None, "u1", "Signed up", NOW)
    assert door.spools == {}


def test_every_people_call_that_is_taken_arrives(door):
    client = Mixpanel("shop-token", consumer=consumer(door))
    client.people_set("u1", {"plan": "pro", "$onesignal_user_id": "os-1"})
    client.people_set_once("u1", {"first": "2026-11-24"})
    client.people_increment("u1", {"logins": 2})
    client.people_append("u1", {"list": 1})
    client.people_union("u1", {"list": [1, 2]})
    client.people_remove("u1", {"list": 2})
    client.people_track_charge("u1", 9.5, {"$time": "2026-11-24T17:00:00"})
    client.people_unset("u1", ["trial_end"])
    client.people_delete("u2")
    assert changes(door) == [
        ("u1", "set", {"plan": "pro", "$onesignal_user_id": "os-1"}),
        ("u1", "set_once", {"first": "2026-11-24"}),
        ("u1", "add", {"logins": 2}),
        ("u1", "append", {"list": [1]}),
        ("u1", "union", {"list": [1, 2]}),
        ("u1", "remove", {"list": [2]}),
        ("u1", "append", {"$transactions": [{"$amount": 9.5, "$time": "2026-11-24T17:00:00"}]}),
        ("u1", "unset", ["trial_end"]),
        ("u2", "delete", None),
    ]


def test_a_people_call_that_is_not_taken_is_an_error_for_the_client(door):
    client = Mixpanel("shop-token", consumer=consumer(door))
    with pytest.raises(MixpanelException, match=r"\$add must be"):
        client.people_increment("u1", {"logins": "x"})
    with pytest.raises(MixpanelException, match=r"\$distinct_id"):
        client.people_set("", {"plan": "pro"})
    assert changes(door) == []


def test_a_strangers_token_gets_nothing_in_and_is_told_success(door):
    client = Mixpanel("someone else's", consumer=consumer(door))
    client.people_set("u1", {"plan": "pro"})
    client.track("u1", "Signed up")
    assert door.spools == {}


def test_a_buffered_client_arrives_in_order(door):
    buffered = consumer(door, BufferedConsumer, credentials=ServiceAccountCredentials("sa", "account-secret", "1"))
    client = Mixpanel("shop-token", consumer=buffered)
    for number in range(120):
        client.import_data(None, "u1", "tick", NOW - 200 + number)
        client.people_set("u1", {"n": number})
    buffered.flush()
    times = [record.time // 10**6 - NOW + 200 for _, _, record in door.kept() if isinstance(record, Event)]
    assert times == [*range(120)]
    assert [operand["n"] for _, _, operand in changes(door)] == [*range(120)]
