"""Whether a record can be read at all, by whoever reads it now or later, and what is said of one that cannot."""

from __future__ import annotations

import re

import msgspec

from cornicen.integrations.mixpanel import limits
from cornicen.integrations.mixpanel.refusing import Refused, Rules

UNREADABLE = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)

_NARROW = 2 * limits.WIDTH
PLAIN = 6 * limits.WIDTH
"""Bytes below which properties cannot hold a list, or with names of their own members, beyond `limits.WIDTH`."""

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_anything = msgspec.json.Decoder()


def sound(record: bytes, rules: Rules) -> None:
    """Check what would hurt whoever reads the record later. Raises: Refused."""
    if len(record) > limits.RECORD:
        raise _too_large()
    if record.count(b"{") + record.count(b"[") > limits.NESTING and _depth(record) > limits.NESTING:
        raise _too_deep(limits.NESTING)
    if not rules.utf8:
        try:
            record.decode()
        except UnicodeDecodeError:
            field = _undecodable(record)
            raise Refused("not_utf8", field, f"{field or 'record'} is invalid: string should be valid utf8") from None


def shaped(properties: bytes, rules: Rules) -> bool:
    """Check that an event is not too large or deep and, where the sender asked to be strict, flat and narrow enough.

    Returns:
        Whether there are no objects in it.

    Raises:
        Refused: It is not.
    """
    size = len(properties)
    if size > limits.RECORD:
        raise _too_large()
    alone = 0x7B not in properties[1:]
    flat = alone and 0x5B not in properties
    if not flat:
        levels = limits.LEVELS if rules.strict else limits.NESTING - 2  # the record and `properties` themselves are two more
        opening = properties.count(b"[") + (1 if alone else properties.count(b"{"))
        if opening > levels + 1 and _depth(properties) > levels + 1:
            raise _too_deep(levels)
    if rules.strict and size > (PLAIN if flat else _NARROW) and properties.count(b",") >= limits.WIDTH:
        _narrow(properties)
    return alone


def _narrow(properties: bytes) -> None:
    if _width(properties) > limits.WIDTH:
        raise Refused("too_wide", "properties", f"'properties' is invalid: more than {limits.WIDTH} in one list or object")


def _too_large() -> Refused:
    return Refused("record_too_large", "", f"record is larger than {limits.RECORD} bytes")


def _too_deep(levels: int) -> Refused:
    return Refused("nested_too_deep", "properties", f"'properties' is invalid: nested deeper than {levels} levels")


_BRACKET = re.compile(rb'"(?:[^"\\]++|\\.?)*+"?|[\[\]{}]', re.DOTALL)


def _depth(record: bytes) -> int:
    depth = deepest = 0
    for token in _BRACKET.finditer(record):
        if token[0][:1] in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif token[0][:1] in b"]}":
            depth -= 1
    return deepest


def _width(text: bytes) -> int:
    """Members of its widest list or object; 0 where it cannot be read, which whoever reads it next will say."""
    try:
        inside = [_anything.decode(text)]
    except UNREADABLE:
        return 0
    widest = 0
    while inside:
        value = inside.pop()
        if isinstance(value, dict | list):
            widest = max(widest, len(value))
            inside.extend(value.values() if isinstance(value, dict) else value)
    return widest


def _undecodable(record: bytes) -> str:
    """The property that holds the broken text, as far as that can be told."""
    path = ""
    for key in ("properties", "$set", "$set_once"):
        try:
            inner = _members.decode(bytes(_members.decode(record)[key]))
        except (KeyError, *UNREADABLE):
            continue
        for name, raw in inner.items():
            try:
                bytes(raw).decode()
            except UnicodeDecodeError:
                path = f"{key}.{name}"
    return path


def unreadable(error: Exception) -> Refused:
    """What it means that a record could not be decoded."""
    if isinstance(error, RecursionError):
        return Refused("nested_too_deep", "", f"record is invalid: nested deeper than {limits.NESTING} levels")
    if isinstance(error, UnicodeDecodeError):
        return Refused("not_utf8", "", "record is invalid: string should be valid utf8")
    if isinstance(error, msgspec.ValidationError):
        if "out of range" in str(error):
            return Refused("number_out_of_range", "", "record is invalid: a number is out of range")
        return Refused("not_an_object", "", "record must be a JSON object")
    return Refused("not_json", "", "record is not valid JSON")
