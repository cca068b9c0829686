"""Accounts at destinations."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from cornicen.errors import BadInput, NotFound
from cornicen.flows.records import Connection, SyncStatus
from cornicen.state import tables
from cornicen.state.database import AnyRow, Database
from cornicen.state.projects import suggestion
from cornicen.state.vault import Vault


class Connections:
    """`cornicen.flows.ports.Connections` in a database; secrets are encrypted by the vault."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database, self._vault = database, vault

    def all(self, project: str) -> list[Connection]:
        """By slug. Raises: Damaged where a secret cannot be decrypted."""
        chosen = sa.select(tables.connection).where(tables.connection.c.project == project).order_by(tables.connection.c.slug)
        with self._database.read() as db:
            rows = db.execute(chosen).all()
        return [self._connection(row) for row in rows]

    def get(self, project: str, slug_or_id: str) -> Connection:
        """By id, else by slug. Raises: NotFound, Damaged."""
        chosen = sa.select(tables.connection).where(tables.connection.c.project == project)
        with self._database.read() as db:
            rows = db.execute(chosen).all()
        for row in [*(row for row in rows if row.id == slug_or_id), *(row for row in rows if row.slug == slug_or_id)]:
            return self._connection(row)
        raise NotFound(f"There is no connection {slug_or_id!r}.", suggestion(slug_or_id, [row.slug for row in rows]))

    def put(self, connection: Connection) -> None:
        """Add, or replace the one with its id. Raises: BadInput where another has its slug. Twice: the same."""
        values = {**vars(connection), "settings": dict(connection.settings), "secrets": self._vault.seal(connection.secrets)}
        try:
            with self._database.write() as db:
                replaced = db.execute(
                    sa.update(tables.connection).where(tables.connection.c.id == connection.id).values(values)
                )
                if not replaced.rowcount:
                    db.execute(sa.insert(tables.connection).values(values))
        except IntegrityError as error:
            what = f"The connection {connection.slug!r} cannot be kept: another has its name, or its project is missing."
            raise BadInput(what, "Choose another name.") from error

    def remove(self, id: str) -> None:  # noqa: A002 - the field's own name
        """Remove one that no sync uses, its recipients and what is left of retired syncs with it.

        Raises:
            BadInput: A sync uses it; nothing was removed.

        Twice: does nothing.
        """
        number = sa.select(tables.connection.c.number).where(tables.connection.c.id == id).scalar_subquery()
        syncs = sa.select(tables.sync.c.number).where(tables.sync.c.connection == number)
        runs = sa.select(tables.run.c.id).where(tables.run.c.sync.in_(syncs))
        using = sa.select(tables.sync.c.cohort).where(
            tables.sync.c.connection == number, tables.sync.c.status != SyncStatus.RETIRED
        )
        with self._database.write() as db:
            if cohorts := sorted(db.scalars(using)):
                raise BadInput(f"The connection is used by the syncs of {', '.join(cohorts)}.", "Remove these syncs first.")
            for gone in (
                sa.delete(tables.member).where(tables.member.c.connection == number),
                sa.delete(tables.sync_set).where(tables.sync_set.c.sync.in_(syncs)),
                sa.delete(tables.notice).where(tables.notice.c.sync.in_(syncs)),
                sa.delete(tables.run_delay).where(tables.run_delay.c.run.in_(runs)),
                sa.delete(tables.run).where(tables.run.c.sync.in_(syncs)),
                sa.delete(tables.sync).where(tables.sync.c.connection == number),
                sa.delete(tables.place).where(tables.place.c.connection == number),
                sa.delete(tables.lease).where(tables.lease.c.connection == number),
                sa.delete(tables.recipient).where(tables.recipient.c.connection == number),
                sa.delete(tables.connection).where(tables.connection.c.id == id),
            ):
                db.execute(gone)

    def _connection(self, row: AnyRow) -> Connection:
        return Connection(
            id=row.id,
            project=row.project,
            slug=row.slug,
            vendor=row.vendor,
            settings=row.settings,
            secrets=self._vault.open(row.secrets),
            managed=row.managed,
        )
