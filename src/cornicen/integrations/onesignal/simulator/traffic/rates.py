"""Rate limits, judged when a request comes in."""

from __future__ import annotations

from collections.abc import Hashable

_SLACK = 1e-6
"""Seconds forgiven, so that a request exactly one interval after the last is not refused for a rounding error."""


class Rates:
    """Any number of limits side by side, each known by its key.

    A limit lets ``burst`` requests through at once and then one every ``1 / rate`` seconds. Refused requests cost nothing.
    """

    def __init__(self) -> None:
        self._full_at: dict[Hashable, float] = {}

    def admit(self, key: Hashable, rate: float, burst: float, now: float) -> bool:
        """Whether one more request may pass.

        Args:
            key: Which limit.
            rate: Requests per second; 0: no limit.
            burst: Requests that may come at once, at least 1.
            now: Unix seconds; never earlier than in the last call.

        Twice: counts twice.
        """
        if rate <= 0:
            return True
        # The instant at which everything let through so far will have been paid for.
        full_at = max(self._full_at.get(key, now), now)
        if full_at + 1 / rate - burst / rate > now + _SLACK:
            return False
        self._full_at[key] = full_at + 1 / rate
        return True

    def clear(self) -> None:
        """Forget all that was let through."""
        self._full_at.clear()
