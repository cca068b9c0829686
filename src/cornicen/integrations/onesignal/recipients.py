"""Who a recipient is at OneSignal: an External ID, one of OneSignal's own ids, or a subscription. Pure.

An External ID is kept as it is. The others are kept with their kind before them, ``onesignal_id/<uuid>``: so a connection that
changes its kind still knows how to address, and clean up, those it knew before.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from enum import StrEnum
from urllib.parse import quote

from cornicen.flows.ports import Form

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


class Kind(StrEnum):
    """What a connection's identifiers are."""

    EXTERNAL = "external_id"
    ONESIGNAL = "onesignal_id"
    SUBSCRIPTION = "subscription_id"
    AUTO = "auto"
    """External IDs; one that the app does not know and that is a UUID may be a subscription's."""


_KEPT = re.compile(rf"({Kind.ONESIGNAL}|{Kind.SUBSCRIPTION})/({_UUID})")


def form(settings: Mapping[str, object]) -> Form:
    """How a connection with these settings keeps its identifiers."""
    kind = str(settings.get("recipient", Kind.EXTERNAL))
    return Form(f"{kind}/", uuid=True) if kind in {Kind.ONESIGNAL, Kind.SUBSCRIPTION} else Form()


def kind_of(identifier: str) -> tuple[Kind, str]:
    """What a kept identifier is, and its value."""
    found = _KEPT.fullmatch(identifier)
    return (Kind(found[1]), found[2]) if found else (Kind.EXTERNAL, identifier)


def is_uuid(value: str) -> bool:
    """Whether a value has the form of a subscription's id."""
    return re.fullmatch(_UUID, value.lower()) is not None


def user_path(kind: Kind, value: str) -> str:
    """Where a user is, below the app; not for a subscription, whose user has to be asked for."""
    return f"/users/by/{kind}/{_encoded(value)}"


def owner_path(subscription: str) -> str:
    """Where the app says whose a subscription is."""
    return f"/subscriptions/{uuid.UUID(subscription)}/user/identity"


def _encoded(value: str) -> str:
    """One path segment; never ``.`` or ``..``, which mean another path."""
    encoded = quote(value, safe="")
    return encoded.replace(".", "%2E") if set(encoded) == {"."} else encoded
