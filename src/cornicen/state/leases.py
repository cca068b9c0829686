"""Leases: which courier delivers for a connection, by the database's own clock."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from cornicen.errors import LeaseLost, NotFound
from cornicen.flows.ports import Beat, Lease
from cornicen.state import tables
from cornicen.state.database import Database
from cornicen.state.prepared import Prepared

SECOND = 1_000_000

_NOW = {
    "postgresql": sa.text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"),
    "sqlite": sa.text("SELECT CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER)"),
}
"""The database's clock, microseconds since 1970 UTC: one for all couriers, whatever their machines think the time is."""


class Leases:
    """`cornicen.flows.ports.Leases` in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, connection: str, holder: str, seconds: float, dead: str = "") -> Lease | None:
        """Take a connection's lease; see the port. Raises: NotFound. Twice: the second is a new term of the same holder."""
        try:
            with self._database.write() as db:
                return _take(db, connection, holder, int(seconds * SECOND), dead)
        except IntegrityError:  # another made the row at the same moment
            return None

    def beat(self, holder: str, seconds: float) -> Beat:
        """Renew all leases of a holder, and cut off who is late; see the port. Twice: the later end holds."""
        lease, account, courier = tables.lease, tables.connection, tables.courier
        with self._database.write() as db:
            _sign(db, holder)
            now = _now(db)
            if db.dialect.name == "postgresql":
                db.execute(_CUT_OFF, {"holder": holder, "now": now, "seconds": seconds})
            until = now + int(seconds * SECOND)
            db.execute(sa.update(lease).where(lease.c.holder == holder, lease.c.until < until).values(until=until))
            db.execute(sa.delete(courier).where(courier.c.until <= now, courier.c.holder != holder))
            if not db.execute(sa.update(courier).where(courier.c.holder == holder).values(until=until)).rowcount:
                db.execute(sa.insert(courier).values(holder=holder, until=until))
            held = sa.select(account.c.id, lease.c.term).join(account, account.c.number == lease.c.connection)
            terms = {row.id: row.term for row in db.execute(held.where(lease.c.holder == holder))}
            return Beat(terms, int(db.scalar(sa.select(sa.func.count()).select_from(courier)) or 0))

    def release(self, lease: Lease) -> None:
        """Give a lease back, if it still is the holder's. Twice: does nothing."""
        kept = tables.lease
        account = sa.select(tables.connection.c.number).where(tables.connection.c.id == lease.connection).scalar_subquery()
        mine = (kept.c.connection == account, kept.c.holder == lease.holder, kept.c.term == lease.term)
        with self._database.write() as db:
            db.execute(sa.update(kept).where(*mine).values(holder="", until=_now(db)))

    def leave(self, holder: str) -> None:
        """A courier ends: it is counted no more. Twice: does nothing."""
        with self._database.write() as db:
            db.execute(sa.delete(tables.courier).where(tables.courier.c.holder == holder))


def fence(db: sa.Connection, account: int, lease: Lease | None) -> None:
    """Go on only if the lease still is its holder's, and keep it so until the transaction ends.

    Whether its time has run out does not matter here: as long as nobody has taken it over, nobody else has written.

    Args:
        db: In a writing transaction.
        account: The connection's number.
        lease: None: goes on; whoever calls has the connection for itself.

    Raises:
        LeaseLost: It is another's.
    """
    if lease is not None and not _FENCE[db.dialect.name].rows(db, account=account, holder=lease.holder, term=lease.term):
        raise lost(lease)


def lost(lease: Lease) -> LeaseLost:
    """That a lease is another's."""
    what = f"The connection {lease.connection} is delivered for by another courier now."
    return LeaseLost(what, "Nothing is to be done: the other goes on with it.")


def _take(db: sa.Connection, connection: str, holder: str, micro: int, dead: str) -> Lease | None:
    lease = tables.lease
    account = db.scalar(sa.select(tables.connection.c.number).where(tables.connection.c.id == connection))
    if account is None:
        raise NotFound(f"There is no connection with the id {connection}.", "Name one that exists.")
    _sign(db, holder)
    there = db.execute(sa.select(lease).where(lease.c.connection == account).with_for_update()).first()
    now = _now(db)  # after the lock was had: waiting for it takes time
    if there is None:
        db.execute(sa.insert(lease).values(connection=account, holder=holder, term=1, until=now + micro))
        return Lease(connection, holder, 1)
    if there.until > now and there.holder not in {"", holder, dead}:
        return None
    term = there.term + 1
    db.execute(sa.update(lease).where(lease.c.connection == account).values(holder=holder, term=term, until=now + micro))
    return Lease(connection, holder, term, max(0, now - there.until))


def _now(db: sa.Connection) -> int:
    return int(db.scalar(_NOW[db.dialect.name]) or 0)


def _sign(db: sa.Connection, holder: str) -> None:
    """Let the transaction bear the holder's name, where others can see it."""
    if db.dialect.name == "postgresql":
        db.execute(sa.select(_signed(sa.literal(holder))))


def _signed(holder: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    return sa.func.set_config("application_name", holder, True)


def _fence() -> sa.Select[tuple[int]]:
    lease = tables.lease
    mine = (lease.c.connection == sa.bindparam("account"), lease.c.holder == sa.bindparam("holder"))
    return sa.select(lease.c.term).where(*mine, lease.c.term == sa.bindparam("term")).with_for_update(read=True)


_FENCE = {
    "postgresql": Prepared(_fence().add_columns(_signed(tables.lease.c.holder))),
    "sqlite": Prepared(_fence()),
}

_CUT_OFF = sa.text("""
    SELECT pg_terminate_backend(a.pid)
    FROM pg_stat_activity AS a
    WHERE a.datname = current_database() AND a.usename = current_user AND a.application_name <> :holder
      AND a.wait_event_type = 'Client' AND a.state_change <= clock_timestamp() - make_interval(secs => :seconds)
      AND a.application_name IN (
        SELECT holder FROM courier WHERE until <= :now UNION ALL SELECT holder FROM lease WHERE until <= :now AND holder <> '')
""")
"""Ends the transactions of couriers whose time has run out and from which nothing has come for as long.

One that was stopped in the middle of a transaction keeps its locks, the lease's own among them, so that nobody could take over;
within a batch no time limit of PostgreSQL 15 ends it. When it goes on, its transaction has not happened. One whose statement
takes long is at work: the fence keeps its lease for it, and holds up its own renewals.
"""
