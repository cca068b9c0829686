"""A clock that waits for nobody."""

from __future__ import annotations

import asyncio


class HurriedClock:
    """A clock that jumps: whoever sleeps has slept, and time has passed for everybody. Tests turn it with `advance`.

    Args:
        now: Microseconds since 1970 UTC.
    """

    def __init__(self, now: int = 1_700_000_000_000_000) -> None:
        self._now = now

    def now(self) -> int:
        """Microseconds since 1970 UTC."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Let so many seconds pass at once."""
        until = self._now + int(seconds * 1_000_000)
        await asyncio.sleep(0)
        self._now = max(self._now, until)

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass."""
        self._now += int(seconds * 1_000_000)
