"""The meaning of one recipient in one sync: every state it can be in, every step it can take, what is owed in each. Pure.

::

    want      what should be: in or out
    send      a request leaves; from here on the recipient is uncertain
    accepted  a definite yes: acknowledged, and all doubt is gone
    refused   a definite no: its own doubt is gone, acknowledged and earlier doubt stay, and nobody asks before its time
    untouched not acted on (a 429, or nothing left): its own doubt is gone
    denied    a definite no to the whole sync: its own doubt is gone
    unknown   no definite answer: doubt stays, and nothing is sent until the longest answer time has passed
    crashed   the sender died before it wrote an answer down: as unknown

Three facts are independent of each other: what was acknowledged, whether there is doubt, and a refusal. The rule without
doubt goes wrong in four steps: in, sent, out, answer lost. The rule without the quiet time goes wrong because a request
whose answer was lost can still take effect after the one that corrects it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Flight:
    """A request that left and is not settled.

    Args:
        want: What it says: in or out.
        at: When it left.
    """

    want: bool
    at: int


@dataclass(frozen=True)
class Refusal:
    """A definite no to this recipient.

    Args:
        reason: As in `shapes.Answer`.
        until: The earliest moment to ask again.
    """

    reason: str
    until: int


@dataclass(frozen=True)
class Member:
    """One recipient in one sync. Times are in any one unit; the ledger's are microseconds.

    Args:
        desired: In or out, as it should be.
        acknowledged: In or out, by the last definite answer.
        doubt: An earlier request got no definite answer; the destination may hold what it said.
        flight: The request under way.
        refusal: The last refusal since the last yes, also one that has ended.
        quiet_until: Nothing is sent before.
    """

    desired: bool = False
    acknowledged: bool = False
    doubt: bool = False
    flight: Flight | None = None
    refusal: Refusal | None = None
    quiet_until: int = 0

    @property
    def uncertain(self) -> bool:
        """A request left and no definite answer came; one under way counts."""
        return self.doubt or self.flight is not None


def owed(member: Member, now: int) -> bool:
    """Whether the destination has still to be told: it differs or is uncertain, and is not refused until later."""
    return (member.desired != member.acknowledged or member.uncertain) and not refused_now(member, now)


def refused_now(member: Member, now: int) -> bool:
    """Whether a refusal has not ended."""
    return member.refusal is not None and now < member.refusal.until


def sendable(member: Member, now: int) -> bool:
    """Whether a request may leave now: owed, none under way, and not quiet."""
    return owed(member, now) and member.flight is None and now >= member.quiet_until


def open_still(member: Member, now: int) -> bool:
    """Whether there is more to remember than where the recipient is and should be."""
    return member.desired != member.acknowledged or member.uncertain or refused_now(member, now)


def want(member: Member, desired: bool) -> Member:
    """From now on this should be. Twice: the same."""
    return replace(member, desired=desired)


def send(member: Member, now: int) -> Member:
    """A request leaves that says what is wanted now.

    Raises:
        ValueError: None may leave; see `sendable`.
    """
    if not sendable(member, now):
        raise ValueError(f"nothing may be sent at {now} for {member}")
    return replace(member, flight=Flight(member.desired, now))


def accepted(member: Member, again: int = 0) -> Member:
    """A definite yes. What the request said is acknowledged, even where something else is wanted by now.

    Args:
        member: With a request under way, as for every answer here; ValueError otherwise.
        again: Nothing is sent before, as for every answer here.
    """
    return _landed(member, again, acknowledged=_flight(member).want, doubt=False, refusal=None)


def refused(member: Member, reason: str, until: int, again: int = 0) -> Member:
    """A definite no: nothing was done, and nobody asks before ``until``. Earlier doubt stays."""
    return _landed(member, again, refusal=Refusal(reason, until))


def untouched(member: Member, again: int = 0) -> Member:
    """Not acted on, and to be asked again. Earlier doubt stays."""
    return _landed(member, again)


def denied(member: Member, again: int = 0) -> Member:
    """A definite no to the whole sync. Earlier doubt stays."""
    return _landed(member, again)


def unknown(member: Member, longest: int, again: int = 0) -> Member:
    """No definite answer came: nothing more is sent until the request cannot take effect any more.

    Args:
        member: With a request under way.
        longest: How long after it left a request can still take effect.
        again: Nothing is sent before.
    """
    return _landed(member, max(again, _flight(member).at + longest), doubt=True)


def crashed(member: Member, longest: int) -> Member:
    """The sender died: whatever was under way got no definite answer."""
    return unknown(member, longest)


def left_alone(member: Member, reason: str, until: int) -> Member:
    """A refusal in the destination's place, after too many doubts in a row; the doubt stays."""
    return replace(member, refusal=Refusal(reason, until))


def _flight(member: Member) -> Flight:
    if member.flight is None:
        raise ValueError(f"nothing is under way for {member}")
    return member.flight


def _landed(member: Member, again: int, **learned: Any) -> Member:  # noqa: ANN401 - fields of a member
    _flight(member)
    return replace(member, flight=None, quiet_until=max(member.quiet_until, again), **learned)
