"""Amplitude's rule, by its own worked sequences and by what must hold for any records."""

import pytest
from hypothesis import given
from identity_streams import change, event, names, seen, streams

from cornicen.events.shapes import Event
from cornicen.identity.people import IDENTITY_EVENTS
from cornicen.identity.simplified import named


@pytest.mark.parametrize(
    ("sequence", "numbers", "joined"),
    [
        ([("p", ""), ("q", ""), ("q", ""), ("p", "")], [1, 2, 2, 1], []),
        ([("g", ""), ("g", "Ann")], [1, 1], []),
        ([("k", "Bob"), ("l", "Bob")], [1, 1], []),
        ([("r", "Cid"), ("r", ""), ("r", "Dee"), ("r", "")], [1, 1, 2, 2], []),
        ([("y", "Eve"), ("z", ""), ("z", "Eve"), ("z", "")], [1, 2, 1, 1], [(2, 1)]),
    ],
    ids=["49 anonymous devices", "50 taken over", "51 two devices", "52 moved", "53 merged"],
)
def test_the_worked_sequences_of_the_documentation_hold(sequence, numbers, joined):
    people, outcomes = seen("amplitude", *(event(user, device) for device, user in sequence))
    assert [one.person for one in outcomes] == numbers
    assert [(number, into) for number, into, _ in people.joined] == joined


def test_user_ids_that_differ_in_case_are_two_people():  # 54
    people, outcomes = seen("amplitude", event("User-1"), event("user-1"))
    assert names(people, outcomes) == ["User-1", "user-1"]


def test_an_identify_call_attaches_a_user_to_a_device_like_an_event_does():
    people, outcomes = seen("amplitude", event(device="d"), change("U", "d"), event(device="d"))
    assert names(people, outcomes) == ["U", "U", "U"]


def test_a_moved_device_leaves_what_it_did_with_whoever_used_it():
    people, outcomes = seen("amplitude", event(device="d"), event("U", "d"), event("V", "d"), event(device="d"))
    assert names(people, outcomes) == ["U", "U", "V", "V"]
    assert [step.kind for step in people.steps] == ["takeover", "move"]


@given(streams)
def test_two_user_ids_are_never_one_person(stream):
    people, _ = seen("amplitude", *stream)
    numbers = [people.known(name) for name in people.numbers if not name.startswith("$device:")]
    assert len(numbers) == len(set(numbers))


@given(streams)
def test_a_record_with_a_user_id_is_that_users_whatever_came_before(stream):
    people, outcomes = seen("amplitude", *stream)
    for record, name in zip(stream, names(people, outcomes), strict=True):
        user, _ = named(record.ids)
        if user and not (isinstance(record, Event) and record.name in IDENTITY_EVENTS):
            assert name == user
