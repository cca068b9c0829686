"""Measures of ``did``, and the comparisons of a measure with numbers."""

from __future__ import annotations

from collections.abc import Iterable

from cornicen.cohorts.meaning import satisfies
from cornicen.cohorts.parts.condition import refuse_ids
from cornicen.cohorts.parts.part import Part
from cornicen.cohorts.parts.place import Place, nearest
from cornicen.cohorts.parts.scalars import is_number, number, text, wrong
from cornicen.cohorts.query import Bound, Count, Days, Sum
from cornicen.events.values import MILLIONTHS

TESTS = ("eq", "ne", "gt", "gte", "lt", "lte")


def bounds(value: object, place: Place, besides: Iterable[str] = ()) -> tuple[Bound, ...] | None:
    """Read comparisons with numbers, such as ``{gte: 3, lt: 10}``.

    Args:
        value: As written.
        place: Where.
        besides: Keys of the mapping that somebody else reads.

    Returns:
        At least one bound, in millionths, sorted; ``between`` is two.
    """
    if not isinstance(value, dict):
        fix = f"Write `{{gte: {value}}}` for at least, `{{eq: {value}}}` for exactly." if is_number(value) else ""
        wrong(value, place, "a mapping of comparisons", fix or "Write one, such as `{gte: 3}`.")
        return None
    before = len(place.reading.faults)
    found: set[Bound] = set()
    for word, limit in value.items():
        here = place.key(word)
        if word == "between":
            found |= _between(limit, here)
        elif word in TESTS:
            read = number(limit, here)
            found |= set() if read is None else {Bound(word, read)}
        elif word not in besides:
            here.fault("is unknown.", nearest(word, [*TESTS, "between", *besides]))
    if not place.sound_since(before):
        return None
    if not found:
        place.fault("compares with nothing.", "Add a comparison, such as `gte: 3`.")
        return None
    return tuple(sorted(found, key=lambda bound: (bound.test, bound.limit)))


def _between(value: object, place: Place) -> set[Bound]:
    if not isinstance(value, list) or len(value) != 2:
        wrong(
            value, place, "a list of two numbers", "Write the smallest and the largest, such as `[3, 10]`; both are included."
        )
        return set()
    low, high = (number(limit, place.item(position)) for position, limit in enumerate(value))
    if low is None or high is None:
        return set()
    if low > high:
        place.fault("has the larger number first.", f"Write `[{value[1]}, {value[0]}]`.")
    return {Bound("gte", low), Bound("lte", high)}


def _whole(value: object, place: Place) -> tuple[Bound, ...] | None:
    """Read comparisons of a count, which is 1, 2, 3 …: one that none of these passes is a fault."""
    found = bounds(value, place)
    if found is None:
        return None
    near = {bound.limit // MILLIONTHS + step for bound in found for step in (-1, 0, 1)} | {1}
    if any(satisfies(found, candidate * MILLIONTHS) for candidate in near if candidate >= 1):
        return found
    if satisfies(found, 0):
        place.fault("is passed by 0 alone, and whoever has no matching event is in no `did`.", "Write `did_not`.")
    else:
        place.fault("is passed by no whole number.", "Change the comparisons so that some number passes all of them.")
    return None


def _count(value: object, place: Place) -> Count | None:
    found = _whole(value, place)
    return None if found is None else Count(found)


def _days(value: object, place: Place) -> Days | None:
    found = _whole(value, place)
    return None if found is None else Days(found, place.reading.context.zone)


def _sum(value: object, place: Place) -> Sum | None:
    """Read ``{of: property, gte: …}``."""
    fix = "Write one, such as `{of: amount, gte: 100}`."
    if not isinstance(value, dict):
        wrong(value, place, "a mapping", fix)
        return None
    before = len(place.reading.faults)
    of = None
    if "of" not in value:
        place.fault("does not say of which property.", fix)
    elif (of := text(value["of"], place.key("of"), "the name of a property")) is not None:
        refuse_ids(of, place.key("of"))
    found = bounds(value, place, besides=("of",))
    if of is None or found is None or not place.sound_since(before):
        return None
    near = {bound.limit + step for bound in found for step in (-1, 0, 1)}
    if not any(satisfies(found, candidate) for candidate in near):
        place.fault("is passed by no number.", "Change the comparisons so that some number passes all of them.")
        return None
    return Sum(of, found)


_NUMBER: dict[str, object] = {"type": "number"}
BOUND_SCHEMAS: dict[str, object] = {
    **dict.fromkeys(TESTS, _NUMBER),
    "between": {"type": "array", "items": _NUMBER, "minItems": 2, "maxItems": 2},
}
BOUNDS_SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": BOUND_SCHEMAS,
    "additionalProperties": False,
    "minProperties": 1,
}

COUNT = Part(_count, {"$ref": "#/$defs/bounds", "description": "How many events match."})
DAYS = Part(_days, {"$ref": "#/$defs/bounds", "description": "On how many distinct local days an event matches."})
SUM = Part(
    _sum,
    {
        "type": "object",
        "description": "The sum of a property over the matching events where it is a number.",
        "properties": {"of": {"$ref": "#/$defs/property", "pattern": "\\S", "description": "The property."}, **BOUND_SCHEMAS},
        "required": ["of"],
        "minProperties": 2,
        "additionalProperties": False,
    },
)
