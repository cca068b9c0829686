"""When a recipient is asked about again: pure, from what the answer meant and how often it has been that.

The numbers follow OneSignal's advice (exponential from one to sixty seconds, at most ten attempts; rate-limits page, read
2026-08) and its documented longest answer; another destination brings its own longest answer and keeps the rest.
"""

from __future__ import annotations

import hashlib

from cornicen.delivery.shapes import Verdict

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR

LONGEST_BACKOFF = 60.0
"""Seconds."""

MOST_DOUBTS = 10
"""So many requests without a definite answer, one after another, and the recipient is left alone for a while."""

NO_ANSWER = "no_answer"
"""The reason of the refusal that the ledger then gives in the destination's place; the doubt stays."""

_UNKNOWN_RECIPIENT = (1 * HOUR, 6 * HOUR, 24 * HOUR)


def refused_until(reason: str, attempts: int, now: int) -> int:
    """When a refused recipient may be asked about again.

    Args:
        reason: As in `Answer.reason`, or `NO_ANSWER`. ``unknown_recipient``: after 1 h, then 6 h, then 24 h each, because they
            may install the app later. ``invalid``: after a year; what is wrong does not change by itself. `NO_ANSWER`: after
            1 h. ``tag_limit`` and every other word: after 24 h.
        attempts: How many refusals of this recipient there have been in a row, this one included: 1 or more.
        now: Microseconds: when the refusal was settled.

    Returns:
        Microseconds, later than ``now``.
    """
    if reason == "unknown_recipient":
        return now + _UNKNOWN_RECIPIENT[min(max(attempts, 1), len(_UNKNOWN_RECIPIENT)) - 1]
    if reason == "invalid":
        return now + 365 * DAY
    if reason == NO_ANSWER:
        return now + HOUR
    return now + DAY


def again_at(
    verdict: Verdict,
    attempts: int,
    now: int,
    wait: float | None = None,
    longest_answer: float = 0.0,
    *,
    sent: int | None = None,
    seed: int = 0,
) -> int:
    """When a change that is still owed may be sent again. Nothing earlier may be claimed for its recipient.

    Args:
        verdict: What the answer meant.
            UNTOUCHED: after ``wait``, and not before the backoff (1, 2, 4 … 60 s) has passed.
            UNKNOWN: never before ``longest_answer`` seconds after it was sent; then after a growing, jittered backoff, none at
            the first doubt. From `MOST_DOUBTS` on the ledger gives a refusal of `NO_ANSWER` instead, see `given_up`.
            DENIED: after the backoff; the sync is stopped meanwhile, and asks as soon as it is resumed.
            ACCEPTED, REFUSED: at once; what is owed after them is news (a change that was decided meanwhile).
        attempts: How many answers in a row were no definite yes or no, this one included: 1 or more.
        now: Microseconds: when the answer was settled.
        wait: Seconds the destination asked for.
        longest_answer: Seconds after which an unanswered request cannot take effect any more.
        sent: Microseconds: when the request was claimed; None: ``now``.
        seed: Spreads the repeats of one failure; the recipient's number. The same seed gives the same moment.

    Returns:
        Microseconds, at or after ``now``.
    """
    if verdict in {Verdict.ACCEPTED, Verdict.REFUSED}:
        return now
    if verdict is Verdict.UNKNOWN:
        quiet = (now if sent is None else sent) + int(longest_answer * SECOND)
        grown = 0.0 if attempts <= 1 else backoff(attempts - 1) * (0.5 + _fraction(seed, attempts))
        return max(now, quiet, now + int((wait or 0.0) * SECOND)) + int(grown * SECOND)
    return now + int(max(wait or 0.0, backoff(attempts)) * SECOND)


def given_up(verdict: Verdict, attempts: int) -> bool:
    """Whether a doubt has lasted so long that the recipient is refused as `NO_ANSWER` for an hour; it stays uncertain.

    Args:
        verdict: What the last answer meant.
        attempts: As in `again_at`, this answer included.
    """
    return verdict is Verdict.UNKNOWN and attempts >= MOST_DOUBTS


def backoff(attempts: int) -> float:
    """Seconds to wait after so many failures in a row: 1, 2, 4, 8, 16, 32, then `LONGEST_BACKOFF`; 0 after none."""
    return 0.0 if attempts <= 0 else min(LONGEST_BACKOFF, 2.0 ** min(attempts - 1, 10))


def _fraction(seed: int, attempts: int) -> float:
    """A number in [0, 1) that looks random and is the same for the same arguments, on every machine."""
    digest = hashlib.blake2b(f"{seed}:{attempts}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
