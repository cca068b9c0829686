"""`/usermap`: which users of this project are which users of the organisation; kept and shown, and nobody is merged. Pure."""

from __future__ import annotations

import msgspec

from cornicen.events.shapes import UserMapping
from cornicen.flows.vendors import Inbound, Parsed
from cornicen.integrations.amplitude import answers, forms, limits
from cornicen.integrations.amplitude.faults import Fault, Kind
from cornicen.integrations.amplitude.fields import Unfit

MISSING_MAPPING = "missing_mapping"
INVALID_MAPPING = "invalid_mapping"


class _Item(msgspec.Struct):
    user_id: msgspec.Raw = msgspec.Raw(b"null")
    global_user_id: msgspec.Raw = msgspec.Raw(b"null")
    unmap: msgspec.Raw = msgspec.Raw(b"null")


_items = msgspec.json.Decoder(_Item)
_texts = msgspec.json.Decoder(str)


def parse(inbound: Inbound) -> Parsed:
    """A request, understood. Pure; never raises for what a sender can send."""
    crowded = answers.said(400, f"{INVALID_MAPPING}: more than {limits.MAPPINGS} items")
    words = (MISSING_MAPPING, INVALID_MAPPING)
    return forms.understood(inbound, "mapping", limits.MAPPINGS, words, crowded, lambda item, _: mapping_of(item))


def mapping_of(item: bytes) -> UserMapping:
    """One item.

    Raises:
        Unfit: With everything that is wrong with it.
    """
    given = _items.decode(item)
    found: list[Fault] = []
    user = _name(bytes(given.user_id), "user_id", found)
    if bytes(given.unmap) == b"true":
        if bytes(given.global_user_id) != b"null":
            found.append(Fault(Kind.INVALID, "unmap"))
        whole = ""
    else:
        whole = _name(bytes(given.global_user_id), "global_user_id", found)
    if found:
        raise Unfit(found)
    return UserMapping(user, whole)


def _name(text: bytes, field: str, found: list[Fault]) -> str:
    try:
        name = _texts.decode(text)
    except msgspec.DecodeError:
        name = ""
    if not name:
        found.append(Fault(Kind.MISSING if text == b"null" else Kind.INVALID, field))
    return name[: limits.TEXT]
