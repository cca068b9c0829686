"""How fresh a segment is kept, from a run's times."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cornicen.flows.records import Timing
from cornicen.flows.syncs.freshness import freshness, quantile

SECOND = 1_000_000
DELAYS = ((0.5, 90), (2.0, 8), (60.0, 2))


def test_stages_and_quantiles_add_up_to_accepted_until_acknowledged():
    found = freshness(Timing(7, 1000 * SECOND, 1003 * SECOND, None, 100 * SECOND, DELAYS))
    assert (found.run, found.changes, found.tick, found.loader) == (7, 100, 900.0, 3.0)
    assert found.delivery == {"p50": 0.5, "p95": 2.0, "p99": 60.0}
    assert found.total == {"p50": 903.5, "p95": 905.0, "p99": 963.0}


@pytest.mark.parametrize(
    ("before", "started", "delays", "slowest"),
    [
        (0, 1000, DELAYS, "tick"),
        (999, 1050, DELAYS, "loader"),
        (999, 1000, ((0.5, 1), (30.0, 1)), "delivery"),
        (None, 1000, DELAYS, "delivery"),
    ],
)
def test_the_stage_that_took_the_time_is_named(before, started, delays, slowest):
    timing = Timing(1, 1000 * SECOND, started * SECOND, None, None if before is None else before * SECOND, delays)
    assert freshness(timing).slowest == slowest


def test_of_a_first_run_nothing_was_waited_for():
    assert freshness(Timing(1, 1000 * SECOND, 1000 * SECOND, None, None, DELAYS)).tick == 0.0


def test_where_no_change_was_acknowledged_there_is_no_figure():
    assert freshness(None) is None
    assert freshness(Timing(1, 0, 0, None, None)) is None


@given(st.lists(st.integers(0, 50), min_size=1), st.floats(0.01, 1.0))
def test_a_quantile_of_counts_is_that_of_the_values_one_by_one(values, share):
    counted = [(float(value), values.count(value)) for value in sorted(set(values))]
    found = quantile(counted, share)
    assert sum(value <= found for value in values) >= share * len(values)
    assert not any(value < found and sum(other <= value for other in values) >= share * len(values) for value in values)
