"""Profiles: operations applied in order, numbers added exactly, every version kept with the stretch in which it held."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Context, Decimal, DecimalException, Inexact

import msgspec

from cornicen.events.shapes import Operation
from cornicen.warehouse.properties import UNREADABLE, Fields, fields

Profile = dict[str, bytes]
"""A property's JSON text by its name; null is missing, so it is never kept."""

_EXACT = Context(prec=2_000, traps=[Inexact])
"""Sums of numbers that are further apart than so many digits are refused."""

_LONGEST_PLAIN = 40
_names = msgspec.json.Decoder(list[str])


class Unfit(Exception):
    """An operation that cannot be applied.

    Args:
        reason: A stable word.
        field: The property or operation at fault.
        message: One sentence.
    """

    def __init__(self, reason: str, field: str, message: str) -> None:
        super().__init__(message)
        self.reason, self.field, self.message = reason, field, message


def applied(profile: Profile | None, operations: tuple[Operation, ...]) -> Profile | None:
    """The profile after some operations.

    ``set``, ``set_once`` and ``add`` make one where there is none; ``unset`` does not.

    Args:
        profile: As it is; it is not changed. None: there is none.
        operations: In the order to apply them.

    Raises:
        Unfit: One cannot be applied; then none is.
    """
    for operation in operations:
        verb = _VERBS.get(operation.verb)
        if verb is None:
            raise Unfit("operation_unknown", operation.verb, f"There is no profile operation {operation.verb!r}.")
        try:
            profile = verb(profile, operation.operand)
        except UNREADABLE:
            what = f"The operand of {operation.verb!r} is not what that operation takes."
            raise Unfit("operand_invalid", operation.verb, what) from None
    return profile


def encoded(profile: Profile) -> str:
    """A profile as it is kept: one JSON object, each value as its sender wrote it."""
    return msgspec.json.encode({name: msgspec.Raw(text) for name, text in profile.items()}).decode()


def decoded(text: str) -> Profile:
    """A profile from what `encoded` made of it."""
    return {name: bytes(raw) for name, raw in fields(text).items()}


def _put(profile: Profile, given: Fields) -> Profile:
    for name, raw in given.items():
        text = bytes(raw).strip()
        if text == b"null":
            profile.pop(name, None)
        else:
            profile[name] = text
    return profile


def _set(profile: Profile | None, operand: bytes) -> Profile:
    return _put(dict(profile or {}), fields(operand))


def _set_once(profile: Profile | None, operand: bytes) -> Profile:
    there = profile or {}
    return _put(dict(there), {name: raw for name, raw in fields(operand).items() if name not in there})


def _add(profile: Profile | None, operand: bytes) -> Profile:
    after = dict(profile or {})
    for name, raw in fields(operand).items():
        after[name] = _sum(name, after.get(name, b"0"), bytes(raw).strip())
    return after


def _sum(name: str, left: bytes, right: bytes) -> bytes:
    if not (_is_number(left) and _is_number(right)):
        raise Unfit("add_not_a_number", name, f"`add` needs numbers, and {name!r} or what is added to it is none.")
    try:
        return _literal(_EXACT.add(Decimal(left.decode()), Decimal(right.decode())))
    except DecimalException:
        raise Unfit("add_too_far_apart", name, f"The sum of {name!r} has too many digits.") from None


def _is_number(text: bytes) -> bool:
    return text[:1] in (b"-", *(b"%d" % digit for digit in range(10)))


def _literal(number: Decimal) -> bytes:
    """A JSON number, without an exponent where that is short."""
    return (format(number, "f") if abs(number.adjusted()) <= _LONGEST_PLAIN else str(number)).encode()


def _unset(profile: Profile | None, operand: bytes) -> Profile | None:
    names = set(_names.decode(operand))
    return None if profile is None else {name: text for name, text in profile.items() if name not in names}


def _delete(_profile: Profile | None, _operand: bytes) -> None:
    return None


_VERBS: Mapping[str, Callable[[Profile | None, bytes], Profile | None]] = {
    "set": _set,
    "set_once": _set_once,
    "add": _add,
    "unset": _unset,
    "delete": _delete,
}

ENDED = (Operation("delete", b"null"),)
"""What a link does to the device's own profile."""
