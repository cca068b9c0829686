"""Mixpanel's simplified rule, by its own worked table and by what must hold for any records."""

import random

import pytest
from hypothesis import given
from identity_streams import change, event, names, persons, streams
from identity_streams import seen as seen_under

from cornicen.events.shapes import Event, Ids
from cornicen.identity.people import IDENTITY_EVENTS
from cornicen.identity.simplified import TAKEN, named


def seen(*records):
    return seen_under("simplified", *records)


def test_the_worked_table_of_the_documentation_holds():
    people, outcomes = seen(
        event(device="D1"),
        event("U1", "D1"),
        event(device="D2"),
        event("U1", "D2"),
        event("U2", "D2"),
        event(device="D2"),
    )
    assert names(people, outcomes) == ["U1", "U1", "U1", "U1", "U2", "U1"]
    assert [one.failure for one in outcomes] == ["", "", "", "", TAKEN, ""]


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        (Ids(user="U", device="D", distinct="x"), ("U", "$device:D")),
        (Ids(device="D", distinct="x"), ("", "$device:D")),
        (Ids(distinct="$device:D"), ("", "$device:D")),
        (Ids(distinct="x"), ("x", "")),
        (Ids(distinct="$device:"), ("", "")),
        (Ids(user="$device:D"), ("", "$device:D")),
        (Ids(user="$device:D", device="E"), ("", "$device:E")),
        (Ids(device="$device:D"), ("", "$device:D")),
        (Ids(), ("", "")),
    ],
)
def test_a_sent_distinct_id_counts_only_where_it_comes_alone(sent, meant):
    assert named(sent) == meant


def test_a_device_profile_ends_when_its_device_is_linked_and_only_then():
    _, outcomes = seen(change(device="D"), event("U", "D"), event("U", "D"), event("V", "D"))
    assert [one.ended for one in outcomes] == [None, 1, None, None]


def test_a_profile_change_with_both_ids_links_nothing():
    people, outcomes = seen(event(device="D"), change("U", "D"), event(device="D"))
    assert names(people, outcomes) == ["$device:D", "U", "$device:D"]
    assert not people.steps


@pytest.mark.parametrize("name", sorted(IDENTITY_EVENTS))
def test_identity_events_link_nothing_and_are_nobodys(name):
    people, outcomes = seen(event("U", "D", name=name))
    assert outcomes[0].person is None
    assert not people.steps
    assert not people.numbers


def test_a_new_user_takes_over_the_number_of_its_device_so_that_nothing_is_merged():
    people, outcomes = seen(event(device="D"), event("U", "D"))
    assert [one.person for one in outcomes] == [1, 1]
    assert not people.merged


@given(streams, streams)
def test_later_records_never_move_a_users_number(stream, later):
    people, _ = seen(*stream)
    users_before = {name: number for name, number in people.numbers.items() if not name.startswith("$device:")}
    people, _ = seen(*stream, *later)
    assert users_before.items() <= people.numbers.items()
    assert not set(users_before.values()) & people.merged.keys()


@given(streams)
def test_two_user_ids_are_never_one_person(stream):
    people, _ = seen(*stream)
    numbers = [people.canonical(number) for name, number in people.numbers.items() if not name.startswith("$device:")]
    assert len(numbers) == len(set(numbers))


@given(streams)
def test_the_first_event_with_both_ids_decides_for_ever_whose_a_device_is(stream):
    people, _ = seen(*stream)
    first = {}
    for record in stream:
        user, device = named(record.ids)
        if isinstance(record, Event) and record.name not in IDENTITY_EVENTS and user and device:
            first.setdefault(device, user)
    linked = {name: user for name, user in first.items() if name in people.linked}
    assert linked == first
    assert {people.known(device) for device in first} == {people.known(user) for user in first.values()}
    assert all(people.known(device) == people.known(user) for device, user in first.items())


@given(streams)
def test_an_event_with_a_user_id_is_that_users_whatever_came_before(stream):
    people, outcomes = seen(*stream)
    for record, name in zip(stream, names(people, outcomes), strict=True):
        user, _ = named(record.ids)
        if user and not (isinstance(record, Event) and record.name in IDENTITY_EVENTS):
            assert name == user


@given(streams)
def test_who_is_who_does_not_depend_on_the_order_while_each_device_has_one_user(stream):
    users = {}
    for record in stream:
        user, device = named(record.ids)
        if user and device:
            users.setdefault(device, user)
    calm = [one for one in stream if not (all(named(one.ids)) and users[named(one.ids)[1]] != named(one.ids)[0])]
    before = persons(seen(*calm)[0])
    random.Random(1).shuffle(calm)
    assert persons(seen(*calm)[0]) == before
