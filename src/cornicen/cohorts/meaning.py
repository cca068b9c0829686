"""Who is in a cohort: the executable meaning of every query node, slow and obvious. It is normative.

Every engine must give the same people; whatever this module says is right. It looks at one person at a time and reads
nothing but that person's `History`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cornicen.cohorts.holding import holds
from cornicen.cohorts.query import (
    All,
    Any,
    Bound,
    Count,
    Days,
    Did,
    Given,
    Known,
    Measure,
    Not,
    Profile,
    Query,
    Source,
    Sum,
    Window,
)
from cornicen.events.history import Happening, History
from cornicen.events.values import MILLIONTHS, Value

__all__ = ["fits", "holds", "includes", "knows", "local_day", "matching", "members", "passes", "satisfies"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1) // _MICROSECOND
_EARLIEST = (datetime(1, 1, 2, tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LATEST = (datetime(9999, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND - 1
_BOUNDS: dict[str, Callable[[int, int], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def members(query: Query, histories: Mapping[int, History], as_of: int) -> set[int]:
    """The persons in a cohort at one instant.

    Args:
        query: What a definition lowered to.
        histories: Everybody, by person number.
        as_of: Microseconds since 1970 UTC; an event at or after it does not count.

    Returns:
        Person numbers, each of a known person.
    """
    return {person for person, history in histories.items() if includes(query, history, as_of)}


def knows(history: History, as_of: int) -> bool:
    """Whether a person is known at ``as_of``: with an event before it, or a profile, be it empty."""
    return history.profile is not None or any(happening.time < as_of for happening in history.happenings)


def includes(query: Query, history: History, as_of: int) -> bool:
    """Whether one person is in a cohort; whoever is not known is in none."""
    return knows(history, as_of) and _selects(query, history, as_of)


def _selects(query: Query, history: History, as_of: int) -> bool:  # noqa: PLR0911 - one answer a node
    """As `includes`, of a known person."""
    match query:
        case Known():
            return True
        case Did(sources=sources, window=window, measure=measure):
            return passes(measure, matching(sources, window, history, as_of))
        case Profile(where=where):
            return holds(where, history.profile or {}, as_of)
        case Given(key=key):
            return key in history.given
        case All(parts=parts):
            return all(_selects(part, history, as_of) for part in parts)
        case Any(parts=parts):
            return any(_selects(part, history, as_of) for part in parts)
        case Not(part=part):
            return not _selects(part, history, as_of)


def matching(sources: Iterable[Source], window: Window, history: History, as_of: int) -> list[Happening]:
    """A person's events in the window that fit any of the sources, each once."""
    first, end = window.bounds(as_of)
    return [
        happening
        for happening in history.happenings
        if (first is None or first <= happening.time)
        and happening.time < end
        and any(fits(source, happening, as_of) for source in sources)
    ]


def fits(source: Source, happening: Happening, as_of: int) -> bool:
    """Whether an event has one of the source's names and passes its condition."""
    return (source.names is None or happening.name in source.names) and (
        source.where is None or holds(source.where, happening.properties, as_of)
    )


def passes(measure: Measure, happenings: list[Happening]) -> bool:
    """Whether a measure of these events passes; of no events, none does."""
    if not happenings:
        return False
    match measure:
        case Count(bounds=bounds):
            return satisfies(bounds, len(happenings) * MILLIONTHS)
        case Days(bounds=bounds, zone=zone):
            return satisfies(bounds, len({local_day(happening.time, zone) for happening in happenings}) * MILLIONTHS)
        case Sum(of=of, bounds=bounds):
            values = [happening.properties.get(of, Value()).number for happening in happenings]
            numbers = [value for value in values if value is not None]
            return bool(numbers) and satisfies(bounds, sum(numbers))


def satisfies(bounds: Iterable[Bound], measured: int) -> bool:
    """Whether a measure, in the bounds' unit, passes all of them."""
    return all(_BOUNDS[bound.test](measured, bound.limit) for bound in bounds)


def local_day(time: int, zone: str) -> int:
    """The calendar day of an instant where the project is.

    Args:
        time: Microseconds since 1970 UTC. Beyond the years a calendar knows, the nearest known offset holds.
        zone: An IANA name.

    Returns:
        Days since 1970-01-01.
    """
    moment = _EPOCH + timedelta(microseconds=min(max(time, _EARLIEST), _LATEST))
    offset = moment.astimezone(ZoneInfo(zone)).utcoffset()
    return (time + (offset or timedelta()) // _MICROSECOND) // _DAY
