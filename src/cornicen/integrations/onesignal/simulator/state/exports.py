"""The CSV export of subscriptions: the only way to read back more than one user a second."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from cornicen.integrations.onesignal.simulator.state.people import Subscription, User

KEPT_S = 3 * 86400
"""How long a file can be fetched (export page, first half of 2026)."""

_DEVICE_TYPES = {
    "iOSPush": 0,
    "AndroidPush": 1,
    "FireOSPush": 2,
    "ChromeExtensionPush": 4,
    "ChromePush": 5,
    "WindowsPush": 6,
    "SafariLegacyPush": 7,
    "FirefoxPush": 8,
    "macOSPush": 9,
    "Email": 11,
    "HuaweiPush": 13,
    "SMS": 14,
    "SafariPush": 17,
}

Cell = Callable[[Subscription, User, float], object]

_COLUMNS: dict[str, Cell] = {
    "id": lambda row, user, now: row.id,
    "identifier": lambda row, user, now: row.token,
    "session_count": lambda row, user, now: row.session_count,
    "language": lambda row, user, now: user.language,
    "timezone": lambda row, user, now: None,
    "game_version": lambda row, user, now: row.app_version,
    "device_os": lambda row, user, now: row.device_os,
    "device_type": lambda row, user, now: _DEVICE_TYPES[row.type],
    "device_model": lambda row, user, now: row.device_model,
    "ad_id": lambda row, user, now: None,
    "tags": lambda row, user, now: msgspec.json.encode(user.settled_tags(now)).decode(),
    "last_active": lambda row, user, now: _time(user.last_active),
    "playtime": lambda row, user, now: row.session_time,
    "amount_spent": lambda row, user, now: user.amount_spent,
    "created_at": lambda row, user, now: _time(row.created_at),
    "invalid_identifier": lambda row, user, now: "f" if row.subscribed else "t",
    "badge_count": lambda row, user, now: 0,
}
EXTRA_FIELDS: dict[str, Cell] = {
    "external_user_id": lambda row, user, now: user.identity.get("external_id"),
    "onesignal_id": lambda row, user, now: user.onesignal_id,
    "location": lambda row, user, now: None if user.lat is None or user.long is None else f"{user.lat},{user.long}",
    "country": lambda row, user, now: user.country,
    "rooted": lambda row, user, now: "t" if row.rooted else "f",
    "ip": lambda row, user, now: user.ip,
    "web_auth": lambda row, user, now: row.web_auth,
    "web_p256": lambda row, user, now: row.web_p256,
    "unsubscribed_at": lambda row, user, now: _time(row.unsubscribed_at),
    "notification_types": lambda row, user, now: row.notification_types,
    "timezone_id": lambda row, user, now: user.timezone_id,
}
"""Columns that an export has only if it is asked for them."""


@dataclass(eq=False)
class Export:
    """One export.

    Args:
        file: The last part of its address.
        rows: How many lines follow the header.
        content: The gzipped file.
        ready_at: Unix seconds; before, the address answers 404.
    """

    file: str
    rows: int
    content: bytes
    ready_at: float

    def running(self, now: float) -> bool:
        """Whether it is still being written."""
        return now < self.ready_at

    def fetchable(self, now: float) -> bool:
        """Whether the file is there: written, and not older than three days."""
        return self.ready_at <= now < self.ready_at + KEPT_S


def _time(instant: float | None) -> str | None:
    return None if instant is None else datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def write(users: Iterable[User], extra: Sequence[str], keep: Callable[[Subscription], bool], now: float) -> tuple[bytes, int]:
    """The gzipped file: a header and one row a subscription. Users without a subscription are not in it.

    Args:
        users: Whose subscriptions, in this order.
        extra: Of `EXTRA_FIELDS`, in the order of the columns; repeated ones count once.
        keep: Which subscriptions.
        now: Whose tags have settled by then are shown new, the others old.

    Returns:
        The file and its number of rows.
    """
    columns = _COLUMNS | {name: EXTRA_FIELDS[name] for name in extra}
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(columns)
    count = 0
    for user in users:
        for subscription in user.subscriptions:
            if keep(subscription):
                rows.writerow([cell(subscription, user, now) for cell in columns.values()])
                count += 1
    return gzip.compress(text.getvalue().encode(), compresslevel=6, mtime=0), count
