"""When a run's changes were acknowledged, as the ledger counts it."""

from hypothesis import given
from hypothesis import strategies as st
from ledger_world import A, B

from cornicen.delivery.shapes import Verdict
from cornicen.state.delays import RATIO, seconds_of, step_of

SECOND = 1_000_000


@given(st.integers(-SECOND, 400 * 24 * 3600 * SECOND))
def test_what_is_read_off_the_scale_is_never_too_short_and_at_most_a_step_too_long(delay):
    read = seconds_of(step_of(delay))
    assert read >= delay / SECOND * (1 - 1e-9)
    assert read <= max(0.001, delay / SECOND * RATIO) * (1 + 1e-9)


def deliver(desk, after, most=100):
    """Deliver everything, each exchange so many seconds after the one before."""
    while parcels := desk.claim(most):
        desk.wait(after)
        desk.settle(parcels)


def test_every_acknowledged_change_is_counted_once_at_the_moment_it_was_on_disk(desk, state):
    assert state.runs.timing(A) is None
    [run] = desk.tick({A: range(5)})
    began = desk.now
    assert state.runs.timing(A) is None
    deliver(desk, 10, most=2)
    found = state.runs.timing(A)
    assert (found.run, found.started, found.before) == (run.id, began, None)
    assert [changes for _, changes in found.delays] == [2, 2, 1]
    for (seconds, _), late in zip(found.delays, (10, 20, 30), strict=True):
        assert late <= seconds <= late * RATIO


def test_changes_out_count_as_changes_in_do_and_refused_ones_do_not(desk, state):
    desk.tick({A: range(4)})
    desk.drain()
    desk.wait(60)
    desk.tick({A: [0, 1, 9]})
    parcels = desk.claim(100)
    desk.settle([one for one in parcels if one.changes[0].want], Verdict.REFUSED, reason="unknown_recipient")
    desk.settle([one for one in parcels if not one.changes[0].want])
    assert sum(changes for _, changes in state.runs.timing(A).delays) == 2


def test_the_newest_run_with_an_acknowledged_change_is_shown_after_the_one_before_it_that_was_not_held(desk, state):
    first = desk.now
    desk.tick({A: range(4)})
    deliver(desk, 1)
    desk.wait(900)
    desk.tick({A: None})
    desk.wait(900)
    [run] = desk.tick({A: range(6)})
    deliver(desk, 1)
    desk.wait(900)
    desk.tick({A: range(6)})
    found = state.runs.timing(A)
    assert (found.run, found.before) == (run.id, state_as_of(state, first))
    assert sum(changes for _, changes in found.delays) == 2


def state_as_of(state, started):
    return next(tick.as_of for tick in state.runs.ticks("p" * 32) if tick.started == started)


def test_syncs_of_one_request_are_counted_apart(desk, state):
    desk.tick({A: range(3), B: range(5)})
    deliver(desk, 1)
    assert [sum(changes for _, changes in state.runs.timing(sync).delays) for sync in (A, B)] == [3, 5]


def test_a_clock_that_steps_back_is_counted_as_no_time(desk, state):
    desk.tick({A: range(1)})
    parcels = desk.claim()
    desk.wait(-100)
    desk.settle(parcels)
    assert state.runs.timing(A).delays == ((0.001, 1),)
