"""Everything that a simulator holds, for whoever judges a run."""

from __future__ import annotations

from typing import Any

import msgspec

from cornicen.integrations.onesignal.simulator.simulator import Simulator
from cornicen.integrations.onesignal.simulator.state.app import App
from cornicen.integrations.onesignal.simulator.state.people import User
from cornicen.integrations.onesignal.simulator.state.segments import Segment


def dump(simulator: Simulator, app: App) -> dict[str, Any]:
    """The state at this instant: an application's users, and its segments with their members.

    Requests that a `Kind.LATE` fault has put off to now or earlier are acted on first.
    """
    simulator.act_late()
    now = simulator.clock.now()
    return {
        "now": now,
        "knobs": msgspec.to_builtins(simulator.knobs),
        "organization_key": simulator.organization_key,
        "apps": list(simulator.apps),
        **_app(app, now),
    }


def _app(app: App, now: float) -> dict[str, Any]:
    return {
        "app_id": app.id,
        "api_key": app.api_key,
        "tier": app.tier,
        "users": [_user(app, user, now) for user in app.users.values()],
        "segments": [_segment(app, segment, now) for segment in app.segments.values()],
    }


def _user(app: App, user: User, now: float) -> dict[str, Any]:
    return {
        "onesignal_id": user.onesignal_id,
        "external_id": user.identity.get("external_id"),
        "identity": user.identity,
        "tags": user.tags,
        "settled_tags": user.settled_tags(now),
        "subscriptions": [subscription.shown(app.id) for subscription in user.subscriptions],
    }


def _segment(app: App, segment: Segment, now: float) -> dict[str, Any]:
    members = list(segment.members(app.users.values(), now))
    named = [user.identity["external_id"] for user in members if "external_id" in user.identity]
    return {
        **segment.detailed(),
        "members": sorted(named),
        "members_without_external_id": len(members) - len(named),
        "subscriber_count": sum(sum(each.subscribed for each in user.subscriptions) for user in members),
    }
