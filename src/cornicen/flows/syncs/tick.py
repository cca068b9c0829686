"""One evaluation of what is due: propose, guard, and hand the courier what is owed, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from cornicen.errors import BadInput
from cornicen.flows.ports import Decision
from cornicen.flows.records import Run, RunStatus, Sync, SyncStatus, Tick
from cornicen.flows.schedule import RETIRING, is_due, next_at
from cornicen.flows.syncs.audit import audit
from cornicen.flows.syncs.guarding import why_held
from cornicen.flows.syncs.propose import Desk, Faulty, Proposal, propose, warned

MICROSECONDS = 1_000_000


@dataclass(frozen=True)
class Ticked:
    """What a tick did.

    Args:
        tick: As kept.
        runs: One a sync, as kept.
        unlisted: By run, why its audit file could not be written.
    """

    tick: Tick
    runs: list[Run]
    unlisted: Mapping[int, str] = field(default_factory=dict)


def due(desk: Desk, now: int) -> list[Sync]:
    """The project's syncs whose moment has come."""
    return [sync for sync in desk.state.syncs.all(desk.project.id) if is_due(sync, now)]


def asked(desk: Desk, names: Sequence[str]) -> list[Sync]:
    """The syncs that a person asks for: by cohort slug or id; none named: all that move by themselves.

    A one-time sync that has run moves only when it is named.

    Raises:
        BadInput: A name fits no sync, or a sync that does not run now.
    """
    syncs = desk.state.syncs.all(desk.project.id)
    if not names:
        return [
            sync
            for sync in syncs
            if sync.status is SyncStatus.RETIRING
            or (sync.status is SyncStatus.ACTIVE and (sync.last_as_of is None or next_at(sync.cadence, 0, "UTC") is not None))
        ]
    chosen = [sync for name in names for sync in syncs if name in {sync.cohort, sync.id}]
    if missing := [name for name in names if not any(name in {sync.cohort, sync.id} for sync in syncs)]:
        raise BadInput(f"There is no sync of {', '.join(missing)}.", "`cornicen sync list` shows those there are.")
    if idle := [sync.cohort for sync in chosen if sync.status not in {SyncStatus.ACTIVE, SyncStatus.RETIRING}]:
        raise BadInput(f"The sync of {', '.join(idle)} is not active.", "Resume it first: `cornicen sync resume NAME`.")
    return chosen


def instant(desk: Desk, now: int, as_of: int | None) -> int:
    """The instant a tick is about: the one asked for, never later than the watermark.

    Raises:
        BadInput: The instant asked for has not come yet.
    """
    if as_of is not None and as_of > now:
        raise BadInput("The instant asked for lies in the future.", "Give one that has passed, or none for now.")
    watermark = desk.warehouse.watermark(now)
    return watermark if as_of is None else min(as_of, watermark)


def tick(desk: Desk, syncs: Sequence[Sync], *, now: int, as_of: int | None = None, release: bool = False) -> Ticked:
    """Evaluate some syncs and write what follows.

    Args:
        desk: The project's.
        syncs: Which; see `due` and `asked`.
        now: Microseconds, read before the call.
        as_of: The instant to be about; None: the watermark.
        release: Whether every run passes the guard.

    Returns:
        The tick and its runs. A sync whose definition has become wrong is stopped with its reason and has no run.

    Raises:
        BadInput: `as_of` lies in the future, or before a sync's last run.

    Twice: the second has nothing to tell anybody.
    """
    at = instant(desk, now, as_of)
    for sync in syncs:
        if sync.last_as_of is not None and at < sync.last_as_of and sync.status is not SyncStatus.RETIRING:
            raise BadInput(f"The sync of {sync.cohort} has run about a later instant.", "Give a later --as-of, or none.")
    last = max((sync.last_load for sync in syncs), default=desk.warehouse.last_load())
    arrived = desk.warehouse.arrivals(None, last, 0, at).get("*", (0, 0))[0]
    opened = Tick(
        id=0,
        project=desk.project.id,
        as_of=at,
        started=now,
        events=arrived,
        gap=desk.warehouse.backlog().get("bulk", 0),
    )
    proposals = []
    for proposal in propose(desk, syncs, at, now):
        if isinstance(proposal, Faulty):
            _stop(desk, proposal)
        else:
            proposals.append(proposal)
    decisions = [_decide(desk, proposal, opened, release=release, backdated=as_of is not None) for proposal in proposals]
    kept = desk.state.runs.open_tick(opened)
    runs = desk.state.ledger.decide(kept, decisions, now)
    return Ticked(kept, runs, audit(desk, proposals, runs, now))


def _stop(desk: Desk, faulty: Faulty) -> None:
    fix = f"Correct it, then `cornicen sync resume {faulty.sync.cohort}`."
    desk.state.syncs.change(faulty.sync.id, status=SyncStatus.STOPPED, what=str(faulty.error), fix=fix)


def _decide(desk: Desk, proposal: Proposal, tick: Tick, *, release: bool, backdated: bool) -> Decision:
    sync = proposal.sync
    run = Run(
        id=0,
        tick=tick.id,
        sync=sync.id,
        status=RunStatus.DELIVERING,
        size=proposal.size,
        no_profile=proposal.identified.no_profile,
        no_id=proposal.identified.no_id,
        shared=proposal.identified.shared,
        adding=proposal.adding,
        removing=proposal.removing,
        others=proposal.others,
        differing=warned(desk.project, proposal.identified.differing),
    )
    after = replace(sync, next_at=next_at(sync.cadence, tick.started, desk.project.zone))
    if not release and (why := why_held(desk, proposal, tick.as_of)):
        return Decision(replace(run, status=RunStatus.HELD, why=why), replace(after, held=True))
    digest = RETIRING if proposal.definition is None else proposal.digest
    after = replace(
        after,
        last_as_of=tick.as_of,
        backdated=backdated,
        last_load=desk.warehouse.last_load(),
        evaluated=digest,
        held=False,
        released=False,
    )
    return Decision(run, after, proposal.desired, tick.as_of // MICROSECONDS)
