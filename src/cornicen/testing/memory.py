"""`MemoryState`: what was decided, in dictionaries, as far as delivering needs it; for tests of flows and destinations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import pyarrow as pa
from pyroaring import BitMap

from cornicen.errors import NotFound
from cornicen.flows.ports import (
    Beat,
    Cohorts,
    Connections,
    Lease,
    Leases,
    Ledger,
    Notices,
    Places,
    Projects,
    Recipients,
    Runs,
    Syncs,
)
from cornicen.flows.records import Cohort, Connection, Place, Project, Run, RunStatus, Sync, SyncStatus, Tick, Timing
from cornicen.testing.ledger import MemoryLedger
from cornicen.testing.notices import MemoryNotices


class MemoryState:
    """The `State` of `flows.ports`; standings are left to the real one."""

    def __init__(self) -> None:
        runs = MemoryRuns()
        self.projects: Projects = MemoryProjects()
        self.connections: Connections = MemoryConnections()
        self.cohorts: Cohorts = MemoryCohorts()
        self.syncs: Syncs = MemorySyncs()
        self.runs: Runs = runs
        self.recipients: Recipients = MemoryRecipients()
        self.places: Places = MemoryPlaces(self.recipients)
        leases = MemoryLeases()
        self.leases: Leases = leases
        self.ledger: Ledger = MemoryLedger(self.projects, self.syncs, runs, self.recipients, leases.holds)
        self.notices: Notices = MemoryNotices()

    def close(self) -> None:
        """Nothing is open."""


class MemoryLeases:
    """Leases whose time never runs out."""

    def __init__(self) -> None:
        self._all: dict[str, Lease] = {}
        self._terms: dict[str, int] = {}
        self._couriers: set[str] = set()

    def take(self, connection: str, holder: str, seconds: float, dead: str = "") -> Lease | None:
        there = self._all.get(connection)
        if there is not None and there.holder not in {holder, dead}:
            return None
        self._terms[connection] = self._terms.get(connection, 0) + 1
        self._all[connection] = Lease(connection, holder, self._terms[connection])
        return self._all[connection]

    def beat(self, holder: str, seconds: float) -> Beat:
        self._couriers.add(holder)
        terms = {id_: lease.term for id_, lease in list(self._all.items()) if lease.holder == holder}
        return Beat(terms, len(self._couriers))

    def release(self, lease: Lease) -> None:
        if self.holds(lease):
            del self._all[lease.connection]

    def leave(self, holder: str) -> None:
        self._couriers.discard(holder)

    def holds(self, lease: Lease) -> bool:
        """Whether the lease is its holder's still."""
        return self._all.get(lease.connection) == lease


class MemoryProjects:
    """Projects."""

    def __init__(self) -> None:
        self._all: dict[str, Project] = {}
        self._accounts: dict[tuple[str, str], str] = {}

    def all(self) -> list[Project]:
        return list(self._all.values())

    def get(self, name_or_id: str) -> Project:
        for project in self._all.values():
            if name_or_id in {project.id, project.name}:
                return project
        raise NotFound(f"There is no project {name_or_id}.")

    def add(self, project: Project) -> None:
        self._all[project.id] = project

    def by_token(self, token: str) -> Project | None:
        return next((project for project in self._all.values() if project.token == token), None)

    def by_secret(self, secret: str, token: str = "") -> Project | None:
        owners = [self._all[owner] for (_, known), owner in self._accounts.items() if known == secret]
        return next((project for project in owners if token in {"", project.token}), None)

    def add_account(self, project: str, username: str, secret: str) -> None:
        self._accounts[username, secret] = project

    def by_account(self, username: str, secret: str) -> Project | None:
        return self._all.get(self._accounts.get((username, secret), ""))


class MemoryConnections:
    """Connections."""

    def __init__(self) -> None:
        self._all: dict[str, Connection] = {}

    def all(self, project: str) -> list[Connection]:
        return [connection for connection in self._all.values() if connection.project == project]

    def get(self, project: str, slug_or_id: str) -> Connection:
        for connection in self.all(project):
            if slug_or_id in {connection.id, connection.slug}:
                return connection
        raise NotFound(f"There is no connection {slug_or_id}.")

    def put(self, connection: Connection) -> None:
        self._all[connection.id] = connection

    def remove(self, id: str) -> None:  # noqa: A002 - the field's own name
        self._all.pop(id, None)


class MemoryCohorts:
    """Cohorts."""

    def __init__(self) -> None:
        self._all: dict[tuple[str, str], Cohort] = {}

    def all(self, project: str) -> list[Cohort]:
        return [cohort for cohort in self._all.values() if cohort.project == project]

    def get(self, project: str, slug: str) -> Cohort:
        if (project, slug) not in self._all:
            raise NotFound(f"There is no cohort {slug}.")
        return self._all[project, slug]

    def put(self, cohort: Cohort) -> None:
        self._all[cohort.project, cohort.slug] = cohort

    def remove(self, project: str, slug: str) -> None:
        self._all.pop((project, slug), None)


class MemorySyncs:
    """Syncs."""

    def __init__(self) -> None:
        self._all: dict[str, Sync] = {}

    def all(self, project: str, *, retired: bool = False) -> list[Sync]:
        return [s for s in self._all.values() if s.project == project and (retired or s.status is not SyncStatus.RETIRED)]

    def get(self, id: str) -> Sync:  # noqa: A002 - the field's own name
        if id not in self._all:
            raise NotFound(f"There is no sync {id}.")
        return self._all[id]

    def put(self, sync: Sync) -> None:
        self._all[sync.id] = sync

    def change(self, id: str, **fields: object) -> None:  # noqa: A002 - the field's own name
        self._all[id] = replace(self.get(id), **fields)  # type: ignore[arg-type] # named by the caller, as in the port


class MemoryRuns:
    """Ticks and runs."""

    def __init__(self) -> None:
        self.kept: dict[int, Run] = {}
        self._ticks: dict[int, Tick] = {}

    def open_tick(self, tick: Tick) -> Tick:
        kept = replace(tick, id=len(self._ticks) + 1)
        self._ticks[kept.id] = kept
        return kept

    def ticks(self, project: str, limit: int = 20) -> list[Tick]:
        return sorted((t for t in self._ticks.values() if t.project == project), key=lambda t: -t.id)[:limit]

    def of_tick(self, tick: int) -> list[Run]:
        return [run for run in self.kept.values() if run.tick == tick]

    def of_sync(self, sync: str, limit: int = 20) -> list[Run]:
        return sorted((run for run in self.kept.values() if run.sync == sync), key=lambda run: -run.id)[:limit]

    def totals(self, project: str) -> tuple[Mapping[RunStatus, int], int]:
        ticks = {tick.id: tick.requests for tick in self._ticks.values() if tick.project == project}
        return Counter(run.status for run in self.kept.values() if run.tick in ticks), sum(ticks.values())

    def timing(self, sync: str) -> Timing | None:
        """Left to the real one."""
        return None

    def count_request(self, tick: int | None, sync: str | None = None) -> None:
        chosen = max(self._ticks, default=None) if tick is None else tick
        if chosen is not None:
            self._ticks[chosen] = replace(self._ticks[chosen], requests=self._ticks[chosen].requests + 1)

    def keep(self, run: Run) -> Run:
        """Keep a run, a new one under a new number."""
        kept = run if run.id else replace(run, id=len(self.kept) + 1)
        self.kept[kept.id] = kept
        return kept


class MemoryRecipients:
    """Recipients, numbered per connection."""

    def __init__(self) -> None:
        self._numbers: dict[str, dict[str, int]] = {}

    def number(self, connection: str, identifiers: pa.StringArray) -> pa.UInt32Array:
        known = self._numbers.setdefault(connection, {})
        return pa.array([known.setdefault(str(name), len(known)) for name in identifiers.to_pylist()], pa.uint32())

    def all(self, connection: str) -> Iterator[pa.Table]:
        known = self._numbers.get(connection, {})
        yield pa.table({"identifier": pa.array(known, pa.string()), "number": pa.array(known.values(), pa.uint32())})

    def identifiers(self, connection: str, numbers: Iterable[int]) -> dict[int, str]:
        names = {number: name for name, number in self._numbers.get(connection, {}).items()}
        return {number: names[number] for number in numbers}


class MemoryPlaces:
    """What was learnt about recipients."""

    def __init__(self, recipients: Recipients) -> None:
        self._recipients = recipients
        self._all: dict[tuple[str, str], Place] = {}

    def get(self, connection: str, identifier: str) -> Place | None:
        return self._all.get((connection, identifier))

    def put(self, connection: str, identifier: str, place: Place | None) -> None:
        if place is None:
            self._all.pop((connection, identifier), None)
        else:
            self._all[connection, identifier] = place

    def found(self, connection: str) -> BitMap:
        names = [name for (whose, name), place in self._all.items() if whose == connection and place.user]
        return BitMap(self._recipients.number(connection, pa.array(names, pa.string())).to_numpy().tolist())
