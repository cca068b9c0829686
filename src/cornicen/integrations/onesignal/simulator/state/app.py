"""One application: its keys, its price plan, and the indexes over its users and subscriptions."""

from __future__ import annotations

from dataclasses import dataclass, field

from cornicen.integrations.onesignal.simulator.answers import Refused
from cornicen.integrations.onesignal.simulator.identifiers import Identifiers, is_uuid
from cornicen.integrations.onesignal.simulator.knobs import Knobs
from cornicen.integrations.onesignal.simulator.state.exports import Export
from cornicen.integrations.onesignal.simulator.state.people import Subscription, User
from cornicen.integrations.onesignal.simulator.state.segments import Segment
from cornicen.integrations.onesignal.simulator.tiers import TIERS, Tier


@dataclass(eq=False)
class App:
    """An application.

    Args:
        id: UUID.
        api_key: The application's key.
        tier: ``free``, ``growth`` or ``professional``.
        organization_id: UUID.
        created_at: Unix seconds.
        knobs: Shared by all applications of a simulator.
        ids: Where new identifiers come from.
        users: By OneSignal id.
        by_alias: By label and value; the server's own label is not among them.
        subscriptions: By id.
        by_token: By type and token.
        segments: By id, oldest first.
        exports: By file name; shared by all applications, since the vendor writes one export an account at a time.
    """

    id: str
    api_key: str
    tier: str
    organization_id: str
    created_at: float
    knobs: Knobs
    ids: Identifiers
    name: str = "Simulated app"
    users: dict[str, User] = field(default_factory=dict)
    by_alias: dict[tuple[str, str], User] = field(default_factory=dict)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    by_token: dict[tuple[str, str], Subscription] = field(default_factory=dict)
    segments: dict[str, Segment] = field(default_factory=dict)
    exports: dict[str, Export] = field(default_factory=dict)

    @property
    def plan(self) -> Tier:
        """The price plan's numbers."""
        return TIERS[self.tier]

    @property
    def tag_cap(self) -> int:
        """Tags that one user may hold."""
        return self.plan.tags if self.knobs.tag_cap is None else self.knobs.tag_cap

    @property
    def segment_cap(self) -> int:
        """Segments that the application may hold."""
        return self.plan.segments if self.knobs.segment_cap is None else self.knobs.segment_cap

    def look_up(self, label: str, value: str) -> User | None:
        """The user behind an alias, visible or not."""
        return self.users.get(value.lower()) if label == "onesignal_id" else self.by_alias.get((label, value))

    def user(self, label: str, value: str, now: float) -> User:
        """The user behind an alias of a path.

        Raises:
            Refused: 400: a OneSignal id that is no UUID. 404: nobody, or somebody made so recently that it cannot be seen yet.
        """
        if label == "onesignal_id" and not is_uuid(value):
            raise Refused(400, "Invalid UUID", code="request-1", meta={"onesignal_id": value})
        found = self.look_up(label, value)
        if found is None or now < found.visible_at:
            raise Refused(404, "User not found", code="user-0")
        return found

    def subscription(self, subscription_id: str) -> Subscription:
        """The subscription of a path.

        Raises:
            Refused: 400: no UUID. 404 ``subscription-0``: none has this id.
        """
        if not is_uuid(subscription_id):
            raise Refused(400, "Invalid UUID", code="request-1", meta={"subscription_id": subscription_id})
        found = self.subscriptions.get(subscription_id.lower())
        if found is None:
            raise Refused(404, "Subscription not found", code="subscription-0")
        return found
