"""What was decided, as plain values: the rows that flows and `state` exchange."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Cadence(StrEnum):
    """How often a sync is evaluated."""

    ONCE = "once"
    QUARTER_HOUR = "every 15 minutes"
    HOURLY = "hourly"
    DAILY = "daily"


class SyncStatus(StrEnum):
    """Where a sync stands."""

    ACTIVE = "active"
    PAUSED = "paused"
    STOPPED = "stopped"
    """A destination said no to all of it; `Sync.words` has why. It goes on when a person resumes it."""
    RETIRING = "retiring"
    """To be removed: everybody goes out, then the segment, then it is RETIRED."""
    RETIRED = "retired"


class RunStatus(StrEnum):
    """Where a run stands."""

    HELD = "held"
    """The guard held it: nothing of it was handed to the courier."""
    DELIVERING = "delivering"
    DONE = "done"
    """Every change is settled: acknowledged, or refused with a reason and counted."""
    STOPPED = "stopped"
    SUPERSEDED = "superseded"
    """A later run of the sync took over what was left."""


@dataclass(frozen=True)
class Project:
    """One project: a token for senders, a time zone, a warehouse folder of its own.

    Args:
        id: Stable, made once; names the folder.
        name: What people read, and what the CLI takes.
        token: What senders put into the user part of Basic auth.
        zone: IANA name; local days and local times are its.
        managed: ``file:<folder>`` or ``cli``.
        identity: The rule by which names become persons: ``simplified``, ``original`` or ``amplitude`` (`cornicen.identity`);
            chosen once.
    """

    id: str
    name: str
    token: str
    zone: str = "UTC"
    managed: str = "cli"
    identity: str = "simplified"


@dataclass(frozen=True)
class Connection:
    """One account at a destination.

    Args:
        id: Stable, made once.
        project: Project id.
        slug: Its name for people and files, unique in the project.
        vendor: The integration's name, e.g. ``onesignal``.
        settings: The vendor's public settings, e.g. ``app_id`` ``base_url`` ``identifier`` ``rate``.
        secrets: Its secret settings, in the clear; the state encrypts them at rest.
        managed: ``file:<folder>`` or ``cli``.
    """

    id: str
    project: str
    slug: str
    vendor: str
    settings: Mapping[str, object] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    managed: str = "cli"


@dataclass(frozen=True)
class Cohort:
    """One cohort as written.

    Args:
        project: Project id.
        slug: Unique in the project.
        name: What people read.
        definition: The document as parsed from YAML or JSON.
        folder: Relative paths in the definition start here.
        managed: ``file:<folder>`` or ``cli``.
    """

    project: str
    slug: str
    name: str
    definition: Mapping[str, object]
    folder: str = ""
    managed: str = "cli"


@dataclass(frozen=True)
class Guard:
    """When a run is held instead of delivered; see `cornicen.delivery.guard`.

    Args:
        percent: Of the segment's members. None: off.
        count: Recipients. None: off.
    """

    percent: float | None = 30.0
    count: int | None = 100

    @property
    def off(self) -> bool:
        """Whether nothing is ever held."""
        return self.percent is None or self.count is None


@dataclass(frozen=True)
class Sync:
    """One cohort kept in one segment.

    Args:
        id: 32 hexadecimal digits, random, made once: tag key and segment id come from it.
        project: Project id.
        cohort: Cohort slug.
        connection: Connection id.
        cadence: How often.
        status: Where it stands.
        guard: When a run is held.
        next_at: When it is due, microseconds; None: not by itself.
        last_as_of: Of the last run that was not held, microseconds; None: never.
        backdated: Whether that run was asked to be about an instant of the past (`--as-of`).
        last_load: The loader's sequence number that run had seen.
        evaluated: Digest of definition, identifier and connection at that run; a new one lifts the guard once.
        held: Whether its last run is held: its changes stay where they are until it is released.
        released: Whether the next run passes the guard, whatever it changes.
        container: What is known of the segment: ``stored`` id, ``exists``, ``renamed``, ``own_id``, ``name``, when it was last
            ``asked`` for (microseconds; then there may be one); and ``words`` when the destination cannot have it.
        words: Why it is stopped, in the destination's own words.
        what: Why it is stopped, in ours.
        fix: What to do.
        managed: ``file:<folder>`` or ``cli``.
    """

    id: str
    project: str
    cohort: str
    connection: str
    cadence: Cadence = Cadence.QUARTER_HOUR
    status: SyncStatus = SyncStatus.ACTIVE
    guard: Guard = Guard()
    next_at: int | None = None
    last_as_of: int | None = None
    backdated: bool = False
    last_load: int = 0
    evaluated: str = ""
    held: bool = False
    released: bool = False
    container: Mapping[str, object] = field(default_factory=dict)
    words: str = ""
    what: str = ""
    fix: str = ""
    managed: str = "cli"


@dataclass(frozen=True)
class Tick:
    """One evaluation of what is due, over the syncs of a project.

    Args:
        id: Number, ascending.
        project: Project id.
        as_of: The instant its answers are about, microseconds.
        started: When it ran, microseconds.
        ended: When its last run ended; None: not yet.
        events: How many events had been loaded since the tick before.
        requests: Requests sent on its behalf so far.
        gap: Bytes of the bulk lane that were not loaded when it was evaluated.
    """

    id: int
    project: str
    as_of: int
    started: int
    ended: int | None = None
    events: int = 0
    requests: int = 0
    gap: int = 0


@dataclass(frozen=True)
class Run:
    """One sync in one tick.

    Args:
        id: Number, ascending.
        tick: Tick id.
        sync: Sync id.
        status: Where it stands.
        size: Persons in the cohort.
        no_profile: Of these, without an identified profile.
        no_id: With a profile, without a usable identifier.
        shared: With an identifier that another person of the cohort has too: persons less recipients.
        adding: Recipients to add as of this run, beyond what was acknowledged.
        removing: Recipients to remove.
        added: Acknowledged in, so far.
        removed: Acknowledged out, so far.
        requests: Requests that carried a change of it, so far.
        why: Of a held run: the guard's sentence.
        others: Where nobody was matched by the identifier: how many each other identifier would match.
        differing: Persons whose user id is not their identifier's value; see `cornicen.flows.syncs.propose.warned`.
    """

    id: int
    tick: int
    sync: str
    status: RunStatus
    size: int = 0
    no_profile: int = 0
    no_id: int = 0
    shared: int = 0
    adding: int = 0
    removing: int = 0
    added: int = 0
    removed: int = 0
    requests: int = 0
    why: str = ""
    others: Mapping[str, int] = field(default_factory=dict)
    differing: int = 0


@dataclass(frozen=True)
class Place:
    """What was learnt about one recipient at a destination by asking, or by making it.

    Args:
        user: The destination's own id of the user behind it; "": nobody's, when it was asked.
        at: When, microseconds.
        created: Whether we made the user then.
    """

    user: str
    at: int
    created: bool = False


@dataclass(frozen=True)
class Timing:
    """When a run's changes were acknowledged.

    Args:
        run: Its id.
        as_of: The instant it is about, microseconds.
        started: When its tick began, microseconds.
        ended: When its tick ended; None: not yet.
        before: The instant that the run of the sync before it was about; None: it is the first. Held ones do not count.
        delays: ``(seconds after the start, changes acknowledged so late)``, ascending.
    """

    run: int
    as_of: int
    started: int
    ended: int | None
    before: int | None
    delays: tuple[tuple[float, int], ...] = ()


@dataclass(frozen=True)
class Standing:
    """The one line that adds up, read from disk.

    ``size - no_profile - no_id - shared - unknown - refused - on_the_way + leaving == in_segment``
    """

    size: int
    no_profile: int
    no_id: int
    shared: int
    unknown: int
    refused: int
    on_the_way: int
    leaving: int
    in_segment: int
