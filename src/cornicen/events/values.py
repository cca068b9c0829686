"""What a property is once it is read: the one place where JSON is interpreted.

A value is kept under every type it has: ``"2017-10-29"`` is a text and an instant, ``"12"`` a text that spells a number.
Engines hold one typed column for each and never parse anything, so that all of them give the same people.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from functools import lru_cache

import msgspec

MILLIONTHS = 1_000_000
"""Numbers are whole millionths in a signed 64-bit integer."""

LARGEST = 2**63 - 1

_MILLIONTH = Decimal("0.000001")

_INSTANT = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?( ?(Z|[+-]\d\d:?\d\d))?)?")
_SPELLED = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Value:
    """A property's value under every type it has; a missing or null property has no `Value` at all.

    Args:
        number: Millionths. None for booleans, and for numbers too large for 64 bits: those are kept as their `text`.
        text: The text itself; "" is a value.
        truth: A boolean.
        instant: Microseconds since 1970 UTC, when the text is an ISO-8601 date or time.
        spelled: Millionths, when the text spells a number (read only by tests that say ``as: number``).
        folded: The text case-folded (read only by tests that say ``ignore_case``).
        items: The elements of a list, in order; elements that are no scalars have no type at all.

    A JSON object is a `Value` with none of these: it is set, and matches no test of any type.
    """

    number: int | None = None
    text: str | None = None
    truth: bool | None = None
    instant: int | None = None
    spelled: int | None = None
    folded: str | None = None
    items: tuple[Value, ...] | None = None


def millionths(literal: str) -> int | None:
    """Read a decimal literal exactly.

    Finer digits are rounded half-even, once.

    Returns:
        Millionths, or None when they do not fit into 64 bits (or the literal is none).
    """
    try:
        scaled = Decimal(literal).quantize(_MILLIONTH, rounding=ROUND_HALF_EVEN).scaleb(6)
    except InvalidOperation:
        return None
    return int(scaled) if abs(scaled) <= LARGEST else None


def instant(text: str, zone: tzinfo) -> int | None:
    """Read an ISO-8601 date or time (extended form), in ``zone`` if it names none; a date is its first moment.

    Returns:
        Microseconds since 1970 UTC, or None when the text is no such thing.
    """
    if not _INSTANT.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text.replace(" +", "+").replace(" -", "-").replace(" Z", "Z"))
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    try:
        past = moment.astimezone(UTC) - _EPOCH
    except OverflowError:
        return None
    return (past.days * 86_400 + past.seconds) * 1_000_000 + past.microseconds


def of_text(text: str, zone: tzinfo) -> Value:
    """A text under every type it has."""
    return Value(
        text=text,
        folded=text.casefold(),
        instant=instant(text, zone),
        spelled=millionths(text) if _SPELLED.fullmatch(text) else None,
    )


def of_number(literal: str) -> Value:
    """A JSON number, from its literal; one that does not fit is kept as its text."""
    number = millionths(literal)
    return Value(text=literal, folded=literal.casefold()) if number is None else Value(number=number)


_texts = msgspec.json.Decoder(str)
_lists = msgspec.json.Decoder(list[msgspec.Raw])


@lru_cache(maxsize=65_536)
def read(raw: bytes, zone: tzinfo) -> Value | None:
    """Interpret one property from its JSON text.

    Args:
        raw: One JSON value, valid, as `msgspec.Raw` sliced it.
        zone: The project's, for texts that are local times.

    Returns:
        The value, or None for null (null is missing).
    """
    raw = raw.strip()
    match raw[:1]:
        case b"n":
            return None
        case b"t" | b"f":
            return Value(truth=raw == b"true")
        case b'"':
            return of_text(_texts.decode(raw), zone)
        case b"{":
            return Value()
        case b"[":
            return Value(items=tuple(_element(bytes(item), zone) for item in _lists.decode(raw)))
        case _:
            return of_number(raw.decode())


def _element(raw: bytes, zone: tzinfo) -> Value:
    value = read(raw, zone)
    return Value() if value is None or value.items is not None else value
