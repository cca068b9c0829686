"""Users in bulk, past all limits of the vendor's: what a demo or a test starts from."""

from __future__ import annotations

from typing import Any

import msgspec

from cornicen.integrations.onesignal.simulator.state import subscriptions, users
from cornicen.integrations.onesignal.simulator.state.app import App
from cornicen.integrations.onesignal.simulator.state.bodies import Kind, Properties, SubscriptionBody
from cornicen.integrations.onesignal.simulator.state.people import User


class SeededUser(msgspec.Struct, forbid_unknown_fields=True):
    """One user to be there.

    Args:
        external_id: By it the user is known already, or made.
        aliases: Further aliases by label.
        tags: Text, or a number or boolean that becomes text.
        properties: Country, language, and so on.
        subscriptions: As a client would write them.
    """

    external_id: str
    aliases: dict[str, str] = {}
    tags: dict[str, Any] = {}
    properties: Properties = msgspec.field(default_factory=Properties)
    subscriptions: list[SubscriptionBody] = []


class Seed(msgspec.Struct, forbid_unknown_fields=True):
    """What to add to an application.

    Args:
        app_id: None: the first application.
        users: Written out.
        external_ids: Users who differ in nothing but their id.
        subscription: Each of `external_ids` gets one subscription of this type; None: none.
    """

    app_id: str | None = None
    users: list[SeededUser] = []
    external_ids: list[str] = []
    subscription: Kind | None = None


def token(kind: str, number: int) -> str:
    """A token that suits a type of subscription, different for every number."""
    return {"Email": f"user-{number}@example.com", "SMS": f"+1{number:010d}"}.get(kind, f"token-{number}")


def sow(app: App, seed: Seed, now: float) -> tuple[int, int]:
    """Add users who are visible and settled at once. No cap, no rate and no rule of aliases holds here.

    Returns:
        How many were made, and how many were there already and stay as they are.

    Twice: the second call changes nothing.
    """
    made = [_sow(app, seeded, now) for seeded in seed.users]
    for external_id in seed.external_ids:
        written = []
        if seed.subscription and ("external_id", external_id) not in app.by_alias:
            written = [SubscriptionBody(type=seed.subscription, token=_free_token(app, seed.subscription))]
        made.append(_sow(app, SeededUser(external_id, subscriptions=written), now))
    return sum(made), len(made) - sum(made)


def _free_token(app: App, kind: Kind) -> str:
    number = len(app.subscriptions)
    while (kind, token(kind, number)) in app.by_token:
        number += 1
    return token(kind, number)


def _sow(app: App, seeded: SeededUser, now: float) -> bool:
    if ("external_id", seeded.external_id) in app.by_alias:
        return False
    user: User = users.anonymous(app, now)
    users.claim(app, user, {"external_id": seeded.external_id, **seeded.aliases})
    user.take(seeded.properties)
    user.tags = {key: value if isinstance(value, str) else str(value).lower() for key, value in seeded.tags.items()}
    for body in seeded.subscriptions:
        if body.type and body.token:
            subscriptions.attach(app, user, body, now)
    return True
