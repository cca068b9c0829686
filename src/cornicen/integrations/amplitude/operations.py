"""Amplitude's operations on user and group properties, as ours. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from cornicen.events.shapes import Operation
from cornicen.integrations.amplitude.texts import fitted, too_deep

Members = dict[str, msgspec.Raw]

_members = msgspec.json.Decoder(Members)
_texts = msgspec.json.Decoder(str)
_values = msgspec.json.Decoder(list[msgspec.Raw])
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,30})(\.\d{1,30})?")
_NOTHING = frozenset({b"", b"null", b"{}"})
_encode = msgspec.json.encode


class Unfit(Exception):
    """These are no operations; raised and caught within this folder."""


def operations(text: bytes, *, group: bool = False) -> tuple[Operation, ...]:
    """What ``user_properties`` or ``group_properties`` ask for, in the order in which Amplitude applies it.

    Plain properties are written; operations and plain properties do not go together.

    Args:
        text: A JSON value; "" or ``null``: nothing is asked for.
        group: Whether it is about a group, for which there are fewer operations.

    Raises:
        Unfit: It is no object, is nested too deep, mixes the two, or an operation has not the operand that it takes.
    """
    members = _opened(text)
    words = [word for word in _WORDS if word in members]
    if not words:
        return (Operation("set", fitted(text)),) if members else ()
    if len(words) < len(members) or (group and not _GROUP.issuperset(words)):
        raise Unfit
    found = [_WORDS[word](fitted(bytes(members[word]))) for word in words]
    return tuple(operation for operation in found if operation.operand not in {b"{}", b"[]"})


def of_event(text: bytes) -> tuple[Operation, ...]:
    """What the ``user_properties`` of an ordinary event ask for: plain ones are written, operations are not applied there.

    Args:
        text: As for `operations`; how deep it is nested is not looked at.

    Raises:
        Unfit: It is no object, or mixes operations and plain properties.
    """
    if b'"$' not in text:
        if text in _NOTHING:
            return ()
        if not text.startswith(b"{"):
            raise Unfit
        return (Operation("set", fitted(text)),)
    found = operations(text)
    return () if _WORDS.keys() & _members.decode(text).keys() else found


def written(members: Mapping[str, Any]) -> tuple[Operation, ...]:
    """Write some properties, if there are any.

    Args:
        members: By name; `msgspec.Raw`, or what JSON can say.
    """
    return (Operation("set", fitted(_encode(members))),) if members else ()


def _opened(text: bytes) -> Members:
    if text in _NOTHING:
        return {}
    if not text.startswith(b"{") or too_deep(text):
        raise Unfit
    return _members.decode(text)


def _object(verb: str) -> Callable[[bytes], Operation]:
    def made(text: bytes) -> Operation:
        members = _opened(text)
        return Operation(verb, text if members else b"{}")

    return made


def _sums(text: bytes) -> Operation:
    """Numbers, or texts that spell one: older SDKs let callers add those."""
    return Operation("add", _encode({name: _number(bytes(raw)) for name, raw in _opened(text).items()}))


def _number(raw: bytes) -> msgspec.Raw:
    if raw[:1] in b"-0123456789":
        return msgspec.Raw(raw)
    if raw.startswith(b'"') and _NUMBER.fullmatch(spelled := _texts.decode(raw)):
        return msgspec.Raw(spelled.encode())
    raise Unfit


def _lists(verb: str) -> Callable[[bytes], Operation]:
    """Values or lists of them; null is no value."""

    def made(text: bytes) -> Operation:
        members = {name: raw for name, raw in _opened(text).items() if bytes(raw) != b"null"}
        return Operation(verb, _encode({name: _list(bytes(raw)) for name, raw in members.items()}))

    return made


def _list(raw: bytes) -> list[msgspec.Raw]:
    return _values.decode(raw) if raw.startswith(b"[") else [msgspec.Raw(raw)]


def _names(text: bytes) -> Operation:
    return Operation("unset", _encode(list(_opened(text))))


def _cleared(_: bytes) -> Operation:
    return Operation("clear", b"null")


_WORDS: Mapping[str, Callable[[bytes], Operation]] = {
    "$clearAll": _cleared,
    "$unset": _names,
    "$set": _object("set"),
    "$setOnce": _object("set_once"),
    "$add": _sums,
    "$append": _lists("append"),
    "$prepend": _lists("prepend"),
    "$preInsert": _lists("pre_insert"),
    "$postInsert": _lists("union"),
    "$remove": _lists("remove"),
}
"""In the order in which Amplitude applies those of one change."""

_GROUP = frozenset({"$set", "$setOnce", "$add", "$append", "$prepend", "$unset"})
