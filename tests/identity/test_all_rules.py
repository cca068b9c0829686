"""What holds under every rule, for any records."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from identity_streams import Named, alias_streams, event, mosts, names, nobody_yet, persons, seen, take

from cornicen.identity import RULES
from cornicen.identity.people import ALIAS_TAKEN, see

every = pytest.mark.parametrize("rule", sorted(RULES))


@every
@given(stream=alias_streams, most=mosts)
def test_taking_every_record_again_joins_nobody_and_numbers_nobody(rule, stream, most):
    people, _ = seen(rule, *stream, most=most)
    last, joined, before = people.last, list(people.joined), persons(people)
    for record in stream:
        take(rule, people, record)
    assert (people.last, people.joined) == (last, joined)
    if rule != "amplitude":  # there a device goes to and fro with whoever uses it
        assert persons(people) == before


@every
@given(stream=alias_streams, most=mosts)
def test_every_person_has_exactly_one_name_of_its_own(rule, stream, most):
    people, outcomes = seen(rule, *stream, most=most)
    owners = [people.canonical(number) for name, number in people.numbers.items() if people.own(name)]
    assert sorted(owners) == sorted(set(owners))
    met = {people.canonical(one.person) for one in outcomes if one.person is not None}
    assert met <= set(owners)
    assert {people.known(name) for name in people.numbers} == set(owners)
    assert all(1 <= number <= people.last for number in people.numbers.values())


@every
@given(stream=alias_streams)
def test_nobody_who_was_joined_is_ever_canonical_again(rule, stream):
    people, _ = seen(rule, *stream)
    assert not {number for number, _, _ in people.joined} & {people.known(name) for name in people.numbers}


@every
@given(stream=alias_streams, cut=st.integers(0, 30), most=mosts)
def test_a_rule_needs_only_the_names_that_the_next_records_carry(rule, stream, cut, most):
    """The loader's way: stop anywhere, and go on with only as much of what is known as the rest names."""
    whole, outcomes = seen(rule, *stream, most=most)
    first, rest = stream[:cut], stream[cut:]
    before, _ = seen(rule, *first, most=most)
    named = set()
    for record in rest:
        if isinstance(record, Named):
            named |= {*record}
            continue
        named.update(RULES[rule].named(record.ids))
        if (link := getattr(record, "link", None)) is not None:
            named |= {link.one.removeprefix("$device:"), link.other.removeprefix("$device:")}
    some = nobody_yet(rule, most)
    some.numbers = {name: number for name, number in before.numbers.items() if name in named}
    some.linked, some.last = before.linked & named, before.last
    some.merged = {n: before.canonical(n) for n in some.numbers.values() if before.canonical(n) != n}
    asked = {some.canonical(n) for n in some.numbers.values()}
    some.sizes = {person: size for person, size in before.sizes.items() if person in asked}
    again = [take(rule, some, record) for record in rest]
    assert [(one.person, one.failure, one.ended) for one in again] == [
        (one.person, one.failure, one.ended) for one in outcomes[cut:]
    ]
    assert some.last == whole.last
    for name, number in some.numbers.items():
        assert (number, name in some.linked) == (whole.numbers[name], name in whole.linked)


@every
@given(stream=alias_streams, most=mosts)
def test_nobody_has_more_names_than_a_rule_allows_and_their_number_is_known(rule, stream, most):
    people, _ = seen(rule, *stream, most=most)
    for one in persons(people):
        size = people.size(people.known(min(one)))
        assert size == len(one) <= people.most if people.most else not people.sizes


@every
def test_an_alias_is_another_name_of_its_person_for_ever(rule):
    people, [one] = seen(rule, event(distinct="U1"))
    assert people.alias(one.person, "os-1") == ""
    assert people.alias(one.person, "os-1") == ""
    outcome = see(RULES[rule], people, event(distinct="os-1"))
    assert names(people, [outcome]) == ["U1"]
    assert [step.kind for step in people.steps] == ["alias"]


@every
def test_an_alias_that_is_somebody_elses_name_stays_theirs(rule):
    people, [one, other] = seen(rule, event(distinct="U1"), event(distinct="os-1"))
    assert people.alias(one.person, "os-1") == ALIAS_TAKEN
    assert people.known("os-1") == other.person
    assert people.alias(other.person, "os-1") == ""


@pytest.mark.parametrize("rule", ["simplified", "amplitude"])
def test_a_user_id_that_was_an_alias_of_a_device_is_its_persons_name_once_it_comes_with_that_device(rule):
    people, [one] = seen(rule, event(device="D"))
    people.alias(one.person, "os-1")
    outcome = see(RULES[rule], people, event("os-1", "D"))
    assert outcome.person == one.person
    assert people.names() == {one.person: "os-1"}
    see(RULES[rule], people, event("U", "D"))
    assert sorted(people.names().values()) == ["U", "os-1"]
