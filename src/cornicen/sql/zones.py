"""Local days without zones in SQL: a time zone becomes the offsets that are in force within a window."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from cornicen.sql.quoting import integer

SECOND = 1_000_000
DAY = 86_400 * SECOND
"""Microseconds."""

_FIRST_YEAR = 1800
"""Before it, no zone has changed its offset: the earliest change in the tz database is of 1844."""

_STEP = 2 * 86_400
"""Seconds between two looks. In the tz database, ``backward`` and ``backzone`` included, two changes of one zone are never
less than 3.9 days apart (Freetown, 1939)."""


def offsets(zone: str, first: int | None, after: int) -> list[tuple[int, int]]:
    """The offsets from UTC that a zone has within ``[first, after)``.

    Args:
        zone: An IANA name.
        first: Microseconds since 1970 UTC; None: from the beginning of time.
        after: Likewise; years beyond 9998 have the offset of that year's end.

    Returns:
        ``(since, offset)`` in microseconds, oldest first, at least one; the first is in force from the window's start, and
        its ``since`` may lie before it.
    """
    start = _seconds(datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC))
    end = _seconds(datetime(9999, 1, 1, tzinfo=UTC)) - 1
    low = start if first is None else min(max(first // SECOND, start), end)
    high = min(max(after // SECOND, low), end)
    found = [(low * SECOND, _offset(zone, low) * SECOND)]
    for year in range(_moment(low).year, _moment(high).year + 1):
        found += [(at * SECOND, offset * SECOND) for at, offset in _changes(zone, year) if low < at <= high]
    return found


def local(time: str, zone: str, first: int | None, after: int) -> str:
    """A UTC column as local microseconds: wall clock time as if it were UTC.

    Args:
        time: The column.
        zone: An IANA name.
        first: As for `offsets`; rows outside the window get an offset of its edge.
        after: Likewise.
    """
    (_, oldest), *changes = offsets(zone, first, after)
    if not changes:
        return f"({time} + {integer(oldest)})"
    # Newest first: most events are recent, and a CASE stops where it has decided.
    whens = " ".join(f"when {time} >= {integer(since)} then {integer(offset)}" for since, offset in reversed(changes))
    return f"({time} + case {whens} else {integer(oldest)} end)"


@lru_cache(maxsize=16_384)
def _changes(zone: str, year: int) -> tuple[tuple[int, int], ...]:
    """The changes of one UTC year: ``(second, offset from then on)``."""
    start, end = (_seconds(datetime(at, 1, 1, tzinfo=UTC)) - 1 for at in (year, year + 1))
    looks = [(at, _offset(zone, at)) for at in (*range(start, end, _STEP), end)]
    return tuple(_change(zone, *before, *later) for before, later in pairwise(looks) if before[1] != later[1])


def _change(zone: str, before: int, old: int, later: int, new: int) -> tuple[int, int]:
    """The second, in ``(before, later]``, from which the new offset is in force."""
    while later - before > 1:
        middle = (before + later) // 2
        before, later = (middle, later) if _offset(zone, middle) == old else (before, middle)
    return later, new


def _offset(zone: str, second: int) -> int:
    """Seconds east of UTC."""
    offset = datetime.fromtimestamp(second, ZoneInfo(zone)).utcoffset()
    return 0 if offset is None else round(offset.total_seconds())


def _moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def _seconds(moment: datetime) -> int:
    return round(moment.timestamp())
