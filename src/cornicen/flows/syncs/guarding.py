"""Whether a proposal is held, and the costlier half of the answer: what would have changed anyway."""

from __future__ import annotations

from dataclasses import replace

from pyroaring import BitMap

from cornicen.cohorts.query import needs
from cornicen.delivery.guard import Guarded, Moves, held, moves
from cornicen.flows.cohorts.evaluate import members
from cornicen.flows.syncs.propose import Desk, Proposal, recipients


def why_held(desk: Desk, proposal: Proposal, as_of: int) -> str:
    """The guard's sentence; empty: the run goes on.

    What would have changed anyway is evaluated only when the raw numbers trip.
    """
    run = _raw(desk, proposal)
    if not held(run) or proposal.definition is None:
        return held(run)
    return held(_with_what_came_anyway(desk, proposal, run, as_of))


def _raw(desk: Desk, proposal: Proposal) -> Guarded:
    sync, limits = proposal.sync, proposal.sync.guard
    return Guarded(
        name=sync.cohort,
        percent=limits.percent,
        count=limits.count,
        moves=_moves(proposal, proposal.desired),
        new=proposal.definition is None or sync.last_as_of is None or sync.evaluated != proposal.digest,
        released=sync.released,
        gap=desk.warehouse.backlog().get("bulk", 0),
    )


def _moves(proposal: Proposal, desired: BitMap) -> Moves:
    facts = proposal.facts
    return moves(desired, facts.desired, facts.acknowledged, facts.refused)


def _with_what_came_anyway(desk: Desk, proposal: Proposal, run: Guarded, as_of: int) -> Guarded:
    """The same run, with the cohort as it would be now had nothing been loaded since the sync's last run."""
    definition, last = proposal.definition, proposal.sync.last_as_of
    if definition is None or definition.query is None or last is None:
        return run  # a list of recipients does not depend on what arrived
    before = members([definition], desk.engines(proposal.sync.last_load), as_of)[0]
    _, identified = recipients(desk, proposal.connection, definition, before)
    names = needs(definition.query).names
    return replace(
        run,
        anyway=_moves(proposal, identified.recipients),
        arrivals=desk.warehouse.arrivals(names, proposal.sync.last_load, last, as_of) if names != frozenset() else {},
        elapsed=as_of - last,
    )
