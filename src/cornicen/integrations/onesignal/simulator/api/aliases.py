"""Aliases, reached through another alias or through a subscription."""

from __future__ import annotations

import msgspec

from cornicen.integrations.onesignal.simulator.answers import Answer, Refused, answer
from cornicen.integrations.onesignal.simulator.api.call import Call
from cornicen.integrations.onesignal.simulator.api.users import named
from cornicen.integrations.onesignal.simulator.state import subscriptions, users
from cornicen.integrations.onesignal.simulator.state.people import User


class _Identity(msgspec.Struct):
    identity: dict[str, str]


def _shown(user: User) -> Answer:
    return answer(200, {"identity": user.shown_identity()})


def _owner(call: Call) -> User:
    return call.app.subscription(call.parts["subscription"]).owner


def view_aliases(call: Call) -> Answer:
    """All aliases of a user."""
    return _shown(named(call))


def create_aliases(call: Call) -> Answer:
    """Add or replace aliases."""
    body, user = call.body(_Identity), named(call)
    users.identify(call.app, user, body.identity)
    return _shown(user)


def delete_alias(call: Call) -> Answer:
    """Take one alias away; the answer shows those that are left."""
    user = named(call)
    users.forget_alias(call.app, user, call.parts["delete"])
    return _shown(user)


def view_owner_aliases(call: Call) -> Answer:
    """All aliases of a subscription's user."""
    return _shown(_owner(call))


def create_owner_aliases(call: Call) -> Answer:
    """Add or replace aliases of a subscription's user."""
    body, user = call.body(_Identity), _owner(call)
    users.identify(call.app, user, body.identity)
    return _shown(user)


def transfer_subscription(call: Call) -> Answer:
    """Give a subscription to the user behind exactly one alias."""
    body = call.body(_Identity)
    subscription = call.app.subscription(call.parts["subscription"])
    if len(body.identity) != 1:
        raise Refused(400, "identity must have exactly one alias")
    [(label, value)] = body.identity.items()
    user = call.app.user(label, value, call.now)
    subscriptions.move(subscription, user)
    return _shown(user)
