from hypothesis import given
from hypothesis import strategies as st

from cornicen.flows.events.pace import MOST, OVER, Paced

SECOND = 1_000_000


def test_a_burst_within_the_average_passes_and_the_next_record_does_not():
    paces = Paced()
    assert paces.take({"device:d": 30 * OVER}, 30, now=0) == {}
    assert paces.take({"device:d": 1}, 30, now=0)["device:d"] > 30
    assert paces.take({"user:u": 1}, 30, now=0) == {}


def test_no_limit_counts_nothing():
    paces = Paced()
    assert paces.take({"d": 10**9}, 0, now=0) == {}
    assert paces.take({"d": 30 * OVER}, 30, now=0) == {}


def test_a_refused_record_is_not_counted():
    paces = Paced()
    paces.take({"d": 30 * OVER}, 30, now=0)
    assert [bool(paces.take({"d": 30}, 30, now=0)) for _ in range(5)] == [True] * 5
    assert paces.take({"d": 30}, 30, now=SECOND) == {}


def test_one_that_is_too_fast_keeps_all_others_of_its_request_from_being_counted():
    paces = Paced()
    paces.take({"fast": 30 * OVER}, 30, now=0)
    assert list(paces.take({"slow": 30 * OVER, "fast": 1}, 30, now=0)) == ["fast"]
    assert paces.take({"slow": 30 * OVER}, 30, now=0) == {}


def test_all_that_are_too_fast_are_named():
    over = Paced().take({"a": 30 * OVER + 1, "b": 30 * OVER, "c": 60 * OVER}, 30, now=0)
    assert over == {"a": 30 + 1 / OVER, "c": 60.0}


def test_a_clock_that_stepped_back_lets_nobody_send_more():
    paces = Paced()
    paces.take({"d": 30 * OVER - 1}, 30, now=10 * SECOND)
    assert paces.take({"d": 1}, 30, now=0) == {}
    assert paces.take({"d": 1}, 30, now=10 * SECOND)["d"] > 30


def test_memory_is_bounded():
    paces = Paced()
    for number in range(MOST + 10):
        paces.take({str(number): 1}, 30, now=0)
    assert len(paces._levels) == MOST


@given(st.lists(st.tuples(st.integers(0, 3 * SECOND), st.integers(1, 40)), max_size=60))
def test_what_is_taken_never_exceeds_the_average_over_any_stretch(steps):
    paces, now, taken = Paced(), 0, []
    for later, records in steps:
        now += later
        if not paces.take({"d": records}, 10, now):
            taken.append((now, records))
    for start, (since, _) in enumerate(taken):
        for end in range(start, len(taken)):
            total = sum(records for _, records in taken[start : end + 1])
            assert total <= 10 * OVER + 10 * (taken[end][0] - since) / SECOND + 1e-6
