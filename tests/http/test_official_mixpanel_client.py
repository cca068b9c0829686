"""Mixpanel's own Python client, as released, against a running door."""

import json
import logging

import pytest
from mixpanel import BufferedConsumer, Consumer, Mixpanel, MixpanelException, ServiceAccountCredentials

from cornicen.events.shapes import Event, ProfileChange

NOW = 1_795_539_600


@pytest.fixture(autouse=True)
def _quiet(caplog):
    caplog.set_level(logging.ERROR, "mixpanel")


def consumer(door, kind=Consumer, **more):
    address = "http://{}:{}".format(*door.address)
    return kind(people_url=f"{address}/engage", import_url=f"{address}/import", retry_limit=0, **more)


def changes(door):
    """The profile operations on disk: ``(id, verb, operand)``."""
    records = [record for _, _, record in door.kept() if isinstance(record, ProfileChange)]
    return [(one.ids.distinct, step.verb, json.loads(step.operand)) for one in records for step in one.operations]


@pytest.mark.parametrize("secret", ["account", "token"])
def test_import_data_arrives(door, secret):
    if secret == "account":
        credentials = ServiceAccountCredentials(username="sa", secret="account-secret", project_id="1")
        client = Mixpanel("shop-token", consumer=consumer(door, credentials=credentials))
        client.import_data(None, "u1", "Signed up", NOW - 60, {"plan": "Ąžuolas & co=1+1"})
    else:
        client = Mixpanel("shop-token", consumer=consumer(door))
        client.import_data(None, "u1", "Signed up", NOW - 60, {"plan": "Ąžuolas & co=1+1"}, api_secret="shop-token")
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
    client.people_unset("u1", ["trial_end"])
    client.people_delete("u2")
    assert changes(door) == [
        ("u1", "set", {"plan": "pro", "$onesignal_user_id": "os-1"}),
        ("u1", "set_once", {"first": "2026-11-24"}),
        ("u1", "add", {"logins": 2}),
        ("u1", "unset", ["trial_end"]),
        ("u2", "delete", None),
    ]


def test_a_people_call_that_is_not_taken_is_an_error_for_the_client(door):
    client = Mixpanel("shop-token", consumer=consumer(door))
    with pytest.raises(MixpanelException, match=r"\$append is not supported yet"):
        client.people_append("u1", {"list": 1})
    with pytest.raises(MixpanelException, match=r"\$distinct_id"):
        client.people_set("", {"plan": "pro"})
    with pytest.raises(MixpanelException, match="token"):
        Mixpanel("someone else's", consumer=consumer(door)).people_set("u1", {"plan": "pro"})


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
