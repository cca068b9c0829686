from hypothesis import given
from hypothesis import strategies as st

from cornicen.flows.events.pace import MOST, OVER, Paced

SECOND = 1_000_000


def test_a_burst_within_the_average_passes_and_the_next_record_does_not():
    paces = Paced()
    assert paces.take("device:d", 30 * OVER, 30, now=0) == 0.0
    assert paces.take("device:d", 1, 30, now=0) > 30
    assert paces.take("user:u", 1, 30, now=0) == 0.0


def test_no_limit_counts_nothing():
    paces = Paced()
    assert paces.take("d", 10**9, 0, now=0) == 0.0
    assert paces.take("d", 30 * OVER, 30, now=0) == 0.0


def test_a_refused_record_is_not_counted():
    paces = Paced()
    paces.take("d", 30 * OVER, 30, now=0)
    assert [paces.take("d", 30, 30, now=0) > 0 for _ in range(5)] == [True] * 5
    assert paces.take("d", 30, 30, now=SECOND) == 0.0


def test_memory_is_bounded():
    paces = Paced()
    for number in range(MOST + 10):
        paces.take(str(number), 1, 30, now=0)
    assert len(paces._levels) == MOST


@given(st.lists(st.tuples(st.integers(0, 3 * SECOND), st.integers(1, 40)), max_size=60))
def test_what_is_taken_never_exceeds_the_average_over_any_stretch(steps):
    paces, now, taken = Paced(), 0, []
    for later, records in steps:
        now += later
        if paces.take("d", records, 10, now) == 0.0:
            taken.append((now, records))
    for start, (since, _) in enumerate(taken):
        for end in range(start, len(taken)):
            total = sum(records for _, records in taken[start : end + 1])
            assert total <= 10 * OVER + 10 * (taken[end][0] - since) / SECOND + 1e-6
