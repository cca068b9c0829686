from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cornicen.sql.zones import local, offsets

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 1_000_000
DAY = 86_400 * SECOND
ZONES = [
    "UTC",
    "Etc/GMT+12",
    "Europe/London",
    "Europe/Amsterdam",
    "America/New_York",
    "America/St_Johns",
    "America/Sao_Paulo",
    "America/Recife",  # two changes within a week
    "Africa/Casablanca",
    "Africa/Freetown",
    "Asia/Kathmandu",
    "Asia/Manila",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Kwajalein",
]
times = st.integers(-170 * 366 * DAY, 80 * 366 * DAY)


def true_offset(zone, time):
    moment = (EPOCH + timedelta(microseconds=time)).astimezone(ZoneInfo(zone))
    return moment.utcoffset() // timedelta(microseconds=1)


def in_force(found, time):
    return [offset for index, (since, offset) in enumerate(found) if index == 0 or since <= time][-1]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(ZONES), times, times, st.lists(times, max_size=5))
def test_the_offset_in_force_is_the_zones_own_at_every_instant_of_the_window(zone, one, other, some):
    first, after = sorted((one, other))
    found = offsets(zone, first, after + 1)
    changes = [since + step for since, _ in found[1:] for step in (-1, 0, 1)]
    for time in [first, after, *changes, *some]:
        if first <= time <= after:
            assert in_force(found, time) == true_offset(zone, time)


@pytest.mark.parametrize("zone", ZONES)
def test_an_open_window_knows_every_change_since_the_first(zone):
    found = offsets(zone, None, 1_790_000_000 * SECOND)
    for day in range(-170 * 366, 56 * 365, 29):
        assert in_force(found, day * DAY + 12_345) == true_offset(zone, day * DAY + 12_345)


def test_changes_are_real_changes_in_order():
    found = offsets("America/Sao_Paulo", None, 1_790_000_000 * SECOND)
    assert found == sorted(found)
    assert all(before[1] != later[1] for before, later in pairwise(found))


@pytest.mark.parametrize("edge", [None, -(2**63), -62_135_596_800 * SECOND])
@pytest.mark.parametrize("after", [253_402_300_799 * SECOND, 2**63])
def test_windows_beyond_the_calendar_are_answered_too(edge, after):
    assert offsets("UTC", edge, after) == [(offsets("UTC", edge, after)[0][0], 0)]


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(ZONES), st.lists(times, min_size=1, max_size=20))
def test_local_time_in_sql_is_the_wall_clock(zone, some):
    expression = local('"time"', zone, min(some), max(some) + 1)
    values = ", ".join(f"({time})" for time in some)
    found = duckdb.sql(f'select "time", {expression} from (values {values}) as t("time")').fetchall()
    assert found == [(time, time + true_offset(zone, time)) for time in some]
