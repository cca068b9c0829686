"""Groups as people look at them."""

import pytest
from plain_warehouse import drain, fill

from cornicen.errors import NotFound
from cornicen.events.shapes import GroupChange, Operation
from cornicen.warehouse.warehouse import DuckDBWarehouse


@pytest.fixture
def warehouse(tmp_path):
    opened = DuckDBWarehouse(tmp_path, threads=1)
    records = [
        GroupChange("company", "acme", (Operation("set", b'{"plan":"pro","seats":3}'),)),
        GroupChange("company", "zenith", (Operation("set", b'{"plan":"free"}'),)),
        GroupChange("company", "Birch", (Operation("set", b'{"plan":"free"}'),)),
        GroupChange("team", "acme", (Operation("set", b'{"seats":1}'),)),
        GroupChange("team", "gone", (Operation("set", b'{"seats":1}'),)),
        GroupChange("team", "gone", (Operation("delete", b"null"),)),
        GroupChange("company", "acme", (Operation("unset", b'["seats"]'),)),
    ]
    fill(tmp_path, [records])
    drain(opened)
    yield opened
    opened.close()


def test_a_group_is_shown_as_it_is_now_under_its_own_key(warehouse):
    assert warehouse.group("company", "acme") == {"key": "company", "id": "acme", "profile": {"plan": "pro"}}
    assert warehouse.group("team", "acme")["profile"] == {"seats": 1}


@pytest.mark.parametrize(("key", "id_"), [("company", "ACME"), ("team", "zenith"), ("team", "gone")])
def test_a_group_without_a_profile_is_not_found(warehouse, key, id_):
    with pytest.raises(NotFound):
        warehouse.group(key, id_)


def test_keys_are_counted_and_the_largest_comes_first(warehouse):
    assert warehouse.kinds(10) == ([{"key": "company", "groups": 3}, {"key": "team", "groups": 1}], 2)
    assert warehouse.kinds(1) == ([{"key": "company", "groups": 3}], 2)


def test_groups_are_listed_by_id_as_far_as_asked_and_all_of_them_are_counted(warehouse):
    assert warehouse.groups("company", "", 10) == (["Birch", "acme", "zenith"], 3)
    assert warehouse.groups("company", "", 2) == (["Birch", "acme"], 3)
    assert warehouse.groups("company", "acme", 2) == (["zenith"], 3)
    assert warehouse.groups("nobody", "", 2) == ([], 0)
