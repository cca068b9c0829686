"""Profiles: operations applied in order, numbers added exactly, every version kept with the stretch in which it held."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Context, Decimal, DecimalException, Inexact

import msgspec

from cornicen.events.shapes import Operation
from cornicen.warehouse.properties import UNREADABLE, fields

Profile = dict[str, bytes]
"""A property's JSON text by its name; null is missing, so it is never kept."""

_EXACT = Context(prec=2_000, traps=[Inexact])
"""Sums of numbers that are further apart than so many digits are refused."""

_LONGEST_PLAIN = 40
_names = msgspec.json.Decoder(list[str])
_raws = msgspec.json.Decoder(list[msgspec.Raw])


class Unfit(Exception):
    """One property's part of an operation cannot be applied; it leaves the property as it is.

    Args:
        reason: A stable word.
        field: The property or operation at fault.
        message: One sentence.
    """

    def __init__(self, reason: str, field: str, message: str) -> None:
        super().__init__(message)
        self.reason, self.field, self.message = reason, field, message


def applied(profile: Profile | None, operations: Iterable[Operation]) -> tuple[Profile | None, list[Unfit]]:
    """The profile after some operations, and what of them could not be applied.

    What could not be applied changed nothing; everything else is done. See `cornicen.events.shapes.Operation` for the verbs;
    ``unset``, ``remove``, ``clear`` and ``touch`` make no profile where there is none.

    Args:
        profile: As it is; it is not changed. None: there is none.
        operations: In the order to apply them.
    """
    faults: list[Unfit] = []
    for operation in operations:
        try:
            profile = _applied(profile, operation, faults)
        except UNREADABLE:
            what = f"The operand of {operation.verb!r} is not what that operation takes."
            faults.append(Unfit("operand_invalid", operation.verb, what))
    return profile, faults


def _applied(profile: Profile | None, operation: Operation, faults: list[Unfit]) -> Profile | None:
    match operation.verb:
        case "delete":
            return None
        case "clear":
            return None if profile is None else {}
        case "unset":
            names = set(_names.decode(operation.operand))
            return None if profile is None else {name: text for name, text in profile.items() if name not in names}
        case verb if verb in _NEEDS_ONE and profile is None:
            fields(operation.operand)
            return None
    change = _CHANGES.get(operation.verb)
    if change is None:
        faults.append(Unfit("operation_unknown", operation.verb, f"There is no profile operation {operation.verb!r}."))
        return profile
    after, given, before = dict(profile or {}), fields(operation.operand), len(faults)
    for name, raw in given.items():
        try:
            text = change(name, after.get(name), bytes(raw).strip())
        except Unfit as unfit:
            faults.append(unfit)
            continue
        if text == b"null":
            after.pop(name, None)
        else:
            after[name] = text
    nothing_done = given and len(faults) - before == len(given)
    return profile if nothing_done else after


def encoded(profile: Profile) -> str:
    """A profile as it is kept: one JSON object, each value as its sender wrote it."""
    return msgspec.json.encode({name: msgspec.Raw(text) for name, text in profile.items()}).decode()


def decoded(text: str) -> Profile:
    """A profile from what `encoded` made of it."""
    return {name: bytes(raw) for name, raw in fields(text).items()}


def _set(_name: str, _there: bytes | None, given: bytes) -> bytes:
    return given


def _set_once(_name: str, there: bytes | None, given: bytes) -> bytes:
    return given if there is None else there


def _sum(name: str, there: bytes | None, given: bytes) -> bytes:
    there = b"0" if there is None else there
    if not (_is_number(there) and _is_number(given)):
        raise Unfit("add_not_a_number", name, f"`add` needs numbers, and {name!r} or what is added to it is none.")
    try:
        return _literal(_EXACT.add(Decimal(there.decode()), Decimal(given.decode())))
    except DecimalException:
        raise Unfit("add_too_far_apart", name, f"The sum of {name!r} has too many digits.") from None


def _is_number(text: bytes) -> bool:
    return text[:1] in (b"-", *(b"%d" % digit for digit in range(10)))


def _literal(number: Decimal) -> bytes:
    """A JSON number, without an exponent where that is short."""
    return (format(number, "f") if abs(number.adjusted()) <= _LONGEST_PLAIN else str(number)).encode()


def _append(_name: str, there: bytes | None, given: bytes) -> bytes:
    return _list([*_items(there), *_items(given)])


def _prepend(_name: str, there: bytes | None, given: bytes) -> bytes:
    return _list([*_items(given), *_items(there)])


def _union(_name: str, there: bytes | None, given: bytes) -> bytes:
    items = _items(there)
    return _list([*items, *_missing(items, given)])


def _pre_insert(_name: str, there: bytes | None, given: bytes) -> bytes:
    items = _items(there)
    return _list([*_missing(items, given), *items])


def _remove(_name: str, there: bytes | None, given: bytes) -> bytes:
    """Of a list only; what is no list stays."""
    if there is None or not there.startswith(b"["):
        return b"null" if there is None else there
    gone = {_meant(item) for item in _items(given)}
    return _list([item for item in _items(there) if _meant(item) not in gone])


def _missing(items: list[bytes], given: bytes) -> list[bytes]:
    """Those of the given values that a list has not, each once."""
    seen = {_meant(item) for item in items}
    found = []
    for item in _items(given):
        if (meant := _meant(item)) not in seen:
            seen.add(meant)
            found.append(item)
    return found


def _items(text: bytes | None) -> list[bytes]:
    """A list's elements; a single value is a list of one."""
    if text is None:
        return []
    return [bytes(item).strip() for item in _raws.decode(text)] if text.startswith(b"[") else [text]


def _list(items: list[bytes]) -> bytes:
    return b"[" + b",".join(items) + b"]"


def _meant(text: bytes) -> object:
    """What makes two values equal: 1 is 1.0, and the order of an object's members does not matter."""
    if _is_number(text):
        try:
            return Decimal(text.decode()).normalize(_EXACT)
        except DecimalException:
            return text
    return msgspec.json.encode(msgspec.json.decode(text), order="sorted")


_CHANGES: Mapping[str, Callable[[str, bytes | None, bytes], bytes]] = {
    "set": _set,
    "touch": _set,
    "set_once": _set_once,
    "add": _sum,
    "append": _append,
    "prepend": _prepend,
    "union": _union,
    "pre_insert": _pre_insert,
    "remove": _remove,
}
"""What becomes of one property: its name, its value if it has one, and the operand's, as JSON texts; ``null`` removes."""

_NEEDS_ONE = frozenset({"touch", "remove"})
"""Verbs that make no profile."""

ENDED = (Operation("delete", b"null"),)
"""What a link does to a profile that is not carried over."""
