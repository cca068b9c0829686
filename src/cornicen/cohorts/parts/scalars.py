"""Single values: what they are called when they are wrong, and how texts, numbers and operands are read."""

from __future__ import annotations

import math
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import TypeGuard

from cornicen.cohorts.parts.place import Place
from cornicen.events.values import MILLIONTHS, Value, millionths, of_number, of_text

DEEPEST = 60
"""Levels of nesting, so that no document can exhaust the stack."""

LONGEST_NUMBER = 4096
"""Bits of a whole number, so that it can always be written out."""

LARGEST_LIMIT = 2**127 - 1
"""Millionths."""

BOOLEAN_FIX = "Quote it if you mean the word: many YAML readers take an unquoted `no`, `off`, `yes` or `on` for a boolean."


def describe(value: object) -> str:  # noqa: PLR0911 - one answer a type
    """What a value is, for people."""
    match value:
        case None:
            return "nothing (null)"
        case bool():
            return f"the boolean `{str(value).lower()}`"
        case int() | float() | Decimal():
            return f"the number `{value}`"
        case str():
            return f"the text `{value if len(value) <= 40 else value[:39] + '…'}`"
        case list():
            return "a list" if value else "an empty list"
        case dict():
            return "a mapping" if value else "an empty mapping"
    return f"a value of type {type(value).__name__}"


def wrong(value: object, place: Place, wanted: str, fix: str = "") -> None:
    """Note a value of a wrong type."""
    place.fault(f"is {describe(value)}, not {wanted}.", fix or (BOOLEAN_FIX if isinstance(value, bool) else ""))


def text(value: object, place: Place, wanted: str = "a text") -> str | None:
    """Read a text that is not blank."""
    if not isinstance(value, str):
        wrong(value, place, wanted, f'Quote it: "{value}".' if is_number(value) else "")
        return None
    if not value.strip():
        place.fault("is blank.", f"Write {wanted}.")
        return None
    return value


def is_number(value: object) -> TypeGuard[int | float | Decimal]:
    """Whether a value is a number; booleans never are."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def literal(value: float | Decimal, place: Place) -> str | None:
    """A number's decimal literal: what a person wrote, however a float stores it."""
    if not (value.is_finite() if isinstance(value, Decimal) else isinstance(value, int) or math.isfinite(value)):
        place.fault(f"is {value}, no finite number.", "Write a number.")
        return None
    return repr(value) if isinstance(value, float) else str(value)


def number(value: object, place: Place, wanted: str = "a number") -> int | None:
    """Read a limit of a measure, in millionths; 128 bits, as sums have."""
    if not is_number(value):
        spelled = of_text(value, place.reading.zone).spelled if isinstance(value, str) else None
        wrong(value, place, wanted, "Remove the quotes." if spelled is not None else "")
        return None
    if (written := literal(value, place)) is None:
        return None
    if (found := millionths(written)) is not None:
        return found
    exact = Decimal(written)
    if exact.adjusted() < 40:  # far beyond the largest limit, and small enough to compute with
        with localcontext(prec=60):
            scaled = int((exact * MILLIONTHS).to_integral_value(ROUND_HALF_EVEN))
        if abs(scaled) <= LARGEST_LIMIT:
            return scaled
    place.fault("is too large: sums have 128 bits of millionths.", "Write a smaller one.")
    return None


def operand(value: object, place: Place) -> Value | None:
    """Read what a property is compared with: a text, a number or a boolean."""
    match value:
        case str():
            return of_text(value, place.reading.zone)
        case bool():
            return Value(truth=value)
        case int() | float() | Decimal():
            return _number_operand(value, place)
        case None:
            place.fault("is nothing (null), and null is missing.", "Write `not_set: true` to find what is missing.")
        case _:
            wrong(value, place, "a text, a number or a boolean")
    return None


def _number_operand(value: float | Decimal, place: Place) -> Value | None:
    if (written := literal(value, place)) is None:
        return None
    found = of_number(written)
    if found.number is None and not isinstance(value, int):
        place.fault("is too large: it is kept as a text, spelled as it came.", "Quote it as your data spells it.")
        return None
    return found


def plain(value: object, place: Place, depth: int = 0) -> object:
    """A document as JSON would have it: dates that a YAML reader made are ISO-8601 texts again, and keys are texts."""
    match value:
        case list() | dict() if depth > DEEPEST:
            place.fault("is nested too deeply.", f"Use at most {DEEPEST} levels.")
            return None
        case list():
            return [
                item if isinstance(item, str) else plain(item, place.item(number), depth + 1)  # long lists are of texts
                for number, item in enumerate(value)
            ]
        case dict():
            return _plain_mapping(value, place, depth)
        case datetime() | date():
            return value.isoformat()
        case int() if value.bit_length() > LONGEST_NUMBER:
            place.fault("is too long a number.", "Quote it if it is an id.")
            return 0
    return value


def _plain_mapping(value: dict[object, object], place: Place, depth: int) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, item in value.items():
        if isinstance(key, date):  # a datetime is one too
            key = key.isoformat()  # noqa: PLW2901 - the text it was before a YAML reader saw a date
        if not isinstance(key, str):
            place.fault(f"has {describe(key)} as a key.", "Quote the key.")
        found[str(key)] = plain(item, place.key(str(key)), depth + 1)
    return found
