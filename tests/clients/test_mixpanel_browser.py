"""Mixpanel's own browser client, in a real browser, on a page of another origin than the door's."""

import time

import pytest
from clients_house import SHOP

pytestmark = pytest.mark.journey
EVENTS = ["Signed up", "Viewed"]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("batched", {}),
        ("as-json", {"api_payload_format": "json"}),
        ("one-by-one", {"batch_requests": False}),
        ("by-beacon", {"api_transport": "sendBeacon", "batch_requests": False}),
        ("in-local-storage", {"persistence": "localStorage"}),
    ],
)
def test_everything_that_a_page_sends_arrives_once_without_a_complaint(served, visit, name, options):
    shop, user = visit("mixpanel"), f"browser-{name}"
    device = shop.do("start", served.address, SHOP.token, options).removeprefix("$device:")
    shop.do("shop", user)
    served.person(SHOP, user, events=2, toys=["ball", "rope"], old=True)
    shop.do("later")
    person = served.person(SHOP, user, events=2, tags=["x"], toys=["ball"], old=None)
    assert (shop.complaints, shop.astray(served.address)) == ([], [])
    assert person.happened == EVENTS
    assert person.names >= {user, device}
    assert person.properties("Signed up")["plan"] == "Ąžuolas & co=1+1"
    profile = person.profile
    assert (profile["plan"], profile["first"], profile["visits"], profile["seen"]) == ("pro", "2026-11-24", 4, ["a"])
    assert profile["company"] == ["acme"]


def test_what_is_left_when_the_visitor_goes_away_arrives_once(served, visit):
    shop, user = visit("mixpanel"), "browser-gone"
    late = {"batch_flush_interval_ms": 60_000}
    shop.do("start", served.address, SHOP.token, late)
    shop.do("shop", user)
    shop.page.wait_for_function("token => waiting(token) === 10", arg=SHOP.token)
    shop.leave()
    assert served.person(SHOP, user, events=2).happened == EVENTS
    shop.page.clock.set_system_time(time.time() + 600)  # what another page left is taken up only later
    shop.come_back()
    shop.do("start", served.address, SHOP.token, {})
    person = served.person(SHOP, user, events=2, plan="pro", visits=4)
    assert person.happened == EVENTS
    assert shop.complaints == []


def test_a_page_with_everything_captured_complains_of_nothing(served, visit):
    shop = visit("mixpanel")
    device = shop.do("start", served.address, SHOP.token, {"autocapture": True, "track_pageview": True})
    shop.page.click("button")
    person = served.person(SHOP, device.removeprefix("$device:"), events=2)
    assert {"$mp_web_page_view", "$mp_click"} <= set(person.happened)
    assert (shop.complaints, shop.astray(served.address)) == ([], [])
