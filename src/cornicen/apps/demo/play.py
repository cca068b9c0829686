"""The play: a first sync, eight days, an outage caught up in one run, 24 quarter-hours, the last one repeated, the audit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cornicen.apps.cli import instants
from cornicen.apps.demo.audit import audit, disagreements
from cornicen.apps.demo.stage import Stage

MINUTE = 60_000_000
DAY = 24 * 60 * MINUTE

FIRST = instants.read("2017-10-29T00:00:00Z")
OUTAGE_ENDS = instants.read("2017-12-23T18:00:00Z")
DAYS = [FIRST + number * DAY for number in range(1, 9)]
QUARTERS = [OUTAGE_ENDS + number * 15 * MINUTE for number in range(1, 25)]
LAST = QUARTERS[-1]


@dataclass
class Played:
    """What happened.

    Args:
        ticks: In order.
        cohorts: As the audit found them, with what was added, removed and requested for each over all ticks.
        repeated: Requests of the last tick's repetition.
        later: What was added and removed after the first sync.
    """

    ticks: list[dict[str, Any]] = field(default_factory=list)
    cohorts: list[dict[str, Any]] = field(default_factory=list)
    repeated: int = 0
    later: Counter[str] = field(default_factory=Counter)

    @property
    def faults(self) -> list[str]:
        """Everything that keeps the demo from being a proof; empty: it is one."""
        found = [f"{one['slug']}: {one['differ']} differ" for one in self.cohorts if one["differ"]]
        found += [f"{one['slug']} is empty" for one in self.cohorts if not one["size"] or not one["in_segment"]]
        found += [f"{one['slug']}: {fault}" for one in self.cohorts for fault in disagreements(one)]
        found += [f"nothing was {word} after the first sync" for word in ("added", "removed") if not self.later[word]]
        return found + ([f"the repeated tick sent {self.repeated} requests"] if self.repeated else [])


def play(stage: Stage, data: Path, tell: Callable[[str, dict[str, Any]], None]) -> Played:
    """Play it all.

    Args:
        stage: Set up, with nothing sent.
        data: The folder with the Parquet files, for the audit.
        tell: Called after each tick with what it was and its line.
    """
    played = Played()
    totals: dict[str, Counter[str]] = {}
    for name, tick in _ticks(stage):
        played.ticks.append(
            {key: tick[key] for key in ("as_of", "events", "added", "removed", "requests", "seconds", "released")}
        )
        for run in tick["runs"]:
            totals.setdefault(run["cohort"], Counter()).update({key: run[key] for key in ("added", "removed", "requests")})
        if len(played.ticks) > 1:
            played.later.update(added=tick["added"], removed=tick["removed"])
        tell(name, played.ticks[-1])
    played.repeated = played.ticks[-1]["requests"]
    played.cohorts = [{**one, **_sums(totals.get(one["slug"], Counter()))} for one in audit(stage, data, LAST)]
    return played


def _ticks(stage: Stage) -> Iterator[tuple[str, dict[str, Any]]]:
    yield "first sync", stage.tick(FIRST)
    for moment in DAYS:
        yield "daily", stage.tick(moment)
    yield "after an outage", stage.catch_up(OUTAGE_ENDS)
    for moment in QUARTERS:
        yield "quarter-hour", stage.tick(moment)
    yield "the same again", stage.tick(LAST)


def _sums(total: Counter[str]) -> dict[str, int]:
    return {key: total[key] for key in ("added", "removed", "requests")}
