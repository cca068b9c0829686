"""Conditions on the properties of an event (``where``) or of a profile."""

from __future__ import annotations

from collections.abc import Callable

from cornicen.cohorts.condition import Condition, Every, Some, Unless
from cornicen.cohorts.parts.comparison import comparisons
from cornicen.cohorts.parts.part import Part
from cornicen.cohorts.parts.place import Place
from cornicen.cohorts.parts.scalars import wrong

_PERSON = "names the sender as received, and no cohort reads it: people may be merged later."
_PERSON_FIX = "Use `ids` to name persons."
IDS = {
    "distinct_id": (_PERSON, _PERSON_FIX),
    "$user_id": (_PERSON, _PERSON_FIX),
    "$device_id": (_PERSON, _PERSON_FIX),
    "$insert_id": ("is the sender's key for de-duplication, and no cohort reads it.", "Remove it."),
    "token": ("is the project's token as received, and no cohort reads it.", "Remove it."),
    "time": ("is the event's time, which no test of a property reads.", "Use `within`."),
}
"""Properties of an event that say whose it is and when, as received: why no cohort reads them, and what to write instead."""

GROUPS = ("all", "any", "none")


def refuse_ids(name: str, place: Place) -> None:
    """Note a property of an event that no cohort reads."""
    if name in IDS:
        place.fault(*IDS[name])
    elif name.startswith("user."):
        place.fault("asks for a user property carried on the event, which is not understood yet.", "Use `profile`.")


def every(parts: list[Condition]) -> Condition:
    """All of these, in one form: nothing twice, in one order, no `Every` inside another, none around a single part."""
    flat = {piece for part in parts for piece in (part.parts if isinstance(part, Every) else (part,))}
    return next(iter(flat)) if len(flat) == 1 else Every(tuple(sorted(flat, key=repr)))


def some(parts: list[Condition]) -> Condition:
    """Any of these, in one form, as `every`."""
    flat = {piece for part in parts for piece in (part.parts if isinstance(part, Some) else (part,))}
    return next(iter(flat)) if len(flat) == 1 else Some(tuple(sorted(flat, key=repr)))


def _refuse_nothing(_name: str, _place: Place) -> None:
    """A profile has no property that a cohort may not read."""


def where(value: object, place: Place) -> Condition | None:
    """Read a condition on the properties of an event."""
    return _condition(value, place, refuse_ids)


def profile(value: object, place: Place) -> Condition | None:
    """Read a condition on the properties of a profile."""
    return _condition(value, place, _refuse_nothing)


def _condition(value: object, place: Place, refuse: Callable[[str, Place], None]) -> Condition | None:
    """Read a mapping of properties and groups; all of it must hold, whatever the order it is written in."""
    if not isinstance(value, dict):
        wrong(value, place, "a mapping of properties", "Write one, such as `{country: US}`.")
        return None
    if not value:
        place.fault("is empty.", "Name a property, or leave it out.")
        return None
    before = len(place.reading.faults)
    parts: list[Condition] = []
    for name in sorted(value):
        here = place.key(name)
        if name in GROUPS:
            parts.extend(_group(name, value[name], here, refuse))
        else:
            refuse(name, here)
            parts.extend(comparisons(name, value[name], here))
    return every(parts) if place.sound_since(before) else None


def _group(word: str, value: object, place: Place, refuse: Callable[[str, Place], None]) -> list[Condition]:
    if not isinstance(value, list):
        wrong(value, place, "a list of conditions", f"Write `{word}: [{{country: US}}, {{country: CA}}]`.")
        return []
    if not value:
        place.fault("is an empty list.", "Name at least one condition, or leave it out.")
        return []
    before = len(place.reading.faults)
    read = [_condition(item, place.item(number), refuse) for number, item in enumerate(value)]
    parts = [part for part in read if part is not None]
    if not place.sound_since(before):
        return []
    return [every(parts) if word == "all" else some(parts) if word == "any" else Unless(some(parts))]


PROPERTY_SCHEMA: dict[str, object] = {"type": "string", "not": {"anyOf": [{"enum": [*IDS]}, {"pattern": "^user\\."}]}}
"""The name of a property of an event."""


def condition_schema(itself: str, **keywords: object) -> dict[str, object]:
    """The schema of a condition.

    Args:
        itself: Its name among ``$defs``, for the conditions inside.
        keywords: More of JSON Schema.
    """
    inner = {"type": "array", "items": {"$ref": f"#/$defs/{itself}"}, "minItems": 1}
    return {
        "type": "object",
        "minProperties": 1,
        "properties": dict.fromkeys(GROUPS, inner),
        "additionalProperties": {"$ref": "#/$defs/test"},
        **keywords,
    }


WHERE = Part(where, {"$ref": "#/$defs/where", "description": "Only events whose properties pass."})
PROFILE = Part(profile, {"$ref": "#/$defs/profile"})
