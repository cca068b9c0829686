"""Conditions on the properties of one event or one profile: frozen nodes, the part of a query that looks at values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from cornicen.events.values import Value


class Test(StrEnum):
    """The positive tests; every negation is `Unless` around one of them."""

    __test__ = False  # not a test class for pytest

    EQ = "eq"
    IN = "in"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    BETWEEN = "between"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    MATCHES = "matches"
    IS_SET = "is_set"
    BEFORE = "before"
    AFTER = "after"
    IN_LAST = "in_last"
    CONTAINS_ALL = "contains_all"
    CONTAINS_ANY = "contains_any"
    SET_IS = "set_is"


@dataclass(frozen=True)
class Compare:
    """One property against one test.

    Args:
        property: Its name.
        test: Which.
        operands: What it is compared with: one value, two for ``between`` (both ends included), any number for ``in``,
            ``contains_all``, ``contains_any``, ``set_is``; none for ``is_set``. Instants (``before``, ``after``) are in
            `Value.instant`, already resolved to microseconds; ``in_last`` has its length in microseconds in
            `Value.instant`.
        spelled: The property's texts that spell numbers count as numbers (``as: number``).
        ignore_case: Texts are compared case-folded.
        missing: What a missing property counts as (``missing_as``); None: it passes no positive test.

    A value of another type than the operand's does not match and never raises. A list passes when any element does;
    ``contains_all``, ``contains_any`` and ``set_is`` look at whole lists, and only at lists.
    """

    property: str
    test: Test
    operands: tuple[Value, ...] = ()
    spelled: bool = False
    ignore_case: bool = False
    missing: Value | None = None


@dataclass(frozen=True)
class Every:
    """All parts hold. At least one part."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Some:
    """At least one part holds. At least one part."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Unless:
    """The part does not hold: exactly the opposite, for missing values and other types too."""

    part: Condition


Condition = Compare | Every | Some | Unless


def properties(condition: Condition | None) -> frozenset[str]:
    """The names of the properties that a condition reads."""
    match condition:
        case None:
            return frozenset()
        case Compare(property=name):
            return frozenset({name})
        case Unless(part=part):
            return properties(part)
        case Every(parts=parts) | Some(parts=parts):
            return frozenset().union(*map(properties, parts))
