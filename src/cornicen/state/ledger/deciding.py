"""Writes what a tick decided: in bitmaps which rows come, go and change, then those rows alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from pyroaring import BitMap

from cornicen.delivery.owed import owed
from cornicen.errors import NotFound
from cornicen.flows.ports import Decision
from cornicen.flows.records import Run, RunStatus, SyncStatus, Tick
from cornicen.state import tables
from cornicen.state.database import AnyRow
from cornicen.state.ledger.sets import DOUBT, FLIGHT, LATER, REFUSED, SETTLED, Sets, keep_sets, read_sets
from cornicen.state.prepared import Prepared
from cornicen.state.runs import end_ticks, keep_run, read_runs
from cornicen.state.tables import Stand, member

AT_ONCE = 20_000
"""Rows of one statement."""

_MOVED = ("last_as_of", "backdated", "last_load", "evaluated", "held", "released", "next_at")
_HELD = ("held", "next_at")  # what else a held decision carries it has only read, and somebody may have changed it since


def decide(db: sa.Connection, tick: Tick, decisions: Sequence[Decision], now: int) -> list[Run]:
    """Write a tick's decisions.

    Args:
        db: In a writing transaction.
        tick: As `Runs.open_tick` returned it.
        decisions: One a sync.
        now: Microseconds; which refusals have ended, and when new rows are due.

    Returns:
        The runs with their ids, in the order of the decisions. A sync that was retired meanwhile is left alone: its run is
        stopped.

    Raises:
        NotFound: A sync is missing.
    """
    there = _syncs(db, [decision.sync.id for decision in decisions])
    ids = [_decide(db, tick, there[decision.sync.id], decision, now) for decision in decisions]
    # This tick where all was held, earlier ones whose runs were all superseded, and those that a crash left without runs.
    end_ticks(db, sa.and_(tables.tick.c.project == tick.project, tables.tick.c.id <= tick.id), now)
    runs = {run.id: run for run in read_runs(db, tables.run.c.id.in_(ids))}
    return [runs[id_] for id_ in ids]


def _syncs(db: sa.Connection, ids: list[str]) -> dict[str, AnyRow]:
    """The syncs' numbers, their connections locked in one order so that two ticks cannot wait for each other."""
    sync, account = tables.sync, tables.connection
    chosen = sa.select(sync.c.id, sync.c.number, sync.c.connection, sync.c.status).where(sync.c.id.in_(ids))
    found = {row.id: row for row in db.execute(chosen)}
    if missing := [id_ for id_ in ids if id_ not in found]:
        raise NotFound(f"There is no sync with the id {missing[0]}.", "`cornicen sync list` shows those there are.")
    accounts = {row.connection for row in found.values()}
    db.execute(sa.select(account.c.number).where(account.c.number.in_(accounts)).order_by(account.c.number).with_for_update())
    return found


def _decide(db: sa.Connection, tick: Tick, sync: AnyRow, decision: Decision, now: int) -> int:
    run = replace(decision.run, tick=tick.id)
    if sync.status == SyncStatus.RETIRED:
        return keep_run(db, replace(run, status=RunStatus.STOPPED), sync.number)
    moved = {name: getattr(decision.sync, name) for name in (_HELD if decision.desired is None else _MOVED)}
    db.execute(sa.update(tables.sync).where(tables.sync.c.number == sync.number).values(moved))
    id_ = keep_run(db, run, sync.number)
    if decision.desired is not None:
        earlier = (tables.run.c.sync == sync.number, tables.run.c.status == RunStatus.DELIVERING, tables.run.c.id != id_)
        db.execute(sa.update(tables.run).where(*earlier).values(status=RunStatus.SUPERSEDED))
        sets = read_sets(db, sync.number, now)
        plan = _plan(sets, decision.desired)
        _Rows(db, sync.connection, sync.number).write(plan, decision.entered, now)
        keep_sets(
            db, sync.number, id_, decision.desired, sets.acknowledged, (sets.open - plan.gone) | plan.added | plan.removed
        )
    return id_


@dataclass(frozen=True)
class _Plan:
    """What becomes of a sync's rows; recipients of none of these keep their row as it is.

    Args:
        added: New rows: wanted, not acknowledged.
        removed: New rows: acknowledged, not wanted.
        gone: Rows with nothing open any more.
        turned_in: Rows that stay and become wanted.
        turned_out: Rows that stay and are not wanted any more.
        woken: Settled rows that are owed again.
        rested: Waiting rows that are not owed any more but stay.
    """

    added: BitMap
    removed: BitMap
    gone: BitMap
    turned_in: BitMap
    turned_out: BitMap
    woken: BitMap
    rested: BitMap


def _plan(sets: Sets, desired: BitMap) -> _Plan:
    """Rows in flight stay whatever is wanted, refusals until they end, and so do rows that keep their recipient quiet."""
    told = owed(desired, sets.acknowledged, sets.rows(FLIGHT, DOUBT), sets.rows(REFUSED))
    kept = sets.open & (told | sets.rows(FLIGHT, REFUSED, LATER))
    new, turned = told - sets.open, kept & (sets.desired ^ desired)
    return _Plan(
        added=new & desired,
        removed=new - desired,
        gone=sets.open - kept,
        turned_in=turned & desired,
        turned_out=turned - desired,
        woken=sets.rows(SETTLED) & told,
        rested=(sets.rows(without=FLIGHT | SETTLED) & kept) - told,
    )


class _Rows:
    """Writes one sync's rows in bulk."""

    def __init__(self, db: sa.Connection, connection: int, sync: int) -> None:
        self._db = db
        # Constants are written into the statements: one parameter less to bind for each of millions of rows.
        self._connection, self._sync = _constant(connection), _constant(sync)

    def write(self, plan: _Plan, entered: int, now: int) -> None:
        """Make the rows as planned."""
        self._each(sa.delete(member).where(self._this), plan.gone)
        self._update(plan.turned_in, want=sa.true(), entered=_constant(entered))
        self._update(plan.turned_out, want=sa.false(), entered=_constant(0))
        self._update(plan.woken, state=_constant(Stand.WAITING))
        self._update(plan.rested, state=_constant(Stand.SETTLED))
        self._insert(plan.added, want=True, entered=entered, now=now)
        self._insert(plan.removed, want=False, entered=0, now=now)

    @property
    def _this(self) -> sa.ColumnElement[bool]:
        here = (member.c.connection == self._connection, member.c.sync == self._sync)
        return sa.and_(*here, member.c.recipient == sa.bindparam("r"))

    def _update(self, recipients: BitMap, **values: sa.ColumnElement[Any]) -> None:
        self._each(sa.update(member).where(self._this).values(values), recipients)

    def _insert(self, recipients: BitMap, *, want: bool, entered: int, now: int) -> None:
        row = sa.insert(member).values(
            connection=self._connection,
            recipient=sa.bindparam("r"),
            sync=self._sync,
            want=sa.true() if want else sa.false(),
            entered=_constant(entered),
            acknowledged=sa.false() if want else sa.true(),
            due=_constant(now),
        )
        self._each(row, recipients)

    def _each(self, statement: sa.Executable, recipients: BitMap) -> None:
        prepared, numbers = Prepared(statement), recipients.to_array()
        for start in range(0, len(numbers), AT_ONCE):
            prepared.bulk(self._db, ("r",), [(number,) for number in numbers[start : start + AT_ONCE]])


def _constant(value: int) -> sa.ColumnElement[int]:
    return sa.literal_column(str(int(value)))
