"""Our own events: where a door puts them, what keeps them, and where a cohort is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
from pyroaring import BitMap

from cornicen.cohorts.definition import GivenSource
from cornicen.cohorts.query import Needs, Query
from cornicen.events.shapes import Record
from cornicen.flows.ports.deciding import Facts


class Engine(Protocol):
    """Where a cohort is asked."""

    def members(self, queries: Sequence[Query], as_of: int, only: BitMap | None = None) -> list[BitMap]:
        """Who is in each query at ``as_of``.

        Args:
            queries: Equal parts, within and among them, are computed once.
            as_of: Microseconds since 1970 UTC; an event at or after it does not count.
            only: Ask about these persons alone.

        Returns:
            One bitmap of person numbers a query, in order; merged persons appear under their canonical number.
        """


class Spool(Protocol):
    """Where a door puts what it takes."""

    async def append(self, lane: str, source: str, records: Sequence[Record]) -> int:
        """Stamp and keep; return after the records are safe on disk.

        Args:
            lane: ``live`` or ``bulk``.
            source: The route, e.g. ``mixpanel:/import``.
            records: In the sender's order.

        Returns:
            The arrival stamp, microseconds.

        Raises:
            SpoolFull: Nothing was kept.

        Twice: keeps twice; the loader's keys make two of the same one.
        """


@dataclass(frozen=True)
class Loaded:
    """What one call of `Warehouse.load` did.

    Args:
        records: Records read from the spool; 0: nothing was waiting.
        events: Events new to the warehouse.
        replaced: Events that replaced an earlier arrival of the same key.
        repeated: Events that were there already, byte for byte.
        profiles: Profile changes applied.
        refused: Refusals kept, those found only while loading among them.
        more: It ended at a bound; more may be waiting.
    """

    records: int = 0
    events: int = 0
    replaced: int = 0
    repeated: int = 0
    profiles: int = 0
    refused: int = 0
    more: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Form:
    """How a connection keeps a person's identifier.

    Args:
        prefix: Stands before the person's value: which kind of identifier it is, where a destination has several.
        uuid: Whether only a UUID is usable; it is kept in lower case.
    """

    prefix: str = ""
    uuid: bool = False


ANY_FORM = Form()
"""A person's value as it was written."""


@dataclass(frozen=True)
class Identified:
    """What became of a cohort's persons on the way to recipients.

    ``len(members) == no_profile + no_id + shared + len(recipients)``

    Args:
        recipients: Numbers, as ``numbering`` gave them.
        no_profile: Persons who are not identified: without a profile that has at least one property or, under Amplitude's
            rule, without a user id.
        no_id: Identified persons without a usable identifier.
        shared: Persons whose identifier another person of the set has too, less one for each identifier.
        differing: Persons whose user id is not their identifier's value.
    """

    recipients: BitMap
    no_profile: int
    no_id: int
    shared: int
    differing: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Audited:
    """What one run meant for everybody it was about, to be listed.

    Args:
        members: The cohort's persons.
        identifier: As for `Warehouse.identify`.
        connection: As there.
        form: As there.
        facts: The sync's sets as the run found them.
        desired: The recipients it wants in.
        others: Recipients that are not those of ``members``, in pieces: ``identifier`` (string), ``number`` (uint32).
        held: Whether the guard held the run.
    """

    members: BitMap
    identifier: str
    connection: str
    form: Form
    facts: Facts
    desired: BitMap
    others: Iterable[pa.Table]
    held: bool = False


@dataclass(frozen=True)
class Asked:
    """Which events are exported.

    Args:
        until: The sequence number at which they are looked at.
        first: Of this UTC day on, counted from 1970; None: of any.
        last: Up to this day, it included; None: of any.
        event: Only of this name; "": of any.
    """

    until: int
    first: int | None = None
    last: int | None = None
    event: str = ""


Numbering = Callable[[pa.StringArray], pa.UInt32Array]
"""Identifiers (distinct strings) to recipient numbers (uint32), new ones numbered and kept. Twice: the same numbers."""


class Warehouse(Protocol):
    """One project's events. The keeper is its only opener."""

    def alias(self, names: frozenset[str], now: int) -> None:
        """Let the values of these profile properties be further names of their person, those already stored among them.

        What is somebody else's name stays that, and is counted among the refusals.

        Args:
            names: Profile properties, all of them.
            now: Microseconds.

        Twice: does nothing.
        """

    def load(self, limit: int = 50_000) -> Loaded:
        """Read about ``limit`` records off the spool, live lane first, in one transaction.

        Names, numbers, merges, events, keys, profiles and the spool position are committed together.

        Twice: goes on where it stopped; after a crash the batch is repeated whole.
        """

    def checkpoint(self) -> None:
        """Fold the write-ahead log into the database, between batches. Twice: does nothing."""

    def tidy(self, before: int, now: int) -> bool:
        """One step of what can wait until nothing else is to do, such as compaction and retention.

        Args:
            before: The earliest sequence number that anybody may still ask an engine about.
            now: Microseconds, read before this call.

        Returns:
            Whether anything was done; engines made before are not good any more then.

        Twice: does the next step.
        """

    def watermark(self, now: int) -> int:
        """The latest instant an answer may be about: before the stamp of every live record not yet loaded.

        Args:
            now: Microseconds, read before this call.
        """

    def backlog(self) -> Mapping[str, int]:
        """Bytes not yet loaded, by lane."""

    def oldest(self) -> Mapping[str, int]:
        """When the oldest record that is not loaded came, microseconds, by lane; a lane where none waits is not named."""

    def last_load(self) -> int:
        """The loader's latest sequence number; 0 before anything."""

    def counts(self) -> Mapping[str, int]:
        """What pages show: ``events`` ``persons`` ``profiles`` ``refused`` ``repeated`` ``replaced``."""

    def refusals(self, limit: int = 20) -> list[Mapping[str, object]]:
        """Refused records by reason: ``{reason, field, count, message, record}``, most frequent first; one example each."""

    def prepare(self, needs: Needs) -> None:
        """Make typed columns for these properties, backfilled from the stored JSON. Twice: does nothing."""

    def give(self, key: str, names: pa.StringArray) -> int:
        """Keep a given list's persons under its key, for this process's evaluations; how many names are known persons.

        Twice: the second list takes the place of the first.
        """

    def identify(
        self, members: BitMap, identifier: str, connection: str, numbering: Numbering, form: Form = ANY_FORM
    ) -> Identified:
        """Persons to recipients, in bulk.

        Args:
            members: Canonical person numbers.
            identifier: A profile property, or ``$user_id``, ``distinct_id`` or ``amplitude_user_id`` for a name.
            connection: Whose numbers ``numbering`` gives; they are cached under it for this process.
            numbering: Numbers identifiers not met before.
            form: How the connection keeps them.
        """

    def differing(self, identifier: str, form: Form = ANY_FORM) -> tuple[int, int]:
        """Over all known persons: how many have a user id that is not their identifier's value, and how many have both or one.

        The second is everybody identified who has a usable identifier.
        """

    def audit(self, audited: Audited, path: Path) -> None:
        """Write who was meant by a run, who was not, and why: gzipped CSV, whole or not at all, in pieces.

        A line a person of the cohort and one a recipient that is none's: ``recipient,person,action,reason``.
        Twice: the same file.
        """

    def matched(self, members: BitMap, identifiers: Sequence[str]) -> Mapping[str, int]:
        """How many of these persons have each identifier."""

    def examples(self, members: BitMap, limit: int = 10) -> list[str]:
        """Canonical names of the lowest-numbered of these persons."""

    def names(self, members: BitMap) -> Iterator[str]:
        """Canonical names of these persons, by number."""

    def portrait(self, name: str, events: int = 50) -> dict[str, Any]:
        """One person: ``{number, name, names, links, profile, history, events, counts, …}``. Raises: NotFound."""

    def tail(self, after: int | None, limit: int = 100, event: str = "", name: str = "") -> list[dict[str, Any]]:
        """Events in the loader's order: the newest (``after`` None), or those after a sequence number. Raises: NotFound."""

    def export(self, after: int, asked: Asked, limit: int, size: int) -> tuple[list[dict[str, Any]], int]:
        """A page of all events as they stood at one sequence number, each once, whatever arrives between two pages.

        Args:
            after: Those that came after this sequence number.
            asked: Which.
            limit: How many at most.
            size: Characters of properties after which a page ends.

        Returns:
            ``{load, event, time, arrived, distinct_id, insert_id, properties, first_stays}``, ascending, ``properties`` as JSON
            text; and where to go on: ``asked.until`` at the end.
        """

    def group(self, key: str, id_: str) -> dict[str, Any]:
        """One group: ``{key, id, profile}``. Raises: NotFound."""

    def kinds(self, limit: int) -> tuple[list[dict[str, Any]], int]:
        """The keys that groups have, ``{key, groups}``, most groups first, and how many keys there are."""

    def groups(self, key: str, after: str, limit: int) -> tuple[list[str], int]:
        """The ids of a key's groups after one, ascending, and how many groups it has."""

    def arrivals(self, names: frozenset[str] | None, since_load: int, since: int, as_of: int) -> Mapping[str, tuple[int, int]]:
        """How lively each event name is: what came since a run, and what used to come.

        Returns:
            By name: how many events lie in ``[since, as_of)`` with a sequence number above ``since_load``, and how many lay in
            the 28 days before ``since``.

        Args:
            names: None: all together, under the name ``*``.
            since_load: The last run's sequence number.
            since: Its ``as_of``, microseconds.
            as_of: This run's, microseconds.
        """


Engines = Callable[[int | None], Engine]
"""The engine over everything loaded (None), or over what had been loaded up to a sequence number."""


class GivenReader(Protocol):
    """Reads given lists."""

    def read(self, source: GivenSource) -> pa.StringArray:
        """Distinct non-null values as strings, unordered. Raises: BadFile."""
