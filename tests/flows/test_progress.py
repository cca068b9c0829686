"""How far a delivery is, how fast, and how long yet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cornicen.apps.cli.sync_run import note
from cornicen.flows.records import Run, RunStatus, Timing
from cornicen.flows.syncs.progress import WINDOW, Progress, Watch, progress_of

SECOND = 1_000_000
RUN = Run(3, 1, "s", RunStatus.DELIVERING, adding=90, removing=10, added=20, removed=5)


def test_a_run_that_is_delivered_says_its_average_and_what_is_left():
    found = progress_of(RUN, Timing(3, 0, 100 * SECOND, None, None), 110 * SECOND)
    assert found.as_json() == {"done": 25, "total": 100, "rate": 2.5, "left": 30.0}


@pytest.mark.parametrize("timing", [None, Timing(2, 0, 100 * SECOND, None, None)])
def test_without_an_answer_yet_nothing_is_promised(timing):
    assert progress_of(RUN, timing, 110 * SECOND).as_json() == {"done": 25, "total": 100, "rate": 0.0, "left": None}


def test_a_run_that_has_ended_has_no_progress():
    assert progress_of(Run(3, 1, "s", RunStatus.DONE), None, 0) is None


def test_the_rate_follows_a_destination_that_slows_down():
    watch = Watch(0.0)
    for second in range(1, 101):
        fast = watch.see(second * 100, 20_000, float(second))
    assert (fast.rate, fast.left) == (100.0, 100.0)
    for second in range(101, 121):
        slow = watch.see(10_000 + (second - 100) * 10, 20_000, float(second))
    assert slow.rate == 10.0
    assert slow.still == 0.0


def test_time_in_which_nothing_moved_is_counted_while_something_is_owed():
    watch = Watch(0.0)
    watch.see(10, 20, 1.0)
    watch.see(10, 20, 31.0)
    watch.see(20, 20, 32.0)
    assert watch.see(20, 20, 100.0).still == 30.0


def test_after_a_standstill_longer_than_the_window_no_end_is_promised():
    watch = Watch(0.0)
    watch.see(10, 20, 1.0)
    for second in range(2, int(WINDOW) + 4):
        seen = watch.see(10, 20, float(second))
    assert (seen.rate, seen.left) == (0.0, None)


@given(st.lists(st.tuples(st.integers(0, 50), st.floats(0, 20)), max_size=30))
def test_no_figure_is_ever_negative_and_what_is_done_has_nothing_left(steps):
    watch, done, now, total = Watch(0.0), 0, 0.0, sum(more for more, _ in steps)
    for more, seconds in steps:
        done, now = done + more, now + seconds
        seen = watch.see(done, total, now)
        assert seen.rate >= 0
        assert seen.still >= 0
        assert seen.left is None or seen.left >= 0
        assert (seen.left == 0.0) == (done >= total)


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (Progress(0, 100, 0.0, None), "0 of 100 changes"),
        (Progress(2_500, 10_000, 500.0, 15.0), "2,500 of 10,000 changes, 500/s, about 0:00:15 left"),
        (Progress(9, 10, 0.5, 2.0, 3.4), "9 of 10 changes, 0.5/s, about 0:00:02 left, 0:00:03 throttled or without an answer"),
        (Progress(10, 10, 5.0, 0.0), "10 of 10 changes, 5.0/s"),
    ],
)
def test_beside_the_bar_stands_what_is_known(seen, told):
    assert note(seen) == told
