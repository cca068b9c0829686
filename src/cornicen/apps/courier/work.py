"""The courier's process: finds the connections of all projects and keeps one lane running for each whose lease it has.

It also tells people how syncs do, because there is one courier a home, it alone talks to the outside, and it lives on where a
keeper has died: the commonest reason why a sync is late.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO
from uuid import uuid4

import structlog

from cornicen.apps.courier.holding import Held, Holdings
from cornicen.delivery.retry import backoff
from cornicen.errors import CornicenError, LeaseLost
from cornicen.flows.ports import Channel, Clock, Destination, Sender, State
from cornicen.flows.records import Connection
from cornicen.flows.syncs.deliver import Lane
from cornicen.flows.syncs.line import Line
from cornicen.flows.syncs.notify import Telling, tell

DISCOVER = 1.0
"""Seconds between two looks for connections that are new, changed or gone."""

WATCH = 5.0
"""Seconds between two looks at how syncs do."""

log = structlog.get_logger()


@dataclass(frozen=True)
class Wiring:
    """What a courier is made of.

    Args:
        state: What was decided.
        sender: Sends; its connections belong to the loop that runs the courier.
        clock: Paces.
        destination: A connection's `Destination`; None: nothing is delivered there. Raises: BadSetting.
        lock: A file of the home; whoever holds it is the home's only courier, and finds in it the name of the one before, whose
            leases it then need not wait for.
        close: Awaited at the end, to close the sender's connections.
        channels: Over which people are told how syncs do, by name; none: they are not.
    """

    state: State
    sender: Sender
    clock: Clock
    destination: Callable[[Connection], Destination | None]
    lock: Path
    close: Callable[[], Awaitable[None]] | None = None
    channels: Mapping[str, Channel] = field(default_factory=dict)


@dataclass
class _Kept:
    """A lane that is kept running for one connection as it was when the lane began."""

    connection: Connection
    held: Held
    told: asyncio.Event
    task: asyncio.Task[None] = field(repr=False)


async def run(wiring: Wiring, stop: asyncio.Event) -> None:
    """Deliver for the connections of every project until told to stop; waits first until no other courier of the home runs.

    Couriers of several homes on one state share the connections evenly, and take over those of one that ended.

    Twice: on one home the second waits for the first to end.
    """
    async with _alone(wiring.lock, stop) as (name, dead):
        if stop.is_set():
            return
        holdings = Holdings(wiring.state.leases, name, dead)
        lanes: dict[str, _Kept] = {}
        ending = asyncio.Event()
        watching = asyncio.create_task(_watch(wiring, ending))
        log.info("courier started")
        beating = asyncio.create_task(holdings.keep())
        try:
            while not stop.is_set():
                await _discover(wiring, holdings, lanes)
                await _pause(stop, DISCOVER)
        finally:
            ending.set()
            await _end(holdings, lanes, list(lanes))
            beating.cancel()
            await asyncio.gather(watching, beating, return_exceptions=True)
            await holdings.end()
            if wiring.close is not None:
                await wiring.close()
            log.info("courier stopped")


async def _watch(wiring: Wiring, stop: asyncio.Event) -> None:
    """Tell people how syncs do, until told to stop; a notice that is under way is finished."""
    telling = Telling(wiring.state, wiring.channels, wiring.clock, partial(_say, log))
    while wiring.channels and not stop.is_set():
        try:
            await tell(telling, lambda: not stop.is_set())
        except Exception as error:  # noqa: BLE001 - the worker's edge: what cannot be told now must not end the lanes
            log.warning("nobody can be told", error=type(error).__name__)
        await _pause(stop, WATCH)


async def _discover(wiring: Wiring, holdings: Holdings, lanes: dict[str, _Kept]) -> None:
    """Start, replace and end lanes so that they fit the connections there are, and our share of them."""
    try:
        found = await asyncio.to_thread(_connections, wiring.state)
    except Exception as error:  # noqa: BLE001 - the worker's edge: a state that cannot be read now must not end the lanes
        log.warning("connections cannot be read", error=type(error).__name__)
        return
    share = math.ceil(len(found) / holdings.couriers)
    ending = [id_ for id_, kept in lanes.items() if found.get(id_) != kept.connection or kept.task.done()]
    staying = [id_ for id_ in lanes if id_ not in ending]
    await _end(holdings, lanes, ending + staying[share:])  # only then may the next lane recover what is in flight
    for id_, connection in found.items():
        if id_ not in lanes and len(lanes) < share:
            await _begin(wiring, holdings, lanes, connection)


async def _begin(wiring: Wiring, holdings: Holdings, lanes: dict[str, _Kept], connection: Connection) -> None:
    """Start a lane, if nobody else has one there."""
    try:
        held = await holdings.take(connection.id)
    except CornicenError as error:  # gone meanwhile, or the state does not answer: there will be another look
        log.warning("a lease cannot be taken", connection=connection.slug, **error.as_json())
        return
    if held is not None:
        told = asyncio.Event()
        task = asyncio.create_task(_keep(wiring, holdings, held, connection, told))
        lanes[connection.id] = _Kept(connection, held, told, task)


async def _end(holdings: Holdings, lanes: dict[str, _Kept], ids: list[str]) -> None:
    """End some lanes, and give their leases back."""
    ending = [lanes.pop(id_) for id_ in ids]
    for kept in ending:
        kept.told.set()
    await asyncio.gather(*(kept.task for kept in ending))
    for kept in ending:
        await holdings.give(kept.held)


def _connections(state: State) -> Mapping[str, Connection]:
    return {
        connection.id: connection
        for project in state.projects.all()
        for connection in state.connections.all(project.id)
    }  # fmt: skip


async def _keep(wiring: Wiring, holdings: Holdings, held: Held, connection: Connection, told: asyncio.Event) -> None:
    """Run a lane, and another whenever one fails, with growing pauses; until told to stop, or another courier has it."""
    bound = log.bind(connection=connection.slug, project=connection.project, vendor=connection.vendor)
    losing = asyncio.create_task(_pass_on(held.lost, told))
    failures = 0
    try:
        while not told.is_set():
            started = asyncio.get_running_loop().time()
            try:
                destination = wiring.destination(connection)
                if destination is None:
                    await told.wait()
                    return
                sure, say = partial(holdings.sure, held), partial(_say, bound)
                line = Line(wiring.state, connection, destination, wiring.sender, wiring.clock, say, held.lease, sure)
                await Lane(line).run(told)
            except LeaseLost as error:
                bound.warning("lane ended", **error.as_json())
                return
            except CornicenError as error:
                bound.warning("lane failed", **error.as_json())
            except Exception:  # noqa: BLE001 - the worker's edge: one connection's fault must not end the others
                bound.exception("lane failed")
            failures = 0 if asyncio.get_running_loop().time() - started > 60 else failures + 1
            await _pause(told, backoff(failures))
    finally:
        losing.cancel()


async def _pass_on(happened: asyncio.Event, told: asyncio.Event) -> None:
    await happened.wait()
    told.set()


def _say(bound: structlog.typing.FilteringBoundLogger, event: str, **facts: object) -> None:
    bound.info(event, **facts)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


@contextlib.asynccontextmanager
async def _alone(path: Path, stop: asyncio.Event) -> AsyncIterator[tuple[str, str]]:
    """Hold the lock; a process that ends, however it ends, lets it go. Yields our name, new, and that of who held it before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    name, before = uuid4().hex, ""
    with path.open("a+") as lock:
        waiting = False
        while not stop.is_set():
            if _locked(lock):
                lock.seek(0)
                before = lock.read().strip()
                lock.truncate(0)
                lock.write(name)
                lock.flush()
                break
            if not waiting:
                log.warning("another courier of this home is running; waiting for it to end")
            waiting = True
            await _pause(stop, 0.2)
        yield name, before


def _locked(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
