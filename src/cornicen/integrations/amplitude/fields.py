"""What the fields of an event may hold: its time, whom it names, numbers and objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from cornicen.events.shapes import Ids
from cornicen.integrations.amplitude import limits
from cornicen.integrations.amplitude.faults import Fault, Kind
from cornicen.integrations.amplitude.given import Given
from cornicen.integrations.amplitude.money import AMOUNTS, is_amount

LARGEST = (2**63 - 1) // 1000
"""Milliseconds whose microseconds are 64 bits."""

NONE = msgspec.Raw(b"null")
_NUMBERS = frozenset({"session_id", *AMOUNTS})

_texts: msgspec.json.Decoder[str | None] = msgspec.json.Decoder(str | None)
_times: msgspec.json.Decoder[int | float | None] = msgspec.json.Decoder(int | float | None)


class Unfit(Exception):
    """An event may not be taken; raised and caught within this folder.

    Args:
        faults: Everything that is wrong with it.
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__()
        self.faults = faults


@dataclass(frozen=True)
class Rules:
    """How a request is read.

    Args:
        now: The door's clock, microseconds.
        shift: Microseconds by which the sender's clock is behind.
        shortest: Characters of an id.
        lenient: Whether a short id beside a good one is only left out.
        address: The sender's, as a JSON text; "" unknown.
    """

    now: int
    shift: int = 0
    shortest: int = limits.ID
    lenient: bool = False
    address: bytes = b""


def text(given: Given, field: str, found: list[Fault]) -> str | None:
    """A field that must be a text, or none; what it is else is added to ``found``."""
    raw = given.get(field, NONE)
    try:
        return _texts.decode(raw)
    except msgspec.DecodeError:
        found.append(Fault(Kind.INVALID, field))
        return None


def members_of(given: Given, field: str, found: list[Fault]) -> bytes:
    """A field that must be an object, as JSON, and ``{}`` where there is none; what it is else is added to ``found``."""
    sent = bytes(given.get(field, NONE))
    if sent.startswith(b"{"):
        return sent
    if sent != b"null":
        found.append(Fault(Kind.INVALID, field))
    return b"{}"


def number_faults(given: Given) -> list[Fault]:
    """Those fields that must be numbers and are not."""
    if _NUMBERS.isdisjoint(given):
        return []
    return [Fault(Kind.INVALID, field) for field, raw in given.items() if field in _NUMBERS and not is_amount(bytes(raw))]


def moment(given: Given, rules: Rules, found: list[Fault]) -> int | None:
    """When it happened, in microseconds: the sender's clock put right, and never before 1970 or later than now.

    Args:
        given: As sent.
        rules: Of its request.
        found: Faults so far; one of the time is added.

    Returns:
        None: the sender does not say.
    """
    raw = given.get("time")
    if raw is None:
        return None
    try:
        sent = _times.decode(raw)
    except msgspec.DecodeError:
        sent = -1
    if sent is None:
        return None
    if not 0 <= sent <= LARGEST:
        found.append(Fault(Kind.INVALID, "time"))
        return None
    micros = (sent * 1000 if type(sent) is int else round(sent * 1000)) + rules.shift
    return micros if 0 <= micros <= rules.now else 0 if micros < 0 else rules.now


def ids_of(given: Given, rules: Rules, found: list[Fault], *, needed: bool = True) -> Ids:
    """Whom it names. A short id that is left out is taken out of ``given``, too.

    Args:
        given: As sent; "" is no id.
        rules: Of its request.
        found: Faults so far; those of the ids are added.
        needed: Whether it must name somebody.
    """
    before = len(found)
    user, device = text(given, "user_id", found) or "", text(given, "device_id", found) or ""
    if not user and not device:
        if needed and len(found) == before:
            found += [Fault(Kind.MISSING, "user_id"), Fault(Kind.MISSING, "device_id")]
        return Ids()
    if 0 < len(user) < rules.shortest or 0 < len(device) < rules.shortest:
        user, device = _long_enough(given, user, device, rules, found)
    if user.lower() in limits.NOBODY:
        found.append(Fault(Kind.INVALID, "user_id"))
    if device.lower() in limits.NOBODY or (device and not device.strip("0-")):
        found.append(Fault(Kind.INVALID, "device_id"))
    return Ids(user[: limits.TEXT], device[: limits.TEXT])


def _long_enough(given: Given, user: str, device: str, rules: Rules, found: list[Fault]) -> tuple[str, str]:
    """The ids without those that are too short: left out beside a good one where that is the rule, else at fault."""
    ids = {"user_id": user, "device_id": device}
    short = [field for field, name in ids.items() if 0 < len(name) < rules.shortest]
    if rules.lenient and user and device and len(short) == 1:
        del given[short[0]]
    else:
        found += [Fault(Kind.SHORT, field) for field in short]
    left = {field: "" if field in short else name for field, name in ids.items()}
    return left["user_id"], left["device_id"]
