"""Mixpanel's own Python client."""

import time

import pytest
from clients_house import SECRET, SHOP
from mixpanel import BufferedConsumer, Consumer, Mixpanel, ServiceAccountCredentials

pytestmark = pytest.mark.journey
ACCOUNT = ServiceAccountCredentials("shop-account", SECRET, "shop")


def client(served, token=SHOP.token, kind=Consumer, **more):
    urls = {f"{name}_url": f"{served.address}/{path}" for name, path in (("events", "track"), ("people", "engage"))}
    return Mixpanel(token, kind(**urls, groups_url=f"{served.address}/groups", import_url=f"{served.address}/import", **more))


def test_everything_that_it_can_send_arrives(served):
    mixpanel, user, now = client(served, credentials=ACCOUNT), "py-user", int(time.time())
    mixpanel.track(user, "Signed up", {"plan": "Ąžuolas & co=1+1"})
    mixpanel.import_data(None, user, "Imported", now - 30 * 86_400, {"n": 1})
    mixpanel.people_set(user, {"plan": "pro", "$email": "a@example.com", "old": True, "toys": ["ball", "rope"]})
    mixpanel.people_set_once(user, {"plan": "free", "first": "2026-11-24"})
    mixpanel.people_increment(user, {"visits": 4})
    mixpanel.people_append(user, {"seen": "a"})
    mixpanel.people_union(user, {"tags": ["x", "y"]})
    mixpanel.people_union(user, {"tags": ["y", "z"]})
    mixpanel.people_remove(user, {"toys": "rope"})
    mixpanel.people_unset(user, ["old"])
    mixpanel.people_track_charge(user, 19.5, {"sku": "s-1"})
    mixpanel.group_set("company", "acme", {"seats": 5})
    person = served.person(SHOP, user, events=2, visits=4)
    assert person.happened == ["Imported", "Signed up"]
    assert person.properties("Signed up")["plan"] == "Ąžuolas & co=1+1"
    expected = {"plan": "pro", "$email": "a@example.com", "first": "2026-11-24", "visits": 4}
    expected |= {"seen": ["a"], "tags": ["x", "y", "z"], "toys": ["ball"]}
    assert {name: person.profile.get(name) for name in expected} == expected
    assert "old" not in person.profile
    assert [(one["$amount"], one["sku"]) for one in person.profile["$transactions"]] == [(19.5, "s-1")]


def test_what_it_buffers_arrives_once_and_in_order(served):
    mixpanel, user = client(served, kind=BufferedConsumer, credentials=ACCOUNT), "py-buffered"
    for number in range(120):
        mixpanel.track(user, "Viewed", {"n": number})
        mixpanel.people_set(user, {"n": number})
    mixpanel._consumer.flush()
    person = served.person(SHOP, user, events=120, n=119)
    assert sorted(properties["n"] for _, properties in person.events) == [*range(120)]


def test_an_unknown_token_is_told_nothing_and_the_operator_all(served):
    client(served, "lost-token").track("py-lost", "Signed up")
    assert served.strangers()["lost…"] == 1
