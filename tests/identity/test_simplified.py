"""Mixpanel's simplified rule, by its own worked table and by what must hold for any records."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cornicen.events.shapes import Event, Ids, Operation, ProfileChange
from cornicen.identity.simplified import IDENTITY_EVENTS, TAKEN, People, named, received


def event(user="", device="", distinct="", name="seen"):
    return Event(name, Ids(user, device, distinct), 0, b"{}")


def change(user="", device="", distinct=""):
    return ProfileChange(Ids(user, device, distinct), (Operation("set", b"{}"),))


def seen(*records):
    people = People()
    return people, [people.see(record) for record in records]


def names(people, outcomes):
    now = people.names()
    return [None if one.person is None else now[people.canonical(one.person)] for one in outcomes]


users = st.sampled_from(["", "U1", "U2", "U3"])
devices = st.sampled_from(["", "D1", "D2", "D3"])
distincts = st.sampled_from(["", "U1", "U4", "$device:D1", "$device:D4", "$device:"])
ids = st.builds(Ids, users, devices, distincts)
event_names = st.sampled_from(["seen", "seen", "seen", "$identify"])
records = st.one_of(
    st.builds(lambda i, n: Event(n, i, 0, b"{}"), ids, event_names),
    st.builds(lambda i: ProfileChange(i, (Operation("set", b"{}"),)), ids),
)
streams = st.lists(records, max_size=30)


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
    assert received(sent) == (meant[0] or meant[1])


def test_a_device_profile_ends_when_its_device_is_linked_and_only_then():
    _, outcomes = seen(change(device="D"), event("U", "D"), event("U", "D"), event("V", "D"))
    assert [one.ended for one in outcomes] == [None, 1, None, None]


def test_a_profile_change_with_both_ids_links_nothing():
    people, outcomes = seen(event(device="D"), change("U", "D"), event(device="D"))
    assert names(people, outcomes) == ["$device:D", "U", "$device:D"]
    assert not people.links


@pytest.mark.parametrize("name", sorted(IDENTITY_EVENTS))
def test_identity_events_link_nothing_and_are_nobodys(name):
    people, outcomes = seen(event("U", "D", name=name))
    assert outcomes[0].person is None
    assert not people.links
    assert not people.numbers


def test_a_new_user_takes_over_the_number_of_its_device_so_that_nothing_is_merged():
    people, outcomes = seen(event(device="D"), event("U", "D"))
    assert [one.person for one in outcomes] == [1, 1]
    assert not people.merged


@given(streams)
def test_taking_every_record_again_changes_nothing(stream):
    people, _ = seen(*stream)
    before = (dict(people.numbers), dict(people.links), dict(people.merged))
    again = [people.see(record) for record in stream]
    assert (people.numbers, people.links, people.merged) == before
    assert all(one.ended is None for one in again)


@given(streams, streams)
def test_later_records_never_move_a_users_number(stream, later):
    people, _ = seen(*stream)
    users_before = {name: number for name, number in people.numbers.items() if not name.startswith("$device:")}
    for record in later:
        people.see(record)
    assert users_before.items() <= people.numbers.items()
    assert not users_before.values() & people.merged.keys()


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
    assert people.links == first


@given(streams)
def test_every_person_has_one_canonical_name_and_numbers_are_dense(stream):
    people, outcomes = seen(*stream)
    assert sorted({*people.numbers.values()}) == list(range(1, people.last + 1))
    now = people.names()
    assert {*now} == {people.canonical(number) for number in people.numbers.values()}
    assert len(set(now.values())) == len(now)
    assert all(name is None or name in now.values() for name in names(people, outcomes))


@given(streams)
def test_an_event_with_a_user_id_is_that_users_whatever_came_before(stream):
    people, outcomes = seen(*stream)
    for record, name in zip(stream, names(people, outcomes), strict=True):
        user, _ = named(record.ids)
        if user and not (isinstance(record, Event) and record.name in IDENTITY_EVENTS):
            assert name == user
