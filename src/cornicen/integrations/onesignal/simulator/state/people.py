"""Users and subscriptions, and how the vendor shows them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cornicen.integrations.onesignal.simulator.state.bodies import DEVICE_FIELDS, PLAIN_PROPERTIES, Deltas, Properties
from cornicen.integrations.onesignal.simulator.state.lag import Lag

SUBSCRIBED = 1
DISABLED_BY_API = -31
"""``notification_types`` of a subscription that was disabled over the REST API; from 1 on it is subscribed."""


@dataclass(slots=True, eq=False)
class Subscription:
    """One push token, e-mail address or telephone number.

    Args:
        id: UUID.
        type: One of `bodies.Kind`.
        token: Unique within its type.
        owner: The user it belongs to.
        created_at: Unix seconds.
        enabled: Whether it takes messages.
        notification_types: 1 and above: subscribed; else why not.
        unsubscribed_at: Unix seconds, while it is not subscribed.
    """

    id: str
    type: str
    token: str
    owner: User
    created_at: float
    enabled: bool = True
    notification_types: int = SUBSCRIBED
    unsubscribed_at: float | None = None
    session_time: int = 0
    session_count: int = 0
    sdk: str = ""
    device_model: str = ""
    device_os: str = ""
    rooted: bool = False
    test_type: int = 0
    app_version: str = ""
    net_type: int = 0
    carrier: str = ""
    web_auth: str = ""
    web_p256: str = ""

    @property
    def subscribed(self) -> bool:
        """Whether messages reach it; only such subscriptions are counted in a segment."""
        return self.enabled and self.notification_types >= SUBSCRIBED

    def shown(self, app_id: str) -> dict[str, Any]:
        """As the vendor writes it."""
        head = {"id": self.id, "app_id": app_id, "type": self.type, "token": self.token}
        state = {"enabled": self.enabled, "notification_types": self.notification_types}
        return {**head, **state, **{name: getattr(self, name) for name in DEVICE_FIELDS}}


@dataclass(slots=True, eq=False)
class User:
    """One person.

    Args:
        onesignal_id: UUID, given by the server.
        created_at: Unix seconds.
        visible_at: Before this instant the user answers 404.
        identity: Aliases by label, `onesignal_id` not among them.
        tags: As the last accepted write left them.
        settling: What segments and exports see of the tags while they are behind.
        arriving: What views of the user see of them while they are behind.
        purchases: (SKU, what it cost).
    """

    onesignal_id: str
    created_at: float
    visible_at: float = 0.0
    identity: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    settling: Lag | None = None
    arriving: Lag | None = None
    subscriptions: list[Subscription] = field(default_factory=list)
    language: str | None = None
    timezone_id: str | None = None
    country: str | None = None
    lat: float | None = None
    long: float | None = None
    first_active: int | None = None
    last_active: int | None = None
    ip: str | None = None
    session_time: int = 0
    session_count: int = 0
    amount_spent: float = 0.0
    purchases: list[tuple[str, float]] = field(default_factory=list)

    def settled_tags(self, now: float) -> dict[str, str]:
        """The tags that segments and exports see at ``now``."""
        if self.settling is None:
            return self.tags
        seen = self.settling.at(now)
        if seen is None:
            self.settling = None
        return self.tags if seen is None else seen

    def viewed_tags(self, now: float) -> dict[str, str]:
        """The tags that a view shows at ``now``."""
        seen = self.arriving.at(now) if self.arriving else None
        if seen is None:
            self.arriving = None
        return self.tags if seen is None else seen

    def retag(self, tags: dict[str, str], now: float, settle: float = 0.0, arrive: float = 0.0) -> None:
        """Replace the tags.

        Args:
            tags: All of them.
            now: Unix seconds.
            settle: Seconds after which segments and exports follow.
            arrive: Seconds after which views follow.

        Twice: the second call is followed later, to the same tags.
        """
        self.settling = _behind(self.settling, self.settled_tags(now), tags, now + settle) if settle > 0 else None
        self.arriving = _behind(self.arriving, self.viewed_tags(now), tags, now + arrive) if arrive > 0 else None
        self.tags = tags

    def take(self, properties: Properties) -> None:
        """Replace the properties that are mentioned, tags excepted."""
        for name in PLAIN_PROPERTIES:
            value = getattr(properties, name)
            if value is not None:
                setattr(self, name, value)

    def add(self, deltas: Deltas) -> None:
        """Add to the counters.

        Twice: adds twice.
        """
        self.session_time += deltas.session_time
        self.session_count += deltas.session_count
        for purchase in deltas.purchases:
            self.amount_spent += float(purchase.amount) * purchase.count
            self.purchases.append((purchase.sku, float(purchase.amount)))

    def shown_identity(self) -> dict[str, str]:
        """All aliases, the server's own included."""
        return {**self.identity, "onesignal_id": self.onesignal_id}

    def shown_properties(self, tags: dict[str, str]) -> dict[str, Any]:
        """As the vendor writes them: properties that have no value are left out, tags never."""
        found = {name: getattr(self, name) for name in PLAIN_PROPERTIES}
        shown: dict[str, Any] = {"tags": tags, **{name: value for name, value in found.items() if value is not None}}
        if self.purchases:
            shown["amount_spent"] = self.amount_spent
        return shown

    def shown(self, app_id: str, tags: dict[str, str] | None = None) -> dict[str, Any]:
        """The whole user, as the vendor writes it.

        Args:
            app_id: Of the user's application.
            tags: What a view that is behind sees; None: the latest.
        """
        return {
            "properties": self.shown_properties(self.tags if tags is None else tags),
            "identity": self.shown_identity(),
            "subscriptions": [subscription.shown(app_id) for subscription in self.subscriptions],
        }


def _behind(lag: Lag | None, seen: dict[str, str], tags: dict[str, str], at: float) -> Lag:
    """A reader's lag after one more change, which the reader sees from an instant on."""
    lag = lag or Lag(seen)
    lag.add(tags, at)
    return lag
