import pytest
from hypothesis import given
from hypothesis import strategies as st

from cornicen.delivery.retry import MOST_DOUBTS, NO_ANSWER, again_at, backoff, given_up, refused_until
from cornicen.delivery.shapes import Verdict

SECOND, HOUR = 1_000_000, 3_600_000_000
NOW = 1_700_000_000 * SECOND


@pytest.mark.parametrize(
    ("reason", "attempts", "hours"),
    [
        ("unknown_recipient", 1, 1),
        ("unknown_recipient", 2, 6),
        ("unknown_recipient", 3, 24),
        ("unknown_recipient", 99, 24),
        ("tag_limit", 1, 24),
        ("tag_limit", 9, 24),
        ("invalid", 1, 24 * 365),
        (NO_ANSWER, 1, 1),
        ("whatever_the_vendor_calls_it", 5, 24),
    ],
)
def test_a_refused_recipient_is_left_alone_for(reason, attempts, hours):
    assert refused_until(reason, attempts, NOW) == NOW + hours * HOUR


def test_the_backoff_doubles_to_a_minute():
    assert [backoff(n) for n in range(10)] == [0, 1, 2, 4, 8, 16, 32, 60, 60, 60]


@pytest.mark.parametrize(
    ("attempts", "wait", "seconds"), [(1, None, 1), (3, None, 4), (1, 30, 30), (7, 30, 60), (50, None, 60)]
)
def test_what_was_not_acted_on_waits_for_the_longer_of_backoff_and_what_it_was_told(attempts, wait, seconds):
    assert again_at(Verdict.UNTOUCHED, attempts, NOW, wait) == NOW + seconds * SECOND


@given(st.integers(1, 20), st.floats(1, 200), st.integers(0, 200), st.integers(0, 1 << 32), st.none() | st.floats(0, 500))
def test_a_doubt_is_never_repeated_before_the_request_can_have_no_effect(attempts, longest, ago, seed, wait):
    sent = NOW - ago * SECOND
    at = again_at(Verdict.UNKNOWN, attempts, NOW, wait, longest, sent=sent, seed=seed)
    assert at >= sent + int(longest * SECOND)
    assert at >= NOW + int((wait or 0) * SECOND)
    assert at <= max(NOW + int((wait or 0) * SECOND), sent + int(longest * SECOND)) + 90 * SECOND


def test_a_first_doubt_is_repeated_as_soon_as_it_may_be():
    assert again_at(Verdict.UNKNOWN, 1, NOW, None, 100, sent=NOW - 40 * SECOND) == NOW + 60 * SECOND


def test_later_doubts_are_spread_the_same_way_every_time():
    moments = {again_at(Verdict.UNKNOWN, 7, NOW, None, 100, seed=seed) for seed in range(200)}
    assert len(moments) > 150
    assert again_at(Verdict.UNKNOWN, 7, NOW, None, 100, seed=3) == again_at(Verdict.UNKNOWN, 7, NOW, None, 100, seed=3)


@pytest.mark.parametrize("verdict", [Verdict.ACCEPTED, Verdict.REFUSED])
def test_news_after_a_definite_answer_need_not_wait(verdict):
    assert again_at(verdict, 1, NOW, None, 100) == NOW


def test_only_the_tenth_doubt_in_a_row_is_given_up():
    assert [n for n in range(1, 12) if given_up(Verdict.UNKNOWN, n)] == [MOST_DOUBTS, MOST_DOUBTS + 1]
    assert not given_up(Verdict.UNTOUCHED, 1000)
