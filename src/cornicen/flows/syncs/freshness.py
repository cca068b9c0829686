"""How fresh a segment is kept: event accepted → change acknowledged, and which stage took the time. Pure.

What is measured, from what is on disk. A change of a run is brought about by an event (or by time itself) that came between
the instant the run before was about and the instant this one is about. So of its way we know exactly:

- **tick**: from the earliest moment at which the event may have come to the run's ``as_of``: the longest that one can have
  waited for the next evaluation. Of a sync's first run it is 0: nothing was waited for.
- **loader**: from ``as_of`` to the start of the tick: what had come then and was not loaded yet.
- **delivery**: from the start of the tick, evaluation included, to the moment at which a change's acknowledgement was on disk.

A freshness is the sum: no change that its run decided took longer from its event on. What a later run took over from an earlier
one is counted from the later one on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cornicen.flows.records import Timing

SECOND = 1_000_000
QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


@dataclass(frozen=True)
class Freshness:
    """Of a sync's newest run of which a change was acknowledged. All in seconds.

    Args:
        run: Which.
        changes: How many were acknowledged so far.
        tick: The longest wait for the evaluation.
        loader: The wait for the loader.
        delivery: By quantile (``p50`` ``p95`` ``p99``) over the changes.
        total: Likewise: event accepted → acknowledged, at most.
        slowest: The stage that took the most at p95: ``tick``, ``loader`` or ``delivery``.
    """

    run: int
    changes: int
    tick: float
    loader: float
    delivery: dict[str, float]
    total: dict[str, float]
    slowest: str

    def as_json(self) -> dict[str, Any]:
        """As the CLI and the API show it."""
        return asdict(self)


def freshness(timing: Timing | None) -> Freshness | None:
    """What a run's times say; None: no change was ever acknowledged."""
    if timing is None or not timing.delays:
        return None
    waited = 0.0 if timing.before is None else max(0, timing.as_of - timing.before) / SECOND
    loader = max(0, timing.started - timing.as_of) / SECOND
    delivery = {name: round(quantile(timing.delays, share), 3) for name, share in QUANTILES.items()}
    stages = {"tick": waited, "loader": loader, "delivery": delivery["p95"]}
    return Freshness(
        timing.run,
        sum(count for _, count in timing.delays),
        round(waited, 3),
        round(loader, 3),
        delivery,
        {name: round(waited + loader + seconds, 3) for name, seconds in delivery.items()},
        max(stages, key=lambda stage: stages[stage]),
    )


def quantile(counted: Sequence[tuple[float, int]], share: float) -> float:
    """The smallest value that at least a share of all counted ones do not exceed.

    Args:
        counted: ``(value, how many)``, ascending; at least one.
        share: Above 0, at most 1.
    """
    wanted, seen = share * sum(count for _, count in counted), 0
    for value, count in counted:
        seen += count
        if seen >= wanted:
            return value
    return counted[-1][0]
