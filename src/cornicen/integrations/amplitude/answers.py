"""Amplitude's response bodies. Its SDKs act on the ``code`` in them more than on the status, so every JSON body has one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from cornicen.flows.vendors import Outbound
from cornicen.integrations.amplitude import limits
from cornicen.integrations.amplitude.faults import Fault, Kind

LOST = "Invalid request path"
NO_BODY = "Missing request body"
NOT_JSON = "Invalid JSON request body"
MISSING = "Request missing required field"
INVALID = "Invalid field values on some events"
SHORT = "Invalid id length for user_id or device_id"
NO_EVENT = "Invalid event JSON"
LARGE = "Payload too large"
FAST = "Too many requests for some devices and users"
BUSY = "Service unavailable"

MISSING_EVENT = "missing_event"
INVALID_EVENT = "invalid_event"
INVALID_KEY = "invalid_api_key"

_MAPS = {
    Kind.MISSING: "events_with_missing_fields",
    Kind.INVALID: "events_with_invalid_fields",
    Kind.SHORT: "events_with_invalid_id_lengths",
}
_ALONE = {Kind.MISSING: MISSING, Kind.INVALID: INVALID, Kind.SHORT: SHORT}


def _json(status: int, document: Mapping[str, object], headers: Mapping[str, str] | None = None) -> Outbound:
    return Outbound(status, msgspec.json.encode({"code": status, **document}), headers=headers or {})


def taken(events: int, size: int, now: int) -> Outbound:
    """All events were taken, repeated ones among them.

    Args:
        events: How many.
        size: Bytes of the body, unpacked.
        now: Microseconds.
    """
    return _json(200, {"events_ingested": events, "payload_size_bytes": size, "server_upload_time": now // 1000})


def failed(status: int, error: str, **more: object) -> Outbound:
    """A request of which nothing was taken."""
    return _json(status, {"error": error, **more})


def missing(field: str) -> Outbound:
    """A field of the request is not there; SDKs drop such a request."""
    return failed(400, MISSING, missing_field=field)


def unknown_key(key: str) -> Outbound:
    """The key is of no project; SDKs know it by the colon and do not send again."""
    return failed(400, f"Invalid API key: {key[: limits.TEXT]}")


def faulty(faults: Sequence[tuple[int, Sequence[Fault]]]) -> Outbound:
    """Some events may not be taken, so none is: SDKs drop those that are named, and send the others again at once.

    Args:
        faults: By the event's place in the request; at least one.
    """
    maps: dict[str, dict[str, list[int]]] = {}
    kinds = set()
    for index, found in faults:
        for fault in found:
            kinds.add(fault.kind)
            places = maps.setdefault(_MAPS.get(fault.kind, _MAPS[Kind.INVALID]), {}).setdefault(fault.field, [])
            if index not in places[-1:]:
                places.append(index)
    error = _ALONE[kinds.pop()] if len(kinds) == 1 and Kind.NO_OBJECT not in kinds else INVALID
    return failed(400, NO_EVENT if Kind.NO_OBJECT in kinds else error, **maps)


def throttled(limit: float, devices: Mapping[str, int], users: Mapping[str, int], events: Sequence[int]) -> Outbound:
    """Some users or devices send too much; SDKs keep their events back for a while and send the others again at once."""
    return failed(
        429,
        FAST,
        eps_threshold=round(limit),
        throttled_devices=devices,
        throttled_users=users,
        exceeded_daily_quota_users={},
        exceeded_daily_quota_devices={},
        throttled_events=events,
    )


def too_large() -> Outbound:
    """More than is allowed; SDKs send smaller pieces."""
    return failed(413, LARGE)


def lost() -> Outbound:
    """Nothing is at this path."""
    return failed(400, LOST)


def unkept() -> Outbound:
    """Nothing is known to be kept. After a 5xx every SDK waits and sends all again; after a 429 without names, at once."""
    return _json(503, {"error": BUSY}, {"retry-after": str(limits.RETRY_AFTER)})


def said(status: int, text: str) -> Outbound:
    """The plain answers of `/identify`, `/groupidentify` and `/usermap`; clients compare them."""
    headers = {"retry-after": str(limits.RETRY_AFTER)} if status == 503 else {}
    return Outbound(status, text.encode("utf-8", "replace"), "text/plain; charset=utf-8", headers)
