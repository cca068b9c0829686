"""Writes what a comparison said."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import replace

from cornicen.flows.ports import State
from cornicen.flows.projects.changes import Change, Kind
from cornicen.flows.records import Cohort, Connection, Project, Sync, SyncStatus
from cornicen.flows.schedule import next_at


def apply(state: State, project: Project, changes: Iterable[Change], now: int) -> None:
    """Do what `compare` said, in an order that leaves nothing dangling if it is cut short.

    Args:
        state: Where.
        project: Whose.
        changes: As compared with what is stored now.
        now: Microseconds; a sync whose cadence changed is due from here on.

    Twice: comparing again finds everything unchanged, so there is nothing to do.
    """
    ordered = list(changes)
    for change in ordered:
        if change.kind in {Kind.ADD, Kind.CHANGE}:
            _keep(state, project, change, now)
    for change in reversed(ordered):  # syncs, then cohorts, then connections
        if change.kind is Kind.REMOVE:
            _remove(state, project, change)


def _keep(state: State, project: Project, change: Change, now: int) -> None:
    match change.after:
        case Connection() as connection:
            state.connections.put(replace(connection, id=connection.id or uuid.uuid4().hex))
        case Cohort() as cohort:
            state.cohorts.put(cohort)
        case Sync() as sync if isinstance(change.before, Sync):
            changed: dict[str, object] = {"managed": sync.managed, "guard": sync.guard}
            if sync.cadence is not change.before.cadence:
                changed |= {"cadence": sync.cadence, "next_at": next_at(sync.cadence, now, project.zone)}
            state.syncs.change(sync.id, **changed)
        case Sync() as sync:
            connection = state.connections.get(project.id, sync.connection)
            state.syncs.put(replace(sync, id=uuid.uuid4().hex, connection=connection.id))
        case None:
            pass


def _remove(state: State, project: Project, change: Change) -> None:
    match change.before:
        case Sync(id=sync):
            state.syncs.change(sync, status=SyncStatus.RETIRING)
        case Cohort(slug=slug):
            state.cohorts.remove(project.id, slug)
        case Connection(id=connection):
            state.connections.remove(connection)
        case None:
            pass
