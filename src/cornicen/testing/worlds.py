"""Random people to ask about: histories whose times and values sit on the edges of what queries ask.

Everything is drawn by indexes into small pools: that is fast, shrinks to what comes first, and makes values equal to each
other and times equal to the edges of windows and local days, to the microsecond.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TypeVar
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from cornicen.events.history import Happening, History
from cornicen.events.values import Value, read

SECOND = 1_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR

SCENES = (
    ("UTC", "2026-11-24T12:34:56.789012Z"),
    ("UTC", "1970-01-01T00:00:00Z"),
    ("Europe/London", "2017-10-29T02:00:00Z"),  # an hour ago its clock was put back
    ("Europe/London", "2018-03-25T01:00:00Z"),  # and here forward
    ("America/New_York", "1969-12-31T23:59:59.999999Z"),
    ("America/St_Johns", "2007-03-11T12:00:00Z"),  # minutes in its offset, and a change of clock at 00:01
    ("America/Sao_Paulo", "2018-11-05T03:00:00Z"),  # a day whose 00:00 was left out
    ("America/Sao_Paulo", "2018-02-18T12:00:00Z"),  # a midnight that came twice
    ("Australia/Lord_Howe", "2017-10-01T12:00:00Z"),  # changes by half an hour
    ("Asia/Kathmandu", "1986-01-02T00:00:00Z"),  # changed by a quarter of one
    ("Pacific/Apia", "2012-01-01T09:59:59.999999Z"),  # 2011-12-30 never was there
    ("Europe/Amsterdam", "1923-04-05T06:07:08.900001Z"),  # seconds in its offset
)
"""Time zones (IANA names), and instants at which something is odd there."""

LENGTHS = (7 * DAY, DAY, 30 * DAY, 1, HOUR, 61 * DAY, 90 * DAY, 368 * DAY, 369 * DAY, 20_000 * DAY)
NAMES = ("purchase", "Purchase", "it's")
PROPERTIES = ("amount", "it's", 'a "b" c')
KEYS = ("vip", "o'brien")
PERSONS = (*range(10), 65_535, 65_536, 2**31 - 1)

SCALARS = (
    *("1", "0", "-1", "2", "20", "19.999999", "20.000001", "0.1", "0.2", "0.30", "1e-6", "0.0000005", "3E2"),
    *("9223372036854.775807", "-9223372036854.775807", "9223372036854.775808", "12345678901234567890", "1e400"),
    *("true", "false"),
    *('""', '"a"', '"A"', '"b"', '"ab"', '"aba"', '"ß"', '"ss"', '"SS"', '"É"', '"é"', '"e\u0301"', '"İ"', '"Z"', '"😀"'),
    *('"\uffff"', '"a/b"', '"a\\nb"', '"a\\\\b"', '"a\'b"', '"a\\"b"', '"a%b_c"', '"a*b"', '"[a]"', '"a.b"', '"a\\u0000b"'),
    *('"a "', '"\\n"'),
    *('"1"', '"20"', '"20.0"', '"2e1"', '"-1"', '" 20"', '"1e999"', '"true"', '"null"', '"NaN"'),
    *('"2017-10-29"', '"2017-10-29T00:00:00Z"', '"2017-10-29T01:30:00"', '"2017-10-28T23:59:59.999999Z"', '"1969-12-31"'),
    *('{"a": 1}', "{}"),
)
"""JSON texts; what a list holds beside them is of no type at all."""

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class World:
    """Everything a question is asked over.

    Args:
        zone: The project's time zone, an IANA name.
        as_of: Microseconds since 1970 UTC.
        lengths: Of the windows whose edges the times of events touch, in microseconds.
        histories: By person number.
    """

    zone: str
    as_of: int
    lengths: tuple[int, ...]
    histories: dict[int, History]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Up to eight persons at one instant; some of them are not known at it."""
    return WorldDice(draw).world()


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970 UTC of a moment with a zone."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


@cache
def scalars(zone: str) -> tuple[Value, ...]:
    """`SCALARS` as a project of that zone reads them, and a value of no type."""
    return (*(read(raw.encode(), ZoneInfo(zone)) or Value() for raw in SCALARS), Value())


@cache
def _index(size: int) -> st.SearchStrategy[int]:
    return st.integers(0, size - 1)


class Dice:
    """Draws by indexes."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw

    def below(self, size: int) -> int:
        """0 to ``size - 1``."""
        return self._draw(_index(size))

    def pick(self, pool: Sequence[T]) -> T:
        """One of these."""
        return pool[self.below(len(pool))]

    def several(self, make: Callable[[], T], least: int, most: int) -> tuple[T, ...]:
        """So many of what ``make`` makes."""
        return tuple(make() for _ in range(least + self.below(most - least + 1)))

    def nearby(self, number: int) -> int:
        """The number, or one beside it."""
        return number + self.pick((0, 0, -1, 1))


class WorldDice(Dice):
    """Draws a world."""

    def __init__(self, draw: st.DrawFn) -> None:
        super().__init__(draw)
        self.zone, moment = self.pick(SCENES)
        self.as_of = microseconds(datetime.fromisoformat(moment))
        self.lengths = self.several(lambda: self.pick(LENGTHS), 1, 2)

    def world(self) -> World:
        """Everything."""
        histories = {self.pick(PERSONS): self.history() for _ in range(1 + self.below(8))}
        return World(self.zone, self.as_of, self.lengths, histories)

    def history(self) -> History:
        """One person."""
        happenings = self.several(self.happening, 0, 6)
        profile = self.properties() if self.below(3) else None
        return History(happenings, profile, frozenset(key for key in KEYS if self.below(2)))

    def happening(self) -> Happening:
        """One event."""
        return Happening(self.pick(NAMES), self.time(), self.below(3), self.properties())

    def properties(self) -> dict[str, Value]:
        """Of one event or one profile."""
        return {self.pick(PROPERTIES): self.value() for _ in range(self.below(4))}

    def value(self) -> Value:
        """A scalar or a list."""
        pool = scalars(self.zone)
        if self.below(4):
            return self.pick(pool[:-1])
        return Value(items=self.several(lambda: self.pick(pool), 0, 4))

    def time(self) -> int:
        """At an edge, or within reach of one."""
        match self.below(7):
            case 0:
                return self.nearby(self.as_of)
            case 1:
                return self.nearby(self.as_of - self.pick(self.lengths))
            case 2 | 3:
                return self.midnight(self.below(2)) - self.below(2)
            case 4:
                return self.as_of - 1 - self.below(97) * HOUR
            case 5:
                return self.as_of - 1 - self.below(70) * DAY
        return self.as_of - self.below(400 * DAY)

    def midnight(self, days: int) -> int:
        """The start of a local day, so many days ago."""
        local = (_EPOCH + timedelta(microseconds=self.as_of)).astimezone(ZoneInfo(self.zone))
        start = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0) - timedelta(days=days)
        return microseconds(start.astimezone(UTC))
