from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from cornicen.delivery.guard import Guarded, Moves, held, moves, silent

DAY = 86_400_000_000
BITS = st.sets(st.integers(0, 30)).map(BitMap)


def run(before, adding=0, removing=0, **more):
    changes = Moves(before, BitMap(range(10_000, 10_000 + adding)), BitMap(range(removing)))
    return Guarded("lapsed", 30.0, 100, changes, **more)


@pytest.mark.parametrize(
    ("before", "adding", "removing", "trips"),
    [
        (1000, 301, 0, True),
        (1000, 300, 0, False),
        (1000, 0, 301, True),
        (1000, 0, 300, False),
        (200, 100, 0, False),
        (200, 101, 0, True),
        (100, 0, 100, False),
        (101, 0, 101, True),
        (0, 100, 0, False),
        (0, 101, 0, True),
        (1000, 200, 200, False),
        (0, 0, 0, False),
    ],
)
def test_a_run_is_held_above_both_bounds_in_one_direction(before, adding, removing, trips):
    assert bool(held(run(before, adding, removing))) is trips


def test_emptying_is_held_even_where_the_percentage_allows_it():
    allowed = replace(run(150, 0, 150), percent=100.0)
    assert "empty a segment of 150" in held(allowed)
    assert not held(replace(run(150, 1, 150), percent=100.0))


def test_filling_is_held_and_says_so():
    assert "fill an empty segment with 500" in held(run(0, 500))


@pytest.mark.parametrize("excuse", [{"new": True}, {"released": True}, {"percent": None}, {"count": None}])
def test_a_new_definition_a_release_and_off_are_never_held(excuse):
    assert held(run(1000, 900, 900))
    assert not held(replace(run(1000, 900, 900), **excuse))


def test_the_sentence_has_the_numbers_and_the_way_out():
    said = held(run(4000, 0, 1600))
    assert "remove 1,600 of 4,000 members (40 %), more than 30 % and more than 100." in said
    assert said.endswith("`cornicen sync release lapsed`.")


def test_what_would_have_changed_anyway_is_not_counted_while_events_arrive():
    raw = run(1000, 0, 600, arrivals={"purchase": (50, 2800)}, elapsed=DAY)
    assert held(raw)
    assert not held(replace(raw, anyway=Moves(1000, BitMap(), BitMap(range(300, 600)))))
    assert "remove 400" in held(replace(raw, anyway=Moves(1000, BitMap(), BitMap(range(200)))))


def test_what_would_only_have_changed_otherwise_discounts_nothing():
    raw = run(1000, 0, 600, arrivals={"purchase": (50, 2800)}, elapsed=DAY)
    assert held(replace(raw, anyway=Moves(1000, BitMap(), BitMap(range(5000, 6000)))))


@pytest.mark.parametrize(("arrived", "trips"), [(0, True), (9, True), (10, False), (500, False)])
def test_a_silent_event_takes_the_discount_away(arrived, trips):
    anyway = Moves(1000, BitMap(), BitMap(range(600)))
    quiet = run(1000, 0, 600, anyway=anyway, arrivals={"app_open": (arrived, 2800), "purchase": (100, 2800)}, elapsed=DAY)
    assert bool(held(quiet)) is trips
    if trips:
        assert f"`app_open` arrived {arrived} times since the last run, about 100 are usual." in held(quiet)


def test_an_import_under_way_takes_the_discount_away_and_is_named():
    anyway = Moves(1000, BitMap(), BitMap(range(600)))
    gap = run(1000, 0, 600, anyway=anyway, arrivals={}, elapsed=DAY, gap=12_345)
    assert "12,345 bytes wait" in held(gap)
    assert not held(replace(gap, gap=0))


def test_an_event_that_never_came_is_not_silent():
    assert silent({"new": (0, 0), "gone": (0, 28)}, DAY) == ["gone"]


def test_members_who_are_on_their_way_are_not_added_again():
    million = BitMap(range(1000))
    later = moves(desired=million | BitMap([2000]), wanted=million, acknowledged=BitMap(range(10)), refused=BitMap())
    assert (later.before, list(later.adding), len(later.removing)) == (1000, [2000], 0)


@given(BITS, BITS, BITS, BITS)
def test_moves_lead_from_what_was_decided_to_what_is_desired(desired, wanted, acknowledged, refused):
    found = moves(desired, wanted, acknowledged, refused)
    assert not found.adding & found.removing
    assert found.adding <= desired
    assert not found.removing & desired
    assert not (found.adding | found.removing) & refused
    held_there = wanted - (refused - acknowledged)
    assert found.before == len(held_there)
    assert ((held_there | found.adding) - found.removing) - refused - acknowledged == desired - refused - acknowledged


@given(st.integers(0, 400), st.integers(0, 400), st.integers(0, 400), BITS)
def test_a_discount_never_holds_what_would_have_passed_by_its_numbers(before, adding, removing, some):
    raw = run(before, adding, min(removing, before))
    discounted = replace(raw, anyway=Moves(before, BitMap(10_000 + n for n in some), some), arrivals={})
    if not held(raw):
        assert "more than" not in held(discounted)
