"""The first half of an exchange: what an answer makes of the rows it is about, by the rule of `cornicen.delivery.member`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from cornicen.delivery import member as rule
from cornicen.delivery import retry
from cornicen.delivery.member import Flight, Member, Refusal
from cornicen.delivery.shapes import Answer, Change, Parcel, Verdict
from cornicen.flows.ports import Settled
from cornicen.state.ledger.queue import Line
from cornicen.state.prepared import Prepared, PreparedList
from cornicen.state.tables import Stand, member


@dataclass(frozen=True)
class Row:
    """A row of the ledger.

    Args:
        sync: The sync's number.
        recipient: The recipient's.
        member: What it means.
        state: Where it stands.
        entered: Unix seconds.
        attempts: Answers in a row that were no definite yes or no.
        refusals: Refusals in a row.
        words: The destination's own, of the last refusal.
    """

    sync: int
    recipient: int
    member: Member
    state: Stand
    entered: int
    attempts: int
    refusals: int
    words: str


@dataclass(frozen=True)
class Terms:
    """How long things take at a destination, all in microseconds.

    Args:
        now: When the answers are settled.
        longest: After so long an unanswered request cannot take effect any more.
        spacing: Between an answer and the next request for the same recipient.
    """

    now: int
    longest: int
    spacing: int


def rows_of(db: sa.Connection, account: int, recipients: Sequence[int]) -> dict[int, list[Row]]:
    """Everything open of some recipients of a connection, by recipient."""
    found = dict[int, list[Row]]()
    for row in _ROWS.rows(db, recipients, account=account):
        found.setdefault(row[1], []).append(_row(*row))
    return found


def _row(
    sync: int,
    recipient: int,
    want: bool,
    acknowledged: bool,
    doubt: bool,
    state: int,
    sent_want: bool,
    sent_at: int,
    reason: str,
    until: int,
    due: int,
    entered: int,
    attempts: int,
    refusals: int,
    words: str,
) -> Row:
    stand = Stand(state)
    flight = Flight(bool(sent_want), sent_at) if stand is Stand.FLIGHT else None
    refusal = Refusal(reason, until) if reason else None
    means = Member(bool(want), bool(acknowledged), bool(doubt), flight, refusal, due)
    return Row(sync, recipient, means, stand, entered, attempts, refusals, words)


def settle(
    db: sa.Connection, account: int, lines: Mapping[str, Line], settled: Sequence[Settled], terms: Terms
) -> tuple[dict[int, int], dict[int, int]]:
    """Settle some parcels.

    A change whose row is not in flight any more, or by another request, is passed over: it was settled before.

    Args:
        db: In a writing transaction.
        account: The connection's number.
        lines: The connection's syncs, by id.
        settled: What came back.
        terms: Of the destination.

    Returns:
        How many were acknowledged in, and out, by run.
    """
    there = rows_of(db, account, list({change.recipient for done in settled for change in done.parcel.changes}))
    rows = {(row.sync, row.recipient): row for some in there.values() for row in some}
    added, removed, written = dict[int, int](), dict[int, int](), list[Row]()
    for done in settled:
        for change in done.parcel.changes:
            line = lines.get(change.sync)
            row = rows.get((line.number, change.recipient)) if line else None
            if line is None or row is None or not _is(row.member.flight, done.parcel, change):
                continue
            seed = done.parcel.changes[0].recipient  # one for all: a page that is repeated stays a page
            after = settled_row(row, done.answer.others.get(change.recipient, done.answer), terms, seed)
            rows[after.sync, after.recipient] = after
            written.append(after)
            if line.run is not None and after.member.acknowledged != row.member.acknowledged:
                counted = added if after.member.acknowledged else removed
                counted[line.run] = counted.get(line.run, 0) + 1
    _WRITE.each(db, [_values(account, row) for row in written])
    return added, removed


def _is(flight: Flight | None, parcel: Parcel, change: Change) -> bool:
    """Whether this parcel is what is under way."""
    return flight is not None and flight.want == change.want and parcel.sent in {0, flight.at}


def settled_row(row: Row, answer: Answer, terms: Terms, seed: int) -> Row:
    """What an answer makes of a row in flight; rows with the same seed are repeated at the same moment. Pure."""
    attempts = 0 if answer.verdict in {Verdict.ACCEPTED, Verdict.REFUSED} else row.attempts + 1
    sent = row.member.flight.at if row.member.flight else terms.now
    seconds = terms.longest / retry.SECOND
    again = retry.again_at(answer.verdict, max(attempts, 1), terms.now, answer.wait, seconds, sent=sent, seed=seed)
    again = max(again, terms.now + terms.spacing)
    refusals, words, now = row.refusals, row.words, terms.now
    match answer.verdict:
        case Verdict.ACCEPTED:
            after, refusals, words = rule.accepted(row.member, again), 0, ""
        case Verdict.REFUSED:
            refusals, words = row.refusals + 1, answer.words
            reason = answer.reason or "refused"
            after = rule.refused(row.member, reason, retry.refused_until(reason, refusals, now), again)
        case Verdict.UNTOUCHED:
            after = rule.untouched(row.member, again)
        case Verdict.DENIED:
            after = rule.denied(row.member, again)
        case Verdict.UNKNOWN:
            after = rule.unknown(row.member, terms.longest, again)
            if retry.given_up(answer.verdict, attempts):
                refusals, words = row.refusals + 1, answer.words
                after = rule.left_alone(after, retry.NO_ANSWER, retry.refused_until(retry.NO_ANSWER, refusals, now))
    state = Stand.WAITING if rule.owed(after, now) else Stand.SETTLED
    return Row(row.sync, row.recipient, after, state, row.entered, attempts, refusals, words)


def _values(account: int, row: Row) -> dict[str, object]:
    means = row.member
    return {
        "c": account,
        "r": row.recipient,
        "s": row.sync,
        "a": means.acknowledged,
        "st": int(row.state),
        "d": means.quiet_until,
        "do": means.doubt,
        "at": row.attempts,
        "re": row.refusals,
        "rs": means.refusal.reason if means.refusal else "",
        "w": row.words,
        "u": means.refusal.until if means.refusal else None,
    }


def _read(numbers: list[sa.BindParameter[int]]) -> sa.Executable:
    columns = (
        *(member.c.sync, member.c.recipient, member.c.want, member.c.acknowledged, member.c.doubt, member.c.state),
        *(member.c.sent_want, member.c.sent_at, member.c.reason, member.c.refused_until, member.c.due, member.c.entered),
        *(member.c.attempts, member.c.refusals, member.c.words),
    )
    return sa.select(*columns).where(member.c.connection == sa.bindparam("account"), member.c.recipient.in_(numbers))


def this_row() -> tuple[sa.ColumnElement[bool], ...]:
    """One row by its key: parameters ``c`` (the connection's number), ``r`` (recipient) and ``s`` (the sync's number)."""
    keys = ((member.c.connection, "c"), (member.c.recipient, "r"), (member.c.sync, "s"))
    return tuple(column == sa.bindparam(name) for column, name in keys)


_ROWS = PreparedList(_read)
_WRITE = Prepared(
    sa.update(member)
    .where(*this_row())
    .values(
        acknowledged=sa.bindparam("a"),
        state=sa.bindparam("st"),
        due=sa.bindparam("d"),
        doubt=sa.bindparam("do"),
        attempts=sa.bindparam("at"),
        refusals=sa.bindparam("re"),
        reason=sa.bindparam("rs"),
        words=sa.bindparam("w"),
        refused_until=sa.bindparam("u"),
    )
)
