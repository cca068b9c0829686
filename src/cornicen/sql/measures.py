"""Measures as SQL: what a group of one person's matching events must pass."""

from __future__ import annotations

from collections.abc import Iterable

from cornicen.cohorts.query import Bound
from cornicen.events.values import MILLIONTHS
from cornicen.sql.quoting import integer
from cornicen.sql.zones import DAY, local, offsets

WHOLE = (1, 2**63 - 1)
"""What a count of events or of days can be, where there is at least one."""

HUGE = (-(2**127) + 1, 2**127 - 1)
"""What a 128-bit sum can be; no sum of fewer than 2**64 values leaves it."""

_WORD = 62
"""Days that one 64-bit set of days holds: its sign is never touched."""

_WORDS = 6
"""So many sets side by side are faster than one group for each; 372 days."""

_SYMBOLS = {"eq": "=", "ne": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def bounded(measure: str, bounds: Iterable[Bound], within: tuple[int, int], unit: int = 1) -> str | None:
    """All bounds of a measure, as SQL; what no value or every value passes is decided here.

    Args:
        measure: The expression, an integer and never null.
        bounds: Limits in ``1 / unit`` of the measure's own unit.
        within: The least and the greatest value that the measure can have; no literal leaves it.
        unit: `MILLIONTHS` for counts.

    Returns:
        The condition; ``false`` when nothing passes, None when everything does.
    """
    written = [_comparison(measure, bound, within, unit) for bound in bounds]
    if False in written:
        return "false"
    return " and ".join(part for part in written if isinstance(part, str)) or None


def _comparison(measure: str, bound: Bound, within: tuple[int, int], unit: int) -> str | bool:
    """One bound: SQL, or what it always is."""
    low, high = within
    floor, rest = divmod(bound.limit, unit)
    ceiling = floor + (rest > 0)
    match bound.test:
        case "eq" | "ne":
            possible = rest == 0 and low <= floor <= high
            always, never = bound.test == "ne" and not possible, bound.test == "eq" and not possible
            limit = floor
        case "gt" | "lte":
            always, never = (floor < low, floor >= high) if bound.test == "gt" else (floor >= high, floor < low)
            limit = floor
        case "gte" | "lt":
            always, never = (ceiling <= low, ceiling > high) if bound.test == "gte" else (ceiling > high, ceiling <= low)
            limit = ceiling
        case other:
            raise ValueError(f"no such bound: {other}")
    return always if always or never else f"{measure} {_SYMBOLS[bound.test]} {integer(limit)}"


def counted(bounds: Iterable[Bound], measure: str = "count(*)") -> str | None:
    """The bounds of a count, as `bounded`."""
    return bounded(measure, bounds, WHOLE, MILLIONTHS)


def days(events: str, bounds: Iterable[Bound], zone: str, first: int | None, after: int) -> str:
    """Persons whose number of distinct local days passes, as a query of one column.

    Days are bits: ``bit_count(bit_or(…))`` takes a half to a third of what ``count(distinct …)`` takes, over every window that
    was measured. A window of at most a year sets them in words side by side; any other has a group for each word.

    Args:
        events: A query that gives ``person`` and ``"time"`` of the matching events.
        bounds: As `Bound` says.
        zone: An IANA name.
        first: First microsecond of the window; None: it has none.
        after: First microsecond after it.
    """
    clock = local('"time"', zone, first, after)
    if first is not None and after - first <= (_WORDS * _WORD - 4) * DAY:
        return _side_by_side(events, bounds, clock, _first_day(zone, first, after), (after - first) // DAY + 4)
    return _grouped(events, bounds, clock)


def _first_day(zone: str, first: int, after: int) -> int:
    """The local midnight that surely precedes every local time of the window: a clock is never put back by more than a day."""
    (_, offset), *_ = offsets(zone, first, after)
    return ((first + offset) // DAY - 1) * DAY


def _side_by_side(events: str, bounds: Iterable[Bound], clock: str, origin: int, span: int) -> str:
    words = []
    for start in range(0, span, _WORD):
        inside = f"day >= {start} and day < {start + _WORD}"
        bit = f"cast(1 as bigint) << (day - {start})"
        words.append(f"cast(bit_count(coalesce(bit_or(case when {inside} then {bit} end), 0)) as bigint)")
    passes = counted(bounds, f"({' + '.join(words)})")
    having = f" having {passes}" if passes else ""
    return (
        f"select person from (select person, ({clock} - {integer(origin)}) // {DAY} as day"
        f" from ({events}) as e) as d group by person{having}"
    )


def _grouped(events: str, bounds: Iterable[Bound], clock: str) -> str:
    # Time may be negative and engines differ in how they divide then: remainders are made positive first.
    word = _WORD * DAY
    inside = f"((clock % {word}) + {word}) % {word}"
    passes = counted(bounds, "sum(days)")
    having = f" having {passes}" if passes else ""
    return (
        f"select person from (select person, bit_count(bit_or(cast(1 as bigint) << (inside // {DAY}))) as days"
        f" from (select person, clock - inside as word, inside from (select person, clock, {inside} as inside"
        f" from (select person, {clock} as clock from ({events}) as e) as c) as i) as w"
        f" group by person, word) as d group by person{having}"
    )
