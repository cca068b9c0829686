"""Amplitude's own browser client, in a real browser, on a page of another origin than the door's."""

import pytest
from clients_house import STORE

pytestmark = pytest.mark.journey
LONG = ["ąž" * 500] * 5
"""Long enough that the client compresses the body, if it may."""


@pytest.mark.parametrize(
    ("name", "path", "options"),
    [
        ("fetch", "2/httpapi", {}),
        ("xhr", "2/httpapi", {"transport": "xhr"}),
        ("batch", "batch", {"useBatch": True}),
        ("gzip", "2/httpapi", {"enableRequestBodyCompression": True}),
    ],
)
def test_everything_that_a_page_sends_arrives_once_without_a_complaint(served, visit, name, path, options):
    shop, user = visit("amplitude"), f"browser-{name}"
    device = shop.do("start", f"{served.address}/{path}", STORE.token, options)
    assert shop.do("shop", user, LONG) == [200] * 7
    expected = ["Signed up", "Viewed", "[Amplitude] Page Viewed", "revenue_amount", "session_start"]
    person = served.person(STORE, user, events=len(expected), seen=["b", "a"])
    assert (shop.complaints, shop.astray(served.address)) == ([], [])
    assert person.happened == expected
    assert person.names >= {user, device}
    assert person.properties("Signed up")["note"] == LONG
    profile = person.profile
    assert (profile["plan"], profile["first"], profile["visits"]) == ("pro", "2026-11-24", 4)
    assert (profile["toys"], profile["tags"], profile["company"]) == ([], ["x"], "acme")
    assert "old" not in profile
    packed = [one for one in shop.sent if one.headers.get("content-encoding") == "gzip"]
    assert bool(packed) == (name == "gzip")


def test_what_is_left_when_the_visitor_goes_away_arrives_once(served, visit):
    shop, user = visit("amplitude"), "browser-gone"
    late = {"flushIntervalMillis": 60_000, "flushQueueSize": 100, "autocapture": False}
    shop.do("start", f"{served.address}/2/httpapi", STORE.token, late)
    shop.page.evaluate("user => void shop(user, 'note')", user)
    shop.leave()
    expected = ["Signed up", "Viewed", "revenue_amount"]
    person = served.person(STORE, user, events=len(expected), seen=["b", "a"])
    assert (person.happened, shop.complaints) == (expected, [])
    shop.come_back()
    shop.do("start", f"{served.address}/2/httpapi", STORE.token, {"autocapture": False})
    shop.page.evaluate("user => { amplitude.setUserId(user); return amplitude.track('Back').promise }", user)
    assert served.person(STORE, user, events=4).happened == ["Back", *expected]
