"""Ticks and runs."""

from __future__ import annotations

import sqlalchemy as sa

from cornicen.flows.records import Run, RunStatus, Tick, Timing
from cornicen.state import delays, tables
from cornicen.state.database import AnyRow, Database
from cornicen.state.syncs import number_of


class Runs:
    """`cornicen.flows.ports.Runs` in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open_tick(self, tick: Tick) -> Tick:
        """Keep a new tick; returns it with its id. Twice: two ticks."""
        values = {name: value for name, value in vars(tick).items() if name != "id"}
        with self._database.write() as db:
            row = db.execute(sa.insert(tables.tick).values(values).returning(tables.tick)).one()
        return _tick(row)

    def ticks(self, project: str, limit: int = 20) -> list[Tick]:
        """Newest first."""
        chosen = sa.select(tables.tick).where(tables.tick.c.project == project).order_by(tables.tick.c.id.desc()).limit(limit)
        with self._database.read() as db:
            return [_tick(row) for row in db.execute(chosen)]

    def of_tick(self, tick: int) -> list[Run]:
        """In the order they were decided."""
        with self._database.read() as db:
            return read_runs(db, tables.run.c.tick == tick)

    def of_sync(self, sync: str, limit: int = 20) -> list[Run]:
        """Newest first. Raises: NotFound."""
        with self._database.read() as db:
            return read_runs(db, tables.run.c.sync == number_of(db, sync), newest=limit)

    def totals(self, project: str) -> tuple[dict[RunStatus, int], int]:
        """How many runs there are by status, and how many requests were sent on behalf of all ticks."""
        run, tick, mine = tables.run, tables.tick, tables.tick.c.project == project
        counted = sa.select(run.c.status, sa.func.count()).join(tick, tick.c.id == run.c.tick).where(mine)
        sent = sa.select(sa.func.coalesce(sa.func.sum(tick.c.requests), 0)).where(mine)
        with self._database.read() as db:
            runs = {RunStatus(status): count for status, count in db.execute(counted.group_by(run.c.status))}
            return runs, int(db.scalar(sent) or 0)

    def timing(self, sync: str) -> Timing | None:
        """Of the newest run of which a change was acknowledged; None: there is none. Raises: NotFound."""
        with self._database.read() as db:
            return delays.timing(db, number_of(db, sync))

    def count_request(self, tick: int | None, sync: str | None = None) -> None:
        """Count a request that carries no member (a segment's) on a tick.

        Args:
            tick: None: the newest, of the sync's project where a sync is named.
            sync: The sync whose segment it is about.

        Twice: counts twice.
        """
        newest = sa.select(sa.func.max(tables.tick.c.id))
        if sync is not None:
            project = sa.select(tables.sync.c.project).where(tables.sync.c.id == sync).scalar_subquery()
            newest = newest.where(tables.tick.c.project == project)
        which = newest.scalar_subquery() if tick is None else tick
        with self._database.write() as db:
            db.execute(sa.update(tables.tick).where(tables.tick.c.id == which).values(requests=tables.tick.c.requests + 1))


def read_runs(db: sa.Connection, chosen: sa.ColumnElement[bool], newest: int | None = None) -> list[Run]:
    """Runs in the order of their ids, or the newest so many, newest first."""
    run, sync = tables.run, tables.sync
    statement = sa.select(run, sync.c.id.label("of")).join(sync, sync.c.number == run.c.sync).where(chosen)
    ordered = statement.order_by(run.c.id) if newest is None else statement.order_by(run.c.id.desc()).limit(newest)
    return [_run(row) for row in db.execute(ordered)]


def keep_run(db: sa.Connection, run: Run, sync: int) -> int:
    """Keep a new run; returns its id."""
    values = {**vars(run), "sync": sync, "others": dict(run.others)}
    del values["id"]
    return int(db.execute(sa.insert(tables.run).values(values).returning(tables.run.c.id)).scalar_one())


def end_ticks(db: sa.Connection, ended: sa.ColumnElement[bool], now: int) -> None:
    """Of some ticks, end those of which no run is delivering any more."""
    delivering = sa.exists().where(tables.run.c.tick == tables.tick.c.id, tables.run.c.status == RunStatus.DELIVERING)
    db.execute(sa.update(tables.tick).where(ended, tables.tick.c.ended.is_(None), ~delivering).values(ended=now))


def _tick(row: AnyRow) -> Tick:
    return Tick(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name


def _run(row: AnyRow) -> Run:
    found = {name: value for name, value in row._mapping.items() if name != "of"}  # noqa: SLF001 - SQLAlchemy's public name
    return Run(**found | {"sync": row.of, "status": RunStatus(row.status)})
