"""Whether a run is held: it would change a segment more than anything known explains.

Two steps, because the second costs another evaluation: `held` on the raw numbers first; only if they trip, `held` again with
what would have changed anyway. What it is there to catch: a source that returned nothing, a property that vanished, a broken
mapping, an event that fell silent under a ``did_not``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pyroaring import BitMap

USUAL_DAYS = 28
"""An event's usual rate is taken over so many days before the last run."""

LIVELY = 10
"""An event name is lively when it arrives at one part in so many of its usual rate, or more."""

_USUAL = USUAL_DAYS * 86_400 * 1_000_000


@dataclass(frozen=True)
class Moves:
    """What a run would change, beyond what earlier runs have decided already.

    Args:
        before: How many the segment holds once everything decided so far is delivered.
        adding: Recipients to add.
        removing: Recipients to remove.
    """

    before: int
    adding: BitMap
    removing: BitMap


def moves(desired: BitMap, wanted: BitMap, acknowledged: BitMap, refused: BitMap) -> Moves:
    """What a run that wants ``desired`` would change.

    Whoever an earlier run has asked for and is still on the way is that run's: a first sync of a million that takes half an
    hour must not trip the guard of the runs that come meanwhile.

    Args:
        desired: Whom the run wants in.
        wanted: Whom the last run that was not held wanted in.
        acknowledged: In, by the last definite answer.
        refused: Under a refusal that has not ended: nothing is asked for them.
    """
    before = wanted - (refused - acknowledged)
    return Moves(len(before), desired - before - acknowledged - refused, before - desired - refused)


@dataclass(frozen=True)
class Guarded:
    """A run as the guard looks at it.

    Args:
        name: The sync's name for people, as ``cornicen sync release`` takes it.
        percent: Of the segment's members; None: the guard is off.
        count: Recipients; None: the guard is off.
        moves: What it would change.
        new: A first run, or the first of a changed definition, identifier or connection, or of a sync to be cleared away.
        released: Whether a person let it pass.
        gap: Bytes of the bulk lane that were not loaded: a known gap in what the answer rests on.
        anyway: What would also have changed had nothing arrived since the last run; None: not asked for yet.
        arrivals: By event name that the definition uses: (arrived since the last run, arrived in the 28 days before it).
        elapsed: Microseconds since the last run.
    """

    name: str
    percent: float | None
    count: int | None
    moves: Moves
    new: bool = False
    released: bool = False
    gap: int = 0
    anyway: Moves | None = None
    arrivals: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    elapsed: int = 0


def held(run: Guarded) -> str:
    """Whether a run is held.

    It is when it would add, or remove, more than `Guarded.percent` of the segment's members and more than `Guarded.count`
    recipients, or empty, or fill, a segment of more than `Guarded.count`. A first run and a changed definition are never held.
    With `Guarded.anyway`, what would also have changed had nothing arrived is not counted, provided that every event name of
    the definition is lively and nothing is waiting in the bulk lane: silence and gaps change cohorts too.

    Returns:
        Empty: it goes on. Otherwise a sentence for people, with the numbers and how to release the run.
    """
    if run.percent is None or run.count is None or run.new or run.released:
        return ""
    tripped = _tripped(run, run.percent, run.count)
    return (
        f"{tripped} {_why(run)}Nothing of it was sent; if it is right, `cornicen sync release {run.name}`." if tripped else ""
    )


def silent(arrivals: Mapping[str, tuple[int, int]], elapsed: int) -> list[str]:
    """The event names that have not arrived at a tenth of their usual rate, in order.

    Args:
        arrivals: As in `Guarded`.
        elapsed: Microseconds. None of a name that never used to come counts as its usual rate.
    """
    return sorted(name for name, (now, usual) in arrivals.items() if now * _USUAL * LIVELY < usual * elapsed)


def _counted(run: Guarded) -> Moves:
    """The run's changes without those that would have come anyway, and the segment as these would have left it."""
    if run.anyway is None or run.gap or silent(run.arrivals, run.elapsed):
        return run.moves
    came, went = run.anyway.adding & run.moves.adding, run.anyway.removing & run.moves.removing
    return Moves(run.moves.before + len(came) - len(went), run.moves.adding - came, run.moves.removing - went)


def _tripped(run: Guarded, percent: float, count: int) -> str:
    """What trips, as a sentence; empty: nothing does."""
    counted, size = _counted(run), run.moves.before
    adding, removing = len(counted.adding), len(counted.removing)
    after = size + len(run.moves.adding) - len(run.moves.removing)
    if removing and not after and counted.before > count:
        return f"This run would empty a segment of {size:,}."
    if adding and not counted.before and after > count:
        return f"This run would fill an empty segment with {after:,}."
    bounds = f"more than {percent:g} % and more than {count:,}."
    if removing > count and removing * 100 > size * percent:
        return f"This run would remove {removing:,} of {size:,} members ({removing * 100 / size:.0f} %), {bounds}"
    if adding > count and adding * 100 > size * percent:
        share = f" ({adding * 100 / size:.0f} %)" if size else ""
        return f"This run would add {adding:,} to {size:,} members{share}, {bounds}"
    return ""


def _why(run: Guarded) -> str:
    """What is known to be missing, as a sentence with a space behind it."""
    if run.gap:
        return f"An import is not loaded yet ({run.gap:,} bytes wait). "
    quiet = silent(run.arrivals, run.elapsed)
    if not quiet:
        return ""
    arrived, usual = run.arrivals[quiet[0]]
    expected = usual * run.elapsed / _USUAL
    more = f" (and {len(quiet) - 1} more)" if len(quiet) > 1 else ""
    return f"`{quiet[0]}`{more} arrived {arrived:,} times since the last run, about {expected:,.0f} are usual. "
