"""Values of profile properties as further names: which they are in an operation, and what it means that one is taken."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from cornicen.events.shapes import Operation, Refusal
from cornicen.identity.people import ALIAS_TAKEN, ALIAS_TOO_MANY, DEVICE
from cornicen.warehouse.arrivals import Origin, Refusals
from cornicen.warehouse.properties import UNREADABLE, fields

NOBODY = frozenset(
    {
        "anon",
        "anonymous",
        "nil",
        "none",
        "null",
        "n/a",
        "na",
        "undefined",
        "unknown",
        "<nil>",
        "0",
        "-1",
        "true",
        "false",
        "[]",
        "{}",
    }
)
"""Values, whatever their case, that no alias may have: senders write them where they know nobody."""

LONGEST_ALIAS = 255

WHY_NOT = {
    ALIAS_TAKEN: "its value is a name of somebody else already: what is sent under it stays theirs.",
    ALIAS_TOO_MANY: "its person has as many names as the rule allows: what is sent under its value is not theirs.",
}
"""Why a value did not become another name."""

_texts = msgspec.json.Decoder(str)


def alias_values(operations: Sequence[Operation], aliases: frozenset[str]) -> Iterator[tuple[str, str]]:
    """``(property, value)`` for each alias that operations set; values that could be nobody's name are none."""
    for operation in operations:
        if operation.verb not in {"set", "set_once"} or not any(name.encode() in operation.operand for name in aliases):
            continue
        try:
            found = fields(operation.operand)
        except UNREADABLE:
            continue
        for name in aliases & found.keys():
            if (value := alias_value(bytes(found[name]))) is not None:
                yield name, value


def alias_value(raw: bytes) -> str | None:
    """A property's value as another name; None: it cannot be one."""
    if not raw.startswith(b'"'):
        return None
    value = _texts.decode(raw)
    fit = value and len(value) <= LONGEST_ALIAS and value.lower() not in NOBODY and not value.startswith(DEVICE)
    return value if fit else None


def refuse_alias(refusals: Refusals, load: int, name: str, value: str, reason: str, origin: Origin) -> None:
    """Make it visible that a property's value could not become another name; for the reason, see `WHY_NOT`."""
    refusals.add(load, Refusal(reason, name, f"{name!r} was kept, but {WHY_NOT[reason]}", value.encode()), origin)
