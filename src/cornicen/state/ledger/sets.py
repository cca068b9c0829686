"""One sync's sets: the bitmaps as they were folded, and what the rows say in their place."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import sqlalchemy as sa
from pyroaring import BitMap

from cornicen.flows.ports import Facts
from cornicen.flows.records import Run, RunStatus, Standing
from cornicen.state.prepared import Prepared
from cornicen.state.tables import Stand, member, sync_set

UNKNOWN_RECIPIENT = "unknown_recipient"
"""The reason of a refusal that says: no such user there (`cornicen.delivery.shapes.Answer`)."""

ACKNOWLEDGED, FLIGHT, SETTLED, DOUBT, UNKNOWN, DECLINED, REFUSED, LATER = (1 << bit for bit in range(8))
"""What a told row says: in by the last definite answer; in flight; settled; under doubt; refused as unknown; refused
otherwise; under a refusal that has not ended; its time has not come."""


@dataclass(frozen=True)
class Sets:
    """As read in one snapshot.

    Args:
        run: The last run that was not held; None: never.
        desired: As that run decided.
        folded: Acknowledged when the last run ended.
        open: Recipients that have a row.
        told: Of the rows of which a request was ever sent, the recipients by what the row says (the bits above).
    """

    run: int | None = None
    desired: BitMap = field(default_factory=BitMap)
    folded: BitMap = field(default_factory=BitMap)
    open: BitMap = field(default_factory=BitMap)
    told: dict[int, BitMap] = field(default_factory=dict)

    def rows(self, *bits: int, without: int = 0) -> BitMap:
        """Recipients whose row says any of these (no bits: all told rows), and nothing of ``without``."""
        found = BitMap()
        for says, recipients in self.told.items():
            if not says & without and (not bits or any(says & bit for bit in bits)):
                found |= recipients
        return found

    @cached_property
    def acknowledged(self) -> BitMap:
        """In, by the last definite answer."""
        return (self.folded | self.rows(ACKNOWLEDGED)) - self.rows(without=ACKNOWLEDGED)


def read_sets(db: sa.Connection, sync: int, now: int) -> Sets:
    """A sync's sets; empty ones before its first decision.

    Args:
        db: In a transaction that sees one snapshot.
        sync: Its number.
        now: Microseconds; it decides which refusals have ended.
    """
    row = db.execute(sa.select(sync_set).where(sync_set.c.sync == sync)).first()
    if row is None:
        return Sets()
    desired, folded, open_ = (BitMap.deserialize(kept) for kept in (row.desired, row.acknowledged, row.open))
    return Sets(row.run, desired, folded, open_, _told(db, sync, now))


def keep_sets(db: sa.Connection, sync: int, run: int, desired: BitMap, folded: BitMap, open_: BitMap) -> None:
    """Write a sync's bitmaps. Twice: the same."""
    values = {"run": run, "desired": packed(desired), "acknowledged": packed(folded), "open": packed(open_)}
    if not db.execute(sa.update(sync_set).where(sync_set.c.sync == sync).values(values)).rowcount:
        db.execute(sa.insert(sync_set).values(sync=sync, **values))


def packed(bitmap: BitMap) -> bytes:
    """As stored: runs of neighbours take a few bytes."""
    copy = bitmap.copy()
    copy.run_optimize()
    return copy.serialize()


def facts_of(sets: Sets) -> Facts:
    """The sets as flows see them."""
    return Facts(
        desired=sets.desired,
        acknowledged=sets.acknowledged,
        uncertain=sets.rows(FLIGHT, DOUBT),
        refused=sets.rows(REFUSED),
        unknown=sets.rows(UNKNOWN),
        declined=sets.rows(DECLINED),
    )


def standing_of(sets: Sets, runs: Sequence[Run]) -> Standing:
    """The line that adds up. ``runs``: the run of the sets, where there is one."""
    run = runs[0] if runs else Run(id=0, tick=0, sync="", status=RunStatus.DONE)
    missing = sets.desired - sets.acknowledged
    unknown, refused = len(missing & sets.rows(UNKNOWN)), len(missing & sets.rows(DECLINED))
    return Standing(
        size=run.size,
        no_profile=run.no_profile,
        no_id=run.no_id,
        shared=run.shared,
        unknown=unknown,
        refused=refused,
        on_the_way=len(missing) - unknown - refused,
        leaving=len(sets.acknowledged - sets.desired),
        in_segment=len(sets.acknowledged),
    )


def _told(db: sa.Connection, sync: int, now: int) -> dict[int, BitMap]:
    """One pass over the told rows; of millions that still wait for their first request none is read."""
    told: dict[int, array[int]] = {}
    for piece in _TOLD.pieces(db, 10_000, sync=sync, now=now):
        for recipient, bits in piece:
            told.setdefault(bits, array("I")).append(recipient)
    return {bits: BitMap(recipients) for bits, recipients in told.items()}


def _says() -> sa.ColumnElement[int]:
    now = sa.bindparam("now", type_=sa.BigInteger())
    refused = member.c.reason != ""
    tests: list[tuple[int, sa.ColumnElement[bool]]] = [
        (ACKNOWLEDGED, member.c.acknowledged),
        (FLIGHT, member.c.state == Stand.FLIGHT.value),
        (SETTLED, member.c.state == Stand.SETTLED.value),
        (DOUBT, member.c.doubt),
        (UNKNOWN, member.c.reason == UNKNOWN_RECIPIENT),
        (DECLINED, sa.and_(refused, member.c.reason != UNKNOWN_RECIPIENT)),
        (REFUSED, sa.and_(refused, member.c.refused_until > now)),
        (LATER, member.c.due > now),
    ]
    total: sa.ColumnElement[int] = sa.literal_column("0")
    for bit, test in tests:
        total = total + sa.case((test, sa.literal_column(str(bit))), else_=sa.literal_column("0"))
    return total


_TOLD = Prepared(
    sa.select(member.c.recipient, _says()).where(member.c.sync == sa.bindparam("sync"), member.c.sent_at.isnot(None))
)
