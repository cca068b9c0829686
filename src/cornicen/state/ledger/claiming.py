"""The second half of an exchange: which rows go next, as the destination wants them grouped."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from cornicen.delivery.shapes import Change, Grouping, Parcel, Shape
from cornicen.errors import Damaged
from cornicen.state.ledger.queue import Lane, Line, flying, lanes, waiting
from cornicen.state.ledger.settling import Row, rows_of, this_row
from cornicen.state.prepared import Prepared
from cornicen.state.recipients import identifiers_of
from cornicen.state.tables import Stand, member

ROUNDS = 6
MOST_AT_ONCE = 4_000
"""A look into a lane reads so many rows at most, and looks so many times: what is left is for the next exchange."""


def claim(db: sa.Connection, account: int, lines: Sequence[Line], shape: Shape, free: int, now: int) -> list[Parcel]:
    """Claim up to ``free`` parcels and mark their rows as in flight.

    Args:
        db: In a writing transaction.
        account: The connection's number.
        lines: Its syncs.
        shape: How the destination wants its changes.
        free: How many requests may leave.
        now: Microseconds.

    Returns:
        Parcels of rows that waited longest, at the same time removals first. Fewer than ``free`` where no more may go now, or
        where very many recipients turned out to be quiet: these have been put off, so that the next call looks behind them.
    """
    taken = _Claim(db, account, lines, now).take(shape, free)
    if not taken:
        return []
    rows = [row for some in taken for row in some]
    keys = [{"c": account, "s": row.sync, "r": row.recipient, "now": now} for row in rows]
    _MARK.each(db, keys)
    known = identifiers_of(db, account, {row.recipient for row in rows})
    ids = {line.number: line.id for line in lines}
    names = {line.number: line.name for line in lines} if shape.grouping is Grouping.PAGE else {}
    try:
        return [
            Parcel(tuple(_change(ids[row.sync], known[row.recipient], row) for row in some), now, names.get(some[0].sync, ""))
            for some in taken
        ]
    except KeyError as error:
        raise Damaged(
            f"The ledger names a recipient {error} that has no identifier.", "Restore the state from a backup."
        ) from error


def _change(sync: str, identifier: str, row: Row) -> Change:
    return Change(sync, row.recipient, identifier, row.member.desired, row.entered if row.member.desired else 0)


class _Claim:
    """One look through the lanes of a connection.

    Args:
        db: In a writing transaction.
        account: The connection's number.
        lines: Its syncs.
        now: Microseconds.
    """

    def __init__(self, db: sa.Connection, account: int, lines: Sequence[Line], now: int) -> None:
        self._db, self._account, self._now = db, account, now
        self._lines = list(lines)
        self._ready = {line.number for line in lines if line.ready}
        self._busy: set[int] = set()

    def take(self, shape: Shape, free: int) -> list[list[Row]]:
        """Rows to send, a list a parcel."""
        due = [lane for lane in lanes(self._db, self._lines) if lane.due <= self._now] if free > 0 else []
        if not due:
            return []
        self._busy = flying(self._db, self._account)
        taken: list[list[Row]] = []
        for lane in due:
            if len(taken) >= free:
                break
            taken += (
                self._recipients(lane, shape.limit, free - len(taken))
                if shape.grouping is Grouping.RECIPIENT
                else self._pages(lane, shape.limit, free - len(taken))
            )
        return taken

    def _recipients(self, lane: Lane, limit: int, free: int) -> list[list[Row]]:
        """A parcel a recipient: everything it may be told, removals first, at most ``limit``."""
        return [
            sorted(filter(self._may_go, rows), key=lambda row: (row.member.desired, row.sync))[:limit]
            for rows in self._next(lane, free)
        ]

    def _pages(self, lane: Lane, limit: int, free: int) -> list[list[Row]]:
        """Pages of one lane."""
        pages: list[list[Row]] = []
        while len(pages) < free:
            page = [row for rows in self._next(lane, limit) for row in rows if row.sync == lane.sync]
            if page:
                pages.append(page)
            if len(page) < limit:
                break
        return pages

    def _may_go(self, row: Row) -> bool:
        return row.state is Stand.WAITING and row.sync in self._ready

    def _next(self, lane: Lane, count: int) -> list[list[Row]]:
        """Up to ``count`` recipients of a lane to whom something may be sent now, with all that is open of them.

        They are busy from here on. Recipients that are quiet until later are put off to that time in all their waiting rows,
        so that they never stand in the way a second time.
        """
        found: list[list[Row]] = []
        step = count
        for _ in range(ROUNDS):
            size = step + len(self._busy)
            candidates = waiting(self._db, lane, self._now, size)
            fresh = [number for number in candidates if number not in self._busy]
            self._sort_out(fresh[:step], count, found)
            if len(found) >= count or (len(candidates) < size and len(fresh) <= step):
                break
            step = min(step * 8, MOST_AT_ONCE)
        return found

    def _sort_out(self, numbers: list[int], count: int, found: list[list[Row]]) -> None:
        """Into ``found`` with those to whom something may be sent now, up to ``count`` in all; put off those who are quiet."""
        rows, quiet = rows_of(self._db, self._account, numbers), dict[int, int]()
        for number in numbers:
            until = max(row.member.quiet_until for row in rows[number])
            if until > self._now:
                quiet[number] = until
            elif len(found) < count:
                found.append(rows[number])
                self._busy.add(number)
        self._put_off(quiet)

    def _put_off(self, quiet: dict[int, int]) -> None:
        later = [{"c": self._account, "r": number, "until": until} for number, until in quiet.items()]
        _PUT_OFF.each(self._db, [{**row, "now": self._now} for row in later])


_MARK = Prepared(
    sa.update(member).where(*this_row()).values(state=Stand.FLIGHT.value, sent_want=member.c.want, sent_at=sa.bindparam("now"))
)
_PUT_OFF = Prepared(
    sa.update(member)
    .where(member.c.connection == sa.bindparam("c"), member.c.recipient == sa.bindparam("r"))
    .where(member.c.state == Stand.WAITING.value, member.c.due <= sa.bindparam("now"))
    .values(due=sa.bindparam("until"))
)
