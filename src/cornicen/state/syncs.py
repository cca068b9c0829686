"""Syncs and where they stand."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import sqlalchemy as sa

from cornicen.errors import BadInput, NotFound
from cornicen.flows.records import Cadence, Guard, Sync, SyncStatus
from cornicen.state import tables
from cornicen.state.database import AnyRow, Database
from cornicen.state.prepared import Prepared

_CONFIGURED = ("cohort", "cadence", "guard", "managed")
"""What `put` replaces; the rest moves by itself and is `change`'s."""

_FIXED = {"id", "project", "connection"}
_FIELDS = {field.name for field in fields(Sync)}


class Syncs:
    """`cornicen.flows.ports.Syncs` in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, project: str, *, retired: bool = False) -> list[Sync]:
        """By cohort, then in the order they were made. Retired ones only when asked for."""
        chosen = _chosen().where(tables.sync.c.project == project).order_by(tables.sync.c.cohort, tables.sync.c.number)
        with self._database.read() as db:
            there = [_sync(row) for row in db.execute(chosen)]
        return [one for one in there if retired or one.status is not SyncStatus.RETIRED]

    def get(self, id: str) -> Sync:  # noqa: A002 - the field's own name
        """Raises: NotFound."""
        with self._database.read() as db:
            row = db.execute(_chosen().where(tables.sync.c.id == id)).first()
        if row is None:
            raise _missing(id)
        return _sync(row)

    def put(self, sync: Sync) -> None:
        """Add, or replace the one with its id; of that only cohort, cadence, guard and where it is managed.

        Raises:
            BadInput: It would move to another connection or project.
            NotFound: Its connection is missing.

        Twice: the same.
        """
        with self._database.write() as db:
            found = db.execute(_chosen().where(tables.sync.c.id == sync.id)).first()
            if found is None:
                db.execute(sa.insert(tables.sync).values(_values(vars(sync)) | {"connection": account_of(db, sync.connection)}))
                return
            there = _sync(found)
            if (there.connection, there.project) != (sync.connection, sync.project):
                raise BadInput("A sync stays with its project and connection.", "Make a new one, and retire this one.")
            configured = {name: getattr(sync, name) for name in _CONFIGURED}
            db.execute(sa.update(tables.sync).where(tables.sync.c.id == sync.id).values(_values(configured)))

    def change(self, id: str, **fields: object) -> None:  # noqa: A002 - the field's own name
        """Set some fields of one sync, and nothing else of it.

        Raises:
            NotFound: There is no such sync.
            TypeError: A field that a sync does not have, or that never changes (id, project, connection).

        Twice: the same.
        """
        if wrong := fields.keys() - (_FIELDS - _FIXED):
            raise TypeError(f"a sync's {', '.join(sorted(wrong))} cannot be changed")
        if not fields:
            return
        with self._database.write() as db:
            if not db.execute(sa.update(tables.sync).where(tables.sync.c.id == id).values(_values(fields))).rowcount:
                raise _missing(id)


def number_of(db: sa.Connection, id: str) -> int:  # noqa: A002 - the field's own name
    """A sync's number. Raises: NotFound."""
    number = db.scalar(sa.select(tables.sync.c.number).where(tables.sync.c.id == id))
    if number is None:
        raise _missing(id)
    return int(number)


def account_of(db: sa.Connection, id: str) -> int:  # noqa: A002 - the field's own name
    """A connection's number; whoever writes its ledger holds it locked until the transaction ends. Raises: NotFound.

    On SQLite a writer has the whole database for itself already.
    """
    found = _ACCOUNT.rows(db, id=id)
    if not found:
        raise NotFound(f"There is no connection with the id {id}.", "Name one that exists.")
    return int(found[0][0])


_ACCOUNT = Prepared(sa.select(tables.connection.c.number).where(tables.connection.c.id == sa.bindparam("id")).with_for_update())


def _missing(id: str) -> NotFound:  # noqa: A002 - the field's own name
    return NotFound(f"There is no sync with the id {id}.", "`cornicen sync list` shows those there are.")


def _values(changed: dict[str, object]) -> dict[str, object]:
    """A sync's fields as columns."""
    values = dict(changed)
    if isinstance(guard := values.pop("guard", None), Guard):
        values |= {"guard_percent": guard.percent, "guard_count": guard.count}
    if "container" in values:
        values["container"] = dict(values["container"])  # type: ignore[call-overload]
    return values


def _chosen() -> sa.Select[*tuple[Any, ...]]:
    sync, account = tables.sync, tables.connection
    return sa.select(sync, account.c.id.label("account")).join(account, account.c.number == sync.c.connection)


def _sync(row: AnyRow) -> Sync:
    found = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name
    for name in ("number", "account", "guard_percent", "guard_count"):
        del found[name]
    return Sync(**found | {
        "connection": row.account,
        "cadence": Cadence(row.cadence),
        "status": SyncStatus(row.status),
        "guard": Guard(row.guard_percent, row.guard_count),
    })  # fmt: skip
