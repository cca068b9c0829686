"""One person as people read it, and the newest events."""

import pytest
from plain_warehouse import change, drain, event, fill

from cornicen.errors import NotFound
from cornicen.events.shapes import Event, Ids, Link, Operation, ProfileChange
from cornicen.identity.original import MOST, TOO_MANY
from cornicen.warehouse.warehouse import DuckDBWarehouse


@pytest.fixture
def warehouse(tmp_path):
    opened = DuckDBWarehouse(tmp_path)
    yield opened
    opened.close()


def loaded(tmp_path, warehouse, *records):
    fill(tmp_path, [list(records)])
    drain(warehouse)


def test_a_person_shows_its_names_and_why_they_are_one(tmp_path, warehouse):
    loaded(tmp_path, warehouse, event(device="D"), event("U"), event("U", "D"), event("V", "D", time=3))
    found = warehouse.portrait("$device:D")
    assert found["name"] == "U"
    assert [(one["name"], one["kind"], one["canonical"]) for one in found["names"]] == [
        ("U", "user", True),
        ("$device:D", "device", False),
    ]
    assert [(one["kind"], one["one"], one["other"], one["at"]) for one in found["links"]] == [
        ("link", "U", "$device:D", 1_000_001)
    ]
    assert found == warehouse.portrait("U") == warehouse.portrait("D")
    assert found["counts"] == {"events": 3}
    [refused] = [one for one in warehouse.portrait("V")["links"] if one["kind"] == "refused"]
    assert refused["why"] == "errAnonDistinctIdAssignedAlready"


def test_a_profile_tells_which_operation_set_what_and_when(tmp_path, warehouse):
    loaded(
        tmp_path,
        warehouse,
        change("U", ("set", '{"plan":"pro"}')),
        change("U", ("set", '{"plan":"pro"}')),
        change("U", ("add", '{"n":1}')),
    )
    found = warehouse.portrait("U")
    assert found["profile"] == {"plan": "pro", "n": 1}
    assert [one["operations"] for one in found["history"]] == [[["add", {"n": 1}]], [["set", {"plan": "pro"}]]]
    assert {one["source"] for one in found["history"]} == {"test:/import"}


def test_an_alias_is_among_the_names_and_one_that_is_taken_is_refused_visibly(tmp_path, warehouse):
    warehouse.alias(frozenset({"os"}), now=7)
    loaded(tmp_path, warehouse, change("U", ("set", '{"os":"os-1"}')), event("V"), change("U", ("set", '{"os":"V"}')))
    assert [(one["name"], one["kind"]) for one in warehouse.portrait("os-1")["names"]] == [("U", "user"), ("os-1", "alias")]
    assert [one["reason"] for one in warehouse.refusals()] == ["alias_taken"]
    assert warehouse.portrait("V")["name"] == "V"


def test_a_property_that_becomes_an_alias_later_names_those_who_have_it_already(tmp_path, warehouse):
    loaded(tmp_path, warehouse, change("U", ("set", '{"os":"os-1"}')), change("W", ("set", '{"os":"U"}')))
    warehouse.alias(frozenset({"os"}), now=7)
    warehouse.alias(frozenset({"os"}), now=8)
    loaded(tmp_path, warehouse, event(distinct="os-1"))
    assert warehouse.portrait("os-1")["name"] == "U"
    assert warehouse.counts()["persons"] == 2
    assert [(one["reason"], one["count"]) for one in warehouse.refusals()] == [("alias_taken", 1)]
    warehouse.close()
    again = DuckDBWarehouse(tmp_path)
    loaded(tmp_path, again, change("X", ("set", '{"os":"os-9"}')), event(distinct="os-9"))
    assert again.portrait("os-9")["name"] == "X"
    again.close()


def test_whoever_is_unknown_is_said_to_be(tmp_path, warehouse):
    loaded(tmp_path, warehouse, event("U"))
    with pytest.raises(NotFound):
        warehouse.portrait("u")


def test_the_newest_events_come_first_and_then_only_what_came_after(tmp_path, warehouse):
    loaded(tmp_path, warehouse, *(event(f"U{n}", time=100 - n, name="odd" if n % 2 else "even") for n in range(6)))
    newest = warehouse.tail(None, 3)
    assert [one["load"] for one in newest] == [4, 5, 6]
    assert [one["person"] for one in newest] == ["U3", "U4", "U5"]
    assert [one["load"] for one in warehouse.tail(2, 2)] == [3, 4]
    assert [one["load"] for one in warehouse.tail(0, 10, "odd")] == [2, 4, 6]
    assert [one["load"] for one in warehouse.tail(0, 10, name="U3")] == [4]
    assert warehouse.tail(6, 10) == []


def test_events_of_nobody_have_no_name(tmp_path, warehouse):
    loaded(tmp_path, warehouse, event(distinct=""))
    assert [one["person"] for one in warehouse.tail(None, 5)] == [""]


def test_an_alias_names_its_owner_and_one_that_is_somebody_elses_is_told_as_refused(tmp_path, warehouse):
    warehouse.alias(frozenset({"os"}), now=7)
    loaded(tmp_path, warehouse, change("U", ("set", '{"os":"os-1"}')), change("V", ("set", '{"os":"os-1"}')))
    assert [(one["kind"], one["one"], one["other"]) for one in warehouse.portrait("U")["links"]] == [("alias", "U", "os-1")]
    [refused] = warehouse.portrait("V")["links"]
    assert (refused["kind"], refused["one"]) == ("refused", "os-1")
    assert "alias_taken" in refused["why"]


def test_a_change_with_a_key_and_no_time_is_applied_once_however_late_it_comes_again(tmp_path, warehouse):
    again = ProfileChange(Ids(distinct="U"), (Operation("add", b'{"n":1}'),), insert_id="line-1")
    loaded(tmp_path, warehouse, again, change("U", ("set", '{"c":"live"}')))
    loaded(tmp_path, warehouse, again)
    assert warehouse.portrait("U")["profile"] == {"n": 1, "c": "live"}
    assert warehouse.counts()["repeated"] == 1


@pytest.fixture
def original(tmp_path):
    opened = DuckDBWarehouse(tmp_path, identity="original")
    yield opened
    opened.close()


def holding(who, value):
    return change(who, ("set", f'{{"os":"{value}"}}'))


def created(one, other):
    return Event("$create_alias", Ids(distinct=one), 0, b"{}", link=Link("alias", one, other))


def counted(warehouse):
    return {one["reason"]: one["count"] for one in warehouse.refusals()}


def test_the_alias_that_would_be_the_five_hundred_and_first_name_is_refused_visibly(tmp_path, original):
    original.alias(frozenset({"os"}), now=7)
    loaded(tmp_path, original, *(holding("U", f"os-{n}") for n in range(MOST - 2)))
    loaded(tmp_path, original, holding("U", "last"), holding("U", "late"))
    loaded(tmp_path, original, holding("U", "last"), holding("U", "late"), event(distinct="late"))
    assert counted(original) == {"alias_too_many": 2}
    found = original.portrait("last")
    assert (found["name"], len(found["names"]), found["profile"]) == ("U", MOST, {"os": "late"})
    assert "alias_taken" in found["links"][-1]["why"]  # somebody sent an event as "late" since
    assert original.portrait("late")["name"] == "late"


def test_a_person_tells_which_alias_was_one_too_many(tmp_path, original):
    original.alias(frozenset({"os"}), now=7)
    loaded(tmp_path, original, *(holding("U", f"os-{n}") for n in range(MOST)))
    last = original.portrait("U")["links"][-1]
    assert (last["kind"], last["one"], last["why"].partition(":")[0]) == ("refused", f"os-{MOST - 1}", "alias_too_many")
    loaded(tmp_path, original, holding("U", "none"))
    assert {one["kind"] for one in original.portrait("U")["links"]} == {"alias"}


def test_links_and_aliases_fill_the_same_five_hundred(tmp_path, original):
    original.alias(frozenset({"os"}), now=7)
    loaded(tmp_path, original, *(holding("U", f"os-{n}") for n in range(MOST - 2)), created("U", "last"))
    loaded(tmp_path, original, created("U", "late"), holding("U", "later"))
    assert counted(original) == {"alias_too_many": 1}
    assert [one["why"] for one in original.portrait("U")["links"] if one["kind"] == "refused"] == [
        TOO_MANY,
        "alias_too_many: os holds one name more than a person may have",
    ]


def test_a_property_that_becomes_an_alias_later_gives_nobody_one_name_too_many(tmp_path, original):
    full = [created("U", f"A{n}") for n in range(MOST - 1)]
    loaded(tmp_path, original, *full, holding("U", "late"), holding("V", "os-1"))
    original.alias(frozenset({"os"}), now=7)
    assert counted(original) == {"alias_too_many": 1}
    assert original.portrait("os-1")["name"] == "V"
    with pytest.raises(NotFound):
        original.portrait("late")
