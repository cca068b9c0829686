"""The parts of a user and of a subscription that come in as JSON, their types checked while they are decoded."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

Kind = Literal[
    "iOSPush",
    "AndroidPush",
    "FireOSPush",
    "ChromeExtensionPush",
    "ChromePush",
    "WindowsPush",
    "SafariLegacyPush",
    "FirefoxPush",
    "macOSPush",
    "HuaweiPush",
    "SafariPush",
    "Email",
    "SMS",
]
"""Types of subscription, in the vendor's spelling; the case matters."""

Natural = Annotated[int, msgspec.Meta(ge=0)]
Instant = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799)]
"""Unix seconds up to the end of the year 9999."""


class Properties(msgspec.Struct, omit_defaults=True):
    """A user's own properties; None: not mentioned."""

    tags: dict[str, Any] | None = None
    language: str | None = None
    timezone_id: str | None = None
    country: str | None = None
    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None = None
    long: Annotated[float, msgspec.Meta(ge=-180, le=180)] | None = None
    first_active: Instant | None = None
    last_active: Instant | None = None
    ip: str | None = None


PLAIN_PROPERTIES = tuple(name for name in Properties.__struct_fields__ if name != "tags")
"""The properties that are simply replaced."""


class Purchase(msgspec.Struct):
    """One purchase; what it cost comes as text or as a number."""

    sku: str
    amount: float | Annotated[str, msgspec.Meta(pattern=r"^-?\d+(\.\d+)?$")]
    iso: str = "USD"
    count: Natural = 1


class Deltas(msgspec.Struct):
    """What is added to a user's counters."""

    session_time: Natural = 0
    session_count: Natural = 0
    purchases: list[Purchase] = []


class SubscriptionBody(msgspec.Struct):
    """A subscription as a client writes it; None: not mentioned."""

    id: str | None = None
    type: Kind | None = None
    token: str | None = None
    enabled: bool | None = None
    notification_types: int | None = None
    session_time: Natural | None = None
    session_count: Natural | None = None
    sdk: str | None = None
    device_model: str | None = None
    device_os: str | None = None
    rooted: bool | None = None
    test_type: int | None = None
    app_version: str | None = None
    net_type: int | None = None
    carrier: str | None = None
    web_auth: str | None = None
    web_p256: str | None = None


DEVICE_FIELDS = tuple(
    name for name in SubscriptionBody.__struct_fields__ if name not in {"id", "type", "token", "enabled", "notification_types"}
)
"""What a subscription says about its device, as the vendor lists it."""
