"""`/identify` and `/groupidentify`: what is known of users and of groups, all items of a request or none. Pure."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from cornicen.events.shapes import GroupChange, Operation, ProfileChange
from cornicen.flows.vendors import Inbound, Outbound, Parsed
from cornicen.integrations.amplitude import answers, forms, limits, operations
from cornicen.integrations.amplitude.asking import shortest
from cornicen.integrations.amplitude.faults import Fault, Kind
from cornicen.integrations.amplitude.fields import NONE, Rules, Unfit, ids_of, moment
from cornicen.integrations.amplitude.given import Given
from cornicen.integrations.amplitude.reading import profile_change

_given = msgspec.json.Decoder(Given)
_names = msgspec.json.Decoder(str)
FIELD = "identification"


def identify(inbound: Inbound) -> Parsed:
    """A request to `/identify`, understood. Pure; never raises for what a sender can send."""

    def change(given: Given, form: forms.Form) -> ProfileChange:
        rules = Rules(inbound.now, shortest=shortest(form.value("options")), lenient=True)
        found: list[Fault] = []
        time = moment(given, rules, found)
        return profile_change(given, ids_of(given, rules, found), time, found)

    return _understood(inbound, limits.EVENTS, forms.too_large(), change)


def group_identify(inbound: Inbound) -> Parsed:
    """A request to `/groupidentify`, understood. Pure; never raises for what a sender can send."""
    crowded = answers.said(400, f"{answers.INVALID_EVENT}: more than {limits.GROUPS} items")
    return _understood(inbound, limits.GROUPS, crowded, lambda given, _: group_change(given))


def group_change(given: Given) -> GroupChange:
    """What an item of `/groupidentify` asks for.

    Raises:
        Unfit: With everything that is wrong with it.
    """
    found: list[Fault] = []
    named = [_named(given, field, found) for field in ("group_type", "group_value")]
    text = bytes(given.get("group_properties", NONE))
    changes: tuple[Operation, ...] = ()
    try:
        changes = operations.operations(text, group=True)
    except operations.Unfit:
        found.append(Fault(Kind.INVALID, "group_properties"))
    if text.startswith(b"{") and len(_given.decode(text)) > limits.GROUPS:
        found.append(Fault(Kind.INVALID, "group_properties"))
    if found:
        raise Unfit(found)
    return GroupChange(named[0], named[1], changes)


def _named(given: Given, field: str, found: list[Fault]) -> str:
    """A text, not empty; a number counts as its literal."""
    text = bytes(given.get(field, NONE))
    if text[:1] in b"-0123456789":
        return text.decode()
    try:
        name = _names.decode(text)
    except msgspec.DecodeError:
        name = ""
    if not name:
        found.append(Fault(Kind.MISSING if text == b"null" else Kind.INVALID, field))
    return name[: limits.TEXT]


def _understood(
    inbound: Inbound, most: int, crowded: Outbound, change: Callable[[Given, forms.Form], ProfileChange | GroupChange]
) -> Parsed:
    words = (answers.MISSING_EVENT, answers.INVALID_EVENT)
    return forms.understood(inbound, FIELD, most, words, crowded, lambda item, form: change(_given.decode(item), form))
