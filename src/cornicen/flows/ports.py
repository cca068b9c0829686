"""What flows need from the floors above them, as Protocols. `apps.build` alone hands them adapters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa
from pyroaring import BitMap

from cornicen.cohorts.definition import GivenSource
from cornicen.cohorts.query import Needs, Query
from cornicen.delivery.shapes import Answer, Container, Ensured, Parcel, Shape
from cornicen.events.shapes import Record
from cornicen.flows.records import Cohort, Connection, Project, Run, Standing, Sync, Tick
from cornicen.wire.http import Request, Result


class Clock(Protocol):
    """Time. Flows never read another."""

    def now(self) -> int:
        """Microseconds since 1970 UTC."""

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds of this clock."""


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
    """

    records: int = 0
    events: int = 0
    replaced: int = 0
    repeated: int = 0
    profiles: int = 0
    refused: int = 0


@dataclass(frozen=True)
class Identified:
    """What became of a cohort's persons on the way to recipients.

    ``len(members) == no_profile + no_id + shared + len(recipients)``

    Args:
        recipients: Numbers, as ``numbering`` gave them.
        no_profile: Persons without a profile that has at least one property.
        no_id: Persons with such a profile and no usable identifier.
        shared: Persons whose identifier another person of the set has too, less one for each identifier.
    """

    recipients: BitMap
    no_profile: int
    no_id: int
    shared: int


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

    def identify(self, members: BitMap, identifier: str, connection: str, numbering: Numbering) -> Identified:
        """Persons to recipients, in bulk.

        Args:
            members: Canonical person numbers.
            identifier: A profile property, or ``$user_id``, ``distinct_id`` or ``amplitude_user_id`` for a name.
            connection: Whose numbers ``numbering`` gives; they are cached under it for this process.
            numbering: Numbers identifiers not met before.
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


class Projects(Protocol):
    """Projects and who may send to them."""

    def all(self) -> list[Project]: ...
    def get(self, name_or_id: str) -> Project:
        """Raises: NotFound."""

    def add(self, project: Project) -> None:
        """Raises: BadInput where the name, id or token is taken."""

    def by_token(self, token: str) -> Project | None: ...
    def by_secret(self, secret: str, token: str = "") -> Project | None:
        """The project one of whose service accounts has this secret, if ``token`` is its token or empty."""

    def add_account(self, project: str, username: str, secret: str) -> None:
        """Keep a service account; of the secret only its digest. Raises: BadInput where the name is taken."""

    def by_account(self, username: str, secret: str) -> Project | None: ...


class Connections(Protocol):
    """Accounts at destinations; secrets are encrypted at rest."""

    def all(self, project: str) -> list[Connection]: ...
    def get(self, project: str, slug_or_id: str) -> Connection:
        """Raises: NotFound."""

    def put(self, connection: Connection) -> None:
        """Add, or replace the one with its id. Twice: the same."""

    def remove(self, id: str) -> None:  # noqa: A002 - the field's own name
        """Remove one that no sync uses. Raises: BadInput where one does. Twice: does nothing."""


class Cohorts(Protocol):
    """Cohorts as written."""

    def all(self, project: str) -> list[Cohort]: ...
    def get(self, project: str, slug: str) -> Cohort:
        """Raises: NotFound, with the nearest slug."""

    def put(self, cohort: Cohort) -> None:
        """Add, or replace the one with its slug. Twice: the same."""

    def remove(self, project: str, slug: str) -> None:
        """Twice: does nothing."""


class Syncs(Protocol):
    """Syncs and where they stand."""

    def all(self, project: str, *, retired: bool = False) -> list[Sync]: ...
    def get(self, id: str) -> Sync:  # noqa: A002 - the field's own name
        """Raises: NotFound."""

    def put(self, sync: Sync) -> None:
        """Add, or replace the one with its id; what `change` owns keeps its value. Twice: the same."""

    def change(self, id: str, **fields: object) -> None:  # noqa: A002 - the field's own name
        """Set some fields of one sync, and nothing else of it. Twice: the same."""


class Runs(Protocol):
    """Ticks and runs."""

    def open_tick(self, tick: Tick) -> Tick:
        """Keep a new tick; returns it with its id."""

    def ticks(self, project: str, limit: int = 20) -> list[Tick]:
        """Newest first."""

    def of_tick(self, tick: int) -> list[Run]: ...
    def of_sync(self, sync: str, limit: int = 20) -> list[Run]:
        """Newest first."""

    def count_request(self, tick: int | None, sync: str | None = None) -> None:
        """Count a request that carries no member (a segment's) on a tick (None: the newest)."""


@dataclass(frozen=True)
class Facts:
    """One sync's sets, read in one snapshot.

    Args:
        desired: As of its last run that was not held.
        acknowledged: In, by the last definite answer.
        uncertain: A request left and no definite answer came; those in flight among them.
        refused: Under a refusal that has not yet ended.
        unknown: Of all refusals (ended or not), those the destination does not know.
        declined: Of all refusals, the others.
    """

    desired: BitMap
    acknowledged: BitMap
    uncertain: BitMap
    refused: BitMap
    unknown: BitMap
    declined: BitMap


@dataclass(frozen=True)
class Decision:
    """What a tick decided for one sync, to be written.

    Args:
        run: To be kept; its id is given then.
        sync: As it is to stand after: ``last_as_of``, ``last_load``, ``evaluated``, ``held``, ``released``, ``next_at``.
        desired: Recipients. None: held, nothing of the ledger is touched.
        entered: Unix seconds for those who newly become wanted.
    """

    run: Run
    sync: Sync
    desired: BitMap | None = None
    entered: int = 0


@dataclass(frozen=True)
class Settled:
    """A parcel's outcome, ready for the disk.

    Args:
        parcel: As claimed.
        answer: What the reply meant.
    """

    parcel: Parcel
    answer: Answer


class Recipients(Protocol):
    """The destination's users, numbered per connection."""

    def number(self, connection: str, identifiers: pa.StringArray) -> pa.UInt32Array:
        """Numbers (uint32) of these distinct identifiers, in order; new ones are kept. Twice: the same numbers."""

    def all(self, connection: str) -> Iterator[pa.Table]:
        """Everything numbered so far, in pieces: columns ``identifier`` (string), ``number`` (uint32)."""

    def identifiers(self, connection: str, numbers: Iterable[int]) -> dict[int, str]:
        """The identifiers of some numbers."""


class Ledger(Protocol):
    """What is owed, uncertain and refused: on disk at every step.

    One row a (sync, recipient) for which anything is open; it is settled into the row, and folded into the sync's bitmaps
    at the end of a run. A recipient's facts are always bitmap and rows together, read in one snapshot.
    """

    def facts(self, sync: str, now: int) -> Facts:
        """One sync's sets."""

    def standing(self, sync: str) -> Standing:
        """The line that adds up, from the last run that was not held and the sets as they are now."""

    def decide(self, tick: Tick, decisions: Sequence[Decision], now: int) -> list[Run]:
        """Write a tick's decisions in one transaction; returns the runs with their ids.

        For each sync that is not held: ``desired`` is kept, and whom to tell is computed inside the transaction, from the
        facts as they are there (`cornicen.delivery.owed.owed`): a courier may have settled something since the tick looked. A
        row waits for exactly those owed (wanted as in ``desired``; a recipient that was wanted already keeps its
        ``entered``), beside those under a refusal that has not ended, whatever is wanted; others go. A row in
        flight stays in flight and is wanted anew when it is settled. Earlier runs of the sync that are delivering become
        superseded.

        Twice: the second finds nothing left to change, and is a run of its own.
        """

    def recover(self, connection: str, now: int, longest_answer: float) -> int:
        """Called by a courier before its first claim: whatever is in flight was lost with its predecessor.

        It becomes uncertain and is not asked again before ``longest_answer`` seconds after it was sent. Returns how many rows.

        Twice: finds nothing.
        """

    def exchange(
        self, connection: str, settled: Sequence[Settled], shape: Shape, free: int, now: int, longest_answer: float
    ) -> list[Parcel]:
        """Settle what has arrived and claim up to ``free`` parcels, in one transaction.

        Every claimed change is uncertain on disk when this returns. Claimed are rows whose time has come, of syncs that are
        active or retiring, not held, and whose container exists or cannot be had; never a recipient with another row in flight
        or a row under doubt whose quiet time has not passed. Requests are counted on tick and runs.

        Twice: with the same ``settled``, settles the same.
        """

    def due(self, connection: str) -> int | None:
        """When the next row's time comes, microseconds; None: nothing is waiting."""

    def finish(self, connection: str, now: int) -> list[Run]:
        """Fold and end the runs of which nothing is waiting or in flight; returns them. Twice: finds nothing."""

    def forget(self, sync: str) -> None:
        """Drop a retired sync's rows and sets. Twice: does nothing."""


class Destination(Protocol):
    """A vendor's `members_out`: pure, it never sends.

    Made from one connection's settings and secrets.
    """

    shape: Shape
    rate: float
    """Requests per second that the connection allows."""
    connections: int
    """Requests at the same time."""
    longest_answer: float
    """Seconds after which a request that was not answered cannot take effect any more."""

    def probe(self) -> Request:
        """The cheapest request that shows whether key and account are right."""

    def probed(self, result: Result) -> str:
        """The account's name for people. Raises: WrongKey, TierRefused, Unreachable."""

    def ensure(self, container: Container) -> Request:
        """Make the container, or rename it where it exists. Twice: the same container."""

    def ensured(self, container: Container, result: Result) -> Ensured:
        """What the answer to `ensure` means."""

    def retire(self, container: Container) -> Request:
        """Remove the container. Twice: it is gone."""

    def retired(self, container: Container, result: Result) -> Ensured:
        """What the answer to `retire` means; ACCEPTED: it is gone."""

    def deliver(self, parcel: Parcel) -> Request:
        """The request that carries a parcel. Twice: the same state there."""

    def answered(self, parcel: Parcel, result: Result) -> Answer:
        """What its answer means."""


class Sender(Protocol):
    """Sends requests; the only one of these ports that touches the network."""

    async def send(self, request: Request, *, timeout: float) -> Result:
        """One attempt, no retry, no redirect. Never raises for the network's faults: they are values."""


class GivenReader(Protocol):
    """Reads given lists."""

    def read(self, source: GivenSource) -> pa.StringArray:
        """Distinct non-null values as strings, unordered. Raises: BadFile."""


class State(Protocol):
    """Everything that was decided."""

    @property
    def projects(self) -> Projects: ...
    @property
    def connections(self) -> Connections: ...
    @property
    def cohorts(self) -> Cohorts: ...
    @property
    def syncs(self) -> Syncs: ...
    @property
    def runs(self) -> Runs: ...
    @property
    def recipients(self) -> Recipients: ...
    @property
    def ledger(self) -> Ledger: ...

    def close(self) -> None:
        """Close it; nothing of it is used after. Twice: does nothing."""
