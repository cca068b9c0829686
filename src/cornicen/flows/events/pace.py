"""How fast single users and devices send: one leaky bucket a name, in the door's memory."""

from __future__ import annotations

from collections import OrderedDict

OVER = 30
"""Seconds over which a pace is averaged."""

MOST = 100_000
"""Names at the same time; whoever has been silent longest is forgotten first."""


class Paced:
    """`cornicen.flows.vendors.Paces`: a bucket that holds ``limit`` times `OVER` records and leaks ``limit`` a second."""

    def __init__(self) -> None:
        self._levels: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def take(self, name: str, records: int, limit: float, now: int) -> float:
        """See `cornicen.flows.vendors.Paces.take`. A clock that stepped back counts as one that stood still."""
        if limit <= 0:
            return 0.0
        level, since = self._levels.get(name, (0.0, now))
        level = max(0.0, level - limit * max(0, now - since) / 1_000_000)
        if level + records > limit * OVER:
            return (level + records) / OVER
        self._levels[name] = (level + records, now)
        self._levels.move_to_end(name)
        while len(self._levels) > MOST:
            self._levels.popitem(last=False)
        return 0.0
