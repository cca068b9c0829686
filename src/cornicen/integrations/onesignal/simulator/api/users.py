"""Users: create, view, update, delete."""

from __future__ import annotations

import msgspec

from cornicen.integrations.onesignal.simulator.answers import Answer, Refused, answer
from cornicen.integrations.onesignal.simulator.api.call import Call
from cornicen.integrations.onesignal.simulator.state import users
from cornicen.integrations.onesignal.simulator.state.bodies import Deltas, Properties, SubscriptionBody
from cornicen.integrations.onesignal.simulator.state.people import User


class _Create(msgspec.Struct):
    identity: dict[str, str] = {}
    properties: Properties = msgspec.field(default_factory=Properties)
    subscriptions: list[SubscriptionBody] = []


class _Update(msgspec.Struct):
    properties: Properties | None = None
    deltas: Deltas | None = None
    refresh_device_metadata: bool = False


def named(call: Call) -> User:
    """The user of the path.

    Raises:
        Refused: See `App.user`.
    """
    return call.app.user(call.parts["label"], call.parts["alias"], call.now)


def create_user(call: Call) -> Answer:
    """201 for a new user, 202 for one who was there; both show the whole user."""
    body = call.body(_Create)
    user, made = users.upsert(call.app, body.identity, body.properties, body.subscriptions, call.now)
    return answer(201 if made else 202, user.shown(call.app.id))


def view_user(call: Call) -> Answer:
    """The whole user, with the tags as last accepted, or as views see them while they are behind."""
    user = named(call)
    return answer(200, user.shown(call.app.id, user.viewed_tags(call.now)))


def update_user(call: Call) -> Answer:
    """202 with the properties as accepted; deleted tags are not among them."""
    body = call.body(_Update)
    if body.properties is None and body.deltas is None:
        raise Refused(400, "properties or deltas must be given")
    user = named(call)
    properties = body.properties or Properties()
    deltas = body.deltas or Deltas()
    device = call.asked.headers.get("onesignal-subscription-id")
    subscription = call.app.subscription(device) if device else None
    written = users.update(call.app, user, properties, deltas, call.now)
    if subscription is not None:
        subscription.session_count += deltas.session_count
        subscription.session_time += deltas.session_time
    # The encoder leaves out what was not mentioned.
    shown = properties if properties.tags is None else msgspec.structs.replace(properties, tags=dict(written))
    return answer(202, {"properties": shown})


def delete_user(call: Call) -> Answer:
    """202 with the id of the user who is no more."""
    user = named(call)
    users.delete(call.app, user)
    return answer(202, {"identity": {"onesignal_id": user.onesignal_id}})
