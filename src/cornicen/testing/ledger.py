"""`MemoryLedger`: the obvious implementation of the ledger's promises, for tests of flows and destinations.

It keeps facts, not rows: what is owed is computed anew at every question from desired, acknowledged, uncertain and refusals, as
the meaning says. Nothing survives the process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from pyroaring import BitMap

from cornicen.delivery.retry import NO_ANSWER, again_at, given_up, refused_until
from cornicen.delivery.shapes import Answer, Change, Grouping, Parcel, Shape, Verdict
from cornicen.errors import LeaseLost
from cornicen.flows.ports import Decision, Facts, Lease, Projects, Recipients, Runs, Settled, Syncs
from cornicen.flows.records import Run, RunStatus, Standing, Sync, SyncStatus, Tick

SECOND = 1_000_000
EVER = 1 << 62


@dataclass
class Open:
    """What is open between us and a destination about one recipient of one sync."""

    uncertain: bool = False
    at: int = 0
    doubts: int = 0
    reason: str = ""
    until: int = 0
    refusals: int = 0
    flying: Change | None = None
    sent: int = 0
    doubted_before: bool = False


@dataclass
class Book:
    """One sync's facts."""

    desired: BitMap = field(default_factory=BitMap)
    acknowledged: BitMap = field(default_factory=BitMap)
    entered: dict[int, int] = field(default_factory=dict)
    open: dict[int, Open] = field(default_factory=dict)

    def of(self, recipient: int) -> Open:
        """The open facts of a recipient; none are open at first."""
        return self.open.setdefault(recipient, Open())

    def owed(self, now: int) -> BitMap:
        """(desired XOR acknowledged) OR uncertain, less refused until later."""
        uncertain = BitMap(n for n, one in self.open.items() if one.uncertain)
        refused = BitMap(n for n, one in self.open.items() if one.until > now)
        return ((self.desired ^ self.acknowledged) | uncertain) - refused

    def flying(self) -> BitMap:
        """In flight."""
        return BitMap(n for n, one in self.open.items() if one.flying is not None)


class KeptRuns(Runs, Protocol):
    """Runs that the ledger may rewrite."""

    def keep(self, run: Run) -> Run:
        """Keep a run, a new one under a new number."""


class MemoryLedger:
    """The `Ledger` of `flows.ports`."""

    def __init__(
        self,
        projects: Projects,
        syncs: Syncs,
        runs: KeptRuns,
        recipients: Recipients,
        holds: Callable[[Lease], bool] = lambda lease: True,
    ) -> None:
        self._holds = holds
        self._projects, self._kept, self._runs, self._recipients = projects, syncs, runs, recipients
        self._books: dict[str, Book] = {}
        self._last: dict[tuple[str, int], int] = {}

    def book(self, sync: str) -> Book:
        """One sync's facts, to look at."""
        return self._books.setdefault(sync, Book())

    def facts(self, sync: str, now: int) -> Facts:
        book = self.book(sync)
        some = book.open.items()
        return Facts(
            desired=BitMap(book.desired),
            acknowledged=BitMap(book.acknowledged),
            uncertain=BitMap(n for n, one in some if one.uncertain or one.flying),
            refused=BitMap(n for n, one in some if one.until > now),
            unknown=BitMap(n for n, one in some if one.reason == "unknown_recipient"),
            declined=BitMap(n for n, one in some if one.reason not in {"", "unknown_recipient"}),
        )

    def standing(self, sync: str) -> Standing:
        raise NotImplementedError("pages are the state's")

    def decide(self, tick: Tick, decisions: Sequence[Decision], now: int) -> list[Run]:
        runs = []
        for decision in decisions:
            run = self._runs.keep(replace(decision.run, tick=tick.id))
            self._kept.put(decision.sync)
            if decision.desired is not None:
                for earlier in self._runs.of_sync(decision.sync.id, 1000):
                    if earlier.status is RunStatus.DELIVERING and earlier.id != run.id:
                        self._runs.keep(replace(earlier, status=RunStatus.SUPERSEDED))
                book = self.book(decision.sync.id)
                for recipient in decision.desired - book.desired:
                    book.entered[recipient] = decision.entered
                book.desired = BitMap(decision.desired)
            runs.append(run)
        return runs

    def recover(self, connection: str, now: int, longest_answer: float, lease: Lease | None = None) -> int:
        self._fence(lease)
        alive = 0 if lease is None else now - lease.ended_ago
        lost = 0
        for sync in self._syncs(connection):
            for one in self.book(sync.id).open.values():
                if one.flying is not None:
                    one.flying, one.uncertain = None, True
                    one.at = max(one.sent, alive) + int(longest_answer * SECOND)
                    lost += 1
        return lost

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
        self._fence(lease)
        for one in settled:
            for change in one.parcel.changes:
                answer, seed = one.answer.others.get(change.recipient, one.answer), one.parcel.changes[0].recipient
                self._settle(change, answer, shape, now, longest_answer, seed)
        changes = self._claimable(connection, shape, now)
        grouped = (_by_recipient if shape.grouping is Grouping.RECIPIENT else _by_page)(changes, shape.limit)
        parcels = [Parcel(tuple(some), now, self._named(some[0].sync)) for some in grouped[: max(free, 0)]]
        for parcel in parcels:
            for change in parcel.changes:
                row = self.book(change.sync).of(change.recipient)
                row.doubted_before, row.uncertain, row.flying, row.sent = row.uncertain, True, change, now
            self._count(parcel)
        return parcels

    def due(self, connection: str) -> int | None:
        moments = []
        for sync in self._syncs(connection):
            book = self.book(sync.id)
            if self._claims(sync):
                waiting = (book.open.get(n, Open()) for n in book.owed(EVER) - book.flying())
                moments += [max(one.at, one.until) for one in waiting]
        return min(moments, default=None)

    def finish(self, connection: str, now: int, lease: Lease | None = None) -> list[Run]:
        self._fence(lease)
        ended = []
        for sync in self._syncs(connection):
            book = self.book(sync.id)
            if not book.owed(now) and not book.flying():
                for run in self._runs.of_sync(sync.id, 1000):
                    if run.status is RunStatus.DELIVERING:
                        ended.append(self._runs.keep(replace(run, status=RunStatus.DONE)))
        return ended

    def forget(self, sync: str) -> None:
        self._books.pop(sync, None)

    def _fence(self, lease: Lease | None) -> None:
        if lease is not None and not self._holds(lease):
            raise LeaseLost(f"The connection {lease.connection} is delivered for by another courier now.")

    def _syncs(self, connection: str) -> list[Sync]:
        every = [sync for project in self._projects.all() for sync in self._kept.all(project.id)]
        return [sync for sync in every if sync.connection == connection]

    def _named(self, sync: str) -> str:
        return str(self._kept.get(sync).container.get("name") or "")

    def _claims(self, sync: Sync) -> bool:
        moving = sync.status in {SyncStatus.ACTIVE, SyncStatus.RETIRING} and not sync.held
        return moving and bool(sync.container.get("exists") or sync.container.get("words"))

    def _claimable(self, connection: str, shape: Shape, now: int) -> list[Change]:
        every = self._syncs(connection)
        blocked = BitMap()
        for sync in every:
            for n, one in self.book(sync.id).open.items():
                if one.flying is not None or (one.uncertain and one.at > now):
                    blocked.add(n)
        changes = []
        for sync in every:
            book = self.book(sync.id)
            if not self._claims(sync):
                continue
            for n in book.owed(now) - blocked:
                rested = self._last.get((connection, n), -EVER) + int(shape.spacing * SECOND) <= now
                if rested and (n not in book.open or book.open[n].at <= now):
                    changes.append(self._change(sync, book, n))
        return changes

    def _change(self, sync: Sync, book: Book, recipient: int) -> Change:
        identifier = self._recipients.identifiers(sync.connection, [recipient])[recipient]
        want = recipient in book.desired
        return Change(sync.id, recipient, identifier, want, book.entered[recipient] if want else 0)

    def _settle(self, change: Change, answer: Answer, shape: Shape, now: int, longest_answer: float, seed: int) -> None:
        book = self.book(change.sync)
        one = book.of(change.recipient)
        if one.flying != change:
            return  # settled before
        connection = self._kept.get(change.sync).connection
        self._last[connection, change.recipient] = now
        one.flying = None
        if answer.verdict is Verdict.ACCEPTED:
            (book.acknowledged.add if change.want else book.acknowledged.discard)(change.recipient)
            del book.open[change.recipient]
            self._counted(change)
            return
        one.uncertain = answer.verdict is Verdict.UNKNOWN or one.doubted_before
        if answer.verdict is Verdict.REFUSED:
            one.refusals, one.doubts, one.reason = one.refusals + 1, 0, answer.reason
            one.until = refused_until(answer.reason, one.refusals, now)
            return
        one.doubts += 1
        one.at = again_at(answer.verdict, one.doubts, now, answer.wait, longest_answer, sent=one.sent, seed=seed)
        if given_up(answer.verdict, one.doubts):
            one.doubts, one.reason, one.until = 0, NO_ANSWER, refused_until(NO_ANSWER, 1, now)

    def _delivering(self, sync: str) -> Run | None:
        return next((run for run in self._runs.of_sync(sync, 1) if run.status is RunStatus.DELIVERING), None)

    def _counted(self, change: Change) -> None:
        if run := self._delivering(change.sync):
            added, removed = run.added + change.want, run.removed + (not change.want)
            self._runs.keep(replace(run, added=added, removed=removed))

    def _count(self, parcel: Parcel) -> None:
        ticks = set()
        for sync in {change.sync for change in parcel.changes}:
            if run := self._delivering(sync):
                self._runs.keep(replace(run, requests=run.requests + 1))
                ticks.add(run.tick)
        self._runs.count_request(max(ticks, default=None))


def _by_recipient(changes: list[Change], limit: int) -> list[list[Change]]:
    grouped: dict[int, list[Change]] = {}
    for change in changes:
        grouped.setdefault(change.recipient, []).append(change)
    return [some[:limit] for some in grouped.values()]


def _by_page(changes: list[Change], limit: int) -> list[list[Change]]:
    grouped: dict[tuple[str, bool], list[Change]] = {}
    for change in changes:
        grouped.setdefault((change.sync, change.want), []).append(change)
    return [some[i : i + limit] for some in grouped.values() for i in range(0, len(some), limit)]
