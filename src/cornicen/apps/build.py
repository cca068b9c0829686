"""Puts a house together from a home's settings: the only module that introduces adapters to flows.

Everything heavy is imported where it is made, so that the command line starts fast.
"""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache, partial
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from cornicen.apps.clock import clock_of
from cornicen.errors import BadSetting, NotRunning

if TYPE_CHECKING:
    from cornicen.apps.courier import Wiring as CourierWiring
    from cornicen.apps.home import Home
    from cornicen.apps.http.app import Wiring as DoorWiring
    from cornicen.apps.keeper.server import Keeper
    from cornicen.cohorts.operator import Operator
    from cornicen.flows.ports import Clock, Destination, Engine, Form, GivenReader, State
    from cornicen.flows.records import Connection, Project
    from cornicen.flows.vendors import Manifest, Paces
    from cornicen.warehouse.spool import DoorSpool
    from cornicen.warehouse.warehouse import DuckDBWarehouse
    from cornicen.wire.client import HttpSender

DOOR = "door-1"
"""The name of `cornicen up`'s first door in every spool."""

ENGINE = "duckdb"
"""Where cohorts over our own warehouse are asked."""


def clock(home: Home) -> Clock:
    """The home's clock."""
    return clock_of(home.settings.clock)


def state(home: Home) -> State:
    """What was decided at a home; its database is made, or brought up to date, when it must be.

    Raises:
        BadSetting: The home's key cannot be read, or its setting `database` leads nowhere.
        Unavailable: The database does not answer.
    """
    from cornicen.state.opening import open_state

    return open_state(home.state_database(os.environ), home.key)


@cache
def operators() -> Mapping[str, Operator]:
    """The words of the cohort language: our folders, and the entry points of the group ``cornicen.operators``."""
    from cornicen.cohorts.operators import found

    return found(point.load() for point in entry_points(group="cornicen.operators"))


@cache
def manifests() -> Mapping[str, Manifest]:
    """Every vendor: our folders, and the entry points of the group ``cornicen.integrations``."""
    from cornicen.integrations import found

    return found()


def manifest(vendor: str) -> Manifest:
    """One vendor's manifest. Raises: BadSetting where there is none."""
    if vendor not in manifests():
        raise BadSetting(f"There is no integration called {vendor!r}.", f"Use one of: {', '.join(sorted(manifests()))}.")
    return manifests()[vendor]


def destination(connection: Connection) -> Destination:
    """A connection's destination.

    Raises:
        BadSetting: Its settings are wrong, or nothing can be delivered to that vendor.
    """
    make = manifest(connection.vendor).destination
    if make is None:
        raise BadSetting(f"Nothing can be delivered to {connection.vendor}.", "Choose a messaging vendor.")
    return make(connection.settings, connection.secrets)


def form(connection: Connection) -> Form:
    """How a connection keeps its identifiers. Raises: BadSetting."""
    from cornicen.flows.ports.events import ANY_FORM

    of = manifest(connection.vendor).form
    return ANY_FORM if of is None else of(connection.settings)


def sender() -> HttpSender:
    """Sends requests; an asynchronous context manager of one event loop."""
    from cornicen.wire.client import HttpSender

    return HttpSender()


def lists() -> GivenReader:
    """Reads given lists."""
    from cornicen.warehouse.lists import ListReader

    return ListReader()


def spool(home: Home, project: str, door: str = DOOR) -> DoorSpool:
    """Where a door puts what it takes for a project."""
    from cornicen.warehouse.spool import DoorSpool
    from cornicen.warehouse.warehouse import spool_folder

    return DoorSpool(spool_folder(home.project_folder(project)), door, clock(home).now, home.settings.spool_bytes)


def warehouse(home: Home, project: Project) -> DuckDBWarehouse:
    """A project's events. Raises: Unavailable where another process has them open."""
    from cornicen.warehouse.warehouse import DuckDBWarehouse

    settings = home.settings
    return DuckDBWarehouse(
        home.project_folder(project.id),
        project.zone,
        identity=project.identity,
        memory=settings.keeper_memory,
        key_memory=settings.key_memory,
        retention_days=settings.retention_days,
        read_ahead=True,
    )


def engine(opened: DuckDBWarehouse, before: int | None) -> Engine:
    """The engine over an open warehouse, or over what it had loaded up to a sequence number."""
    from cornicen.engines import declared
    from cornicen.flows.engines import OverTables

    chosen = declared()[ENGINE]
    if not isinstance(chosen, OverTables):
        raise BadSetting(f"The engine {chosen.name} does not ask a database.", "Choose another.")
    return chosen.make(opened.cursor(), opened.tables(before))


def keeper(home: Home, project: str) -> Keeper:
    """The keeper of one project. Raises: NotFound, Unavailable."""
    from cornicen.apps.keeper.questions import Keeping
    from cornicen.apps.keeper.server import Keeper
    from cornicen.flows.syncs.propose import Desk

    decided = state(home)
    whose = decided.projects.get(project)
    opened = warehouse(home, whose)
    days = home.settings.audit_days
    audits = home.audits_folder if days else None
    desk = Desk(whose, decided, opened, partial(engine, opened), lists(), operators(), form, audits)
    keeping = Keeping(desk, clock(home), destination, days)
    return Keeper(keeping, home.socket(project), schedule=home.settings.schedule)


def courier(home: Home) -> CourierWiring:
    """What the courier of a home is made of. Raises: BadSetting, Unavailable."""
    from cornicen.apps.courier import Wiring
    from cornicen.apps.courier.channels import channels

    sends = sender()
    lock, tells = home.run_folder / "courier.lock", channels(home, sends, os.environ)
    return Wiring(state(home), sends, clock(home), _deliverable, lock, sends.close, tells)


def _deliverable(connection: Connection) -> Destination | None:
    return destination(connection) if manifest(connection.vendor).destination is not None else None


def door(home: Home, address: str, name: str = DOOR) -> DoorWiring:
    """What a door of a home is made of; senders reach it at the address. Raises: BadSetting, Unavailable."""
    from cornicen.apps.http.app import Wiring
    from cornicen.apps.keeper.client import ask_soon
    from cornicen.flows.events.pace import Paced
    from cornicen.flows.events.receive import Receiver
    from cornicen.flows.events.strangers import Strangers
    from cornicen.flows.events.taken import Taken

    decided, time = state(home), clock(home)
    spools: dict[str, DoorSpool] = {}
    paces: defaultdict[str, Paces] = defaultdict(Paced)

    def spool_of(project: str) -> DoorSpool:
        if project not in spools:
            spools[project] = spool(home, project, name)
        return spools[project]

    def close() -> None:
        for opened in spools.values():
            opened.close()

    async def keeper_of(project: str) -> dict[str, Any]:
        return await ask_soon(home, project, "status")

    def paces_of(project: str) -> Paces | None:
        return paces[project] if home.settings.throttle else None

    strangers, taken = Strangers(home.run_folder / f"strangers-{name}.json"), Taken(home.run_folder / f"taken-{name}.json")
    receiver = Receiver(decided.projects, spool_of, time, paces_of, strangers, taken)
    return Wiring(tuple(manifests().values()), receiver, decided, keeper_of, time, address, close)


async def answering(home: Home, addresses: Sequence[str], within: float, stop: asyncio.Event) -> bool:
    """Wait until the door at all its addresses and every keeper answer; False: not in so many seconds, or told to stop."""
    from cornicen.apps.keeper.client import ask_soon
    from cornicen.wire.http import Reply, Request

    end = asyncio.get_running_loop().time() + within
    projects = state(home).projects.all()
    async with sender() as sends:
        while not stop.is_set() and asyncio.get_running_loop().time() < end:
            replies = [await sends.send(Request("GET", f"{address}/health"), timeout=5) for address in addresses]
            try:
                for project in projects:
                    await ask_soon(home, project.id, "status")
                if all(isinstance(reply, Reply) and reply.status == 200 for reply in replies):
                    return True
            except NotRunning:
                pass
            await asyncio.sleep(0.05)
    return False
