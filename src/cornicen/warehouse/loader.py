"""The loader: what waits in the spool becomes rows, all of a batch or nothing, in one transaction with the spool's position."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from cornicen.events.shapes import Refusal
from cornicen.flows.ports import Loaded
from cornicen.warehouse.arrivals import Arrivals, record_text, unpack
from cornicen.warehouse.catalogue import Catalogue
from cornicen.warehouse.database import Database
from cornicen.warehouse.keys import Fates, decide, supersede
from cornicen.warehouse.names import endings, resolve
from cornicen.warehouse.profiles import ENDED, Unfit
from cornicen.warehouse.properties import EVENT
from cornicen.warehouse.reader import Position, SpoolReader
from cornicen.warehouse.versions import Versions

COLUMNS = ("load", "person", "event", "time", "distinct_id", "insert_id", "key", "failure", "arrived", "properties")
"""Of ``events``, without the typed ones."""

# The first event of a person that turned out to be somebody else becomes that somebody's, if it is earlier.
_PERSONS = (
    """
    CREATE OR REPLACE TEMP TABLE earliest AS
    SELECT person, min(time) AS first FROM (
      SELECT coalesce(j.canonical, i.person) AS person, i.time FROM incoming i LEFT JOIN joined j ON j.person = i.person
      WHERE i.person IS NOT NULL
      UNION ALL
      SELECT j.canonical, p.first FROM joined j JOIN persons p ON p.person = j.person WHERE p.first IS NOT NULL)
    GROUP BY person
    """,
    "DELETE FROM persons WHERE person IN (SELECT person FROM joined)",
    """
    UPDATE persons SET first = e.first FROM earliest e
    WHERE persons.person = e.person AND (persons.first IS NULL OR persons.first > e.first)
    """,
    """
    INSERT INTO persons
    SELECT g.person, e.first FROM given_numbers g LEFT JOIN earliest e ON e.person = g.person
    WHERE g.person NOT IN (SELECT person FROM joined) ORDER BY g.person
    """,
)


class Loader:
    """Loads one project's spool into its warehouse; the only giver of person numbers and sequence numbers.

    Args:
        database: Open, with its schema.
        reader: The project's spool.
        catalogue: Which properties have typed columns.
    """

    def __init__(self, database: Database, reader: SpoolReader, catalogue: Catalogue) -> None:
        self._database = database
        self._reader = reader
        self._catalogue = catalogue

    def load(self, limit: int) -> Loaded:
        """See `cornicen.flows.ports.Warehouse.load`."""
        reading = self._reader.read(limit)
        if not reading.reached:
            return Loaded()
        last, person = self._database.one("SELECT load, person FROM totals")
        arrivals = unpack(reading, last, self._catalogue.choosers[EVENT])
        with self._database.transaction():
            loaded = self._write(arrivals, person, arrivals.last - last)
            self._keep_positions(reading.reached)
        self._reader.commit(reading.reached)
        return loaded

    def _write(self, arrivals: Arrivals, person: int, records: int) -> Loaded:
        database = self._database
        sightings = arrivals.sightings()
        highest = resolve(database, sightings, person)
        resolved = database.arrow("SELECT load, person, failure FROM resolved ORDER BY load")
        with database.lent(incoming=self._incoming(arrivals, resolved)):
            fates = self._write_events(arrivals)
            for step in _PERSONS:
                database.rows(step)
        profiles = self._write_profiles(arrivals, resolved)
        with database.lent(refused=arrivals.refusal_table()):
            database.rows("INSERT INTO refusals SELECT * FROM refused")
        database.rows(
            "UPDATE totals SET load = $load, person = $person, "
            "repeated = repeated + $repeated, replaced = replaced + $replaced",
            {"load": arrivals.last, "person": highest, "repeated": fates.repeated, "replaced": fates.replaced},
        )
        return Loaded(records, fates.new, fates.replaced, fates.repeated, profiles, len(arrivals.refusals))

    def _incoming(self, arrivals: Arrivals, resolved: pa.Table) -> pa.Table:
        """The events of the batch as rows of ``events``, without their key."""
        events = arrivals.events
        loads = pa.array(arrivals.loads, pa.int64())
        at = pc.index_in(loads, value_set=resolved["load"])
        columns: dict[str, pa.Array[Any] | pa.ChunkedArray[Any]] = {
            "load": loads,
            "person": resolved["person"].take(at),
            "event": pa.array([event.name for event in events], pa.string()),
            "time": pa.array([event.time for event in events], pa.int64()),
            "distinct_id": pa.array([user or device for user, device in arrivals.whom], pa.string()),
            "insert_id": pa.array([event.insert_id or None for event in events], pa.string()),
            "failure": resolved["failure"].take(at),
            "arrived": pa.array(arrivals.arrived, pa.int64()),
            "properties": pa.array([event.properties for event in events], pa.string()),
            **self._catalogue.typed(EVENT, arrivals.chosen),
        }
        return pa.table(columns)

    def _write_events(self, arrivals: Arrivals) -> Fates:
        if not arrivals.events:
            return Fates(0, 0, 0)
        times = [event.time for event in arrivals.events]
        fates = decide(self._database, len(times), min(times), max(times))
        columns = [*COLUMNS, *self._catalogue.columns(EVENT)]
        supersede(self._database, columns)
        key = "key_of(event, distinct_id, time, insert_id)"
        self._database.rows(
            f"INSERT INTO events ({', '.join(columns)}) "
            f"SELECT {', '.join(key if column == 'key' else column for column in columns)} FROM incoming "
            "WHERE load NOT IN (SELECT load FROM fates WHERE NOT old AND load IS DISTINCT FROM final)"
        )
        return fates

    def _write_profiles(self, arrivals: Arrivals, resolved: pa.Table) -> int:
        """Apply profile changes in order, and end the profiles of devices where their links lie; how many were applied."""
        ended = endings(self._database)
        if not arrivals.changes and not ended:
            return 0
        loads = pa.array([load for load, _, _ in arrivals.changes], pa.int64())
        found = resolved["person"].take(pc.index_in(loads, value_set=resolved["load"])).to_pylist()
        persons: list[int] = found  # type: ignore[assignment] # every change that is kept names somebody
        versions = Versions(self._database, self._catalogue, {*persons, *(person for _, person in ended)})
        applied = 0
        for (load, change, origin), person in zip(arrivals.changes, persons, strict=True):
            while ended and ended[0][0] < load:
                versions.apply(*ended.popleft(), ENDED)
            try:
                versions.apply(load, person, change.operations)
                applied += 1
            except Unfit as unfit:
                refusal = Refusal(unfit.reason, unfit.field, unfit.message, record_text(change))
                arrivals.refuse(load, refusal, origin)
        for at, person in ended:
            versions.apply(at, person, ENDED)
        versions.write()
        return applied

    def _keep_positions(self, reached: Mapping[tuple[str, str], Position]) -> None:
        for (lane, door), position in reached.items():
            self._database.rows("DELETE FROM position WHERE lane = ? AND door = ?", [lane, door])
            self._database.rows("INSERT INTO position VALUES (?, ?, ?, ?)", [lane, door, *position])
