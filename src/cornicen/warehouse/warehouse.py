"""`cornicen.flows.ports.Warehouse` on DuckDB: one file, opened by the project's keeper alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
from pyroaring import BitMap

from cornicen.cohorts.query import Needs
from cornicen.events.history import History
from cornicen.flows.ports import Identified, Loaded, Numbering
from cornicen.sql.tables import Tables
from cornicen.warehouse import answers, relations
from cornicen.warehouse.catalogue import Catalogue
from cornicen.warehouse.database import Database
from cornicen.warehouse.given import give
from cornicen.warehouse.histories import histories
from cornicen.warehouse.identify import Identifiers
from cornicen.warehouse.loader import Loader
from cornicen.warehouse.properties import EVENT, PROFILE
from cornicen.warehouse.reader import Position, SpoolReader
from cornicen.warehouse.schema import open_schema

FILE = "warehouse.duckdb"
SPOOL = "spool"
MEMORY = "4GB"


def spool_folder(folder: Path) -> Path:
    """Where the doors of a project append."""
    return folder / SPOOL


class DuckDBWarehouse:
    """One project's events. Use it from one thread at a time.

    Args:
        folder: The project's; made where it does not exist. It holds the file, its temporary files, and the spool.
        zone: The project's, an IANA name or a time zone.
        memory: What DuckDB may use, as it writes it.
        threads: None: as many as there are cores.

    Raises:
        Unavailable: Another process has it open.
        Damaged: Its file cannot be read, or was written by a later version.
    """

    def __init__(self, folder: Path, zone: str | tzinfo = "UTC", *, memory: str = MEMORY, threads: int | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._zone = ZoneInfo(zone) if isinstance(zone, str) else zone
        self._database = Database(folder / FILE, memory, threads)
        open_schema(self._database)
        self._catalogue = Catalogue(self._database, self._zone)
        rows = self._database.rows('SELECT lane, door, file, "offset" FROM position')
        positions = {(lane, door): Position(file, offset) for lane, door, file, offset in rows}
        self._reader = SpoolReader(spool_folder(folder), positions)
        self._loader = Loader(self._database, self._reader, self._catalogue)
        self._identifiers = Identifiers(self._database, self._catalogue)

    def load(self, limit: int = 50_000) -> Loaded:
        """Read about ``limit`` records off the spool, live lane first, in one transaction.

        Raises:
            Damaged: A spool file is not what was written; nothing of this batch is loaded.

        Twice: goes on where it stopped; after a crash the batch is repeated whole.
        """
        return self._loader.load(limit)

    def checkpoint(self) -> None:
        """Fold the write-ahead log into the file, between batches. Twice: does nothing."""
        self._database.checkpoint()

    def watermark(self, now: int) -> int:
        """The latest instant an answer may be about; see `cornicen.warehouse.marks`.

        Args:
            now: Microseconds, read before this call.

        Returns:
            The microsecond before ``now``, or before the earliest live record that is on its way or not loaded.
        """
        return self._reader.watermark(now)

    def backlog(self) -> Mapping[str, int]:
        """Bytes not yet loaded, by lane."""
        return self._reader.backlog()

    def last_load(self) -> int:
        """The loader's latest sequence number; 0 before anything."""
        return int(self._database.one("SELECT load FROM totals")[0])

    def counts(self) -> Mapping[str, int]:
        """``events`` ``persons`` ``profiles`` ``refused`` ``repeated`` ``replaced``; persons have an event or a profile."""
        return answers.counts(self._database)

    def refusals(self, limit: int = 20) -> list[Mapping[str, object]]:
        """Refused records by reason and field, most frequent first; the example is the latest."""
        return answers.refusals(self._database, limit)

    def prepare(self, needs: Needs) -> None:
        """Make typed columns for these properties, filled from the stored JSON.

        All or nothing for events, and for profiles. Twice: does nothing.
        """
        self._catalogue.add(EVENT, needs.events)
        self._catalogue.add(PROFILE, needs.profile)

    def give(self, key: str, names: pa.StringArray) -> int:
        """Keep a given list's persons under its key for this process; how many of the names were met before.

        Twice: the second list takes the place of the first.
        """
        return give(self._database, key, names)

    def identify(self, members: BitMap, identifier: str, connection: str, numbering: Numbering) -> Identified:
        """Persons to recipients; see `cornicen.flows.ports.Warehouse.identify`. Twice: nobody is numbered again."""
        return self._identifiers.identify(members, identifier, connection, numbering)

    def matched(self, members: BitMap, identifiers: Sequence[str]) -> Mapping[str, int]:
        """How many of these persons have each identifier."""
        return self._identifiers.matched(members, identifiers)

    def examples(self, members: BitMap, limit: int = 10) -> list[str]:
        """Canonical names of the lowest-numbered of these persons."""
        return list(self._identifiers.names(BitMap(members[:limit])))

    def names(self, members: BitMap) -> Iterator[str]:
        """Canonical names of these persons, by number."""
        return self._identifiers.names(members)

    def arrivals(self, names: frozenset[str] | None, since_load: int, since: int, as_of: int) -> Mapping[str, tuple[int, int]]:
        """What came since a run and what used to come, by event name; see `cornicen.flows.ports.Warehouse.arrivals`."""
        return answers.arrivals(self._database, names, since_load, since, as_of)

    def tables(self, before: int | None = None) -> Tables:
        """Where an engine finds everything loaded, or what had been loaded up to a sequence number.

        It holds until the next `load`, `prepare` or `give`.

        Args:
            before: One that `last_load` returned. None: everything.
        """
        return relations.tables(self._database, self._catalogue, before)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection for an engine; it sees what is committed, and the given lists."""
        return self._database.cursor()

    def histories(
        self, persons: BitMap | None = None, zone: tzinfo | None = None, before: int | None = None
    ) -> dict[int, History]:
        """Pasts in plain values, for the executable meaning: slow, and all in memory.

        Args:
            persons: Canonical numbers. None: everybody.
            zone: For texts that are local times. None: the project's.
            before: As for `tables`.
        """
        return histories(self._database, self._catalogue, zone or self._zone, persons, before)

    def close(self) -> None:
        """Close the file; what was committed stays. Twice: does nothing."""
        self._database.close()
