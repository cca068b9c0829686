"""Conditions as SQL, over typed columns.

A condition is two-valued and SQL three-valued; here null always counts as false. ``and`` and ``or`` keep that up by
themselves, a `WHERE` reads it so, and `Unless` makes it false before it negates. So a plain comparison stays plain, and a
scan can prune by it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from cornicen.cohorts.condition import Compare, Condition, Every, Some, Test, Unless
from cornicen.cohorts.glob import expression
from cornicen.cohorts.meaning import holds
from cornicen.events.values import Value
from cornicen.sql.quoting import identifier, integer, text
from cornicen.sql.tables import Columns

TRUE, FALSE = "true", "false"

Field = Callable[[str], str | None]
"""The expression that holds one type of a value, by the letter of `Columns`; None: that type never occurs."""

_ORDERS = {Test.GT: ">", Test.GTE: ">=", Test.LT: "<", Test.LTE: "<="}


def condition(where: Condition, columns: Mapping[str, Columns], as_of: int) -> str:
    """A condition on the columns of one row.

    Args:
        where: Of any depth.
        columns: By property name; a property that is absent is missing in every row.
        as_of: Microseconds since 1970 UTC; read by ``in_last``.

    Returns:
        A boolean expression that may stand beside ``and`` and ``or``; where it is null, the condition does not hold.
    """
    match where:
        case Every(parts=parts):
            return every(condition(part, columns, as_of) for part in parts)
        case Some(parts=parts):
            return some(condition(part, columns, as_of) for part in parts)
        case Unless(part=part):
            written = condition(part, columns, as_of)
            return {TRUE: FALSE, FALSE: TRUE}.get(written) or f"not coalesce({written}, false)"
        case Compare(property=name):
            missing = holds(where, {}, as_of)
            if name not in columns:
                return TRUE if missing else FALSE
            if where.test is Test.IS_SET and missing:
                return TRUE
            written = _positive(where, columns[name], as_of)
            return some([written, f"not coalesce({is_set(columns[name])}, false)"]) if missing else written


def every(parts: Iterable[str]) -> str:
    """All of these; none: true."""
    kept = list(dict.fromkeys(part for part in parts if part != TRUE))
    if FALSE in kept:
        return FALSE
    return TRUE if not kept else kept[0] if len(kept) == 1 else f"({' and '.join(kept)})"


def some(parts: Iterable[str]) -> str:
    """At least one of these; none: false."""
    kept = list(dict.fromkeys(part for part in parts if part != FALSE))
    if TRUE in kept:
        return TRUE
    return FALSE if not kept else kept[0] if len(kept) == 1 else f"({' or '.join(kept)})"


def is_set(columns: Columns) -> str:
    """Whether the property is set; null counts as false."""
    if "s" in columns.letters:
        return identifier(columns.of("s"))
    return some(f"{identifier(columns.of(letter))} is not null" for letter in columns.letters)


def _positive(compare: Compare, columns: Columns, as_of: int) -> str:
    """A positive test of a value that is set; a list passes when any element does."""
    items = identifier(columns.of("l")) if "l" in columns.letters else None
    if compare.test is Test.IS_SET:
        return is_set(columns)
    if compare.test in {Test.CONTAINS_ALL, Test.CONTAINS_ANY, Test.SET_IS}:
        return FALSE if items is None else _whole(compare, items)
    single = _scalar(compare, partial(_column, columns), as_of)
    element = FALSE if items is None else _any_element(items, _scalar(compare, _element, as_of))
    # Most rows hold no list at all; the null test spares them the lambda.
    return single if element == FALSE else some([single, every([f"{items} is not null", element])])


def _column(columns: Columns, letter: str) -> str | None:
    return identifier(columns.of(letter)) if letter in columns.letters else None


def _element(letter: str) -> str:
    return f"item.{letter}"


def _any_element(items: str, test: str) -> str:
    return FALSE if test == FALSE else f"array_length(list_filter({items}, lambda item: {test})) > 0"


def _whole(compare: Compare, items: str) -> str:
    """The tests that look at a whole list."""
    equals = [_equal(compare, [operand], _element) for operand in compare.operands]
    held = [_any_element(items, equal) for equal in equals]
    is_list = f"{items} is not null"
    match compare.test:
        case Test.CONTAINS_ALL:
            return every([is_list, *held])
        case Test.CONTAINS_ANY:
            return every([is_list, some(held)])
    strange = _any_element(items, f"not coalesce({some(equals)}, false)")
    return every([is_list, *held, f"not coalesce({strange}, false)"])


def _scalar(compare: Compare, field: Field, as_of: int) -> str:
    """The tests that look at one value."""
    operands = compare.operands
    match compare.test:
        case Test.EQ | Test.IN:
            return _equal(compare, operands, field)
        case Test.GT | Test.GTE | Test.LT | Test.LTE:
            return _ordered(compare, compare.test, operands[0], field)
        case Test.BETWEEN:
            low, high = operands
            return every([_ordered(compare, Test.GTE, low, field), _ordered(compare, Test.LTE, high, field)])
        case Test.BEFORE | Test.AFTER | Test.IN_LAST:
            return _timely(compare.test, operands[0].instant, field("i"), as_of)
    return _textual(compare, operands[0], field)


def _equal(compare: Compare, operands: Iterable[Value], field: Field) -> str:
    """Whether a value equals any of the operands, each by its own type."""
    numbers: list[str] = []
    texts: list[str] = []
    truths: list[str] = []
    truth = field("b")
    for operand in operands:
        if operand.number is not None:
            numbers.append(integer(operand.number))
        elif operand.truth is not None:
            truths += [] if truth is None else [truth if operand.truth else f"not {truth}"]
        elif (limit := _operand(compare, operand)) is not None:
            texts.append(text(limit))
    return some([_among(_number(compare, field), numbers), _among(_text(compare, field), texts), *truths])


def _among(found: str | None, literals: list[str]) -> str:
    if found is None or not literals:
        return FALSE
    return f"{found} = {literals[0]}" if len(literals) == 1 else f"{found} in ({', '.join(literals)})"


def _ordered(compare: Compare, test: Test, operand: Value, field: Field) -> str:
    """One value before or after one operand, as numbers or as texts."""
    if operand.number is not None:
        found, limit = _number(compare, field), integer(operand.number)
    else:
        part = _operand(compare, operand)
        found, limit = _text(compare, field), "" if part is None else text(part)
    return FALSE if found is None or not limit else f"{found} {_ORDERS[test]} {limit}"


def _timely(test: Test, operand: int | None, found: str | None, as_of: int) -> str:
    """The tests on instants."""
    if operand is None or found is None:
        return FALSE
    match test:
        case Test.BEFORE:
            return f"{found} < {integer(operand)}"
        case Test.AFTER:
            return f"{found} > {integer(operand)}"
    return f"({found} >= {integer(as_of - operand)} and {found} < {integer(as_of)})"


def _textual(compare: Compare, operand: Value, field: Field) -> str:
    """The tests on parts of a text."""
    found, part = _text(compare, field), _operand(compare, operand)
    if found is None or part is None:
        return FALSE
    if compare.test is Test.MATCHES:
        return f"regexp_matches({found}, {text(expression(part))})"
    if part == "":
        return f"{found} is not null"
    match compare.test:
        case Test.CONTAINS:
            return f"strpos({found}, {text(part)}) > 0"
        case Test.STARTS_WITH:
            return f"starts_with({found}, {text(part)})"
    return f"ends_with({found}, {text(part)})"


def _number(compare: Compare, field: Field) -> str | None:
    """The value as a number; a text that spells one only with ``as: number``."""
    number, spelled = field("n"), field("x") if compare.spelled else None
    return f"coalesce({number}, {spelled})" if number and spelled else number or spelled


def _text(compare: Compare, field: Field) -> str | None:
    """The value as a text; folded with ``ignore_case``."""
    return field("f" if compare.ignore_case else "t")


def _operand(compare: Compare, operand: Value) -> str | None:
    """An operand as a text; folded with ``ignore_case``."""
    return operand.folded if compare.ignore_case else operand.text
