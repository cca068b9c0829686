"""The one clock of a simulator: the machine's, or one that only tests move."""

from __future__ import annotations

import time


class Clock:
    """Seconds since the epoch, as every other part of the simulator sees them.

    Args:
        start: None: the machine's clock, plus whatever was advanced. A number: a virtual clock that stands at it and moves only
            when it is advanced.
    """

    def __init__(self, start: float | None = None) -> None:
        self.virtual = start is not None
        self._standing = start or 0.0

    def now(self) -> float:
        """The instant, Unix seconds."""
        return self._standing if self.virtual else time.time() + self._standing

    def advance(self, seconds: float) -> float:
        """Turn the clock on, and say what it shows.

        Raises:
            ValueError: ``seconds`` is negative; nothing here expects time to go back.

        Twice: advances twice.
        """
        if seconds < 0:
            raise ValueError("a clock is advanced by zero seconds or more")
        self._standing += seconds
        return self.now()
