"""Mixpanel's original rule."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from identity_streams import UUIDS, Named, change, event, names, persons, seen

from cornicen.events.shapes import Link
from cornicen.identity.original import ALIAS_EXISTS, MOST, NO_UUID, SAME, TOO_MANY
from cornicen.identity.people import ALIAS_TAKEN, ALIAS_TOO_MANY
from cornicen.identity.simplified import TAKEN

ANON, OTHER = UUIDS[0], UUIDS[1]


def identify(one, other):
    return event(distinct=one, name="$identify", link=Link("identify", one, other))


def alias(one, other):
    return event(distinct=one, name="$create_alias", link=Link("alias", one, other))


def merge(one, other):
    return event(name="$merge", link=Link("merge", one, other))


def failures(*records):
    return [one.failure for one in seen("original", *records)[1]]


def test_identifying_makes_one_person_of_two_names_and_either_may_be_sent():
    people, outcomes = seen(
        "original", event(distinct=ANON), identify("U", ANON), event(distinct=ANON), event(distinct="U"), change(distinct=ANON)
    )
    assert names(people, outcomes) == ["U"] * 5
    assert not people.joined  # the user took the anonymous number over


def test_the_identified_side_keeps_its_name_when_both_were_met_before():
    people, outcomes = seen("original", event(distinct="U"), event(distinct=ANON), identify("U", ANON), event(distinct=ANON))
    assert names(people, outcomes) == ["U"] * 4
    assert outcomes[2].ended == outcomes[1].person


def test_a_device_prefix_does_not_make_another_name():
    people, outcomes = seen(
        "original", event(distinct=f"$device:{ANON}"), identify("U", f"$device:{ANON}"), event(distinct=ANON)
    )
    assert names(people, outcomes) == ["U"] * 3


@pytest.mark.parametrize(
    ("records", "failure"),
    [
        ([identify("U", "U")], SAME),
        ([identify("U", "no-uuid")], NO_UUID),
        ([identify("U", "10000000-0000-1000-8000-000000000001")], NO_UUID),
        ([identify("U", ANON), identify("V", ANON)], TAKEN),
        ([alias("U", "A"), alias("V", "A")], ALIAS_EXISTS),
        ([merge("U", ANON), identify("V", ANON)], TAKEN),
        ([merge("U", "U")], ""),
        ([identify("U", ANON), identify("U", ANON)], ""),
        ([alias("U", "A"), alias("U", "A")], ""),
        ([identify("U", ANON.replace("-", "").upper())], ""),
        ([merge("U", "V"), merge("W", "V")], ""),
    ],
)
def test_what_is_refused_has_mixpanels_word_for_it(records, failure):
    assert failures(*records)[-1] == failure


def test_what_is_refused_joins_nobody():
    people, _ = seen("original", identify("U", ANON), identify("V", ANON))
    assert persons(people) == {frozenset({"U", ANON}), frozenset({"V"})}


def test_exactly_five_hundred_names_fit_and_one_more_does_not():
    records = [alias("U", f"A{n}") for n in range(MOST - 1)]
    assert failures(*records, alias("U", "one more"))[-2:] == ["", TOO_MANY]
    assert failures(*records, merge("U", "V"), merge("W", "U"))[-2:] == [TOO_MANY, TOO_MANY]


def test_two_clusters_that_are_too_large_together_stay_two():
    left = [alias("U", f"A{n}") for n in range(299)]
    right = [alias("V", f"B{n}") for n in range(199)]
    assert failures(*left, *right, merge("U", "V"))[-1] == ""
    assert failures(*left, *right, alias("V", "B"), merge("U", "V"))[-1] == TOO_MANY


def test_an_alias_from_a_profile_counts_among_the_five_hundred_and_the_one_after_them_is_refused():
    full = [alias("U", f"A{n}") for n in range(MOST - 2)]
    assert failures(*full, Named("U", "os-1"), Named("U", "os-1"), Named("U", "os-2"))[-3:] == ["", "", ALIAS_TOO_MANY]
    assert failures(*full, Named("U", "os-1"), merge("U", "V"))[-1] == TOO_MANY


def test_an_alias_that_was_one_too_many_is_nobodys_and_free_for_somebody_else():
    full = [alias("U", f"A{n}") for n in range(MOST - 1)]
    people, outcomes = seen("original", *full, Named("U", "os-1"), Named("V", "os-1"), Named("U", "os-1"))
    assert [one.failure for one in outcomes[-3:]] == [ALIAS_TOO_MANY, "", ALIAS_TAKEN]
    assert frozenset({"V", "os-1"}) in persons(people)


def test_a_name_of_a_merged_person_keeps_standing_for_it():
    people, outcomes = seen(
        "original",
        event(distinct="A"),
        event(distinct="B"),
        event(distinct="C"),
        merge("B", "A"),
        merge("C", "B"),
        event(distinct="A"),
    )
    assert names(people, outcomes)[-1] == "C"
    assert persons(people) == {frozenset("ABC")}


pairs = st.lists(st.tuples(st.sampled_from("abcdefg"), st.sampled_from("abcdefg")), max_size=12)


@given(pairs, st.randoms(use_true_random=False))
def test_which_names_are_one_person_does_not_depend_on_the_order_of_merges(found, shuffle):
    records = [merge(*pair) for pair in found] + [event(distinct=name) for name in "abcdefg"]
    one = persons(seen("original", *records)[0])
    shuffle.shuffle(records)
    assert persons(seen("original", *records)[0]) == one


@given(pairs, st.sets(st.sampled_from("abcdefg")), st.randoms(use_true_random=False))
def test_which_names_are_one_person_does_not_depend_on_when_aliases_come_that_nobody_else_has(found, aliased, shuffle):
    records = [merge(*pair) for pair in found] + [event(distinct=name) for name in "abcdefg"]
    records += [Named(name, f"{name}-alias") for name in aliased]
    one = persons(seen("original", *records)[0])
    shuffle.shuffle(records)
    assert persons(seen("original", *records)[0]) == one


def test_an_identify_that_comes_after_the_users_first_events_ends_the_same():
    records = [event(distinct=ANON), event(distinct="U"), identify("U", ANON)]
    found = set()
    for seed in range(20):
        random.Random(seed).shuffle(records)
        people, _ = seen("original", *records)
        found.add((frozenset(persons(people)), tuple(people.names().values())))
    assert found == {(frozenset({frozenset({"U", ANON})}), ("U",))}
    assert OTHER != ANON
