"""What was learnt about recipients that a destination does not know by their identifier alone."""

from __future__ import annotations

import sqlalchemy as sa
from pyroaring import BitMap

from cornicen.flows.records import Place
from cornicen.state import tables
from cornicen.state.database import Database
from cornicen.state.syncs import account_of


class Places:
    """`cornicen.flows.ports.Places` in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, connection: str, identifier: str) -> Place | None:
        """What is kept about one recipient."""
        place, account = tables.place, tables.connection
        chosen = sa.select(place.c.user, place.c.at, place.c.created).join(account, account.c.number == place.c.connection)
        with self._database.read() as db:
            row = db.execute(chosen.where(account.c.id == connection, place.c.identifier == identifier)).first()
        return None if row is None else Place(row.user, row.at, row.created)

    def put(self, connection: str, identifier: str, place: Place | None) -> None:
        """Keep it, in place of what was kept before; None: forget. Raises: NotFound. Twice: the same."""
        table = tables.place
        with self._database.write() as db:
            account = account_of(db, connection)
            db.execute(sa.delete(table).where(table.c.connection == account, table.c.identifier == identifier))
            if place is not None:
                db.execute(sa.insert(table).values(connection=account, identifier=identifier, **vars(place)))

    def found(self, connection: str) -> BitMap:
        """The recipients whose user was found by asking, by number."""
        place, recipient, account = tables.place, tables.recipient, tables.connection
        same = sa.and_(recipient.c.connection == place.c.connection, recipient.c.identifier == place.c.identifier)
        chosen = sa.select(recipient.c.number).join(place, same).join(account, account.c.number == place.c.connection)
        with self._database.read() as db:
            return BitMap(db.scalars(chosen.where(account.c.id == connection, place.c.user != "")).all())
