"""The end of a run, of a courier, and of a sync."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from pyroaring import BitMap

from cornicen.flows.records import Run, RunStatus, SyncStatus
from cornicen.state import tables
from cornicen.state.database import AnyRow
from cornicen.state.ledger.sets import DOUBT, FLIGHT, LATER, REFUSED, SETTLED, Sets, keep_sets, read_sets
from cornicen.state.runs import end_ticks, read_runs
from cornicen.state.tables import Stand, member


def recover(db: sa.Connection, account: int, longest: int, alive: int = 0) -> int:
    """Whatever is in flight was lost with its courier: it is uncertain, and quiet until it cannot take effect any more.

    Args:
        db: In a writing transaction.
        account: The connection's number.
        longest: Microseconds after which an unanswered request cannot take effect any more.
        alive: Until when the courier may have sent what it had claimed, microseconds; it may have been slow.

    Returns:
        How many rows.
    """
    syncs = sa.select(tables.sync.c.number).where(tables.sync.c.connection == account)
    left = sa.case((member.c.sent_at > alive, member.c.sent_at), else_=sa.literal(alive, sa.BigInteger()))
    quiet = left + longest
    lost = sa.update(member).where(member.c.sync.in_(syncs), member.c.state == Stand.FLIGHT)
    due = sa.case((member.c.due > quiet, member.c.due), else_=quiet)
    return int(db.execute(lost.values(state=Stand.WAITING.value, doubt=sa.true(), due=due)).rowcount)


def ending(db: sa.Connection, connection: str) -> Sequence[AnyRow]:
    """The runs of a connection that end now: ``(sync, run, status)``, the status each gets."""
    sync, run, sets = tables.sync, tables.run, tables.sync_set
    waits = sa.exists().where(member.c.sync == sync.c.number, member.c.state == Stand.WAITING)
    flies = sa.exists().where(member.c.sync == sync.c.number, member.c.state == Stand.FLIGHT)
    stopped = sync.c.status == SyncStatus.STOPPED
    status = sa.case((waits, RunStatus.STOPPED.value), else_=RunStatus.DONE.value)
    open_ = run.c.status == RunStatus.DELIVERING
    chosen = (
        sa.select(
            sync.c.number.label("sync"),
            run.c.id.label("run"),
            status.label("status"),
            sync.c.container,
            sync.c.status.label("stands"),
        )
        .join(sets, sets.c.sync == sync.c.number)
        .join(run, run.c.id == sets.c.run)
        .join(tables.connection, tables.connection.c.id == connection)
        .where(sync.c.connection == tables.connection.c.number, ~flies)
        .where(sa.or_(sa.and_(~waits, run.c.status.in_((RunStatus.DELIVERING, RunStatus.STOPPED))), sa.and_(open_, stopped)))
    )
    return [row for row in db.execute(chosen) if row.stands != SyncStatus.ACTIVE or _contained(row.container)]


def _contained(container: Mapping[str, object]) -> bool:
    """Whether the destination has answered for the container: a run of an empty cohort ends with its segment made, too."""
    return container.get("exists") is True or bool(container.get("words"))


def finish(db: sa.Connection, connection: str, now: int) -> list[Run]:
    """End these runs: what was acknowledged goes into the bitmap, and rows with nothing open go.

    Args:
        db: In a writing transaction.
        connection: The connection's id.
        now: Microseconds.

    Returns:
        The runs, as they ended.
    """
    ended = ending(db, connection)
    for row in ended:
        _fold(db, row.sync, now)
        db.execute(sa.update(tables.run).where(tables.run.c.id == row.run).values(status=row.status))
    runs = read_runs(db, tables.run.c.id.in_([row.run for row in ended])) if ended else []
    if runs:
        end_ticks(db, tables.tick.c.id.in_({run.tick for run in runs}), now)
    return runs


def _fold(db: sa.Connection, sync: int, now: int) -> None:
    sets = read_sets(db, sync, now)
    gone = _closed(sets)
    if sets.run is None or (not gone and sets.folded == sets.acknowledged):
        return
    db.execute(
        sa.delete(member).where(
            member.c.sync == sync,
            member.c.state == Stand.SETTLED,
            ~member.c.doubt,
            member.c.want == member.c.acknowledged,
            member.c.due <= now,
            sa.or_(member.c.reason == "", member.c.refused_until <= now),
        )
    )
    keep_sets(db, sync, sets.run, sets.desired, sets.acknowledged, sets.open - gone)


def _closed(sets: Sets) -> BitMap:
    """Recipients whose row says nothing that the bitmaps will not: what the statement in `_fold` deletes."""
    settled = sets.rows(SETTLED) - sets.rows(FLIGHT, DOUBT, REFUSED, LATER)
    return settled - (sets.desired ^ sets.acknowledged)


def forget(db: sa.Connection, id: str) -> None:  # noqa: A002 - the field's own name
    """Drop a sync's rows and sets; its runs stay."""
    sync = sa.select(tables.sync.c.number).where(tables.sync.c.id == id).scalar_subquery()
    db.execute(sa.delete(member).where(member.c.sync == sync))
    db.execute(sa.delete(tables.sync_set).where(tables.sync_set.c.sync == sync))
