"""How a sync does: one word, why in sentences for people, and what to do. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cornicen.flows.records import Cadence, Sync, SyncStatus

MINUTE = 60_000_000
LENGTHS = {Cadence.QUARTER_HOUR: 15 * MINUTE, Cadence.HOURLY: 60 * MINUTE, Cadence.DAILY: 24 * 60 * MINUTE}
"""Microseconds between two evaluations. A cadence that is not here moves oftener, and is held to the shortest of these."""


class Health(StrEnum):
    """How a sync does."""

    FINE = "fine"
    FAILING = "failing"
    """A destination, or its definition, stopped it."""
    HELD = "held"
    LATE = "late"
    """What its segment is about lies longer ago than twice its cadence, or it was not evaluated when that was due."""
    NEVER_RUN = "never run"
    PAUSED = "paused"
    LEAVING = "leaving"
    """It is being cleared away, or was."""


BAD = frozenset({Health.FAILING, Health.HELD, Health.LATE})
"""Those at which somebody has to look."""


@dataclass(frozen=True)
class Condition:
    """What is to be said of a sync.

    Args:
        health: In one word.
        what: Why, in our words; empty where there is nothing to say.
        words: Why, in the destination's own.
        fix: What to do; empty where there is nothing to do.
    """

    health: Health
    what: str = ""
    words: str = ""
    fix: str = ""

    @property
    def bad(self) -> bool:
        """Whether somebody has to look at it."""
        return self.health in BAD


def condition(sync: Sync, now: int, why: str = "") -> Condition:
    """How a sync does.

    The first that fits: leaving, paused, failing, held, never run, late, fine. A one-time sync is never late.

    Args:
        sync: Which.
        now: Microseconds.
        why: Of a held sync: the sentence of its last run.
    """
    return _still(sync, why) or _moving(sync, now)


def _still(sync: Sync, why: str) -> Condition | None:
    """Of a sync that does not move."""
    if sync.status in {SyncStatus.RETIRING, SyncStatus.RETIRED}:
        return Condition(Health.LEAVING, "It is being cleared away.")
    if sync.status is SyncStatus.PAUSED:
        return Condition(Health.PAUSED, "Somebody paused it.", fix=f"`cornicen sync resume {sync.cohort}` lets it go on.")
    if sync.status is SyncStatus.STOPPED:
        what, fix = sync.what or "It was stopped.", sync.fix or f"Look into it, then `cornicen sync resume {sync.cohort}`."
        return Condition(Health.FAILING, what, sync.words, fix)
    if sync.held:
        fix = f"Look at `cornicen sync plan {sync.cohort}`; if it is right, `cornicen sync release {sync.cohort}`."
        return Condition(Health.HELD, why or "Its last run would have changed unusually many.", fix=fix)
    return None


def _moving(sync: Sync, now: int) -> Condition:
    if sync.last_as_of is None:
        fix = f"It runs by itself while `cornicen up` does, or with `cornicen sync run {sync.cohort}`."
        return Condition(Health.NEVER_RUN, "It has not been evaluated yet.", fix=fix)
    if (since := late_since(sync)) is not None and now > since:
        what = f"Its segment is as of {_span(now - sync.last_as_of)} ago, and it should move {sync.cadence}."
        fix = "See whether `cornicen up` runs, and with `cornicen status` how far the loader is behind."
        return Condition(Health.LATE, what, fix=fix)
    return Condition(Health.FINE)


def late_since(sync: Sync) -> int | None:
    """The last moment, microseconds, at which a sync is not late yet; None: it never is.

    Twice its cadence after what its segment is about. A run that was asked to be about the past was meant so: then it is the
    next evaluation that may be late, by one cadence.
    """
    if sync.cadence is Cadence.ONCE or sync.last_as_of is None:
        return None
    length = LENGTHS.get(sync.cadence, min(LENGTHS.values()))
    if sync.backdated:
        return None if sync.next_at is None else sync.next_at + length
    return sync.last_as_of + 2 * length


def _span(microseconds: int) -> str:
    """A time span for people, in its largest unit of which there are two."""
    minutes = microseconds // MINUTE
    for unit, length in (("days", 24 * 60), ("hours", 60)):
        if minutes >= 2 * length:
            return f"{minutes // length:,} {unit}"
    return f"{minutes} minutes"
