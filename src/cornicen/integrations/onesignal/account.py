"""One app at OneSignal: where it is, who we are to it, and how its requests look."""

from __future__ import annotations

import ipaddress
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from cornicen.errors import BadSetting
from cornicen.flows.vendors import Setting
from cornicen.integrations.onesignal import limits
from cornicen.integrations.onesignal.recipients import Kind
from cornicen.wire.http import Request

SETTINGS = (
    Setting("app_id", "App ID", "The app's UUID, from Settings, Keys & IDs; it is no secret.", "uuid"),
    Setting("api_key", "App API key", "An App API key of this app, from Settings, Keys & IDs.", secret=True),
    Setting(
        "base_url",
        "Address",
        "Where OneSignal's REST API is; another address only for a simulator or a proxy (http only on this machine).",
        "url",
        "https://api.onesignal.com",
    ),
    Setting(
        "identifier",
        "User ID property",
        "The profile property that holds a person's OneSignal External ID; people without it are not exported.",
        default="$onesignal_user_id",
    ),
    Setting(
        "recipient",
        "Kind of identifier",
        "What `identifier` holds: external_id, onesignal_id or subscription_id (both UUIDs), or auto: an External ID, or a "
        "subscription's id where OneSignal does not know it. Asking whose a subscription is takes a second each.",
        "choice",
        Kind.EXTERNAL.value,
        choices=tuple(Kind),
    ),
    Setting(
        "create_missing",
        "Create users",
        "true: whom OneSignal does not know is created by External ID; nobody can be reached there before they have a device.",
        "flag",
        False,
    ),
    Setting(
        "rate",
        "Requests per second",
        "At most 800 of the 1,000 that an app allows, which its own SDKs share; at 500, 100,000 members take 3 min 20 s.",
        "number",
        limits.RATE_DEFAULT,
        least=1,
        most=limits.RATE_MOST,
    ),
    Setting(
        "connections",
        "Connections",
        "Requests at the same time; at 50 ms an answer, 20 carry 400 requests a second. So many may be repeated after a crash.",
        "number",
        20,
        least=1,
        most=200,
    ),
    Setting(
        "longest_answer",
        "Longest answer",
        "Seconds after which an unanswered request cannot take effect any more; nothing else is sent for its user before.",
        "number",
        limits.LONGEST_ANSWER,
        least=1,
        most=3600,
    ),
)


@dataclass(frozen=True)
class Account:
    """An app, its settings checked.

    Args:
        app: Its UUID.
        key: The App API key; in no text that leaves here but the Authorization header.
        address: Of the API, without a slash at the end.
        rate: Requests per second.
        connections: Requests at the same time.
        longest_answer: Seconds.
        recipient: What the identifiers are.
        create_missing: Whether users are created whom the app does not know.
    """

    app: str
    key: str = field(repr=False)
    address: str
    rate: float
    connections: int
    longest_answer: float
    recipient: Kind = Kind.EXTERNAL
    create_missing: bool = False

    def request(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Request:
        """A request below the app's path; ``path`` is percent-encoded already and begins with a slash, or is empty."""
        headers = {"Authorization": f"Key {self.key}", "Content-Type": "application/json", "Accept": "application/json"}
        encoded = None if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        return Request(method, f"{self.address}/apps/{self.app}{path}", headers, encoded)


def account(settings: Mapping[str, object], secrets: Mapping[str, str]) -> Account:
    """Check the settings of a connection.

    Raises:
        BadSetting: One is missing or out of its bounds; both are named, a secret is not shown.
    """
    given = {setting.name: settings.get(setting.name, setting.default) for setting in SETTINGS if not setting.secret}
    return Account(
        app=_uuid(given["app_id"]),
        key=_key(secrets.get("api_key", "")),
        address=_address(given["base_url"]),
        rate=_number("rate", given["rate"]),
        connections=int(_number("connections", given["connections"])),
        longest_answer=_number("longest_answer", given["longest_answer"]),
        recipient=_kind(given["recipient"]),
        create_missing=_flag("create_missing", given["create_missing"]),
    )


def _kind(value: object) -> Kind:
    try:
        return Kind(str(value))
    except ValueError:
        raise BadSetting(f"`recipient` must be {', '.join(Kind)}, not {value!r}.", "Leave it out for External IDs.") from None


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise BadSetting(f"`{name}` must be true or false, not {value!r}.", "Leave it out for false.")
    return value


def _uuid(value: object) -> str:
    try:
        return str(uuid.UUID(str(value)))
    except ValueError:
        raise BadSetting(f"`app_id` must be a UUID, not {value!r}.", "Copy the App ID from Settings, Keys & IDs.") from None


def _key(value: str) -> str:
    if not value or not value.isascii() or not value.isprintable() or " " in value:
        raise BadSetting("`api_key` is missing or is no key.", "Give an App API key of this app by reference (env: or file:).")
    return value


def _number(name: str, value: object) -> float:
    setting = next(setting for setting in SETTINGS if setting.name == name)
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    if number is None or setting.least is None or setting.most is None or not setting.least <= number <= setting.most:
        raise BadSetting(f"`{name}` must be a number from {setting.least:g} to {setting.most:g}, not {value!r}.", setting.help)
    return float(number)


def _address(value: object) -> str:
    try:
        parts = urlsplit(str(value))
        host = parts.hostname or ""
        host.encode("idna")
        _ = parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    if parts.scheme not in {"http", "https"} or not host or parts.username or parts.query or parts.fragment:
        raise BadSetting(f"`base_url` must be an https address, not {value!r}.", "Leave it out for OneSignal itself.")
    if parts.scheme == "http" and not _loopback(host):
        raise BadSetting(
            f"`base_url` may use http only on this machine, not at {host}: the key would travel in the clear.", "Use https."
        )
    return str(value).rstrip("/")


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
