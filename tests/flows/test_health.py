"""How a sync does, in one word, and what people are told."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cornicen.flows.records import Cadence, Sync, SyncStatus
from cornicen.flows.syncs.health import BAD, Health, condition, late_since

NOW = 1_795_539_600_000_000
SYNC = Sync("a" * 32, "p", "lapsed", "c", last_as_of=NOW)
MOVING = [cadence for cadence in Cadence if cadence is not Cadence.ONCE]


@pytest.mark.parametrize(
    ("fields", "health", "told"),
    [
        ({}, Health.FINE, ""),
        ({"status": SyncStatus.STOPPED, "what": "No key.", "words": "denied"}, Health.FAILING, "No key."),
        ({"status": SyncStatus.STOPPED, "held": True}, Health.FAILING, "stopped"),
        ({"held": True}, Health.HELD, "as always"),
        ({"held": True, "last_as_of": None}, Health.HELD, "as always"),
        ({"held": True, "last_as_of": 0}, Health.HELD, "as always"),
        ({"last_as_of": 0}, Health.LATE, "days ago"),
        ({"last_as_of": None}, Health.NEVER_RUN, "not been evaluated"),
        ({"last_as_of": 0, "status": SyncStatus.PAUSED}, Health.PAUSED, "paused"),
        ({"held": True, "status": SyncStatus.PAUSED}, Health.PAUSED, "paused"),
        ({"last_as_of": 0, "status": SyncStatus.RETIRING}, Health.LEAVING, "cleared away"),
        ({"last_as_of": 0, "status": SyncStatus.RETIRED}, Health.LEAVING, "cleared away"),
        ({"last_as_of": 0, "cadence": Cadence.ONCE}, Health.FINE, ""),
    ],
)
def test_the_worst_that_is_true_of_a_sync_is_said_of_it(fields, health, told):
    found = condition(replace(SYNC, **fields), NOW, "as always")
    assert found.health is health
    assert told in found.what
    assert found.bad == (health in {"failing", "held", "late"})


@pytest.mark.parametrize("cadence", MOVING)
def test_a_sync_is_late_a_moment_after_twice_its_cadence_and_not_before(cadence):
    limit = late_since(replace(SYNC, cadence=cadence)) - NOW
    sync = replace(SYNC, cadence=cadence, last_as_of=NOW - limit)
    assert condition(sync, NOW).health is Health.FINE
    assert condition(sync, NOW + 1).health is Health.LATE


def test_the_limits_are_twice_a_quarter_of_an_hour_an_hour_and_a_day():
    named = (Cadence.QUARTER_HOUR, Cadence.HOURLY, Cadence.DAILY)
    assert [late_since(replace(SYNC, cadence=cadence)) - NOW for cadence in named] == [
        minutes * 60_000_000 for minutes in (30, 120, 2880)
    ]
    assert late_since(replace(SYNC, cadence=Cadence.ONCE)) is None


def test_a_run_that_was_asked_to_be_about_the_past_is_late_only_when_the_next_one_is():
    sync = replace(SYNC, last_as_of=0, backdated=True, next_at=NOW)
    assert condition(sync, NOW + 15 * 60_000_000).health is Health.FINE
    assert condition(sync, NOW + 15 * 60_000_000 + 1).health is Health.LATE


def test_a_destinations_words_stay_apart_from_ours():
    found = condition(replace(SYNC, status=SyncStatus.STOPPED, what="It refuses the key.", words="Nope", fix="Set it."), NOW)
    assert (found.what, found.words, found.fix) == ("It refuses the key.", "Nope", "Set it.")


@given(
    st.builds(
        Sync,
        id=st.just("a" * 32),
        project=st.just("p"),
        cohort=st.just("lapsed"),
        connection=st.just("c"),
        cadence=st.sampled_from(Cadence),
        status=st.sampled_from(SyncStatus),
        held=st.booleans(),
        last_as_of=st.none() | st.integers(0, NOW),
        what=st.sampled_from(["", "No."]),
        fix=st.sampled_from(["", "Do."]),
    )
)
def test_whatever_needs_a_look_says_why_and_what_to_do(sync):
    found = condition(sync, NOW)
    assert not found.bad or (found.what and found.fix)
    assert found.bad == (found.health in BAD)
