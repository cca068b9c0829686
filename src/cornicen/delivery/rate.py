"""How fast a destination is asked: a paced token bucket that can be paused, halved and slowly recovers. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

TOLERANCE = 1e-6
"""Seconds: a wait shorter than a clock's step is none."""

SLOWEST = 1 / 64
"""The pace never falls below this share of the limit."""

RECOVERY = 0.01
"""The share of the limit that comes back each second: fifty seconds from a half to the whole."""

CALM = 1.0
"""Seconds after a halving in which further 429s count as the same: they answer requests that had left before it."""


@dataclass(frozen=True)
class RateLimit:
    """What a destination allows.

    Args:
        per_second: Requests, more than 0.
        burst: Requests that may leave at once after a rest; at least 1. In any ``t`` seconds at most
            ``per_second * t + burst`` leave.
    """

    per_second: float
    burst: int = 10

    @classmethod
    def of(cls, per_second: float) -> RateLimit:
        """With a burst of a twentieth of a second, which is what a busy machine sleeps too long now and then."""
        return cls(per_second, max(1, math.ceil(per_second / 20)))


@dataclass(frozen=True)
class Bucket:
    """One connection's bucket; a new one is full.

    Args:
        empty_at: When it was, or will be, empty; it fills from there at the present rate. Seconds.
        seen: The latest ``now`` it was shown. Seconds.
        pace: Share of the limit that is used, as of ``slowed_at``.
        slowed_at: When it was last halved. Seconds.
    """

    empty_at: float = -math.inf
    seen: float = -math.inf
    pace: float = 1.0
    slowed_at: float = -math.inf


def rate(bucket: Bucket, limit: RateLimit, *, now: float) -> float:
    """Requests per second that the bucket gives now; after a halving it grows back by `RECOVERY` each second."""
    rested = max(now, bucket.seen) - bucket.slowed_at
    pace = 1.0 if math.isinf(rested) else min(1.0, bucket.pace + RECOVERY * rested)
    return limit.per_second * pace


def spare(bucket: Bucket, limit: RateLimit, *, now: float) -> int:
    """How many requests may leave at once now, 0 to ``limit.burst``: the most that `take` gives without a wait."""
    now = max(now, bucket.seen)
    per_second = rate(bucket, limit, now=now)
    guess = (now + TOLERANCE - bucket.empty_at) * per_second
    free = limit.burst if guess >= limit.burst else max(0, math.floor(guess))
    # Floats near a whole token round one way here and another in `_empty_at`, which decides.
    while free and _empty_at(bucket, limit, now, per_second, free) - now > TOLERANCE:
        free -= 1
    while free < limit.burst and _empty_at(bucket, limit, now, per_second, free + 1) - now <= TOLERANCE:
        free += 1
    return free


def _empty_at(bucket: Bucket, limit: RateLimit, now: float, per_second: float, n: int) -> float:
    """When the bucket will be empty if ``n`` are taken now."""
    return max(bucket.empty_at, now - limit.burst / per_second) + n / per_second


def take(bucket: Bucket, limit: RateLimit, *, now: float, n: int = 1) -> tuple[Bucket, float]:
    """Ask for ``n`` requests; get the bucket to keep and how long to wait.

    Pure: no clock, no sleep, no lock.

    Args:
        bucket: As the last call returned it.
        limit: The destination's limit.
        now: Seconds. A clock that stepped back counts as one that stood still.
        n: Requests wanted, 1 to ``limit.burst``.

    Returns:
        The bucket to keep, and seconds to wait. 0.0: go ahead, the tokens are spent. Otherwise none is spent: ask again then.

    Raises:
        ValueError: ``n`` is above ``limit.burst``; no wait would ever be enough.

    Twice: spends twice.
    """
    if not 1 <= n <= limit.burst:
        raise ValueError(f"{n} requests at once are not between 1 and the burst of {limit.burst}")
    now = max(now, bucket.seen)
    empty_at = _empty_at(bucket, limit, now, rate(bucket, limit, now=now), n)
    wait = empty_at - now
    if wait > TOLERANCE:
        return replace(bucket, seen=now), wait
    return replace(bucket, empty_at=empty_at, seen=now), 0.0


def pause(bucket: Bucket, *, now: float, seconds: float) -> Bucket:
    """Nothing leaves for so many seconds; then the bucket starts empty. A longer pause under way stays.

    Twice: the same.
    """
    now = max(now, bucket.seen)
    return replace(bucket, empty_at=max(bucket.empty_at, now + seconds), seen=now)


def slow(bucket: Bucket, *, now: float) -> Bucket:
    """Halve the pace, after a 429. Within `CALM` seconds of the last halving: no change.

    Twice: within `CALM` seconds once.
    """
    now = max(now, bucket.seen)
    rested = now - bucket.slowed_at
    if rested < CALM:
        return replace(bucket, seen=now)
    pace = 1.0 if math.isinf(rested) else min(1.0, bucket.pace + RECOVERY * rested)
    return replace(bucket, pace=max(SLOWEST, pace / 2), slowed_at=now, seen=now)
