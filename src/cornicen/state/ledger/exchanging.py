"""Settle and claim in one transaction, and count it on runs and ticks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from cornicen.delivery.shapes import Parcel, Shape
from cornicen.flows.ports import Settled
from cornicen.state import delays, tables
from cornicen.state.ledger.claiming import claim
from cornicen.state.ledger.queue import Line, lines_of
from cornicen.state.ledger.settling import Terms, settle
from cornicen.state.prepared import Prepared

SECOND = 1_000_000


def exchange(
    db: sa.Connection, account: int, settled: Sequence[Settled], shape: Shape, free: int, now: int, longest: int
) -> list[Parcel]:
    """Settle what has arrived and claim up to ``free`` parcels.

    Args:
        db: In a writing transaction.
        account: The connection's number.
        settled: What came back.
        shape: How the destination wants its changes.
        free: How many requests may leave.
        now: Microseconds.
        longest: Microseconds after which an unanswered request cannot take effect any more.
    """
    lines = lines_of(db, account)
    added, removed = dict[int, int](), dict[int, int]()
    if settled:
        terms = Terms(now, longest, int(shape.spacing * SECOND))
        added, removed = settle(db, account, {line.id: line for line in lines}, settled, terms)
        delays.note(db, added, removed, now)
    parcels = claim(db, account, lines, shape, free, now)
    _count(db, lines, parcels, added, removed)
    return parcels


def _count(
    db: sa.Connection, lines: Sequence[Line], parcels: Sequence[Parcel], added: Mapping[int, int], removed: Mapping[int, int]
) -> None:
    """A request counts on each run of which it carries a change, and on one tick: the newest of theirs."""
    by_id = {line.id: line for line in lines}
    requests, ticks = Counter[int](), Counter[int]()
    for parcel in parcels:
        carried = {by_id[change.sync] for change in parcel.changes}
        requests.update(line.run for line in carried if line.run is not None)
        ticks.update([max(line.tick for line in carried if line.tick is not None)])
    counted = sorted({*added, *removed, *requests})
    _RUNS.each(db, [{"i": id_, "a": added.get(id_, 0), "o": removed.get(id_, 0), "q": requests[id_]} for id_ in counted])
    _TICKS.each(db, [{"i": id_, "q": count} for id_, count in sorted(ticks.items())])


_RUNS = Prepared(
    sa.update(tables.run)
    .where(tables.run.c.id == sa.bindparam("i"))
    .values(
        added=tables.run.c.added + sa.bindparam("a"),
        removed=tables.run.c.removed + sa.bindparam("o"),
        requests=tables.run.c.requests + sa.bindparam("q"),
    )
)
_TICKS = Prepared(
    sa.update(tables.tick)
    .where(tables.tick.c.id == sa.bindparam("i"))
    .values(requests=tables.tick.c.requests + sa.bindparam("q"))
)
