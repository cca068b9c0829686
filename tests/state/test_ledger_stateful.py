"""Random decisions, exchanges, answers, crashes and ends of runs, against one plain member for each (sync, recipient)."""

import shutil
import tempfile
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import ledger_world
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from ledger_world import CONNECTION, LONGEST, PROJECT, SECOND, A, B, C, Desk
from pyroaring import BitMap

from cornicen.delivery import member as meaning
from cornicen.delivery import retry
from cornicen.delivery.member import Member
from cornicen.delivery.shapes import Answer, Grouping, Shape, Verdict
from cornicen.flows.ports import Settled
from cornicen.flows.records import RunStatus, Standing, SyncStatus
from cornicen.state.opening import open_state
from cornicen.state.tables import Stand, member, sync_set

SYNCS = (A, B, C)
RECIPIENTS = range(4)
LONGEST_MICRO = int(LONGEST * SECOND)
ANSWERS = st.sampled_from(
    [
        *[Answer(Verdict.ACCEPTED)] * 3,
        *[Answer(Verdict.UNKNOWN)] * 2,
        Answer(Verdict.REFUSED, "unknown_recipient"),
        Answer(Verdict.REFUSED, "tag_limit"),
        Answer(Verdict.UNTOUCHED, wait=30.0),
        Answer(Verdict.UNTOUCHED),
        Answer(Verdict.DENIED),
    ]
)
ONE_ANSWER = st.builds(
    lambda answer, others: replace(answer, others=others),
    ANSWERS,
    st.dictionaries(st.sampled_from(RECIPIENTS), ANSWERS, max_size=1),
)
SOMETIMES = st.integers(0, 3).flatmap(lambda n: ONE_ANSWER if n else st.none())
WHO = st.tuples(*[st.booleans()] * len(RECIPIENTS)).map(lambda wanted: frozenset(r for r in RECIPIENTS if wanted[r]))
WANTED = st.integers(0, 9).flatmap(lambda n: WHO if n else st.none())
PAUSES = st.sampled_from([0, 0, 0, 0.5, 1, 30, 100, 3600, 90_000])


@dataclass
class Meant:
    """A member, and what the ledger keeps beside it."""

    member: Member = field(default_factory=Member)
    asks: bool = False  # it waits to be sent, whenever its time comes
    entered: int = 0
    attempts: int = 0
    refusals: int = 0

    def decide(self, desired, entered, now):
        if desired != self.member.desired:
            self.entered = entered if desired else 0
        self.member = meaning.want(self.member, desired)
        self.asks = meaning.owed(self.member, now) and self.member.flight is None
        self.forget_if_closed(now)

    def forget_if_closed(self, now):
        if not meaning.open_still(self.member, now) and self.member.quiet_until <= now:
            self.member = Member(self.member.desired, self.member.acknowledged)
            self.attempts = self.refusals = 0

    def remember(self, row):
        """A row with nothing open may stay, because it was put off together with its recipient; then so do its counters."""
        self.attempts, self.refusals = row.attempts, row.refusals
        refusal = meaning.Refusal(row.reason, row.refused_until) if row.reason else None
        self.member = replace(self.member, refusal=refusal)

    def settle(self, answer, now, spacing, seed):
        definite = answer.verdict in {Verdict.ACCEPTED, Verdict.REFUSED}
        self.attempts = 0 if definite else self.attempts + 1
        sent = self.member.flight.at
        again = retry.again_at(answer.verdict, max(1, self.attempts), now, answer.wait, LONGEST, sent=sent, seed=seed)
        again = max(again, now + spacing)
        match answer.verdict:
            case Verdict.ACCEPTED:
                self.member, self.refusals = meaning.accepted(self.member, again), 0
            case Verdict.REFUSED:
                self.refusals += 1
                until = retry.refused_until(answer.reason, self.refusals, now)
                self.member = meaning.refused(self.member, answer.reason, until, again)
            case Verdict.UNTOUCHED:
                self.member = meaning.untouched(self.member, again)
            case Verdict.DENIED:
                self.member = meaning.denied(self.member, again)
            case Verdict.UNKNOWN:
                self.member = meaning.unknown(self.member, LONGEST_MICRO, again)
                if retry.given_up(answer.verdict, self.attempts):
                    self.refusals += 1
                    until = retry.refused_until(retry.NO_ANSWER, self.refusals, now)
                    self.member = meaning.left_alone(self.member, retry.NO_ANSWER, until)
        self.asks = meaning.owed(self.member, now)


class LedgerMachine(RuleBasedStateMachine):
    """The subclasses choose the shape."""

    shape = Shape(Grouping.RECIPIENT, 2, 1.0)
    fresh: Callable  # a context manager of where a furnished database of one's own is

    def __init__(self):
        super().__init__()
        self.database = self.fresh()
        self.place = self.database.__enter__()
        self.state = open_state(self.place, ledger_world.KEY)
        self.desk = Desk(self.state, self.shape)
        self.meant = {(sync, recipient): Meant() for sync in SYNCS for recipient in RECIPIENTS}
        self.held, self.paused = dict.fromkeys(SYNCS, False), dict.fromkeys(SYNCS, False)
        self.running = {}  # sync → whether its last run that was not held still delivers
        self.sizes = dict.fromkeys(SYNCS, 0)
        self.flying, self.lost, self.claimed = [], [], 0

    def teardown(self):
        self.state.close()
        self.database.__exit__(None, None, None)

    @property
    def now(self):
        return self.desk.now

    @property
    def spacing(self):
        return int(self.shape.spacing * SECOND)

    def under_way(self, recipient):
        return any(self.meant[sync, recipient].member.flight for sync in SYNCS)

    def quiet(self, recipient):
        return any(self.meant[sync, recipient].member.quiet_until > self.now for sync in SYNCS)

    def ready(self, sync):
        return not self.held[sync] and not self.paused[sync]

    def claimable(self, recipient):
        """The changes that may go now: removals first."""
        if self.under_way(recipient) or self.quiet(recipient):
            return []
        waiting = [sync for sync in SYNCS if self.ready(sync) and self.meant[sync, recipient].asks]
        return sorted(waiting, key=lambda sync: (self.meant[sync, recipient].member.desired, sync))

    @initialize(wanted=st.tuples(WANTED, WANTED, WANTED))
    def begin(self, wanted):
        self.decide(dict(zip(SYNCS, wanted, strict=True)), 5, 0)

    @rule(wanted=st.dictionaries(st.sampled_from(SYNCS), WANTED, min_size=1), entered=st.integers(1, 9), seconds=PAUSES)
    def decide(self, wanted, entered, seconds):
        self.desk.wait(seconds)
        self.desk.tick(wanted, entered)
        for sync, desired in wanted.items():
            self.held[sync] = desired is None
            if desired is None:
                continue
            self.running[sync], self.sizes[sync] = True, len(desired)
            for recipient in RECIPIENTS:
                self.meant[sync, recipient].decide(recipient in desired, entered, self.now)

    @rule(sync=st.sampled_from(SYNCS), status=st.sampled_from([SyncStatus.ACTIVE, SyncStatus.PAUSED, SyncStatus.RETIRING]))
    def change(self, sync, status):
        self.state.syncs.change(sync, status=status)
        self.paused[sync] = status is SyncStatus.PAUSED

    @rule(data=st.data(), rounds=st.lists(st.tuples(st.integers(0, 4), PAUSES), min_size=2, max_size=5))
    def deliver(self, data, rounds):
        """Again and again, after a while, some requests are answered and some more leave."""
        for free, seconds in rounds:
            self.desk.wait(seconds)
            answers = [(parcel, data.draw(SOMETIMES)) for parcel in self.flying]
            self._exchange(free, [Settled(parcel, answer) for parcel, answer in answers if answer is not None])

    def _exchange(self, free, settled):
        for done in settled:
            self.flying.remove(done.parcel)
            seed = done.parcel.changes[0].recipient  # one for all, so that a page stays a page
            for change in done.parcel.changes:
                answer = done.answer.others.get(change.recipient, done.answer)
                self.meant[change.sync, change.recipient].settle(answer, self.now, self.spacing, seed)
        parcels = self.desk.exchange(free, settled)
        assert len(parcels) <= free
        for parcel in parcels:
            self._check(parcel)
        for parcel in parcels:
            for change in parcel.changes:
                meant = self.meant[change.sync, change.recipient]
                meant.member, meant.asks = meaning.send(meant.member, self.now), False
        self.flying += parcels
        self.claimed += len(parcels)
        if len(parcels) < free:
            assert not [recipient for recipient in RECIPIENTS if self.claimable(recipient)], "somebody was left out"

    def _check(self, parcel):
        changes = parcel.changes
        assert 1 <= len(changes) <= self.shape.limit
        if self.shape.grouping is Grouping.RECIPIENT:
            (recipient,) = {change.recipient for change in changes}
            assert [change.sync for change in changes] == self.claimable(recipient)[: self.shape.limit]
        else:
            assert len({(change.sync, change.want) for change in changes}) == 1
            assert len({change.recipient for change in changes}) == len(changes)
            assert all(change.sync in self.claimable(change.recipient) for change in changes)
        for change in changes:
            meant = self.meant[change.sync, change.recipient]
            assert (change.want, change.entered) == (meant.member.desired, meant.entered)
            assert change.identifier == f"r{change.recipient:02}"

    @precondition(lambda self: self.flying)
    @rule()
    def crash(self):
        """The courier dies, and another begins, a moment later; what the dead one still hears of is not listened to."""
        self.desk.wait(0.001)
        self.state.close()
        self.state = self.desk.state = open_state(self.place, ledger_world.KEY)
        rows = sum(len(parcel.changes) for parcel in self.flying)
        assert self.state.ledger.recover(CONNECTION.id, self.now, LONGEST) == rows
        for parcel in self.flying:
            for change in parcel.changes:
                meant = self.meant[change.sync, change.recipient]
                meant.member, meant.asks = meaning.crashed(meant.member, LONGEST_MICRO), True
        self.lost, self.flying = self.lost + self.flying, []
        self.desk.exchange(0, [Settled(parcel, Answer(Verdict.ACCEPTED)) for parcel in self.lost])

    @rule()
    def finish(self):
        ended = {run.sync for run in self.desk.finish()}
        assert ended == {sync for sync, running in self.running.items() if running and not self._busy(sync)}
        for sync in ended:
            self.running[sync] = False
            assert (
                next(run for run in self.state.runs.of_sync(sync) if run.status is not RunStatus.HELD).status is RunStatus.DONE
            )
            for recipient in RECIPIENTS:
                self.meant[sync, recipient].forget_if_closed(self.now)
        assert self.desk.finish() == []

    def _busy(self, sync):
        return any(self.meant[sync, recipient].asks or self.meant[sync, recipient].member.flight for recipient in RECIPIENTS)

    def _those(self, sync, holds):
        return BitMap([recipient for recipient in RECIPIENTS if holds(self.meant[sync, recipient].member)])

    @invariant()
    def facts_are_what_the_members_mean(self):
        for sync in SYNCS:
            facts, now = self.desk.facts(sync), self.now
            assert facts.desired == self._those(sync, lambda one: one.desired)
            assert facts.acknowledged == self._those(sync, lambda one: one.acknowledged)
            assert facts.uncertain == self._those(sync, lambda one: one.uncertain)
            assert facts.refused == self._those(sync, lambda one, now=now: meaning.refused_now(one, now))
            unknown = self._those(sync, lambda one: one.refusal is not None and one.refusal.reason == "unknown_recipient")
            assert facts.unknown == unknown
            assert facts.declined == self._those(sync, lambda one: one.refusal is not None) - unknown

    @invariant()
    def the_line_adds_up(self):
        for sync in SYNCS:
            desired, acknowledged = (
                self._those(sync, lambda one, name=name: getattr(one, name)) for name in ("desired", "acknowledged")
            )
            refused = self._those(sync, lambda one: one.refusal is not None)
            unknown = self._those(sync, lambda one: one.refusal is not None and one.refusal.reason == "unknown_recipient")
            missing = desired - acknowledged
            standing = self.desk.standing(sync)
            assert standing == Standing(
                size=self.sizes[sync],
                no_profile=0,
                no_id=0,
                shared=0,
                unknown=len(missing & unknown),
                refused=len((missing & refused) - unknown),
                on_the_way=len(missing - refused),
                leaving=len(acknowledged - desired),
                in_segment=len(acknowledged),
            )
            left = standing.size - standing.unknown - standing.refused - standing.on_the_way + standing.leaving
            assert left == standing.in_segment

    @invariant()
    def rows_stand_for_what_is_open(self):
        with self.state.database.read() as db:
            rows = db.execute(sa.select(member)).all()
            known = {row.sync: BitMap.deserialize(row.open) for row in db.execute(sa.select(sync_set))}
        there = {(SYNCS[row.sync - 1], row.recipient): row for row in rows}
        for number, recipients in known.items():
            assert recipients == BitMap([row.recipient for row in rows if row.sync == number])
        for key, meant in self.meant.items():
            row = there.get(key)
            if row is None:
                assert not meaning.open_still(meant.member, self.now)
                continue
            if not meaning.open_still(meant.member, self.now):
                meant.remember(row)
            stand = Stand.FLIGHT if meant.member.flight else Stand.WAITING if meant.asks else Stand.SETTLED
            assert (row.state, row.want, row.acknowledged) == (stand, meant.member.desired, meant.member.acknowledged)
            assert (row.attempts, row.refusals, row.entered) == (meant.attempts, meant.refusals, meant.entered)

    @invariant()
    def the_next_moment_is_when_something_may_go(self):
        free = [r for r in RECIPIENTS if not self.under_way(r)]
        waiting = [r for r in free if any(self.ready(sync) and self.meant[sync, r].asks for sync in SYNCS)]
        due = self.desk.due()
        assert (due is None) == (not waiting)
        if waiting:
            assert due <= max(self.now, min(self._quiet_until(recipient) for recipient in waiting))

    def _quiet_until(self, recipient):
        return max(self.meant[sync, recipient].member.quiet_until for sync in SYNCS)

    @invariant()
    def everything_is_counted(self):
        assert sum(tick.requests for tick in self.state.runs.ticks(PROJECT.id, 1000)) == self.claimed
        for sync in SYNCS:
            net = sum(run.added - run.removed for run in self.state.runs.of_sync(sync, 1000))
            assert net == len(self._those(sync, lambda one: one.acknowledged))


class ByPage(LedgerMachine):
    shape = Shape(Grouping.PAGE, 2, 0.0)


BOUNDS = settings(
    max_examples=25,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh(request):
    """Makes databases of one's own, copies of a furnished one."""
    if request.param == "sqlite":
        return partial(_copied, request.getfixturevalue("furnished"))
    return partial(_served, request.getfixturevalue("postgres"), request.getfixturevalue("furnished_on_postgres"))


@contextmanager
def _copied(template):
    with tempfile.TemporaryDirectory(prefix="ledger-") as folder:
        yield shutil.copy(template, Path(folder) / "state.db")


@contextmanager
def _served(server, template):
    url = server.database(template)
    yield url
    server.drop(url)


def test_all_of_a_recipient_in_one_request_keeps_the_meaning(fresh):
    _run(LedgerMachine, fresh)


def test_pages_of_one_sync_keep_the_meaning(fresh):
    _run(ByPage, fresh)


def _run(machine, fresh):
    from hypothesis.stateful import run_state_machine_as_test

    machine.fresh = staticmethod(fresh)
    bounds = BOUNDS if fresh.func is _copied else settings(BOUNDS, max_examples=8)  # a new database takes longer there
    run_state_machine_as_test(machine, settings=bounds)
