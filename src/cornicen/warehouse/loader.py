"""The loader: what waits in the spool becomes rows, all of a batch or nothing, in one transaction with the spool's position.

While one batch is written, a process of its own reads and decodes the next (`cornicen.warehouse.ahead`), when there is as much
to do. A second thread would not do: most of that work holds Python's lock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from cornicen.flows.ports import Loaded
from cornicen.identity import RULES
from cornicen.identity.people import People
from cornicen.warehouse.ahead import Ahead, Task
from cornicen.warehouse.aliasing import known_aliases, take_aliases
from cornicen.warehouse.arrivals import Arrivals
from cornicen.warehouse.catalogue import Catalogue
from cornicen.warehouse.changing import Changing
from cornicen.warehouse.database import Database
from cornicen.warehouse.firsts import NOBODY, first_again
from cornicen.warehouse.key_days import KeyDays, Mask, Times, repeated
from cornicen.warehouse.key_files import Keys
from cornicen.warehouse.keys import Fates, decide, supersede
from cornicen.warehouse.persons import Numbers, Persons
from cornicen.warehouse.properties import EVENT
from cornicen.warehouse.reader import Position, SpoolReader
from cornicen.warehouse.resolving import Resolver, Whose
from cornicen.warehouse.retention import retain
from cornicen.warehouse.stored import union
from cornicen.warehouse.unpacking import Manner, Unpacker

_COMPARED = ("load", "event", "distinct_id", "time", "insert_id", "device", "properties", "key")
"""Columns by which events are compared."""


@dataclass(frozen=True)
class _Written:
    """What a batch wrote, for what follows in memory once it is committed."""

    loaded: Loaded
    people: People
    began: pa.Table
    again: pa.Table
    times: Times
    keys: Keys


class Loader:
    """Loads one project's spool into its warehouse; the only giver of person numbers and sequence numbers.

    Args:
        database: Open, with its schema.
        reader: The project's spool.
        catalogue: Which properties have typed columns.
        identity: The project's rule, a key of `cornicen.identity.RULES`.
        keys: The index of de-duplication keys.
        days: How many days of events are kept; 0: all.
        ahead: Whether the next batch may be read in a process of its own.
    """

    def __init__(
        self,
        database: Database,
        reader: SpoolReader,
        catalogue: Catalogue,
        identity: str,
        keys: KeyDays,
        days: int,
        *,
        ahead: bool = False,
    ) -> None:
        self._database = database
        self._reader = reader
        self._catalogue = catalogue
        self._identity = identity
        self._keys = keys
        self._days = days
        self._resolver = Resolver(database, RULES[identity])
        self._changing = Changing(database, catalogue, RULES[identity])
        self._aliases = known_aliases(database)
        self._unpacker = Unpacker()
        self._ahead = Ahead() if ahead else None

    @property
    def resolver(self) -> Resolver:
        """Who is who."""
        return self._resolver

    def alias(self, names: frozenset[str], now: int) -> None:
        """See `cornicen.flows.ports.Warehouse.alias`."""
        take_aliases(self._database, self._resolver, names, now)
        self._aliases = names

    def load(self, limit: int) -> Loaded:
        """See `cornicen.flows.ports.Warehouse.load`."""
        [last] = self._database.one("SELECT load FROM totals")
        task = Task(self._reader.folder, self._reader.positions, last, self._manner())
        unpacked = self._ahead.take(task) if self._ahead else None
        stale = unpacked is not None and not unpacked.more  # more may have come since it was read
        if unpacked is None or not unpacked.reached:
            unpacked, stale = task.read(limit, self._unpacker), False
        if not unpacked.reached:
            return Loaded()
        arrivals = unpacked.arrivals
        if self._ahead and unpacked.more:
            self._ahead.ask(task.after(unpacked), limit)
        self._keys.catch_up(self._database)
        with self._database.transaction():
            written = self._write(arrivals, arrivals.last - last)
            self._keep_positions(unpacked.reached)
        self._resolver.committed(written.people)
        self._resolver.persons.began(written.began)
        self._resolver.persons.again(written.again)
        self._keys.add(written.times, written.keys, arrivals.last)
        self._reader.commit(unpacked.reached)
        return replace(written.loaded, more=unpacked.more or stale)

    def _manner(self) -> Manner:
        catalogue = self._catalogue
        return Manner(self._identity, catalogue.zone, self._days, self._resolver.salt, catalogue.ids[EVENT], self._aliases)

    def rest(self) -> None:
        """Give back what is only needed while there is much to do. Twice: does nothing."""
        if self._ahead:
            self._ahead.rest()

    def close(self) -> None:
        """End what reads ahead. Twice: does nothing."""
        if self._ahead:
            self._ahead.close()

    def retain(self, now: int) -> int:
        """Delete the days that are not kept any more, between batches; how many events went. Twice: deletes nothing."""
        gone = retain(self._database, self._keys, self._days, now)
        if gone:
            self._resolver.persons = Persons(self._database)
        return gone

    def _write(self, arrivals: Arrivals, records: int) -> _Written:
        database = self._database
        whose = self._resolver.resolve(arrivals)
        self._resolver.keep(whose.people, arrivals.arrived)
        fates, times, keys = self._write_events(arrivals, whose)
        began = self._write_persons(arrivals, whose, fates)
        again = first_again(database) if fates.replaced else NOBODY
        changed = self._changing.write(arrivals, whose, fates.dropped)
        if arrivals.refusals:
            with database.lent(refused=arrivals.refusals.table()):
                database.rows("INSERT INTO refusals SELECT * FROM refused")
        database.rows(
            "UPDATE totals SET load = $load, person = $person, "
            "repeated = repeated + $repeated, replaced = replaced + $replaced",
            {
                "load": arrivals.last,
                "person": whose.people.last,
                "repeated": fates.repeated + changed.repeated,
                "replaced": fates.replaced,
            },
        )
        repeated = fates.repeated + changed.repeated
        loaded = Loaded(records, fates.new, fates.replaced, repeated, changed.applied, len(arrivals.refusals))
        return _Written(loaded, whose.people, began, again, times, keys)

    def _write_events(self, arrivals: Arrivals, whose: Whose) -> tuple[Fates, Times, Keys]:
        """Write the events that are new; what became of them, and the times and keys of those that have one."""
        if not arrivals.events.num_rows:
            return Fates(0), np.empty(0, np.int64), np.empty(0, np.uint64)
        database, incoming = self._database, _incoming(arrivals, whose)
        keyed, times, keys, suspects = self._suspects(incoming)
        fates = decide(database, incoming, suspects, union(_COMPARED))
        columns = incoming.column_names
        if fates.dropped or fates.replaced:
            supersede(database, columns)
            kept = ~np.isin(incoming["load"].to_numpy(), np.fromiter(fates.dropped, np.int64, len(fates.dropped)))
            incoming = incoming.filter(pa.array(kept))
        with database.lent(incoming=incoming):
            database.rows(f"INSERT INTO events ({', '.join(columns)}) SELECT {', '.join(columns)} FROM incoming")
        return fates, times[keyed], keys[keyed]

    def _suspects(self, incoming: pa.Table) -> tuple[Mask, Times, Keys, Mask]:
        """Of each row: whether it has a key, its time, its key, and whether that key may have been seen."""
        keyed: Mask = incoming["key"].is_valid().to_numpy()
        times, keys = incoming["time"].to_numpy(), np.zeros(len(keyed), np.uint64)
        keys[keyed] = incoming["key"].drop_null().to_numpy()
        first_stays: Mask = incoming["device"].is_valid().to_numpy()
        suspects = np.zeros(len(keys), np.bool_)
        suspects[keyed] = repeated(keys[keyed]) | self._keys.suspects(times[keyed], keys[keyed], first_stays[keyed])
        return keyed, times, keys, suspects

    def _write_persons(self, arrivals: Arrivals, whose: Whose, fates: Fates) -> pa.Table:
        """Who is new, who turned out to be somebody else, and whose first event is earlier than was known.

        Returns:
            For `cornicen.warehouse.persons.Persons.began`.
        """
        database, people, persons = self._database, whose.people, self._resolver.persons
        began = persons.earlier(*_firsts(arrivals, whose, persons, fates.dropped))
        gone = [number for number, _, _ in people.joined]
        if gone:
            with database.lent(gone=pa.table({"person": pa.array(gone, pa.int32())})):
                database.rows("DELETE FROM persons WHERE person IN (SELECT person FROM gone)")
        with database.lent(began=began):
            database.rows("UPDATE persons SET first = b.first FROM began b WHERE persons.person = b.person")
            if people.last > persons.last:
                database.rows(
                    "INSERT INTO persons SELECT n.person, b.first "
                    "FROM (SELECT CAST(unnest(range($since, $until)) AS INTEGER) AS person) n "
                    "LEFT JOIN began b ON b.person = n.person WHERE n.person NOT IN (SELECT unnest($gone))",
                    {"since": persons.last + 1, "until": people.last + 1, "gone": gone or [0]},
                )
        return began

    def _keep_positions(self, reached: Mapping[tuple[str, str], Position]) -> None:
        for (lane, door), position in reached.items():
            self._database.rows("DELETE FROM position WHERE lane = ? AND door = ?", [lane, door])
            self._database.rows("INSERT INTO position VALUES (?, ?, ?, ?)", [lane, door, *position])


def _incoming(arrivals: Arrivals, whose: Whose) -> pa.Table:
    """The events of the batch as rows of ``events``."""
    rows = arrivals.events.num_rows
    why = [whose.failures.get(index) for index in range(rows)] if whose.failures else [None] * rows
    found = arrivals.events.append_column("person", pa.array(whose.persons, mask=whose.persons == 0))
    return found.append_column("failure", pa.array(why, pa.string()))


def _firsts(arrivals: Arrivals, whose: Whose, persons: Persons, dropped: frozenset[int]) -> tuple[Numbers, Times]:
    """Persons, canonical after the batch, and times: of its events, and of the first ones of who turned out to be another."""
    people = whose.people
    whom, times = whose.persons, arrivals.times
    kept = whom > 0
    if dropped:
        kept &= ~np.isin(arrivals.loads, np.fromiter(dropped, np.int64, len(dropped)))
    whom, times = whom[kept], times[kept]
    if people.joined:
        before = [(number, first) for number, _, _ in people.joined if (first := persons.first(number)) is not None]
        whom = np.concatenate([whom, np.asarray([number for number, _ in before], np.int32)])
        times = np.concatenate([times, np.asarray([first for _, first in before], np.int64)])
        moved = np.isin(whom, np.asarray([number for number, _, _ in people.joined], np.int32))
        whom[moved] = [people.canonical(number) for number in whom[moved].tolist()]
    return whom, times
