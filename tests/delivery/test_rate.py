import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cornicen.delivery.rate import CALM, SLOWEST, TOLERANCE, Bucket, RateLimit, pause, rate, slow, spare, take

LIMITS = st.builds(RateLimit, st.floats(0.5, 1000), st.integers(1, 50))
STEPS = st.lists(st.tuples(st.sampled_from(["take", "slow", "pause", "wait"]), st.floats(-1, 5)), max_size=60)


def test_a_new_bucket_gives_its_burst_at_once_and_then_the_pace():
    limit, bucket = RateLimit(10, burst=3), Bucket()
    for _ in range(3):
        bucket, wait = take(bucket, limit, now=100.0)
        assert wait == 0
    bucket, wait = take(bucket, limit, now=100.0)
    assert wait == pytest.approx(0.1)
    bucket, wait = take(bucket, limit, now=100.0 + wait)
    assert wait == 0


def test_what_has_to_wait_spends_nothing():
    limit = RateLimit(10, burst=1)
    bucket, _ = take(Bucket(), limit, now=5.0)
    again, wait = take(bucket, limit, now=5.0)
    assert wait > 0
    assert spare(again, limit, now=5.1) == spare(bucket, limit, now=5.1) == 1


@pytest.mark.parametrize("n", [0, 4, -1])
def test_more_than_the_burst_is_never_given(n):
    with pytest.raises(ValueError, match="burst of 3"):
        take(Bucket(), RateLimit(10, burst=3), now=0.0, n=n)


@given(LIMITS, STEPS)
def test_no_stretch_of_time_holds_more_than_its_share_and_the_burst(limit, steps):
    bucket, now, given_at = Bucket(), 1_700_000_000.0, []
    for step, seconds in steps:
        now += seconds  # also backwards
        if step == "take":
            while (taken := take(bucket, limit, now=now))[1] == 0:
                bucket = taken[0]
                given_at.append(max(now, bucket.seen))
            bucket = taken[0]
        elif step == "slow":
            bucket = slow(bucket, now=now)
        elif step == "pause":
            bucket = pause(bucket, now=now, seconds=abs(seconds))
    for i, start in enumerate(given_at):
        for j in range(i, len(given_at)):
            assert j - i + 1 <= limit.per_second * (given_at[j] - start + TOLERANCE) + limit.burst + 1e-3


@given(LIMITS, st.floats(0, 1e9), st.integers(1, 50))
def test_waiting_as_long_as_told_is_enough(limit, now, n):
    n = min(n, limit.burst)
    bucket, _ = take(Bucket(), limit, now=now, n=limit.burst)
    bucket, wait = take(bucket, limit, now=now, n=n)
    assert wait > 0
    assert take(bucket, limit, now=now + wait + 1e-6, n=n)[1] == 0


@given(LIMITS, st.floats(0, 1e9), st.lists(st.floats(0, 0.5), max_size=10))
def test_spare_is_what_may_be_taken_and_no_more(limit, now, pauses):
    bucket = Bucket()
    for seconds in pauses:
        now += seconds
        free = spare(bucket, limit, now=now)
        assert free == limit.burst or take(bucket, limit, now=now, n=free + 1)[1] > 0
        if free:
            bucket, wait = take(bucket, limit, now=now, n=free)
            assert wait == 0


def test_spare_and_take_agree_where_floats_do_not():
    limit = RateLimit(20, burst=1)
    bucket, _ = take(Bucket(), limit, now=1_700_000_000.0)
    for micros in range(49_990, 50_010):
        now = (1_700_000_000_000_000 + micros) / 1_000_000
        assert (spare(bucket, limit, now=now) == 1) == (take(bucket, limit, now=now)[1] == 0)


def test_a_clock_that_stepped_back_counts_as_one_that_stood_still():
    limit = RateLimit(1, burst=1)
    bucket, _ = take(Bucket(), limit, now=1000.0)
    bucket, wait = take(bucket, limit, now=10.0)
    assert wait == pytest.approx(1.0)
    assert take(bucket, limit, now=1001.0)[1] == 0


def test_a_pause_lets_nothing_through_and_starts_empty_after():
    limit = RateLimit(10, burst=5)
    bucket = pause(Bucket(), now=50.0, seconds=7)
    assert spare(bucket, limit, now=56.9) == 0
    assert spare(bucket, limit, now=57.05) == 0
    assert spare(bucket, limit, now=57.1) == 1
    assert pause(bucket, now=51.0, seconds=1).empty_at == bucket.empty_at


def test_a_429_halves_the_pace_once_for_all_that_were_in_flight_and_it_comes_back_slowly():
    limit, now = RateLimit(100), 1000.0
    bucket = slow(Bucket(), now=now)
    assert rate(bucket, limit, now=now) == pytest.approx(50)
    for _ in range(20):
        bucket = slow(bucket, now=now + CALM / 2)
    assert rate(bucket, limit, now=now + CALM / 2) == pytest.approx(50.5)
    assert rate(bucket, limit, now=now + 10) == pytest.approx(60)
    assert rate(bucket, limit, now=now + 50) == pytest.approx(100)
    assert rate(bucket, limit, now=now + 500) == 100
    assert rate(slow(bucket, now=now + 10), limit, now=now + 10) == pytest.approx(30)


def test_however_often_it_is_halved_something_still_leaves():
    bucket = Bucket()
    for i in range(100):
        bucket = slow(bucket, now=2.0 * i)
    assert rate(bucket, RateLimit(64), now=200.0) >= 64 * SLOWEST
    assert math.isfinite(take(bucket, RateLimit(64), now=200.0)[1])


def test_a_limits_burst_is_a_twentieth_of_a_second():
    assert [RateLimit.of(r).burst for r in (0.5, 1, 20, 500, 800)] == [1, 1, 1, 25, 40]
