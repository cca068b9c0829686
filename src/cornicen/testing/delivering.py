"""A connection, its syncs and its lane in one process: what a tick decides and what a courier delivers, step by step."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import Protocol

import pyarrow as pa
from pyroaring import BitMap

from cornicen.flows.ports import Clock, Decision, Destination, Facts, Sender, State
from cornicen.flows.records import Cohort, Connection, Project, Run, RunStatus, Sync, SyncStatus, Tick
from cornicen.flows.schedule import RETIRING
from cornicen.flows.syncs.deliver import Lane
from cornicen.flows.syncs.line import Line
from cornicen.testing.clock import HurriedClock
from cornicen.testing.faults import Fault, FaultySender

PROJECT = "0" * 32
CONNECTION = "c" * 32
MANY = 200


class Stage(Protocol):
    """A destination and the server behind it, whose own state is the judge."""

    destination: Destination

    def sender(self) -> AbstractAsyncContextManager[Sender]:
        """Reaches the server; used within one event loop."""

    def know(self, identifiers: Iterable[str]) -> None:
        """From now on the server knows these recipients."""

    def members(self, sync: str) -> set[str]:
        """Whom the server holds to be in the sync's container, were there one."""

    def contained(self, sync: str) -> bool:
        """Whether the container is there."""


@dataclass
class Delivering:
    """Drives one connection.

    Args:
        stage: The destination.
        state: What was decided; empty.
        clock: Turned by `pass_time` and `settle`.
    """

    stage: Stage
    state: State
    clock: HurriedClock = field(default_factory=HurriedClock)
    said: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state.projects.add(Project(PROJECT, "shop", "token"))
        self.connection = Connection(CONNECTION, PROJECT, "app", "vendor")
        self.state.connections.put(self.connection)

    def sync(self, number: int = 1, name: str = "Big spenders") -> str:
        """A new sync of a new cohort; its id."""
        sync = f"{number:032x}"
        self.state.cohorts.put(Cohort(PROJECT, f"cohort-{number}", name, {}))
        self.state.syncs.put(Sync(sync, PROJECT, f"cohort-{number}", CONNECTION))
        return sync

    def want(self, wanted: Mapping[str, Collection[str]]) -> list[Run]:
        """A tick that wants exactly these identifiers in these syncs."""
        now = self.clock.now()
        tick = self.state.runs.open_tick(Tick(0, PROJECT, now, now))
        decisions = []
        for id_, identifiers in wanted.items():
            numbers = self.state.recipients.number(CONNECTION, pa.array(sorted(set(identifiers)), pa.string()))
            desired = BitMap(numbers.to_numpy().tolist())
            sync = replace(self.state.syncs.get(id_), last_as_of=now, evaluated="as written")
            run = Run(0, tick.id, id_, RunStatus.DELIVERING, size=len(desired))
            decisions.append(Decision(run, sync, desired, now // 1_000_000))
        return self.state.ledger.decide(tick, decisions, now)

    def rename(self, sync: str, name: str) -> None:
        """The sync's cohort gets another name."""
        slug = self.state.syncs.get(sync).cohort
        self.state.cohorts.put(replace(self.state.cohorts.get(PROJECT, slug), name=name))

    def retire(self, sync: str) -> None:
        """The sync is to be cleared away, and a tick has seen it."""
        self.state.syncs.change(sync, status=SyncStatus.RETIRING)
        self.want({sync: ()})
        self.state.syncs.change(sync, evaluated=RETIRING)

    def deliver(self, *faults: Fault, late: bool = True) -> list[str]:
        """Deliver what can be delivered at this moment, the first requests suffering these faults.

        Args:
            faults: In the order of sending.
            late: Whether requests that are late arrive afterwards.

        Returns:
            ``METHOD url`` of every request that left, in order.
        """
        return asyncio.run(self._deliver(faults, late=late))

    def settle(self, *faults: Fault) -> list[str]:
        """Deliver, letting time pass until nothing waits that is not refused for an hour or more."""
        sent = self.deliver(*faults)
        for _ in range(MANY):
            due = self.state.ledger.due(CONNECTION)
            if due is not None and due <= self.clock.now() + 3_000_000_000:
                # A row may wait for another of its recipient, whose time is later.
                self.pass_time(max((due - self.clock.now()) / 1_000_000, 1.0))
            elif self._containers_wait():
                self.pass_time(60)
            else:
                return sent
            sent += self.deliver()
        raise AssertionError("there is always something left to say")

    def pass_time(self, seconds: float) -> None:
        """Let so many seconds pass."""
        self.clock.advance(seconds)

    def _containers_wait(self) -> bool:
        syncs = self.state.syncs.all(PROJECT)
        moving = [sync for sync in syncs if sync.status is SyncStatus.ACTIVE and sync.last_as_of is not None]
        made = all(sync.container.get("exists") or sync.container.get("words") for sync in moving)
        return not made or any(sync.status is SyncStatus.RETIRING for sync in syncs)

    def facts(self, sync: str) -> Facts:
        """What is known of one sync's recipients."""
        return self.state.ledger.facts(sync, self.clock.now())

    def line(self, sender: Sender, clock: Clock | None = None) -> Line:
        """The line that a lane would use."""
        return Line(self.state, self.connection, self.stage.destination, sender, clock or self.clock, self._say)

    async def _deliver(self, faults: Iterable[Fault], *, late: bool) -> list[str]:
        async with self.stage.sender() as inner:
            sender = FaultySender(inner)
            sender.faults.extend(faults)
            await Lane(self.line(sender)).drain()
            if late:
                await sender.flush()
        return [f"{request.method} {request.url}" for request in sender.sent]

    def _say(self, event: str, **facts: object) -> None:
        self.said.append((event, facts))
