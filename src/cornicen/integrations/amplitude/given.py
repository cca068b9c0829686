"""An event as Amplitude's senders write it, and the names that its fields have as properties here."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from cornicen.integrations.amplitude import limits
from cornicen.integrations.amplitude.money import AMOUNTS, revenue

Given = dict[str, msgspec.Raw]
"""An event, or an item of `/identify`: each field as the JSON it came as."""

BUILT_IN: Mapping[str, str] = {
    "app_version": "$app_version_string",
    "platform": "$platform",
    "os_name": "$os",
    "os_version": "$os_version",
    "device_brand": "$brand",
    "device_manufacturer": "$manufacturer",
    "device_model": "$model",
    "carrier": "$carrier",
    "country": "$country",
    "region": "$region",
    "city": "$city",
    "dma": "$dma",
    "language": "$language",
}
"""What Amplitude calls user properties of its own, and their names here: Mixpanel's where it has one."""

OF_PROFILES: Mapping[str, str] = {**BUILT_IN, "paying": "$paying", "start_version": "$start_version"}
"""What an identify writes into the profile beside ``user_properties``."""

OF_EVENTS: Mapping[str, str] = {
    **BUILT_IN,
    "user_id": "$user_id",
    "device_id": "$device_id",
    "insert_id": "$insert_id",
    "session_id": "$session_id",
    "event_id": "$event_id",
    "ip": "$ip",
    "location_lat": "$latitude",
    "location_lng": "$longitude",
    "version_name": "$version_name",
    "idfa": "$idfa",
    "idfv": "$idfv",
    "adid": "$adid",
    "android_id": "$android_id",
    "android_app_set_id": "$android_app_set_id",
    "library": "$library",
    "partner_id": "$partner_id",
    "user_agent": "$user_agent",
    "plan": "$plan",
    "ingestion_metadata": "$ingestion_metadata",
    "price": "$price",
    "quantity": "$quantity",
    "revenue": "$revenue",
    "productId": "$productId",
    "revenueType": "$revenueType",
    "currency": "$currency",
    "receipt": "$receipt",
    "receiptSig": "$receiptSig",
    "groups": "$groups",
    "user_properties": "$user_properties",
}
"""The properties that an event has beside its ``event_properties``; fields that are not named here are left out."""

SKIP = "$skip_user_properties_sync"
"""True: the profile stays as it is, whatever the event says of it."""

CLIENT_TIME = "$client_event_time"
"""The sender's own ``time``, milliseconds, where the event's is another."""

_NAMES = {field: b',"%b":' % name.encode() for field, name in OF_EVENTS.items()}
_name = _NAMES.get
_TIDIED = frozenset({"session_id", "ip", "groups", "price"})
_NONE = msgspec.Raw(b"null")
_REMOTE = b'"$remote"'

_encode = msgspec.json.encode


def members(given: Given, address: bytes) -> list[bytes]:
    """The properties of an event beside its ``event_properties``, each as ``,"name":value``.

    Args:
        given: A sound event.
        address: The sender's as a JSON text, for ``$remote``; "" unknown.
    """
    sent = given if _TIDIED.isdisjoint(given) else given | _tidied(given, address)
    return [name + raw for field, raw in sent.items() if (name := _name(field))]


def _tidied(given: Given, address: bytes) -> Given:
    """Those of its fields that are kept in another way than sent."""
    changed = {}
    if "session_id" in given and bytes(given["session_id"]) == b"-1":
        changed["session_id"] = _NONE
    if "ip" in given and bytes(given["ip"]) == _REMOTE:
        changed["ip"] = msgspec.Raw(address) if address else _NONE
    if "groups" in given:
        changed["groups"] = msgspec.Raw(trimmed(bytes(given["groups"])))
    if "price" in given:
        changed["revenue"] = msgspec.Raw(revenue(*(bytes(given.get(amount, _NONE)) for amount in AMOUNTS)))
    return changed


def built_in(given: Given) -> dict[str, msgspec.Raw]:
    """What an identify says of a user beside ``user_properties``, by its name here."""
    return {OF_PROFILES[field]: raw for field, raw in given.items() if field in OF_PROFILES and bytes(raw) != b"null"}


_groups = msgspec.json.Decoder(dict[str, msgspec.Raw])
_values = msgspec.json.Decoder(list[msgspec.Raw])


def trimmed(text: bytes) -> bytes:
    """The groups of an event, what is too much left out.

    Args:
        text: A JSON object of values and lists of values, or ``null``.
    """
    groups = _groups.decode(text) if text.startswith(b"{") else {}
    if len(groups) <= limits.GROUP_TYPES and b"[" not in text:
        return text
    left = limits.GROUP_VALUES
    kept: dict[str, msgspec.Raw | list[msgspec.Raw]] = {}
    for kind, raw in list(groups.items())[: limits.GROUP_TYPES]:
        value = bytes(raw)
        several = (_values.decode(value) if value.startswith(b"[") else [raw])[:left]
        if several:
            kept[kind] = several if value.startswith(b"[") else raw
            left -= len(several)
    return _encode(kept)
