"""The loader: what waits in the spool becomes rows, all of a batch or nothing, in one transaction with the spool's position.

A batch is read, decoded and written by one thread. Decoding the next one in a second thread meanwhile was measured and cost a
fifth: most of the work holds Python's lock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from cornicen.flows.ports import Loaded
from cornicen.identity.people import People, Rule
from cornicen.warehouse.aliasing import known_aliases, take_aliases
from cornicen.warehouse.arrivals import Arrivals, Unpacker
from cornicen.warehouse.catalogue import Catalogue
from cornicen.warehouse.changing import Changing
from cornicen.warehouse.database import Database
from cornicen.warehouse.key_days import KeyDays, Mask, Times, repeated
from cornicen.warehouse.key_files import Keys
from cornicen.warehouse.keys import Fates, decide, supersede
from cornicen.warehouse.persons import Numbers, Persons
from cornicen.warehouse.properties import EVENT
from cornicen.warehouse.reader import Position, SpoolReader
from cornicen.warehouse.resolving import Resolver, Whose
from cornicen.warehouse.retention import retain
from cornicen.warehouse.stored import union

COLUMNS = ("load", "person", "event", "time", "distinct_id", "insert_id", "device", "key", "failure", "arrived", "properties")
"""Of ``events``, without the typed ones."""

KEY = "key_of(event, distinct_id, time, insert_id, device)"


_COMPARED = ("load", "event", "distinct_id", "time", "insert_id", "device", "properties", "key")
"""Columns by which events are compared."""


@dataclass(frozen=True)
class _Written:
    """What a batch wrote, for what follows in memory once it is committed."""

    loaded: Loaded
    people: People
    began: pa.Table
    times: Times
    keys: Keys


class Loader:
    """Loads one project's spool into its warehouse; the only giver of person numbers and sequence numbers.

    Args:
        database: Open, with its schema.
        reader: The project's spool.
        catalogue: Which properties have typed columns.
        rule: The project's identity rule.
        keys: The index of de-duplication keys.
        days: How many days of events are kept; 0: all.
    """

    def __init__(
        self, database: Database, reader: SpoolReader, catalogue: Catalogue, rule: Rule, keys: KeyDays, days: int
    ) -> None:
        self._database = database
        self._reader = reader
        self._catalogue = catalogue
        self._rule = rule
        self._keys = keys
        self._days = days
        self._resolver = Resolver(database, rule)
        self._changing = Changing(database, catalogue, rule)
        self._aliases = known_aliases(database)

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
        reading = self._reader.read(limit)
        if not reading.reached:
            return Loaded()
        [last] = self._database.one("SELECT load FROM totals")
        arrivals = Unpacker(self._rule, self._catalogue.choosers[EVENT], self._days).unpack(reading, last)
        self._keys.catch_up(self._database)
        with self._database.transaction():
            written = self._write(arrivals, arrivals.last - last)
            self._keep_positions(reading.reached)
        self._resolver.committed(written.people)
        self._resolver.persons.began(written.began)
        self._keys.add(written.times, written.keys, arrivals.last)
        self._reader.commit(reading.reached)
        return written.loaded

    def retain(self, now: int) -> int:
        """Delete the days that are not kept any more, between batches; how many events went. Twice: deletes nothing."""
        gone = retain(self._database, self._keys, self._days, now)
        if gone:
            self._resolver.persons = Persons(self._database)
        return gone

    def _write(self, arrivals: Arrivals, records: int) -> _Written:
        database = self._database
        whose = self._resolver.resolve(arrivals, self._aliases)
        self._resolver.keep(whose.people, arrivals.arrived() if whose.people.steps else {})
        fates, times, keys = self._write_events(arrivals, whose)
        began = self._write_persons(arrivals, whose, fates)
        changed = self._changing.write(arrivals, whose, fates.dropped)
        if arrivals.refusals:
            with database.lent(refused=arrivals.refusal_table()):
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
        return _Written(loaded, whose.people, began, times, keys)

    def _write_events(self, arrivals: Arrivals, whose: Whose) -> tuple[Fates, Times, Keys]:
        """Write the events that are new; what became of them, and the times and keys of those that have one."""
        if not arrivals.events:
            return Fates(0), np.empty(0, np.int64), np.empty(0, np.uint64)
        database = self._database
        with database.lent(unkeyed=self._incoming(arrivals, whose)):
            incoming = database.arrow(f"SELECT *, {KEY} AS key FROM unkeyed")
        keyed, times, keys, suspects = self._suspects(incoming)
        fates = decide(database, incoming, suspects, union(_COMPARED))
        columns = [*COLUMNS, *self._catalogue.columns(EVENT)]
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

    def _incoming(self, arrivals: Arrivals, whose: Whose) -> pa.Table:
        """The events of the batch as rows of ``events``, without their key."""
        events = arrivals.events
        columns: dict[str, Any] = {
            "load": pa.array(arrivals.loads, pa.int64()),
            "person": pa.array(whose.persons, mask=whose.persons == 0),
            "event": pa.array([event.name for event in events], pa.string()),
            "time": pa.array(arrivals.times, pa.int64()),
            "distinct_id": pa.array([user or device for user, device in arrivals.whom], pa.string()),
            "insert_id": pa.array([event.insert_id or None for event in events], pa.string()),
            "device": pa.array(_devices(arrivals), pa.string()),
            "failure": pa.array([whose.failures.get(index) for index in range(len(events))], pa.string())
            if whose.failures
            else pa.nulls(len(events), pa.string()),
            "arrived": pa.array([origin.arrived for origin in arrivals.origins], pa.int64()),
            "properties": pa.array([event.properties for event in events], pa.binary()).cast(pa.string()),
            **self._catalogue.typed(EVENT, arrivals.chosen),
        }
        return pa.table(columns)

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


def _devices(arrivals: Arrivals) -> list[str | None]:
    """What an insert id is unique under, where the first arrival stays."""
    return [
        (whom[1] or whom[0]) if event.first_stays else None for event, whom in zip(arrivals.events, arrivals.whom, strict=True)
    ]


def _firsts(arrivals: Arrivals, whose: Whose, persons: Persons, dropped: frozenset[int]) -> tuple[Numbers, Times]:
    """Persons, canonical after the batch, and times: of its events, and of the first ones of who turned out to be another."""
    people = whose.people
    whom, times = whose.persons, np.asarray(arrivals.times, np.int64)
    kept = whom > 0
    if dropped:
        kept &= ~np.isin(np.asarray(arrivals.loads), np.fromiter(dropped, np.int64, len(dropped)))
    whom, times = whom[kept], times[kept]
    if people.joined:
        before = [(number, first) for number, _, _ in people.joined if (first := persons.first(number)) is not None]
        whom = np.concatenate([whom, np.asarray([number for number, _ in before], np.int32)])
        times = np.concatenate([times, np.asarray([first for _, first in before], np.int64)])
        moved = np.isin(whom, np.asarray([number for number, _, _ in people.joined], np.int32))
        whom[moved] = [people.canonical(number) for number in whom[moved].tolist()]
    return whom, times
