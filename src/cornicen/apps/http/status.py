"""What the status page says, as plain data: the page and ``/?as=json`` show the same."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from cornicen import __version__
from cornicen.apps.http.steps import steps
from cornicen.errors import CornicenError, Unavailable
from cornicen.flows.events.strangers import Strangers
from cornicen.flows.events.taken import Taken
from cornicen.flows.ports import Clock, State
from cornicen.flows.records import Connection, Project, Run, Standing, Sync, Tick
from cornicen.flows.syncs.freshness import freshness
from cornicen.flows.syncs.health import Health, condition
from cornicen.flows.syncs.progress import progress_of
from cornicen.flows.vendors import Manifest

Keeper = Callable[[str], Awaitable[Mapping[str, Any]]]

TICKS = 10
"""Ticks shown."""

PATIENCE = 5.0
"""Seconds that a keeper gets to answer the page."""


@dataclass(frozen=True)
class View:
    """What the page looks at.

    Args:
        state: What was decided.
        keeper: Asks a project's keeper.
        manifests: All vendors.
        clock: The door's.
        strangers: Requests of nobody.
        since: When the door started, microseconds: they are counted from there.
        address: Where senders reach this house; empty: not known.
        taken: Records that the doors have put safely on disk.
    """

    state: State
    keeper: Keeper
    manifests: Sequence[Manifest]
    clock: Clock
    strangers: Strangers
    since: int
    address: str = ""
    taken: Taken = field(default_factory=Taken)


async def look(view: View) -> dict[str, Any]:
    """Everything the page shows.

    Instants are microseconds since 1970 UTC. No secret is in it: neither tokens nor keys, and of a stranger's credential only
    its first characters.

    Returns:
        ``{version, now, address, projects, strangers}``. ``projects`` is a list of ``{id, name, timezone, keeper, connections,
        syncs, unsynced, ticks, next}``; ``keeper`` is ``{answers: true, as_of, backlog, oldest, behind, counts, refusals}``, or
        ``{answers: false, code, what, fix}``. ``backlog`` is bytes by lane; ``behind`` is, by lane, how many seconds ago
        the oldest record that is not loaded came, 0.0 where none waits. ``strangers`` is ``{since, requests, routes:
        [{source, credential, requests, last}]}``, the latest first.
    """
    projects = await asyncio.to_thread(view.state.projects.all)
    found = await asyncio.gather(*(_project(view, project) for project in projects))
    shown = {"version": __version__, "now": view.clock.now(), "address": view.address}
    return {**shown, "projects": list(found), "strangers": _strangers(view)}


def _strangers(view: View) -> dict[str, Any]:
    counted = view.strangers.counted()
    requests = sum(stranger.requests for stranger in counted)
    return {"since": view.since, "requests": requests, "routes": [asdict(stranger) for stranger in counted]}


async def _project(view: View, project: Project) -> dict[str, Any]:
    vendors = {manifest.name: manifest for manifest in view.manifests}
    said, decided = await asyncio.gather(asked(view, project.id), asyncio.to_thread(_decided, view, vendors, project))
    shown = {"id": project.id, "name": project.name, "timezone": project.zone, "keeper": said, **decided}
    return {**shown, "next": steps(shown, view.address)}


async def asked(view: View, project: str) -> dict[str, Any]:
    """What a project's keeper says of itself, or that it does not answer; as `look` shows it."""
    try:
        answer = await asyncio.wait_for(view.keeper(project), PATIENCE)
    except CornicenError as error:
        return {"answers": False, **error.as_json()}
    except TimeoutError:
        late = Unavailable("The keeper does not answer in time.", "Wait a moment: it may be loading or evaluating.")
        return {"answers": False, **late.as_json()}
    now, oldest = view.clock.now(), answer["oldest"]
    behind = {lane: max(0, now - oldest.get(lane, now)) / 1_000_000 for lane in answer["backlog"]}
    return {"answers": True, **answer, "behind": behind}


def _decided(view: View, vendors: Mapping[str, Manifest], project: Project) -> dict[str, Any]:
    """What the state knows of a project."""
    state, now = view.state, view.clock.now()
    cohorts = {cohort.slug: cohort.name for cohort in state.cohorts.all(project.id)}
    connections = {connection.id: connection for connection in state.connections.all(project.id)}
    syncs = [_sync(state, vendors, cohorts, connections, sync, now) for sync in state.syncs.all(project.id)]
    synced = {sync["cohort"] for sync in syncs}
    return {
        "connections": [_connection(connection, vendors) for connection in connections.values()],
        "syncs": syncs,
        "unsynced": [{"cohort": slug, "name": name} for slug, name in cohorts.items() if slug not in synced],
        "ticks": [_tick(state, tick) for tick in state.runs.ticks(project.id, TICKS)],
    }


def _sync(
    state: State,
    vendors: Mapping[str, Manifest],
    cohorts: Mapping[str, str],
    connections: Mapping[str, Connection],
    sync: Sync,
    now: int,
) -> dict[str, Any]:
    """One line: cohort, segment, and how many of the one are in the other."""
    connection = connections.get(sync.connection)
    runs, timing = state.runs.of_sync(sync.id, 1), state.runs.timing(sync.id)
    fresh, moving = freshness(timing), progress_of(runs[0], timing, now) if runs else None
    name = cohorts.get(sync.cohort, sync.cohort)
    return {
        "sync": sync.id,
        "cohort": sync.cohort,
        "name": name,
        "segment": str(sync.container.get("name") or name),
        "connection": connection.slug if connection else "",
        "destination": _title(connection, vendors),
        "cadence": str(sync.cadence),
        "next_at": sync.next_at,
        "as_of": sync.last_as_of,
        "standing": None if sync.last_as_of is None else _standing(state.ledger.standing(sync.id)),
        "last_run": asdict(runs[0]) if runs else None,
        "progress": None if moving is None else moving.as_json(),
        "freshness": None if fresh is None else fresh.as_json(),
        **_trouble(sync, runs[0] if runs else None, now),
    }


def _standing(standing: Standing) -> dict[str, Any]:
    away = standing.no_profile + standing.no_id + standing.shared + standing.unknown + standing.refused + standing.on_the_way
    return {**asdict(standing), "adds_up": standing.size - away + standing.leaving == standing.in_segment}


def _trouble(sync: Sync, run: Run | None, now: int) -> dict[str, str]:
    """How it does, where it stands, and if that is not well: why, in the destination's words and ours, and what to do."""
    found = condition(sync, now, run.why if run is not None and sync.held else "")
    if found.bad:
        status = found.health.value if found.health is not Health.FAILING else str(sync.status)
        return {"status": status, "health": found.health, "what": found.what, "words": found.words, "fix": found.fix}
    what, words = sync.what, sync.words
    if not words and (refused := sync.container.get("words")):
        what, words = what or "The destination cannot have the segment; members are kept all the same.", str(refused)
    return {"status": str(sync.status), "health": found.health, "what": what, "words": words, "fix": sync.fix}


def _connection(connection: Connection, vendors: Mapping[str, Manifest]) -> dict[str, Any]:
    """A connection's public settings: those its vendor declares, and does not declare to be secret."""
    vendor = vendors.get(connection.vendor)
    public = {setting.name for setting in vendor.settings if not setting.secret} if vendor else set()
    settings = {name: _plain(value) for name, value in connection.settings.items() if name in public}
    return {"connection": connection.slug, "destination": _title(connection, vendors), "settings": settings}


def _plain(value: object) -> object:
    """A setting without the user and password that an address may carry."""
    if isinstance(value, str) and "://" in value and "@" in value:
        parts = urlsplit(value)
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    return value


def _title(connection: Connection | None, vendors: Mapping[str, Manifest]) -> str:
    if connection is None:
        return ""
    return vendors[connection.vendor].title if connection.vendor in vendors else connection.vendor


def _tick(state: State, tick: Tick) -> dict[str, Any]:
    runs = state.runs.of_tick(tick.id)
    return {
        "tick": tick.id,
        "as_of": tick.as_of,
        "events": tick.events,
        "added": sum(run.added for run in runs),
        "removed": sum(run.removed for run in runs),
        "requests": tick.requests,
        "seconds": None if tick.ended is None else (tick.ended - tick.started) / 1_000_000,
        "gap": tick.gap,
    }
