"""Amplitude's own Node client."""

import pytest
from clients_house import STORE

pytestmark = pytest.mark.journey


@pytest.mark.parametrize("path", ["2/httpapi", "batch"])
def test_everything_that_it_can_send_arrives(served, node, path):
    user = f"node-{path.strip('/2')}"
    said = node("amplitude", f"{served.address}/{path}", STORE.token, user)
    assert set(said.values()) == {200}
    person = served.person(STORE, user, events=2, plan="pro", company="acme", toys=[])
    assert person.names >= {user, f"{user}-device"}
    properties = person.properties("Order paid")
    assert (properties["total"], properties["items"]) == (19.5, ["ą", "b"])
    assert person.properties("revenue_amount")["$price"] == 9.75
    profile = person.profile
    assert (profile["first"], profile["visits"], profile["seen"], profile["tags"]) == ("2026-11-24", 4, ["b", "a"], ["w", "x"])
    assert (profile["shown"], profile["marks"]) == (["b"], ["w"])
    assert "old" not in profile


def test_an_unknown_key_is_asked_with_once(served, node):
    said = node("amplitude", f"{served.address}/2/httpapi", "node-wrong-key-0123", "node-lost")
    assert set(said.values()) == {400}
    assert served.strangers()["node…"] == 1
