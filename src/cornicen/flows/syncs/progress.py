"""How far a delivery is, how fast it goes, and when it will be done. Pure."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cornicen.flows.records import Run, RunStatus, Timing

WINDOW = 15.0
"""Seconds over which a rate is taken, so that it follows a destination that slows us down."""


@dataclass(frozen=True)
class Progress:
    """Where a delivery stands.

    Args:
        done: Changes acknowledged.
        total: Changes there were to tell. Those that the destination refuses are never done.
        rate: Acknowledged a second.
        left: Seconds until all are done at that rate; None: it cannot be said.
        still: Seconds in which nothing was acknowledged while something was owed: throttled, or no answer.
    """

    done: int
    total: int
    rate: float
    left: float | None
    still: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """As the API shows it; ``still`` only where it was watched."""
        return {name: value for name, value in asdict(self).items() if name != "still"}


def progress_of(run: Run, timing: Timing | None, now: int) -> Progress | None:
    """Where a run stands that is being delivered, by its average since its tick began; None: it is not.

    Args:
        run: Which.
        timing: As the state has it of the run's sync; another run's does not count.
        now: Microseconds.
    """
    if run.status is not RunStatus.DELIVERING:
        return None
    done, total = counted([run])
    seconds = (now - timing.started) / 1_000_000 if timing is not None and timing.run == run.id else 0.0
    rate = round(done / seconds, 1) if seconds > 0 else 0.0
    return Progress(done, total, rate, _left(done, total, rate))


def counted(runs: Sequence[Run]) -> tuple[int, int]:
    """Changes done, and changes there are in all, over some runs."""
    return sum(run.added + run.removed for run in runs), sum(run.adding + run.removing for run in runs)


class Watch:
    """Sees a delivery at several moments, and says how fast it goes just now.

    Args:
        now: Seconds of any clock that does not step back.
    """

    def __init__(self, now: float) -> None:
        self._seen: deque[tuple[float, int]] = deque([(now, 0)])
        self._at, self._done, self._still = now, 0, 0.0

    def see(self, done: int, total: int, now: float) -> Progress:
        """What was done at a moment not before the last one. Twice at one moment: the same."""
        if done == self._done and done < total:
            self._still += now - self._at
        self._at, self._done = now, done
        self._seen.append((now, done))
        while len(self._seen) > 2 and self._seen[1][0] <= now - WINDOW:
            self._seen.popleft()
        began, before = self._seen[0]
        seconds = now - began
        rate = round((done - before) / seconds, 1) if seconds > 0 else 0.0
        return Progress(done, total, rate, _left(done, total, rate), round(self._still, 1))


def _left(done: int, total: int, rate: float) -> float | None:
    if done >= total:
        return 0.0
    return math.ceil((total - done) / rate * 10) / 10 if rate > 0 else None
