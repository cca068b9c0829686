from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cornicen.flows.records import Cadence, Sync, SyncStatus
from cornicen.flows.schedule import RETIRING, is_due, next_at


def at(text):
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000_000)


@pytest.mark.parametrize(
    ("cadence", "now", "zone", "then"),
    [
        (Cadence.QUARTER_HOUR, "2026-11-24T10:07:00", "UTC", "2026-11-24T10:15:00"),
        (Cadence.QUARTER_HOUR, "2026-11-24T10:15:00", "UTC", "2026-11-24T10:30:00"),
        (Cadence.HOURLY, "2026-11-24T10:59:59.999999", "UTC", "2026-11-24T11:00:00"),
        (Cadence.DAILY, "2026-11-24T10:00:00", "UTC", "2026-11-25T00:00:00"),
        (Cadence.DAILY, "2026-11-24T23:30:00", "Europe/Vilnius", "2026-11-25T22:00:00"),
        (Cadence.DAILY, "2026-03-28T12:00:00", "Europe/Vilnius", "2026-03-28T22:00:00"),
        (Cadence.DAILY, "2018-11-03T12:00:00", "America/Sao_Paulo", "2018-11-04T03:00:00"),  # midnight is skipped that day
    ],
)
def test_a_sync_is_due_again_at_the_next_boundary(cadence, now, zone, then):
    assert next_at(cadence, at(now), zone) == at(then)


def test_a_one_time_sync_is_never_due_again():
    assert next_at(Cadence.ONCE, at("2026-11-24T10:00:00"), "UTC") is None


@given(st.sampled_from([c for c in Cadence if c is not Cadence.ONCE]), st.integers(0, 4_000_000_000_000_000))
def test_the_next_moment_lies_ahead_and_at_most_a_long_day_away(cadence, now):
    then = next_at(cadence, now, "America/New_York")
    assert now < then <= now + 25 * 3_600_000_000


def sync(**fields):
    return Sync(id="0" * 32, project="p", cohort="c", connection="k", **fields)


def test_what_never_ran_is_due_at_once_and_what_is_paused_never():
    assert is_due(sync(), 0)
    assert not is_due(sync(status=SyncStatus.PAUSED), 0)
    assert not is_due(sync(status=SyncStatus.STOPPED, last_as_of=1, next_at=0), 5)


def test_what_ran_is_due_when_its_moment_has_come():
    assert not is_due(sync(last_as_of=1, next_at=10), 9)
    assert is_due(sync(last_as_of=1, next_at=10), 10)
    assert not is_due(sync(last_as_of=1, next_at=None), 10)


def test_a_retiring_sync_is_evaluated_until_everybody_was_asked_to_leave():
    assert is_due(sync(status=SyncStatus.RETIRING, last_as_of=1, evaluated="x"), 0)
    assert not is_due(sync(status=SyncStatus.RETIRING, last_as_of=1, evaluated=RETIRING), 0)
