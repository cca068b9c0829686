"""What stands before every route: which application, which key, which price plan, and how fast."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from cornicen.integrations.onesignal.simulator.answers import Refused, too_many
from cornicen.integrations.onesignal.simulator.api.call import UNREADABLE, Asked, Call
from cornicen.integrations.onesignal.simulator.api.keys import admit
from cornicen.integrations.onesignal.simulator.api.routes import Rate, Route
from cornicen.integrations.onesignal.simulator.knobs import Knobs
from cornicen.integrations.onesignal.simulator.state.app import App
from cornicen.integrations.onesignal.simulator.traffic.rates import Rates


class Gate:
    """Lets requests pass, or not.

    Args:
        apps: By id; the simulator's own.
        knobs: The simulator's own.
        organization_key: The organization's API key.
    """

    def __init__(self, apps: Mapping[str, App], knobs: Knobs, organization_key: str) -> None:
        self._apps = apps
        self._knobs = knobs
        self._organization_key = organization_key
        self._rates = Rates()

    def admit(self, route: Route, parts: dict[str, str], asked: Asked, now: float) -> Call:
        """Find the application, and judge key, price plan and rates, in this order.

        Raises:
            Refused: One of them says no.

        Twice: counts twice against the rates.
        """
        app = self._app(parts, asked)
        foreign = frozenset(each.api_key for each in self._apps.values() if each is not app)
        admit(asked.headers.get("authorization"), route.needs, app, self._organization_key, route.errors, foreign)
        if route.paid and not app.plan.segment_api:
            raise Refused(403, "This API is not available for applications on your plan.")
        call = Call(app, asked, parts, now)
        if not self._within_rates(route, call):
            raise too_many(self._knobs.retry_after_s)
        return call

    def _app(self, parts: Mapping[str, str], asked: Asked) -> App:
        app_id = parts.get("app") or asked.parameter("app_id") or _app_id(asked.body)
        if app_id is None:
            raise Refused(400, "Request is malformed: Failed to parse app_id from request")
        if app_id not in self._apps:
            raise Refused(404, f"Couldn't find app with id = {app_id}")
        return self._apps[app_id]

    def _within_rates(self, route: Route, call: Call) -> bool:
        knobs, app, admitted = self._knobs, call.app, self._rates.admit
        match route.rate:
            case Rate.NONE:
                return True
            case Rate.VIEW:
                return admitted((app.id, "view"), knobs.view_rps, knobs.view_burst, call.now)
            case Rate.WRITE:
                if not admitted((app.id, "write"), knobs.rps_per_app, max(1.0, knobs.rps_per_app), call.now):
                    return False
                whom = _written(call)
                return whom is None or admitted((app.id, whom), knobs.rps_per_user, 1.0, call.now)


class _WithIdentity(msgspec.Struct):
    identity: dict[str, str] = {}


class _WithApp(msgspec.Struct):
    app_id: str | None = None


def _app_id(body: bytes) -> str | None:
    try:
        return msgspec.json.decode(body, type=_WithApp).app_id
    except UNREADABLE:
        return None


def _written(call: Call) -> str | None:
    """The id of the user or subscription that a request would write; None: of nobody who is there."""
    parts, app = call.parts, call.app
    if "subscription" in parts:
        return parts["subscription"].lower()
    if "token" in parts:
        subscription = app.by_token.get((parts["type"], parts["token"]))
        return subscription.id if subscription else None
    if "alias" in parts:
        names: Mapping[str, str] = {parts["label"]: parts["alias"]}
    else:
        try:
            names = msgspec.json.decode(call.asked.body, type=_WithIdentity).identity
        except UNREADABLE:
            return None
    found = next((user for pair in names.items() if (user := app.look_up(*pair))), None)
    return found.onesignal_id if found else None
