"""Mixpanel's own Node client."""

import pytest
from clients_house import SHOP

pytestmark = pytest.mark.journey


def test_everything_that_it_can_send_arrives(served, node):
    said = node("mixpanel", served.host, SHOP.token)
    assert set(said.values()) == {"ok"}
    person = served.person(SHOP, "node-user", events=121)
    assert sorted(properties["n"] for name, properties in person.events if name == "Viewed") == [*range(120)]
    assert person.properties("Signed up")["plan"] == "Ąžuolas & co=1+1"
    profile = person.profile
    assert (profile["plan"], profile["first"], profile["visits"]) == ("pro", "2026-11-24", 5)
    assert profile["toys"] == ["ball", "bone"]
    assert "old" not in profile
    assert [(one["$amount"], one["sku"]) for one in profile["$transactions"]] == [(19.5, "s-1")]
