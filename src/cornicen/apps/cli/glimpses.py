"""Events and values in one line for people, whatever senders wrote into them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from cornicen.apps.cli import instants

LONGEST_VALUE = 40
LONGEST_VIEW = 120
"""Characters of one value, and of all of an event's properties."""

SHOWN_ELSEWHERE = frozenset(
    {
        *("time", "distinct_id", "$user_id", "$device_id", "$insert_id", "token", "mp_lib", "$lib_version"),
        *("event_type", "user_id", "device_id", "insert_id", "session_id", "event_id", "library"),
    }
)
"""Properties that say again what the line says, or nothing about what happened."""


def clean(text: str) -> str:
    """A text without anything that a terminal would obey: senders write names too."""
    return "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in text)


def value(one: object, longest: int = LONGEST_VALUE) -> str:
    """A value as JSON, cut where it is long; a text without its quotes where nobody could mistake it."""
    text = one if isinstance(one, str) and one and " " not in one else json.dumps(one, ensure_ascii=False)
    text = clean(text)
    return text if len(text) <= longest else text[: longest - 1] + "…"


def properties(found: Mapping[str, Any]) -> str:
    """The properties that say something, as ``name=value``, cut where they are many."""
    said = " ".join(f"{clean(name)}={value(one)}" for name, one in found.items() if name not in SHOWN_ELSEWHERE)
    return said if len(said) <= LONGEST_VIEW else said[: LONGEST_VIEW - 1] + "…"


def event(found: Mapping[str, Any]) -> str:
    """An event: when, what, who, and a short view of its properties.

    Args:
        found: As a keeper answers. Who: the canonical name (``person``), or, where all are one person's, the name that it was
            sent under (``distinct_id``); ``-``: nobody.
    """
    who = found["person"] if "person" in found else found["distinct_id"]
    steps = (instants.show(found["time"]), clean(found["event"]), clean(who or "") or "-")
    return "  ".join([*steps, properties(found["properties"])]).rstrip()
