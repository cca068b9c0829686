"""What people are told of syncs, and whether they were."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from cornicen.flows.ports.telling import Kind, Notice
from cornicen.state import tables
from cornicen.state.database import AnyRow, Database
from cornicen.state.tables import notice


class Notices:
    """`cornicen.flows.ports.telling.Notices` in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self) -> frozenset[tuple[str, str]]:
        """``(sync, channel)`` of which the newest notice is a violation."""
        chosen = _newest(tables.sync.c.id, notice.c.channel).where(notice.c.kind == Kind.VIOLATION.value)
        with self._database.read() as db:
            return frozenset((row.id, row.channel) for row in db.execute(chosen))

    def put(self, notices: Sequence[Notice]) -> None:
        """Keep these to be said. A sync that is not there is passed over. Twice: keeps them once."""
        if not notices:
            return
        sync, names = tables.sync, {one.sync for one in notices}
        with self._database.write() as db:
            locked = sa.select(sync.c.id, sync.c.number).where(sync.c.id.in_(names)).order_by(sync.c.number).with_for_update()
            numbers = {row.id: row.number for row in db.execute(locked)}
            found = db.execute(_newest(sync.c.id, notice.c.channel, notice.c.kind).where(sync.c.id.in_(names)))
            newest = {(row.id, row.channel): row.kind for row in found}
            for one in notices:
                before = newest.get((one.sync, one.channel), Kind.RECOVERY.value)
                if one.sync in numbers and before != one.kind.value:
                    db.execute(sa.insert(notice).values(_values(one, numbers[one.sync])))
                    newest[one.sync, one.channel] = one.kind.value

    def take(self, channel: str, now: int, until: int) -> Notice | None:
        """The oldest that is to be said now, nobody else's before ``until``; None: nothing is. Twice: the next."""
        earlier = notice.alias()
        waits = (earlier.c.sync == notice.c.sync, earlier.c.channel == channel, earlier.c.id < notice.c.id)
        chosen = (
            sa.select(notice, tables.sync.c.id.label("of"))
            .join(tables.sync, tables.sync.c.number == notice.c.sync)
            .where(notice.c.channel == channel, notice.c.due <= now)
            .where(~sa.exists().where(*waits, earlier.c.due.isnot(None)))
            .order_by(notice.c.id)
            .limit(1)
        )
        with self._database.read() as db:
            if db.execute(chosen).first() is None:
                return None
        with self._database.write() as db:
            row = db.execute(chosen.with_for_update(of=notice, skip_locked=True)).first()
            if row is None:
                return None
            db.execute(sa.update(notice).where(notice.c.id == row.id).values(due=until))
            return _notice(row)

    def said(self, notice: int, now: int) -> None:
        """It was said; earlier ones of its sync and channel go. Twice: the same."""
        with self._database.write() as db:
            this = tables.notice.c.id == notice
            row = db.execute(sa.select(tables.notice.c.sync, tables.notice.c.channel).where(this)).first()
            if row is not None:
                db.execute(sa.update(tables.notice).where(this).values(said_at=now, due=None))
                same = (tables.notice.c.sync == row.sync, tables.notice.c.channel == row.channel)
                db.execute(sa.delete(tables.notice).where(*same, tables.notice.c.id < notice))

    def put_off(self, notice: int, until: int | None) -> None:
        """It could not be said; it is tried again then. None: not any more. Twice: counts two attempts."""
        counted = {"due": until, "attempts": tables.notice.c.attempts + 1}
        with self._database.write() as db:
            db.execute(sa.update(tables.notice).where(tables.notice.c.id == notice).values(counted))


def _newest(*columns: sa.ColumnElement[str]) -> sa.Select[*tuple[str, ...]]:
    """Of the newest notice of each sync and channel."""
    last = sa.select(sa.func.max(notice.c.id).label("id")).group_by(notice.c.sync, notice.c.channel).subquery()
    joined = notice.join(last, last.c.id == notice.c.id).join(tables.sync, tables.sync.c.number == notice.c.sync)
    return sa.select(*columns).select_from(joined)


def _values(one: Notice, sync: int) -> dict[str, object]:
    kept = {name: getattr(one, name) for name in ("channel", "subject", "text", "made_at", "attempts")}
    return {**kept, "sync": sync, "kind": one.kind.value, "due": one.made_at}


def _notice(row: AnyRow) -> Notice:
    return Notice(row.id, row.of, row.channel, Kind(row.kind), row.subject, row.text, row.made_at, row.attempts)
