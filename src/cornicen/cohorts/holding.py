"""When a condition holds for the properties of one event or one profile: the part of the meaning that looks at values."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping

from cornicen.cohorts.condition import Compare, Condition, Every, Some, Test, Unless
from cornicen.cohorts.glob import matches
from cornicen.events.values import Value

Properties = Mapping[str, Value]


def holds(condition: Condition, properties: Properties, as_of: int) -> bool:
    """Whether a condition holds for the properties of one event or one profile.

    Args:
        condition: Of any depth.
        properties: Those that are set.
        as_of: Read by ``in_last``.
    """
    match condition:
        case Every(parts=parts):
            return all(holds(part, properties, as_of) for part in parts)
        case Some(parts=parts):
            return any(holds(part, properties, as_of) for part in parts)
        case Unless(part=part):
            return not holds(part, properties, as_of)
        case Compare(property=name, missing=missing):
            value = properties.get(name, missing)
            return value is not None and _positive(condition, value, as_of)


def _positive(compare: Compare, value: Value, as_of: int) -> bool:
    """Whether a value that is set passes a positive test; a list does when any element does."""
    if compare.test is Test.IS_SET:
        return True
    if compare.test in {Test.CONTAINS_ALL, Test.CONTAINS_ANY, Test.SET_IS}:
        return value.items is not None and _whole(compare, value.items)
    if value.items is not None:
        return any(_scalar(compare, item, as_of) for item in value.items)
    return _scalar(compare, value, as_of)


def _whole(compare: Compare, items: tuple[Value, ...]) -> bool:
    """The tests that look at a whole list."""
    held = [any(_equal(compare, item, operand) for item in items) for operand in compare.operands]
    match compare.test:
        case Test.CONTAINS_ALL:
            return all(held)
        case Test.CONTAINS_ANY:
            return any(held)
    return all(held) and all(any(_equal(compare, item, operand) for operand in compare.operands) for item in items)


def _scalar(compare: Compare, value: Value, as_of: int) -> bool:
    """The tests that look at one value."""
    operands = compare.operands
    match compare.test:
        case Test.EQ | Test.IN:
            return any(_equal(compare, value, operand) for operand in operands)
        case Test.GT | Test.GTE | Test.LT | Test.LTE:
            return _ordered(compare, compare.test, value, operands[0])
        case Test.BETWEEN:
            return _ordered(compare, Test.GTE, value, operands[0]) and _ordered(compare, Test.LTE, value, operands[1])
        case Test.BEFORE | Test.AFTER | Test.IN_LAST:
            return _timely(compare.test, value.instant, operands[0].instant, as_of)
    return _textual(compare, value, operands[0])


def _equal(compare: Compare, value: Value, operand: Value) -> bool:
    """One value against one operand, by the operand's type; a text never equals a number, nor a boolean either."""
    if operand.number is not None:
        return _number(compare, value) == operand.number
    if operand.truth is not None:
        return value.truth is operand.truth
    return _text(compare, value) is not None and _text(compare, value) == _text(compare, operand)


_ORDERS: dict[Test, Callable[..., bool]] = {
    Test.GT: operator.gt,
    Test.GTE: operator.ge,
    Test.LT: operator.lt,
    Test.LTE: operator.le,
}


def _ordered(compare: Compare, test: Test, value: Value, operand: Value) -> bool:
    """One value before or after one operand: as numbers, or as texts by code point, as the operand is one or the other."""
    if operand.number is not None:
        number = _number(compare, value)
        return number is not None and _ORDERS[test](number, operand.number)
    found, limit = _text(compare, value), _text(compare, operand)
    return found is not None and limit is not None and _ORDERS[test](found, limit)


def _timely(test: Test, found: int | None, operand: int | None, as_of: int) -> bool:
    """The tests on instants, all in microseconds: ``before`` and ``after`` strictly, ``in_last`` in ``[as_of - l, as_of)``."""
    if found is None or operand is None:
        return False
    match test:
        case Test.BEFORE:
            return found < operand
        case Test.AFTER:
            return found > operand
    return as_of - operand <= found < as_of


def _textual(compare: Compare, value: Value, operand: Value) -> bool:
    """The tests on parts of a text."""
    found, part = _text(compare, value), _text(compare, operand)
    if found is None or part is None:
        return False
    match compare.test:
        case Test.CONTAINS:
            return part in found
        case Test.STARTS_WITH:
            return found.startswith(part)
        case Test.ENDS_WITH:
            return found.endswith(part)
    return matches(part, found)


def _number(compare: Compare, value: Value) -> int | None:
    """The value as a number; a text that spells one only with ``as: number``."""
    return value.spelled if value.number is None and compare.spelled else value.number


def _text(compare: Compare, value: Value) -> str | None:
    """The value as a text; folded with ``ignore_case``."""
    return value.folded if compare.ignore_case else value.text
