"""How fast single users and devices send: one leaky bucket a name, in the door's memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

OVER = 30
"""Seconds over which a pace is averaged."""

MOST = 100_000
"""Names at the same time; whoever has been silent longest is forgotten first."""


class Paced:
    """`cornicen.flows.vendors.Paces`: a bucket that holds ``limit`` times `OVER` records and leaks ``limit`` a second."""

    def __init__(self) -> None:
        self._levels: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def take(self, records: Mapping[str, int], limit: float, now: int) -> Mapping[str, float]:
        """See `cornicen.flows.vendors.Paces.take`. A clock that stepped back counts as one that stood still."""
        if limit <= 0:
            return {}
        levels = {name: self._level(name, limit, now) + several for name, several in records.items()}
        over = {name: level / OVER for name, level in levels.items() if level > limit * OVER}
        if not over:
            for name, level in levels.items():
                self._levels[name] = (level, max(now, self._levels.get(name, (0.0, now))[1]))
                self._levels.move_to_end(name)
            while len(self._levels) > MOST:
                self._levels.popitem(last=False)
        return over

    def _level(self, name: str, limit: float, now: int) -> float:
        """What is in a bucket now."""
        level, since = self._levels.get(name, (0.0, now))
        return max(0.0, level - limit * max(0, now - since) / 1_000_000)
