"""Subscriptions: create, update, delete."""

from __future__ import annotations

import msgspec

from cornicen.integrations.onesignal.simulator.answers import Answer, Refused, answer
from cornicen.integrations.onesignal.simulator.api.call import Call
from cornicen.integrations.onesignal.simulator.api.users import named
from cornicen.integrations.onesignal.simulator.state import subscriptions
from cornicen.integrations.onesignal.simulator.state.bodies import SubscriptionBody


class _Written(msgspec.Struct):
    subscription: SubscriptionBody


def create_subscription(call: Call) -> Answer:
    """201 for a new one, 202 for one that was there and now belongs to this user."""
    body, user = call.body(_Written).subscription, named(call)
    subscriptions.check(call.app, [body])
    subscription, made = subscriptions.attach(call.app, user, body, call.now)
    return answer(201 if made else 202, {"subscription": subscription.shown(call.app.id)})


def update_subscription(call: Call) -> Answer:
    """200 with an empty object."""
    body = call.body(_Written).subscription
    subscriptions.change(call.app, call.app.subscription(call.parts["subscription"]), body, call.now)
    return answer(200, {})


def update_subscription_by_token(call: Call) -> Answer:
    """202 with an empty object."""
    body = call.body(_Written).subscription
    found = call.app.by_token.get((call.parts["type"], call.parts["token"]))
    if found is None:
        raise Refused(404, "Subscription not found", code="subscription-0")
    subscriptions.change(call.app, found, body, call.now)
    return answer(202, {})


def delete_subscription(call: Call) -> Answer:
    """202 with an empty object."""
    subscriptions.forget(call.app, call.app.subscription(call.parts["subscription"]))
    return answer(202, {})
