"""The operations that a profile or group update consists of, checked and in our own words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from cornicen.events.shapes import Operation
from cornicen.integrations.mixpanel import limits
from cornicen.integrations.mixpanel.refusing import Refused, Rules, moment
from cornicen.integrations.mixpanel.soundness import UNREADABLE, sound, unreadable

Members = Mapping[str, bytes]
"""Of a record, each as its JSON text, in the order in which they stand."""

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_texts = msgspec.json.Decoder(list[str])
_numbers = msgspec.json.Decoder(dict[str, int | float])
_anything = msgspec.json.Decoder()


def members_of(record: bytes, rules: Rules) -> Members:
    """Open a record. Raises: Refused."""
    sound(record, rules)
    try:
        return {key: bytes(raw) for key, raw in _members.decode(record).items()}
    except UNREADABLE as error:
        raise unreadable(error) from None


def value_of(members: Members, key: str) -> object:
    """One member as it is meant; None: missing or null. Raises: Refused."""
    try:
        return _anything.decode(members.get(key, b"null"))
    except UNREADABLE as error:
        raise unreadable(error) from None


def token_of(members: Members) -> str:
    """The project that a record names. Raises: Refused."""
    token = value_of(members, "$token")
    if not isinstance(token, str) or not token.strip():
        raise Refused("token_missing", "$token", "$token, missing or empty")
    return token


def text_of(record: bytes, key: str) -> str:
    """A text in a record that may not be readable; "" where there is none."""
    try:
        found = _anything.decode(_members.decode(record).get(key, b"null"))
    except UNREADABLE:
        return ""
    return found if isinstance(found, str) and found.strip() else ""


def time_of(members: Members, rules: Rules) -> int:
    """When, in microseconds; 0: at arrival. Raises: Refused."""
    time = value_of(members, "$time")
    return moment(time, "$time", rules) if time else 0


def operations_of(members: Members, known: Mapping[str, Callable[[str, bytes], Operation]]) -> tuple[Operation, ...]:
    """A record's operations in their order; all of them or none.

    Args:
        members: Of the record.
        known: Those that its route has, by Mixpanel's word.

    Raises:
        Refused: There is none, one of them is not what it should be, or together they write too many properties.
    """
    operations = tuple(known[word](word, text) for word, text in members.items() if word in known)
    if not operations:
        raise Refused("operation_missing", "", f"no operation: one of {', '.join(known)} is needed")
    commas = sum(operation.operand.count(b",") for operation in operations)
    if commas + len(operations) > limits.PROFILE and _written(operations) > limits.PROFILE:
        raise Refused("too_many_properties", "", f"a profile has at most {limits.PROFILE} properties")
    return operations


def _written(operations: tuple[Operation, ...]) -> int:
    written: set[str] = set()
    for operation in operations:
        if operation.operand.startswith(b"{"):
            written.update(_members.decode(operation.operand))
    return len(written)


@lru_cache(16)
def seen(time: int) -> Operation:
    """Say when a profile was last changed, if there is one: Mixpanel's ``$last_seen``, UTC, to the second."""
    text = datetime.fromtimestamp(time // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return Operation("touch", msgspec.json.encode({"$last_seen": text}))


def object_(word: str, text: bytes) -> Operation:
    """An object of any values."""
    if not text.startswith(b"{"):
        raise Refused("operand_invalid", word, f"{word} must be an object")
    return _operation(word, text)


def numbers(word: str, text: bytes) -> Operation:
    """An object of numbers."""
    return _checked(word, text, _numbers, "an object of numbers")


def names(word: str, text: bytes) -> Operation:
    """A list of property names."""
    return _checked(word, text, _texts, "a list of property names")


def single(word: str, text: bytes) -> Operation:
    """An object of values, each of which is one element of a list, also where it is a list itself."""
    return _listed(word, text, lambda raw: [raw])


def several(word: str, text: bytes) -> Operation:
    """An object of lists. Chosen: a value that is none is a list of one."""
    return _listed(word, text, lambda raw: raw if bytes(raw)[:1] == b"[" else [raw])


def deletion(word: str, _: bytes) -> Operation:
    """Anything: it does not matter."""
    return _operation(word, b"null")


Value = TypeVar("Value")


def _listed(word: str, text: bytes, listing: Callable[[Any], object]) -> Operation:
    members = _decoded(word, text, _members, "an object")
    return _operation(word, msgspec.json.encode({name: listing(raw) for name, raw in members.items()}))


def _checked(word: str, text: bytes, decoder: msgspec.json.Decoder[Any], wanted: str) -> Operation:
    _decoded(word, text, decoder, wanted)
    return _operation(word, text)


def _decoded(word: str, text: bytes, decoder: msgspec.json.Decoder[Value], wanted: str) -> Value:
    try:
        return decoder.decode(text)
    except UNREADABLE:
        raise Refused("operand_invalid", word, f"{word} must be {wanted}") from None


def _operation(word: str, operand: bytes) -> Operation:
    return Operation(word.removeprefix("$"), operand)
