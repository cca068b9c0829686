"""A plan that somebody has looked at, carried out only if it is still what would be done."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cornicen.errors import BadInput
from cornicen.flows.syncs.propose import Desk, Faulty, Proposal, propose
from cornicen.flows.syncs.tick import Ticked, asked, instant, tick


@dataclass(frozen=True)
class Planned:
    """What one sync was to do.

    Args:
        sync: Its id.
        fingerprint: As `fingerprint` gave it.
        adding: Recipients.
        removing: Recipients.
    """

    sync: str
    fingerprint: str
    adding: int
    removing: int


@dataclass(frozen=True)
class Carried:
    """What became of a plan.

    Args:
        ticked: Its tick; None: it was not carried out, in no part.
        moved: Why: of each sync that would do something else now, a sentence.
    """

    ticked: Ticked | None
    moved: list[str]


def fingerprint(proposal: Proposal) -> str:
    """Names all that a proposal would do: whom it wants in, and whom the destination would have to be told about."""
    digest = hashlib.sha256(proposal.digest.encode())
    for part in (proposal.desired, proposal.owed):
        digest.update(part.serialize())
    return digest.hexdigest()[:32]


def planned(found: Sequence[Mapping[str, object]]) -> list[Planned]:
    """The ``syncs`` of a plan as it was written down.

    Raises:
        BadInput: They are no such thing, or a sync could not be evaluated then.
    """
    plans = []
    for one in found:
        if "error" in one:
            raise BadInput(f"The plan has no answer for {one.get('cohort')}.", "Correct what `cornicen sync plan` says of it.")
        match one:
            case {"sync": str(sync), "fingerprint": str(mark), "adding": int(adding), "removing": int(removing)}:
                plans.append(Planned(sync, mark, adding, removing))
            case _:
                raise BadInput("That is no plan.", "Make one: `cornicen sync plan --json > plan.json`.")
    return plans


def carry_out(desk: Desk, plans: Sequence[Planned], *, now: int, release: bool = False) -> Carried:
    """Do what a plan says, if each of its syncs would still do just that.

    Args:
        desk: The project's.
        plans: Of each of its syncs.
        now: Microseconds, read before the call.
        release: Whether every run passes the guard.

    Raises:
        BadInput: A sync is not there any more, or is not active.

    Twice: the second time nothing is as it was planned, unless there was nothing to do.
    """
    syncs = asked(desk, [one.sync for one in plans]) if plans else []
    at = instant(desk, now, None)
    proposals = {proposal.sync.id: proposal for proposal in propose(desk, syncs, at, now)}
    moved = [sentence for one in plans if (sentence := _moved(one, proposals[one.sync]))]
    return Carried(None if moved else tick(desk, syncs, now=now, as_of=at, release=release), moved)


def _moved(plan: Planned, proposal: Proposal | Faulty) -> str:
    """What a sync would do instead of what was planned; empty: the same."""
    if isinstance(proposal, Faulty):
        return f"{proposal.sync.cohort} cannot be evaluated any more: {proposal.error}"
    if fingerprint(proposal) == plan.fingerprint:
        return ""
    then = f"add {plan.adding:,} and remove {plan.removing:,}"
    instead = f"add {proposal.adding:,} and remove {proposal.removing:,}"
    other = " others" if then == instead else ""
    return f"{proposal.sync.cohort} was to {then}, and would now {instead}{other}."
