"""How users come, change and go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cornicen.integrations.onesignal.simulator.answers import Refused
from cornicen.integrations.onesignal.simulator.state import aliases, subscriptions, tags
from cornicen.integrations.onesignal.simulator.state.app import App
from cornicen.integrations.onesignal.simulator.state.bodies import Deltas, Properties, SubscriptionBody
from cornicen.integrations.onesignal.simulator.state.people import User


def upsert(
    app: App, identity: Mapping[str, str], properties: Properties, written: Sequence[SubscriptionBody], now: float
) -> tuple[User, bool]:
    """Make a user, or change the one that an alias or a subscription's token already names.

    Returns:
        The user, and whether it is new.

    Raises:
        Refused: 400: neither alias nor subscription, or one of them is malformed. 409 ``Conflict``: the aliases belong to
            different users. 409 ``entitlements-tag-limit``. 409 ``Subscription Limit Exceeded``.

    Twice: the second call finds the user and changes nothing.
    """
    if not identity and not written:
        raise Refused(400, "A user needs an alias or a subscription")
    subscriptions.check(app, written)
    user = _named(app, identity) or (None if identity else subscriptions.owner(app, written))
    new_aliases = {label: value for label, value in identity.items() if label != "onesignal_id"}
    aliases.check(new_aliases, user.identity if user else {})
    if user is None and "onesignal_id" in identity:
        raise Refused(404, "User not found", code="user-0")
    after = tags.merged(user.tags if user else {}, tags.read(properties.tags or {}), app.tag_cap)
    # From here on nothing is refused.
    made = user is None
    user = user or _new(app, now, now + app.knobs.create_visibility_ms / 1000)
    claim(app, user, new_aliases)
    user.take(properties)
    _retag(app, user, after, now, late=not made)
    for body in written:
        subscriptions.attach(app, user, body, now)
    return user, made


def _retag(app: App, user: User, after: dict[str, str], now: float, *, late: bool = True) -> None:
    knobs = app.knobs
    user.retag(after, now, late * knobs.tag_settle_ms / 1000, late * knobs.view_lag_ms / 1000)


def _named(app: App, identity: Mapping[str, str]) -> User | None:
    """The one user whom the aliases name; None: they are all free."""
    found = {label: user for label, value in identity.items() if (user := app.look_up(label, value))}
    if len(set(found.values())) > 1:
        conflict = {label: user.onesignal_id for label, user in found.items()}
        raise Refused(409, "Conflicting aliases", code="Conflict", meta={"conflicting_aliases": conflict})
    return next(iter(found.values()), None)


def _new(app: App, now: float, visible_at: float) -> User:
    user = User(app.ids.next(), now, visible_at, first_active=int(now), last_active=int(now))
    app.users[user.onesignal_id] = user
    return user


def anonymous(app: App, now: float) -> User:
    """A new user that no alias names; it can be seen at once."""
    return _new(app, now, now)


def update(app: App, user: User, properties: Properties, deltas: Deltas, now: float) -> dict[str, str]:
    """Change a user's properties and tags.

    Returns:
        The tags that were written, deleted ones left out.

    Raises:
        Refused: 400: see `tags.read`. 409 ``entitlements-tag-limit``. Nothing was written.

    Twice: properties and tags are the same after it; counters are added to again.
    """
    changes = tags.read(properties.tags or {})
    after = tags.merged(user.tags, changes, app.tag_cap)
    user.take(properties)
    if changes:
        _retag(app, user, after, now)
    user.add(deltas)
    return {key: value for key, value in changes.items() if value}


def delete(app: App, user: User) -> None:
    """Forget a user, its aliases and its subscriptions."""
    claim_none(app, user)
    for subscription in list(user.subscriptions):
        subscriptions.forget(app, subscription)
    del app.users[user.onesignal_id]


def identify(app: App, user: User, written: Mapping[str, str]) -> None:
    """Give a user aliases, in place of its former ones of the same labels.

    Raises:
        Refused: 400: see `aliases.check`; also when there are none. 409 ``user-2``: another user has one of them.

    Twice: changes nothing.
    """
    if not written:
        raise Refused(400, "identity must have at least one alias")
    aliases.check(written, user.identity)
    if any(app.by_alias.get(pair, user) is not user for pair in written.items()):
        raise Refused(409, "One or more Aliases claimed by another User", code="user-2")
    claim(app, user, written)


def claim(app: App, user: User, written: Mapping[str, str]) -> None:
    """Write aliases that are known to be free or the user's own."""
    for label, value in written.items():
        former = user.identity.get(label)
        if former is not None:
            app.by_alias.pop((label, former), None)
        user.identity[label] = value
        app.by_alias[label, value] = user


def claim_none(app: App, user: User) -> None:
    """Take all aliases from a user."""
    for pair in user.identity.items():
        app.by_alias.pop(pair, None)
    user.identity.clear()


def forget_alias(app: App, user: User, label: str) -> None:
    """Take one alias from a user.

    Raises:
        Refused: 400: the server's own label. 409: the user has no such alias, which is what a client wanted.
    """
    if label == "onesignal_id":
        raise Refused(400, "The alias label is reserved", meta={"label": label})
    if label not in user.identity:
        raise Refused(409, "The user has no such alias", code="user-3", meta={"label": label})
    app.by_alias.pop((label, user.identity.pop(label)), None)
