"""How subscriptions come, change, move and go."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cornicen.integrations.onesignal.simulator.answers import Refused
from cornicen.integrations.onesignal.simulator.state.app import App
from cornicen.integrations.onesignal.simulator.state.bodies import DEVICE_FIELDS, SubscriptionBody
from cornicen.integrations.onesignal.simulator.state.people import DISABLED_BY_API, SUBSCRIBED, Subscription, User

MOST_PER_USER = 20
"""Subscriptions a user (create-user page, first half of 2026)."""
KEPT = {"Email": 3, "SMS": 3}
"""How many of these are never pushed off a user that gets one too many."""

_PHONE = re.compile(r"\+[1-9]\d{1,14}")


def check(app: App, written: Sequence[SubscriptionBody]) -> None:
    """Refuse subscriptions that a request could not add.

    Raises:
        Refused: 400: no type or token, an address or number that is none, or an unknown id. 409: more than a user may have.
    """
    if len(written) > MOST_PER_USER:
        raise Refused(409, "Subscription Limit Exceeded", code="Subscription Limit Exceeded")
    for body in written:
        if body.id is not None:
            if body.id.lower() not in app.subscriptions:
                raise Refused(400, "Unknown subscription", meta={"id": body.id})
        elif body.type is None or not body.token:
            raise Refused(400, "A subscription needs type and token")
        else:
            _check_token(body.type, body.token)


def _check_token(kind: str, token: str) -> None:
    if (kind == "Email" and "@" not in token) or (kind == "SMS" and not _PHONE.fullmatch(token)):
        raise Refused(400, "Invalid subscription token", meta={"type": kind})


def _found(app: App, body: SubscriptionBody) -> Subscription | None:
    if body.id is not None:
        return app.subscriptions[body.id.lower()]
    return app.by_token.get((body.type or "", body.token or ""))


def owner(app: App, written: Sequence[SubscriptionBody]) -> User | None:
    """The user who already has one of these subscriptions."""
    return next((found.owner for body in written if (found := _found(app, body))), None)


def attach(app: App, user: User, body: SubscriptionBody, now: float) -> tuple[Subscription, bool]:
    """Give a user a subscription: a new one, or the one that has this id or token, whosever it was.

    Args:
        app: Of the user.
        user: Who gets it.
        body: As `check` let it pass.
        now: Unix seconds.

    Returns:
        The subscription, and whether it is new.

    Twice: the second call changes nothing.
    """
    found = _found(app, body)
    made = found is None
    if found is None:
        found = Subscription(app.ids.next(), body.type or "", body.token or "", user, now)
        app.subscriptions[found.id] = found
        app.by_token[found.type, found.token] = found
        user.subscriptions.append(found)
    else:
        move(found, user)
    change(app, found, body, now)
    _push_off(app, user, now)
    return found, made


def move(subscription: Subscription, user: User) -> None:
    """Let a subscription belong to another user.

    Twice: changes nothing.
    """
    if subscription.owner is not user:
        subscription.owner.subscriptions.remove(subscription)
        user.subscriptions.append(subscription)
        subscription.owner = user


def _push_off(app: App, user: User, now: float) -> None:
    """A subscription too many makes the oldest one anonymous; three addresses and three numbers are always kept."""
    while len(user.subscriptions) > MOST_PER_USER:
        counts = {kind: sum(1 for each in user.subscriptions if each.type == kind) for kind in KEPT}
        oldest = next(each for each in user.subscriptions if counts.get(each.type, MOST_PER_USER) > KEPT.get(each.type, 0))
        nobody = User(app.ids.next(), now)
        app.users[nobody.onesignal_id] = nobody
        move(oldest, nobody)


def change(app: App, subscription: Subscription, body: SubscriptionBody, now: float) -> None:
    """Write what a body mentions; a body that names the subscription by its id leaves the token as it is.

    Raises:
        Refused: 400: the new token is malformed. 409: another subscription has it.

    Twice: changes nothing.
    """
    if body.id is None and body.token and body.token != subscription.token:
        _check_token(subscription.type, body.token)
        if (subscription.type, body.token) in app.by_token:
            raise Refused(409, "The token belongs to another subscription", code="subscription-1")
        del app.by_token[subscription.type, subscription.token]
        subscription.token = body.token
        app.by_token[subscription.type, body.token] = subscription
    for name in DEVICE_FIELDS:
        value = getattr(body, name)
        if value is not None:
            setattr(subscription, name, value)
    _subscribe(subscription, body, now)


def _subscribe(subscription: Subscription, body: SubscriptionBody, now: float) -> None:
    """`notification_types` says why, `enabled` only whether; given alone, each implies the other."""
    if body.notification_types is not None:
        subscription.notification_types = body.notification_types
        subscription.enabled = body.notification_types >= SUBSCRIBED
    if body.enabled is not None:
        subscription.enabled = body.enabled
        if body.notification_types is None:
            subscription.notification_types = SUBSCRIBED if body.enabled else DISABLED_BY_API
    if subscription.subscribed:
        subscription.unsubscribed_at = None
    elif subscription.unsubscribed_at is None:
        subscription.unsubscribed_at = now


def forget(app: App, subscription: Subscription) -> None:
    """Delete a subscription; its user stays."""
    subscription.owner.subscriptions.remove(subscription)
    del app.by_token[subscription.type, subscription.token]
    del app.subscriptions[subscription.id]
