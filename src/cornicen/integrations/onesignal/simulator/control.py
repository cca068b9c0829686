"""The routes under ``/_simulator/``: looking inside, turning the clock, planning faults. They answer this machine only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated

import msgspec

from cornicen.integrations.onesignal.simulator.answers import NOT_FOUND, Answer, answer
from cornicen.integrations.onesignal.simulator.api.call import UNREADABLE, Asked
from cornicen.integrations.onesignal.simulator.dump import dump
from cornicen.integrations.onesignal.simulator.seeding import Seed, sow
from cornicen.integrations.onesignal.simulator.simulator import Simulator
from cornicen.integrations.onesignal.simulator.state.app import App
from cornicen.integrations.onesignal.simulator.traffic.faults import Faults, Plan

PREFIX = "/_simulator/"
_LOGGED = 100


class _Advance(msgspec.Struct, forbid_unknown_fields=True):
    advance_seconds: Annotated[float, msgspec.Meta(ge=0)]


class _Wanted(msgspec.Struct, forbid_unknown_fields=True):
    app_id: str | None = None
    api_key: str | None = None
    tier: str | None = None


def control(simulator: Simulator, asked: Asked) -> Answer:
    """Answer a control request.

    Args:
        simulator: Which to look into or to turn.
        asked: Its path begins with `PREFIX`.

    Returns:
        404 for an unknown route and for a caller from another machine; 400 with the fault for a body that does not fit.
    """
    handle = _ROUTES.get((asked.method, asked.path.removeprefix(PREFIX)))
    if handle is None or not _loopback(asked.client):
        return NOT_FOUND
    try:
        return handle(simulator, asked)
    except (*UNREADABLE, ValueError) as fault:
        return answer(400, {"error": str(fault)})


def _loopback(client: str) -> bool:
    return client in {"::1", "::ffff:127.0.0.1"} or client.startswith("127.")


def _state(simulator: Simulator, asked: Asked) -> Answer:
    return answer(200, dump(simulator, _app(simulator, asked.parameter("app_id"))))


def _app(simulator: Simulator, app_id: str | None) -> App:
    """The application named, or the first."""
    found = simulator.apps.get(app_id) if app_id else next(iter(simulator.apps.values()), None)
    if found is None:
        raise ValueError(f"no such app: {app_id}")
    return found


def _requests(simulator: Simulator, asked: Asked) -> Answer:
    simulator.act_late()
    shown = simulator.book.shown(int(asked.parameter("log") or _LOGGED))
    return answer(200, shown | {"faults": simulator.faults.struck})


def _clock(simulator: Simulator, asked: Asked) -> Answer:
    now = simulator.clock.now()
    if asked.method == "POST":
        now = simulator.clock.advance(msgspec.json.decode(asked.body, type=_Advance).advance_seconds)
        simulator.act_late()
    return answer(200, {"now": now, "virtual": simulator.clock.virtual})


def _faults(simulator: Simulator, asked: Asked) -> Answer:
    simulator.faults = Faults(msgspec.json.decode(asked.body, type=Plan), simulator.clock.now())
    return answer(200, simulator.faults.plan)


def _knobs(simulator: Simulator, asked: Asked) -> Answer:
    simulator.turn(msgspec.json.decode(asked.body, type=dict[str, object]))
    return answer(200, simulator.knobs)


def _apps(simulator: Simulator, asked: Asked) -> Answer:
    body = msgspec.json.decode(asked.body, type=_Wanted)
    app = simulator.add_app(body.app_id, body.api_key, body.tier)
    return answer(200, {"app_id": app.id, "api_key": app.api_key, "tier": app.tier})


def _seed(simulator: Simulator, asked: Asked) -> Answer:
    body = msgspec.json.decode(asked.body, type=Seed)
    made, there = sow(_app(simulator, body.app_id), body, simulator.clock.now())
    return answer(200, {"made": made, "there_already": there})


def _reset_counts(simulator: Simulator, asked: Asked) -> Answer:
    simulator.book.reset()
    return answer(200, {})


_ROUTES: Mapping[tuple[str, str], Callable[[Simulator, Asked], Answer]] = {
    ("GET", "state"): _state,
    ("GET", "requests"): _requests,
    ("GET", "clock"): _clock,
    ("POST", "clock"): _clock,
    ("POST", "faults"): _faults,
    ("POST", "knobs"): _knobs,
    ("POST", "apps"): _apps,
    ("POST", "seed"): _seed,
    ("POST", "reset-counts"): _reset_counts,
}
