"""Lengths of time, and windows made of them."""

from __future__ import annotations

import re

from cornicen.cohorts.parts.part import Part
from cornicen.cohorts.parts.place import Place
from cornicen.cohorts.parts.scalars import is_number, wrong
from cornicen.cohorts.query import Window

_MINUTE = 60 * 1_000_000
UNITS = {"m": _MINUTE, "h": 60 * _MINUTE, "d": 1440 * _MINUTE, "w": 7 * 1440 * _MINUTE, "mo": 30 * 1440 * _MINUTE}
"""Microseconds of each unit; a day is 24 hours, a month 30 days."""

LONGEST = 200 * 365 * UNITS["d"]
"""Microseconds; far beyond every event, and far below what 64 bits hold."""

PATTERN = "[1-9][0-9]*(m|h|d|w|mo)"
_LENGTH = re.compile(r"(?P<number>[1-9][0-9]*)(?P<unit>mo|m|h|d|w)")
_NEARLY = re.compile(r"\s*0*(?P<number>[1-9][0-9]*)\s*(?P<unit>[a-z]+)\s*", re.IGNORECASE)
_SPOKEN = {"min": "m", "minute": "m", "hr": "h", "hour": "h", "day": "d", "week": "w", "month": "mo"}
_EXAMPLE = "Write a whole number and a unit, such as `30d`; units are m (minutes), h, d, w and mo (30 days)."


def length(value: object, place: Place) -> int | None:
    """Read a length of time such as ``30d``.

    Returns:
        Microseconds, 1 minute to `LONGEST`.
    """
    if not isinstance(value, str):
        unitless = isinstance(value, int) and is_number(value) and value > 0
        wrong(value, place, "a length of time", f"Give it a unit: `{value}d` for days." if unitless else _EXAMPLE)
        return None
    found = _LENGTH.fullmatch(value)
    if found is None:
        place.fault(f"is `{value}`, no length of time.", _suggest(value) or _EXAMPLE)
        return None
    microseconds = int(found["number"]) * UNITS[found["unit"]] if len(found["number"]) <= 12 else LONGEST + 1
    if microseconds > LONGEST:
        place.fault("is longer than 200 years.", "Leave the window out to look at all time.")
        return None
    return microseconds


def _suggest(value: str) -> str:
    if not (nearly := _NEARLY.fullmatch(value)):
        return ""
    unit = nearly["unit"] if nearly["unit"] in UNITS else nearly["unit"].lower()
    unit = _SPOKEN.get(unit.removesuffix("s"), unit)
    return f"Did you mean `{nearly['number']}{unit}`?" if unit in UNITS else ""


def within(value: object, place: Place) -> Window | None:
    """Read ``within``: a rolling window that ends at ``as_of``."""
    if isinstance(value, dict):
        place.fault("asks for calendar days, which is not understood yet.", "Write a rolling window, such as `within: 30d`.")
        return None
    found = length(value, place)
    return None if found is None else Window(found)


WITHIN = Part(within, {"$ref": "#/$defs/length", "description": "Only the time that ends now and is so long; none: ever."})

LENGTH_SCHEMA: dict[str, object] = {"type": "string", "pattern": f"^{PATTERN}$", "examples": ["30d", "12h", "90m", "2w", "6mo"]}
