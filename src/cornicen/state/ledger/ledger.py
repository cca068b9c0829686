"""The ledger as flows see it: each call is one transaction."""

from __future__ import annotations

from collections.abc import Sequence

from cornicen.delivery.shapes import Parcel, Shape
from cornicen.flows.ports import Decision, Facts, Lease, Settled
from cornicen.flows.records import Run, Standing, Tick
from cornicen.state import tables
from cornicen.state.database import Database
from cornicen.state.leases import fence
from cornicen.state.ledger import deciding, exchanging, finishing
from cornicen.state.ledger.queue import next_due
from cornicen.state.ledger.sets import facts_of, read_sets, standing_of
from cornicen.state.runs import read_runs
from cornicen.state.syncs import account_of, number_of

SECOND = 1_000_000


class Ledger:
    """`cornicen.flows.ports.Ledger` in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def facts(self, sync: str, now: int) -> Facts:
        """One sync's sets. Raises: NotFound."""
        with self._database.read() as db:
            return facts_of(read_sets(db, number_of(db, sync), now))

    def standing(self, sync: str) -> Standing:
        """The line that adds up, from the last run that was not held and the sets as they are now. Raises: NotFound."""
        with self._database.read() as db:
            sets = read_sets(db, number_of(db, sync), 0)
            return standing_of(sets, read_runs(db, tables.run.c.id == sets.run))

    def decide(self, tick: Tick, decisions: Sequence[Decision], now: int) -> list[Run]:
        """Write a tick's decisions in one transaction; see `cornicen.state.ledger.deciding.decide`.

        Raises:
            NotFound: A sync is missing; nothing was written.

        Twice: the second finds nothing left to change, and is a run of its own.
        """
        with self._database.write() as db:
            return deciding.decide(db, tick, decisions, now)

    def recover(self, connection: str, now: int, longest_answer: float, lease: Lease | None = None) -> int:
        """Make uncertain whatever is in flight; returns how many rows. Raises: NotFound, LeaseLost. Twice: finds nothing."""
        with self._database.write() as db:
            account = account_of(db, connection)
            fence(db, account, lease)
            return finishing.recover(db, account, _micro(longest_answer), 0 if lease is None else now - lease.ended_ago)

    def exchange(
        self,
        connection: str,
        settled: Sequence[Settled],
        shape: Shape,
        free: int,
        now: int,
        longest_answer: float,
        lease: Lease | None = None,
    ) -> list[Parcel]:
        """Settle what has arrived and claim up to ``free`` parcels, in one transaction.

        Raises:
            NotFound: There is no such connection.
            LeaseLost: Another courier has it; nothing was settled and nothing claimed.
            Unavailable: Nothing was settled and nothing claimed; the same again is right.

        Twice: with the same ``settled``, settles the same; it may claim more.
        """
        with self._database.write() as db:
            account = account_of(db, connection)
            fence(db, account, lease)
            return exchanging.exchange(db, account, settled, shape, free, now, _micro(longest_answer))

    def due(self, connection: str) -> int | None:
        """When the next row's time comes that `exchange` may claim, recipients in flight left out; None: nothing waits so."""
        with self._database.read() as db:
            return next_due(db, connection)

    def finish(self, connection: str, now: int, lease: Lease | None = None) -> list[Run]:
        """Fold and end the runs of which nothing is waiting or in flight; returns them.

        Runs of a sync that was stopped end as stopped once nothing of them is in flight; when it is resumed and the rest is
        delivered, they are done after all. Raises: LeaseLost. Twice: finds nothing.
        """
        with self._database.read() as db:
            if not finishing.ending(db, connection):
                return []
        with self._database.write() as db:
            fence(db, account_of(db, connection), lease)
            return finishing.finish(db, connection, now)

    def forget(self, sync: str) -> None:
        """Drop a retired sync's rows and sets. Twice: does nothing."""
        with self._database.write() as db:
            finishing.forget(db, sync)


def _micro(seconds: float) -> int:
    return int(seconds * SECOND)
