"""What was decided, and the ledger of what is owed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa
from pyroaring import BitMap

from cornicen.delivery.shapes import Answer, Parcel, Shape
from cornicen.flows.ports.telling import Notices
from cornicen.flows.records import Cohort, Connection, Place, Project, Run, RunStatus, Standing, Sync, Tick, Timing


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

    def totals(self, project: str) -> tuple[Mapping[RunStatus, int], int]:
        """How many runs there are by status, and how many requests were sent on behalf of all ticks."""

    def timing(self, sync: str) -> Timing | None:
        """Of the newest run of which a change was acknowledged; None: there is none."""

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


class Places(Protocol):
    """What was learnt about recipients that a destination does not know by their identifier alone."""

    def get(self, connection: str, identifier: str) -> Place | None: ...
    def put(self, connection: str, identifier: str, place: Place | None) -> None:
        """Keep it, in place of what was kept before; None: forget. Twice: the same."""

    def found(self, connection: str) -> BitMap:
        """The recipients whose user was found by asking, by number."""


@dataclass(frozen=True)
class Lease:
    """Whose a connection is to deliver for, as it was taken.

    Args:
        connection: Its id.
        holder: The courier, by a name that no other has or had.
        term: Counts how often the connection's lease was taken: what an earlier term writes is refused.
        ended_ago: Microseconds from the end of the term before until this one began; 0: it had not ended, or is not known.
    """

    connection: str
    holder: str
    term: int
    ended_ago: int = 0


@dataclass(frozen=True)
class Beat:
    """What a courier holds.

    Args:
        terms: Of its leases the term, by the connection's id.
        couriers: How many couriers there are, itself among them.
    """

    terms: Mapping[str, int]
    couriers: int


class Leases(Protocol):
    """Which courier delivers for which connection. Times are those of whatever keeps them, never a courier's own."""

    def take(self, connection: str, holder: str, seconds: float, dead: str = "") -> Lease | None:
        """Take the lease of a connection for so many seconds.

        It can be had when nobody has it, when its time has run out, and from oneself or a holder known to be ``dead``. None:
        another has it. Whoever takes it calls `Ledger.recover` before anything else. Raises: NotFound.

        Twice: the second is a new term of the same holder.
        """

    def beat(self, holder: str, seconds: float) -> Beat:
        """Let all leases of a holder, and its being counted as a courier, last so many seconds from now.

        What another has begun to write does not happen if its time has run out and it has been silent for so many seconds: it
        was stopped, and would stand in everybody's way until it goes on.

        Twice: the same.
        """

    def release(self, lease: Lease) -> None:
        """Give a lease back, if it still is the holder's. Twice: does nothing."""

    def leave(self, holder: str) -> None:
        """A courier ends: it is counted no more. Twice: does nothing."""


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

    def recover(self, connection: str, now: int, longest_answer: float, lease: Lease | None = None) -> int:
        """Called by a courier before its first claim: whatever is in flight was lost with its predecessor.

        It becomes uncertain and is not asked again before ``longest_answer`` seconds after it was sent, or after the
        predecessor's lease ended where that is later. Returns how many rows. Raises: LeaseLost.

        Twice: finds nothing.
        """

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

        Every claimed change is uncertain on disk when this returns. Claimed are rows whose time has come, of syncs that are
        active or retiring, not held, and whose container exists or cannot be had; never a recipient with another row in flight
        or a row under doubt whose quiet time has not passed. Requests are counted on tick and runs.

        Raises:
            LeaseLost: The lease is another's by now; nothing was written. Without a lease, whoever calls is alone.

        Twice: with the same ``settled``, settles the same.
        """

    def due(self, connection: str) -> int | None:
        """When the next row's time comes, microseconds; None: nothing is waiting."""

    def finish(self, connection: str, now: int, lease: Lease | None = None) -> list[Run]:
        """Fold and end the runs of which nothing is waiting or in flight; returns them.

        Raises: LeaseLost. Twice: finds nothing.
        """

    def forget(self, sync: str) -> None:
        """Drop a retired sync's rows and sets. Twice: does nothing."""


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
    def places(self) -> Places: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def leases(self) -> Leases: ...
    @property
    def notices(self) -> Notices: ...

    def close(self) -> None:
        """Close it; nothing of it is used after. Twice: does nothing."""
