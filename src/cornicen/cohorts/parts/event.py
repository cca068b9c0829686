"""EVENT: which events a clause is about."""

from __future__ import annotations

from cornicen.cohorts.condition import Condition
from cornicen.cohorts.parts.condition import every, where
from cornicen.cohorts.parts.part import Part
from cornicen.cohorts.parts.place import Place, nearest
from cornicen.cohorts.parts.scalars import text, wrong
from cornicen.cohorts.query import Source

ANY = "*"


def event(value: object, place: Place) -> tuple[Source, ...] | None:
    """Read a name, ``"*"``, or a list of names and of ``{event, where}``.

    Returns:
        At least one source, names with the same condition together, in one order whatever the order written.
    """
    if isinstance(value, dict):
        place.fault("is a mapping.", "Write the event's name, with `where` beside the operator.")
        return None
    if not isinstance(value, list):
        name = _name(value, place)
        return None if name is None else joined([Source(None if name == ANY else (name,))])
    if not value:
        place.fault("is an empty list.", 'Name at least one event, or write "*" for any.')
        return None
    before = len(place.reading.faults)
    found = [_item(item, place.item(number)) for number, item in enumerate(value)]
    return joined([source for source in found if source is not None]) if place.sound_since(before) else None


def _name(value: object, place: Place) -> str | None:
    name = text(value, place, "an event's name")
    if name == "*active":
        place.fault("asks for active events, which is not understood yet.", 'Write "*" for any event, or name the events.')
        return None
    return name


def _item(value: object, place: Place) -> Source | None:
    if not isinstance(value, dict):
        name = _name(value, place)
        return None if name is None else Source(None if name == ANY else (name,))
    for key in value:
        if key not in {"event", "where"}:
            place.key(key).fault("is unknown.", nearest(key, ("event", "where")))
    name, condition = None, None
    if "event" not in value:
        place.fault("does not say which event.", "Add `event: NAME`.")
    elif isinstance(value["event"], list):
        wrong(value["event"], place.key("event"), "an event's name", "Write one item for each event.")
    else:
        name = _name(value["event"], place.key("event"))
    if "where" in value:
        condition = where(value["where"], place.key("where"))
    return None if name is None else Source(None if name == ANY else (name,), condition)


def joined(sources: list[Source]) -> tuple[Source, ...]:
    """A union of events in one form: names with the same condition together, each once, sorted."""
    names: dict[Condition | None, set[str] | None] = {}
    for source in sources:
        so_far = names.get(source.where, set())
        names[source.where] = None if so_far is None or source.names is None else so_far | set(source.names)
    found = [Source(None if these is None else tuple(sorted(these)), condition) for condition, these in names.items()]
    return tuple(sorted(found, key=repr))


def narrowed(sources: tuple[Source, ...], condition: Condition | None) -> tuple[Source, ...]:
    """These events, as far as they pass one more condition."""
    if condition is None:
        return sources
    inner = [
        Source(source.names, condition if source.where is None else every([condition, source.where])) for source in sources
    ]
    return joined(inner)


EVENT_SCHEMA: dict[str, object] = {
    "description": 'An event\'s name, "*" for any event, or a list: any of these.',
    "anyOf": [
        {"$ref": "#/$defs/name"},
        {
            "type": "array",
            "minItems": 1,
            "items": {
                "anyOf": [
                    {"$ref": "#/$defs/name"},
                    {
                        "type": "object",
                        "properties": {"event": {"$ref": "#/$defs/name"}, "where": {"$ref": "#/$defs/where"}},
                        "required": ["event"],
                        "additionalProperties": False,
                    },
                ]
            },
        },
    ],
}
NAME_SCHEMA: dict[str, object] = {"type": "string", "pattern": "\\S", "not": {"const": "*active"}}

EVENT = Part(event, {"$ref": "#/$defs/event"})
