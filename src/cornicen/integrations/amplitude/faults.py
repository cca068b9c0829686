"""What is wrong with an event, in Amplitude's kinds."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from cornicen.events.shapes import Refusal

KEPT = 4096
"""Bytes that are kept of a refused record."""


class Kind(Enum):
    """Which list of the answer an event is named in."""

    MISSING = "missing"
    INVALID = "invalid"
    SHORT = "too_short"
    NO_OBJECT = "not_an_object"


class Fault(NamedTuple):
    """One thing that is wrong with one event.

    Args:
        kind: How.
        field: What, as Amplitude names it.
    """

    kind: Kind
    field: str


NO_OBJECT = Fault(Kind.NO_OBJECT, "event")

_SENTENCE = {
    Kind.MISSING: "{} is missing",
    Kind.INVALID: "{} has a value that it may not have",
    Kind.SHORT: "{} is shorter than the project's senders say an id is",
    Kind.NO_OBJECT: "{} is no JSON object",
}


def refusal(record: bytes, found: Sequence[Fault]) -> Refusal:
    """An event that was not taken, as it is kept; counted by the first thing that is wrong.

    Args:
        record: As it came.
        found: At least one.
    """
    fields = [fault.field for fault in found]
    message = "; ".join(_SENTENCE[fault.kind].format(fault.field) for fault in found)
    return Refusal(f"{fields[0]}_{found[0].kind.value}", ", ".join(dict.fromkeys(fields)), message, record[:KEPT])
