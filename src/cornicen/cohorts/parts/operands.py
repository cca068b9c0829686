"""What a test compares with: read as the test asks."""

from __future__ import annotations

import re
from datetime import date, timedelta

from cornicen.cohorts.condition import Test
from cornicen.cohorts.parts.place import Place
from cornicen.cohorts.parts.scalars import describe, is_number, operand, wrong
from cornicen.cohorts.parts.window import length
from cornicen.events.values import Value, instant

LISTS = frozenset({Test.IN, Test.CONTAINS_ALL, Test.CONTAINS_ANY, Test.SET_IS})
WHOLE_LISTS = LISTS - {Test.IN}
ORDERS = frozenset({Test.GT, Test.GTE, Test.LT, Test.LTE, Test.BETWEEN})
TEXTS = frozenset({Test.CONTAINS, Test.STARTS_WITH, Test.ENDS_WITH, Test.MATCHES})
TIMES = frozenset({Test.BEFORE, Test.AFTER, Test.IN_LAST})
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_DATE_FIX = "Write a date such as `2026-01-31`, or a time such as `2026-01-31T09:30`."


def operands(test: Test, word: str, value: object, place: Place) -> tuple[Value, ...] | None:
    """Read the operands of any test but ``is_set``.

    Args:
        test: Which.
        word: The test's word as written, for suggestions.
        value: What is written under it.
        place: Where.

    Returns:
        As `cornicen.cohorts.condition.Compare` has them; None after a fault.
    """
    if test in LISTS:
        return _list(test, word, value, place)
    if test is Test.BETWEEN:
        return _pair(value, place)
    return _time(test, value, place) if test in TIMES else _single(test, word, value, place)


def _time(test: Test, value: object, place: Place) -> tuple[Value, ...] | None:
    found = length(value, place) if test is Test.IN_LAST else _moment(test, value, place)
    return None if found is None else (Value(instant=found),)


def _single(test: Test, word: str, value: object, place: Place) -> tuple[Value, ...] | None:
    if isinstance(value, list):
        fix = f"Write `{'not_in' if word == 'ne' else 'in'}: […]`." if test is Test.EQ else "Write one value."
        wrong(value, place, "one value", fix)
        return None
    if test in TEXTS and not isinstance(value, str):
        wrong(value, place, "a text", f'Quote it: "{value}".' if is_number(value) else "")
        return None
    found = _ordered(value, place) if test in ORDERS else operand(value, place)
    return None if found is None else (found,)


def _list(test: Test, word: str, value: object, place: Place) -> tuple[Value, ...] | None:
    """The operands of a test that takes a list: each once, in one order whatever the order they are written in."""
    if not isinstance(value, list):
        wrong(value, place, "a list", f"Write `{word}: [{'…' if isinstance(value, dict) else value}]`.")
        return None
    if not value and test is not Test.SET_IS:
        place.fault("is an empty list.", "Name at least one value, or leave the test out.")
        return None
    before = len(place.reading.faults)
    found = {operand(item, place.item(number)) for number, item in enumerate(value)}
    booleans = {isinstance(item, bool) for item in value}
    if booleans == {True, False}:
        odd = next(number for number, item in enumerate(value) if isinstance(item, bool))
        wrong(value[odd], place.item(odd), "of the type of the others")
    if not place.sound_since(before):
        return None
    return tuple(sorted((item for item in found if item is not None), key=_rank))


def _rank(value: Value) -> tuple[bool, bool, int, str, bool]:
    """Numbers, then texts, then booleans; no two operands that differ have the same rank."""
    return value.number is None, value.text is None, value.number or 0, value.text or "", bool(value.truth)


def _ordered(value: object, place: Place) -> Value | None:
    """Read a number or a text that others come before or after."""
    if isinstance(value, bool):
        wrong(value, place, "a number or a text", "Booleans have no order; write `eq`.")
        return None
    found = operand(value, place)
    if found is not None and found.number is None and not isinstance(value, str):
        place.fault("is too large: numbers are kept in millionths and 64 bits.", "Only `eq` and `in` find longer ones.")
        return None
    return found


def _pair(value: object, place: Place) -> tuple[Value, ...] | None:
    if not isinstance(value, list) or len(value) != 2:
        wrong(value, place, "a list of two values", "Write the first and the last, such as `[3, 10]`; both are included.")
        return None
    low, high = (_ordered(item, place.item(number)) for number, item in enumerate(value))
    if low is None or high is None:
        return None
    if (low.number is None) != (high.number is None):
        place.fault("mixes a number and a text, and nothing lies between.", "Write two numbers or two texts.")
        return None
    return low, high


def _moment(test: Test, value: object, place: Place) -> int | None:
    """Read a date or a time in the project's zone; what is after a date is after that whole local day."""
    if not isinstance(value, str):
        wrong(value, place, "a date or a time", _DATE_FIX)
        return None
    zone = place.reading.zone
    found = instant(value, zone)
    if found is not None and test is Test.AFTER and _DATE.fullmatch(value):
        found = _day_after(value, place)
        found = None if found is None else found - 1
    if found is None:
        place.fault(f"is {describe(value)}, no date or time.", _DATE_FIX)
    return found


def _day_after(day: str, place: Place) -> int | None:
    """The first moment of the local day after this one."""
    try:
        following = date.fromisoformat(day) + timedelta(days=1)
    except OverflowError:
        return None
    return instant(following.isoformat(), place.reading.zone)
