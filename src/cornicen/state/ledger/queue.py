"""What waits, and what of it may go: the syncs of a connection, and their lanes by due time."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial

import sqlalchemy as sa

from cornicen.flows.records import SyncStatus
from cornicen.state import tables
from cornicen.state.prepared import Prepared, PreparedList
from cornicen.state.tables import Stand, member


@dataclass(frozen=True)
class Line:
    """One sync of a connection, as claiming and settling need it.

    Args:
        number: Its number.
        id: Its id.
        ready: Whether its rows may be claimed: active or retiring, not held, and its container exists or cannot be had.
        run: Whose requests and outcomes are counted: the last run that was not held.
        tick: That run's tick.
        name: What people call its container, as the destination was last told.
    """

    number: int
    id: str
    ready: bool
    run: int | None
    tick: int | None
    name: str = ""


@dataclass(frozen=True)
class Lane:
    """The waiting rows of one sync in one direction.

    Args:
        sync: The sync's number.
        want: In or out.
        due: When the first row's time comes.
    """

    sync: int
    want: bool
    due: int


def lines_of(db: sa.Connection, account: int) -> list[Line]:
    """A connection's syncs, but the retired ones."""
    found = []
    for number, id_, status, held, container, run, tick in _LINES.rows(db, account=account):
        known = json.loads(container) if isinstance(container, str) else container
        there = known.get("exists") is True or bool(known.get("words"))
        ready = there and not held and status in _GOING
        found.append(Line(number, id_, ready, run, tick, str(known.get("name") or "")))
    return found


def lanes(db: sa.Connection, lines: list[Line], *, beside: int | None = None) -> list[Lane]:
    """The lanes of the syncs that are ready, the longest due first; at the same time removals first.

    Args:
        db: In a transaction.
        lines: The connection's.
        beside: The connection's number, to leave out recipients that have a row in flight.
    """
    ready = [line.number for line in lines if line.ready]
    rows = _LANES.rows(db, ready) if beside is None else _LANES_BESIDE.rows(db, ready, account=beside)
    found = [Lane(sync, want, due) for sync, out, into in rows for want, due in ((False, out), (True, into)) if due is not None]
    return sorted(found, key=lambda lane: (lane.due, lane.want, lane.sync))


def waiting(db: sa.Connection, lane: Lane, now: int, most: int) -> list[int]:
    """Recipients of a lane whose time has come, the longest due first, at most so many."""
    return [number for (number,) in _DUE.rows(db, sync=lane.sync, want=lane.want, now=now, most=most)]


def flying(db: sa.Connection, account: int) -> set[int]:
    """Recipients of a connection that have a row in flight, whatever their syncs' status."""
    return {number for (number,) in _FLYING.rows(db, account=account)}


def next_due(db: sa.Connection, connection: str) -> int | None:
    """When the time of the next row comes that may be claimed; None: nothing waits so."""
    account = db.scalar(sa.select(tables.connection.c.number).where(tables.connection.c.id == connection))
    if account is None:
        return None
    return min((lane.due for lane in lanes(db, lines_of(db, account), beside=account)), default=None)


_GOING = {SyncStatus.ACTIVE, SyncStatus.RETIRING}


def _lines() -> sa.Executable:
    sync, sets, run = tables.sync, tables.sync_set, tables.run
    return (
        sa.select(sync.c.number, sync.c.id, sync.c.status, sync.c.held, sync.c.container, sets.c.run, run.c.tick)
        .select_from(sync)
        .outerjoin(sets, sets.c.sync == sync.c.number)
        .outerjoin(run, run.c.id == sets.c.run)
        .where(sync.c.connection == sa.bindparam("account"), sync.c.status != SyncStatus.RETIRED.value)
        .order_by(sync.c.number)
    )


def _lanes(numbers: list[sa.BindParameter[int]], *, beside: bool) -> sa.Executable:
    firsts = (_first_due(want, beside=beside).label(label) for want, label in ((False, "out"), (True, "into")))
    return sa.select(tables.sync.c.number, *firsts).where(tables.sync.c.number.in_(numbers))


def _first_due(want: bool, *, beside: bool) -> sa.ScalarSelect[int]:
    first = sa.select(member.c.due).where(
        member.c.sync == tables.sync.c.number, member.c.state == Stand.WAITING.value, member.c.want == want
    )
    if beside:
        other = member.alias()
        same = (other.c.connection == sa.bindparam("account"), other.c.recipient == member.c.recipient)
        first = first.where(~sa.exists().where(*same, other.c.state == Stand.FLIGHT.value))
    return first.order_by(member.c.due, member.c.recipient).limit(1).correlate(tables.sync).scalar_subquery()


def _due() -> sa.Executable:
    lane = (member.c.sync == sa.bindparam("sync"), member.c.want == sa.bindparam("want"))
    return (
        sa.select(member.c.recipient)
        .where(*lane, member.c.state == Stand.WAITING.value, member.c.due <= sa.bindparam("now"))
        .order_by(member.c.due, member.c.recipient)
        .limit(sa.bindparam("most"))
    )


def _flying() -> sa.Executable:
    syncs = sa.select(tables.sync.c.number).where(tables.sync.c.connection == sa.bindparam("account"))
    return sa.select(member.c.recipient).where(member.c.sync.in_(syncs), member.c.state == Stand.FLIGHT.value)


_LINES, _DUE, _FLYING = Prepared(_lines()), Prepared(_due()), Prepared(_flying())
_LANES = PreparedList(partial(_lanes, beside=False))
_LANES_BESIDE = PreparedList(partial(_lanes, beside=True))
