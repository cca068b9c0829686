"""The courier's process: finds the connections of all projects and keeps one lane running for each."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO

import structlog

from cornicen.delivery.retry import backoff
from cornicen.errors import CornicenError
from cornicen.flows.ports import Clock, Destination, Sender, State
from cornicen.flows.records import Connection
from cornicen.flows.syncs.deliver import Lane
from cornicen.flows.syncs.line import Line

DISCOVER = 1.0
"""Seconds between two looks for connections that are new, changed or gone."""

log = structlog.get_logger()


@dataclass(frozen=True)
class Wiring:
    """What a courier is made of.

    Args:
        state: What was decided.
        sender: Sends; its connections belong to the loop that runs the courier.
        clock: Paces.
        destination: A connection's `Destination`; None: nothing is delivered there. Raises: BadSetting.
        lock: A file of the home; whoever holds it is the home's only courier, because a lane that starts takes whatever is in
            flight for lost.
        close: Awaited at the end, to close the sender's connections.
    """

    state: State
    sender: Sender
    clock: Clock
    destination: Callable[[Connection], Destination | None]
    lock: Path
    close: Callable[[], Awaitable[None]] | None = None


@dataclass
class _Kept:
    """A lane that is kept running for one connection as it was when the lane began."""

    connection: Connection
    told: asyncio.Event
    task: asyncio.Task[None] = field(repr=False)


async def run(wiring: Wiring, stop: asyncio.Event) -> None:
    """Deliver for every connection of every project until told to stop; waits first until no other courier runs.

    Twice: the second waits for the first to end.
    """
    async with _alone(wiring.lock, stop):
        lanes: dict[str, _Kept] = {}
        log.info("courier started")
        try:
            while not stop.is_set():
                await _discover(wiring, lanes)
                await _pause(stop, DISCOVER)
        finally:
            for kept in lanes.values():
                kept.told.set()
            await asyncio.gather(*(kept.task for kept in lanes.values()))
            if wiring.close is not None:
                await wiring.close()
            log.info("courier stopped")


async def _discover(wiring: Wiring, lanes: dict[str, _Kept]) -> None:
    """Start, replace and end lanes so that they fit the connections there are."""
    try:
        found = await asyncio.to_thread(_connections, wiring.state)
    except Exception as error:  # noqa: BLE001 - the worker's edge: a state that cannot be read now must not end the lanes
        log.warning("connections cannot be read", error=type(error).__name__)
        return
    for id_, kept in list(lanes.items()):
        if found.get(id_) != kept.connection:
            kept.told.set()
            await kept.task  # only then may the next lane recover what is in flight
            del lanes[id_]
    for id_, connection in found.items():
        if id_ not in lanes:
            told = asyncio.Event()
            lanes[id_] = _Kept(connection, told, asyncio.create_task(_keep(wiring, connection, told)))


def _connections(state: State) -> Mapping[str, Connection]:
    return {
        connection.id: connection
        for project in state.projects.all()
        for connection in state.connections.all(project.id)
    }  # fmt: skip


async def _keep(wiring: Wiring, connection: Connection, told: asyncio.Event) -> None:
    """Run a lane, and another whenever one fails, with growing pauses."""
    bound = log.bind(connection=connection.slug, project=connection.project, vendor=connection.vendor)
    failures = 0
    while not told.is_set():
        started = asyncio.get_running_loop().time()
        try:
            destination = wiring.destination(connection)
            if destination is None:
                await told.wait()
                return
            line = Line(wiring.state, connection, destination, wiring.sender, wiring.clock, partial(_say, bound))
            await Lane(line).run(told)
        except CornicenError as error:
            bound.warning("lane failed", **error.as_json())
        except Exception:  # noqa: BLE001 - the worker's edge: one connection's fault must not end the others
            bound.exception("lane failed")
        failures = 0 if asyncio.get_running_loop().time() - started > 60 else failures + 1
        await _pause(told, backoff(failures))


def _say(bound: structlog.typing.FilteringBoundLogger, event: str, **facts: object) -> None:
    bound.info(event, **facts)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


@contextlib.asynccontextmanager
async def _alone(path: Path, stop: asyncio.Event) -> AsyncIterator[None]:
    """Hold the lock; a process that ends, however it ends, lets it go."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as lock:
        waiting = False
        while not stop.is_set() and not _locked(lock):
            if not waiting:
                log.warning("another courier of this home is running; waiting for it to end")
            waiting = True
            await _pause(stop, 0.2)
        yield


def _locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
