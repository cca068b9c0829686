"""`cornicen.flows.ports.Warehouse` on DuckDB: one file, opened by the project's keeper alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
from pyroaring import BitMap

from cornicen.cohorts.query import Needs
from cornicen.errors import BadSetting
from cornicen.events.history import History
from cornicen.flows.ports import Asked, Audited, Form, Identified, Loaded, Numbering
from cornicen.flows.ports.events import ANY_FORM
from cornicen.sql.tables import Tables
from cornicen.warehouse import answers, groups, relations
from cornicen.warehouse.audits import write_audit
from cornicen.warehouse.catalogue import Catalogue
from cornicen.warehouse.compaction import Compaction
from cornicen.warehouse.database import Database
from cornicen.warehouse.exporting import export
from cornicen.warehouse.given import give
from cornicen.warehouse.histories import histories
from cornicen.warehouse.identify import Identifiers
from cornicen.warehouse.key_days import KeyDays
from cornicen.warehouse.loader import Loader
from cornicen.warehouse.portrait import person_number, portrait
from cornicen.warehouse.properties import EVENT, PROFILE
from cornicen.warehouse.reader import Position, SpoolReader
from cornicen.warehouse.schema import meta, open_schema, set_meta
from cornicen.warehouse.tail import tail
from cornicen.warehouse.versions import forget_versions

FILE = "warehouse.duckdb"
SPOOL = "spool"
MEMORY = "4GB"
KEYS = "keys"
LOG_BYTES = 64 << 20
"""Of the write-ahead log, after which a batch is followed by a checkpoint: that then takes some tenths of a second."""

IDLE_LOG_BYTES = 1 << 20
"""Likewise when there is nothing else to do."""

UNSAVED = 2_000_000
"""Keys whose files are written when there is nothing else to do: a start reads the others from the tables."""

DAY = 86_400_000_000
KEY_MEMORY = 512 << 20
"""64 million keys."""


def spool_folder(folder: Path) -> Path:
    """Where the doors of a project append."""
    return folder / SPOOL


class DuckDBWarehouse:
    """One project's events. Use it from one thread at a time.

    Args:
        folder: The project's; made where it does not exist. It holds the file, its temporary files, and the spool.
        zone: The project's, an IANA name or a time zone.
        identity: The project's rule, a key of `cornicen.identity.RULES`; one warehouse keeps one.
        memory: What DuckDB may use, as it writes it.
        key_memory: Bytes for de-duplication keys; see `cornicen.warehouse.key_days.KeyDays`.
        retention_days: How many whole days of events are kept; 0: all.
        threads: None: as many as there are cores.
        read_ahead: Whether a process of its own may read the next batch while one is written; see `cornicen.warehouse.ahead`.

    Raises:
        Unavailable: Another process has it open.
        Damaged: Its file cannot be read, or was written by a later version.
    """

    def __init__(
        self,
        folder: Path,
        zone: str | tzinfo = "UTC",
        *,
        identity: str = "simplified",
        memory: str = MEMORY,
        key_memory: int = KEY_MEMORY,
        retention_days: int = 0,
        threads: int | None = None,
        read_ahead: bool = False,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._zone = ZoneInfo(zone) if isinstance(zone, str) else zone
        self._database = Database(folder / FILE, memory, threads)
        open_schema(self._database)
        self._catalogue = Catalogue(self._database, self._zone)
        rows = self._database.rows('SELECT lane, door, file, "offset" FROM position')
        positions = {(lane, door): Position(file, offset) for lane, door, file, offset in rows}
        self._reader = SpoolReader(spool_folder(folder), positions)
        self._keys = KeyDays(folder / KEYS, key_memory)
        self._loader = Loader(
            self._database,
            self._reader,
            self._catalogue,
            _kept_identity(self._database, identity),
            self._keys,
            retention_days,
            ahead=read_ahead,
        )
        self._compaction = Compaction(self._database)
        self._retained, self._open = -1, True
        self._identifiers = Identifiers(self._database, self._catalogue, identity)

    def alias(self, names: frozenset[str], now: int) -> None:
        """Let the values of these profile properties be further names of their person; see `cornicen.warehouse.aliasing`.

        Twice: does nothing.
        """
        self._loader.alias(names, now)

    def load(self, limit: int = 50_000) -> Loaded:
        """Read about ``limit`` records off the spool, live lane first, in one transaction.

        Raises:
            Damaged: A spool file is not what was written; nothing of this batch is loaded.

        Twice: goes on where it stopped; after a crash the batch is repeated whole.
        """
        loaded = self._loader.load(limit)
        if self._database.log_bytes() > LOG_BYTES:
            self._database.checkpoint()
        return loaded

    def checkpoint(self) -> None:
        """Fold the write-ahead log into the file, between batches. Twice: does nothing."""
        self._database.checkpoint()

    def tidy(self, before: int, now: int) -> bool:
        """One step of what can wait until nothing else is to do: retention, compaction, old profiles, key files, a checkpoint.

        Args:
            before: The earliest sequence number that anybody may still ask `tables` about.
            now: Microseconds, read before this call.

        Returns:
            Whether anything was done. What `tables` gave before does not hold any more then.

        Twice: does the next step.
        """
        self._loader.rest()
        if now // DAY != self._retained:
            self._loader.retain(now)
            self._retained = now // DAY
            return True
        if self._compaction.one(before, self._reader.watermark(now)):
            self._database.checkpoint()  # frees what the step has left behind
            return True
        if forget_versions(self._database, before):
            return True
        if self._keys.unsaved > UNSAVED:
            self._keys.save()
            return True
        if self._database.log_bytes() > IDLE_LOG_BYTES:
            self._database.checkpoint()
            return True
        return False

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

    def oldest(self) -> Mapping[str, int]:
        """When the oldest record that is not loaded came, microseconds, by lane. Raises: Damaged."""
        return self._reader.oldest()

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

    def identify(
        self, members: BitMap, identifier: str, connection: str, numbering: Numbering, form: Form = ANY_FORM
    ) -> Identified:
        """Persons to recipients; see `cornicen.flows.ports.Warehouse.identify`. Twice: nobody is numbered again."""
        return self._identifiers.identify(members, identifier, connection, numbering, form)

    def differing(self, identifier: str, form: Form = ANY_FORM) -> tuple[int, int]:
        """How many persons have a user id that is not their identifier's value, and how many have a usable identifier."""
        return self._identifiers.differing(identifier, form)

    def audit(self, audited: Audited, path: Path) -> None:
        """Write who was meant by a run, who was not, and why; see `cornicen.flows.ports.Warehouse.audit`. Twice: the same."""
        write_audit(self._database, self._identifiers, audited, path)

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

    def portrait(self, name: str, events: int = 50) -> dict[str, Any]:
        """One person: names and why they are one, profile and history, newest events. Raises: NotFound."""
        return portrait(self._database, self._loader.resolver, name, events)

    def tail(self, after: int | None, limit: int = 100, event: str = "", name: str = "") -> list[dict[str, Any]]:
        """The newest events, or those after a sequence number; see `cornicen.warehouse.tail`.

        Args:
            after: None: the newest.
            limit: How many.
            event: Only those of this name.
            name: Only those of who is called so. Raises: NotFound.
        """
        numbers = None
        if name:
            resolver = self._loader.resolver
            number = person_number(self._database, resolver, name)
            numbers = [number, *resolver.persons.standing_for(number)]
        return tail(self._database, after, limit, event, numbers)

    def export(self, after: int, asked: Asked, limit: int, size: int) -> tuple[list[dict[str, Any]], int]:
        """A page of all events as they stood at a sequence number; see `cornicen.warehouse.exporting`."""
        return export(self._database, after, asked, limit, size)

    def group(self, key: str, id_: str) -> dict[str, Any]:
        """One group: ``{key, id, profile}``. Raises: NotFound."""
        return groups.group(self._database, key, id_)

    def kinds(self, limit: int) -> tuple[list[dict[str, Any]], int]:
        """The keys that groups have, ``{key, groups}``, and how many keys there are."""
        return groups.kinds(self._database, limit)

    def groups(self, key: str, after: str, limit: int) -> tuple[list[str], int]:
        """The ids of a key's groups after one, ascending, and how many there are."""
        return groups.ids(self._database, key, after, limit)

    def close(self) -> None:
        """Close the file; what was committed stays. Twice: does nothing."""
        if self._open:
            self._open = False
            self._loader.close()
            self._keys.save()
        self._database.close()


def _kept_identity(database: Database, identity: str) -> str:
    """The rule, which a warehouse keeps from its first record on.

    Raises:
        BadSetting: It has records under another one.
    """
    kept = meta(database, "identity") or "simplified"
    if kept != identity and database.one("SELECT load FROM totals")[0]:
        raise BadSetting(
            f"The warehouse has records under the identity rule {kept!r}, not {identity!r}.",
            "Keep the rule; for another one begin a new project.",
        )
    set_meta(database, "identity", identity)
    return identity
