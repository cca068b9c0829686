"""Amplitude's own Python client."""

import threading

import pytest
from amplitude import Amplitude, BaseEvent, Config, EventOptions, Identify, Revenue
from clients_house import STORE, wait

pytestmark = pytest.mark.journey


class Sending:
    """A client, and what became of each event that it sent.

    Args:
        url: Where it sends.
        key: The API key.
    """

    def __init__(self, url, key):
        self.answers, self._lock = [], threading.Lock()
        config = Config(server_url=url, flush_interval_millis=100, flush_max_retries=2, callback=self._note)
        self.client = Amplitude(key, config)

    def _note(self, event, code, message=None):
        with self._lock:
            self.answers.append((event.event_type, code))

    def answered(self, count):
        """The answers, once there are so many."""
        self.client.flush()
        return wait(lambda: sorted(self.answers) if len(self.answers) >= count else None, lambda: self.answers)

    def close(self):
        self.client.shutdown()


@pytest.fixture
def sending(served):
    opened = []

    def send(path, key=STORE.token):
        opened.append(Sending(f"{served.address}/{path}", key))
        return opened[-1]

    yield send
    for one in opened:
        one.close()


@pytest.mark.parametrize("path", ["2/httpapi", "batch"])
def test_everything_that_it_can_send_arrives(served, sending, path):
    one, user = sending(path), f"python-{path.strip('/2')}"
    who = EventOptions(user_id=user, device_id=f"{user}-device")
    properties = {"total": 19.5, "items": ["ą", "b"]}
    one.client.track(BaseEvent("Order paid", user_id=user, device_id=f"{user}-device", event_properties=properties))
    profile = Identify().set("plan", "pro").set_once("first", "2026-11-24").add("visits", 4).append("seen", "a")
    one.client.identify(profile.prepend("toys", "ball").post_insert("tags", "x").unset("old"), who)
    one.client.set_group("company", "acme", who)
    one.client.group_identify("company", "acme", Identify().set("seats", 5), who)
    one.client.revenue(Revenue(price=9.75, quantity=2, product_id="s-1"), who)
    assert {code for _, code in one.answered(5)} == {200}
    person = served.person(STORE, user, events=2, plan="pro", company="acme")
    assert person.names >= {user, f"{user}-device"}
    assert {name: person.properties("Order paid")[name] for name in properties} == properties
    assert person.properties("revenue_amount")["$price"] == 9.75
    expected = {"plan": "pro", "first": "2026-11-24", "visits": 4, "seen": ["a"], "toys": ["ball"], "tags": ["x"]}
    assert {name: person.profile.get(name) for name in expected} == expected


def test_clearing_leaves_nothing(served, sending):
    one, user = sending("2/httpapi"), "python-cleared"
    who = EventOptions(user_id=user)
    one.client.identify(Identify().set("plan", "pro"), who)
    one.answered(1)
    one.client.identify(Identify().clear_all(), who)
    one.answered(2)
    one.client.identify(Identify().set("after", True), who)
    one.answered(3)
    profile = served.person(STORE, user, after=True).profile
    assert "plan" not in profile


def test_an_unknown_key_stores_nothing_and_the_operator_is_told(served, sending):
    one = sending("2/httpapi", "wrong-key-0123456789")
    one.client.track(BaseEvent("Order paid", user_id="python-lost"))
    one.client.flush()
    wait(lambda: served.strangers().get("wron…"), served.strangers)
