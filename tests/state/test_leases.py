import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace

import pytest
import sqlalchemy as sa
from ledger_world import BY_RECIPIENT, CONNECTION, LONGEST, PROJECT, SECOND, A

from cornicen.delivery.shapes import Answer, Verdict
from cornicen.errors import LeaseLost, NotFound, Unavailable
from cornicen.flows.ports import Lease, Settled
from cornicen.flows.records import RunStatus, SyncStatus
from cornicen.state.leases import fence
from cornicen.state.tables import courier
from cornicen.state.tables import lease as kept

TERM = 15.0


def take(state, holder, dead="", seconds=TERM):
    return state.leases.take(CONNECTION.id, holder, seconds, dead)


def run_out(state, ago=0):
    """As when the holder has not renewed it for a long time."""
    with state.database.write() as db:
        db.execute(sa.update(kept).values(until=kept.c.until - int((TERM + ago) * SECOND)))


def test_a_lease_that_another_holds_cannot_be_had(state):
    assert take(state, "one") == Lease(CONNECTION.id, "one", 1)
    assert take(state, "two") is None


def test_a_lease_that_ran_out_is_taken_over_in_a_new_term(state):
    take(state, "one")
    run_out(state, ago=5)
    taken = take(state, "two")
    assert (taken.holder, taken.term) == ("two", 2)
    assert 5 <= taken.ended_ago / SECOND < 60
    assert take(state, "one") is None


def test_a_lease_of_a_courier_known_to_be_dead_is_had_at_once(state):
    take(state, "one")
    assert take(state, "three", dead="two") is None
    assert take(state, "two", dead="one") == Lease(CONNECTION.id, "two", 2)


def test_a_lease_given_back_is_anybodys_and_given_back_twice_is_not_taken_from_the_next(state):
    first = take(state, "one")
    state.leases.release(first)
    second = take(state, "two")
    state.leases.release(first)
    assert state.leases.beat("two", TERM).terms == {CONNECTION.id: second.term}


def test_renewing_keeps_what_would_have_run_out(state):
    take(state, "one")
    run_out(state)
    assert state.leases.beat("one", TERM).terms == {CONNECTION.id: 1}
    assert take(state, "two") is None


def test_renewing_says_what_is_lost_and_brings_nothing_back(state):
    take(state, "one")
    run_out(state)
    take(state, "two")
    assert state.leases.beat("one", TERM).terms == {}
    assert state.leases.beat("two", TERM).terms == {CONNECTION.id: 2}


def test_couriers_are_counted_until_they_leave_or_are_not_heard_of(state):
    assert [state.leases.beat(holder, TERM).couriers for holder in ("one", "two", "two")] == [1, 2, 2]
    state.leases.leave("one")
    assert state.leases.beat("two", 0).couriers == 1
    assert state.leases.beat("three", TERM).couriers == 1


def test_there_is_no_lease_of_a_connection_that_is_missing(state):
    with pytest.raises(NotFound):
        state.leases.take("nobody", "one", TERM)


def test_a_connection_that_is_removed_takes_its_lease_along(state):
    take(state, "one")
    for sync in state.syncs.all(PROJECT.id):
        state.syncs.change(sync.id, status=SyncStatus.RETIRED)
    state.connections.remove(CONNECTION.id)
    assert state.leases.beat("one", TERM).terms == {}


@pytest.fixture
def lost(state, desk):
    """A lease under which something was claimed, and which another has by now; and what was claimed."""
    desk.tick({A: range(5)})
    mine = take(state, "one")
    parcels = state.ledger.exchange(CONNECTION.id, [], BY_RECIPIENT, 2, desk.now, LONGEST, mine)
    run_out(state)
    return mine, parcels, take(state, "two")


def test_who_lost_the_lease_can_neither_settle_nor_claim(state, desk, lost):
    mine, parcels, _ = lost
    before = state.ledger.facts(A, desk.now)
    settled = [Settled(parcel, Answer(Verdict.ACCEPTED)) for parcel in parcels]
    with pytest.raises(LeaseLost):
        state.ledger.exchange(CONNECTION.id, settled, BY_RECIPIENT, 5, desk.now, LONGEST, mine)
    assert state.ledger.facts(A, desk.now) == before
    assert len(before.uncertain) == len(parcels) == 2


def test_who_lost_the_lease_can_neither_recover_nor_end_a_run(state, desk, lost):
    mine, _, theirs = lost
    with pytest.raises(LeaseLost):
        state.ledger.recover(CONNECTION.id, desk.now, LONGEST, mine)
    assert state.ledger.recover(CONNECTION.id, desk.now, LONGEST, theirs) == 2
    desk.tick({A: []})
    desk.wait(LONGEST * 2)
    desk.drain()
    with pytest.raises(LeaseLost):
        state.ledger.finish(CONNECTION.id, desk.now, mine)
    (ended,) = state.ledger.finish(CONNECTION.id, desk.now, theirs)
    assert ended.status is RunStatus.DONE


def test_an_earlier_term_of_the_same_holder_is_refused_too(state, desk):
    earlier = take(state, "one")
    assert take(state, "one").term == 2
    with pytest.raises(LeaseLost):
        state.ledger.exchange(CONNECTION.id, [], BY_RECIPIENT, 1, desk.now, LONGEST, earlier)


def test_a_lease_that_ran_out_and_that_nobody_took_still_settles(state, desk):
    desk.tick({A: [1]})
    mine = take(state, "one")
    parcels = state.ledger.exchange(CONNECTION.id, [], BY_RECIPIENT, 1, desk.now, LONGEST, mine)
    run_out(state)
    state.ledger.exchange(
        CONNECTION.id, [Settled(parcels[0], Answer(Verdict.ACCEPTED))], BY_RECIPIENT, 0, desk.now, LONGEST, mine
    )
    assert list(desk.facts().acknowledged) == [1]


@pytest.mark.parametrize(("slow", "ended_ago", "quiet"), [(0, 30, LONGEST), (8, 2, LONGEST + 6), (40, 0, LONGEST + 40)])
def test_what_a_slow_predecessor_may_have_sent_late_is_quiet_from_the_end_of_its_lease(state, desk, slow, ended_ago, quiet):
    desk.tick({A: [1]})
    state.ledger.exchange(CONNECTION.id, [], BY_RECIPIENT, 1, desk.now, LONGEST, take(state, "one"))
    claimed = desk.now
    desk.wait(max(slow, ended_ago))
    run_out(state)
    theirs = replace(take(state, "two"), ended_ago=ended_ago * SECOND)
    state.ledger.recover(CONNECTION.id, desk.now, LONGEST, theirs)
    assert desk.due() == claimed + int(quiet * SECOND)


SILENCE = 0.2


def overdue(state, holder):
    """As when another beats and this courier has not for a long time."""
    with state.database.write() as db:
        db.execute(sa.insert(courier).values(holder=holder, until=0))
    state.leases.beat("two", SILENCE)


def between_statements(_db):
    return nullcontext()


def within_a_batch(db):
    """The server waits for the next statement, and does not count this as idling."""
    return db.connection.dbapi_connection.pipeline()


@pytest.mark.parametrize("stopping", [between_statements, within_a_batch])
def test_whoever_is_stopped_within_a_transaction_is_cut_off_once_its_time_has_run_out(served, stopping):
    stopped, there = take(served, "one"), None
    with pytest.raises(Unavailable), served.database.write() as db:  # noqa: PT012 - it is raised by the last
        fence(db, db.scalar(sa.select(kept.c.connection)), stopped)
        with stopping(db):
            db.connection.dbapi_connection.execute("SELECT 1").fetchone()
            time.sleep(SILENCE)
            served.leases.beat("two", SILENCE)  # its time has not run out yet
            there = db.connection.dbapi_connection.execute("SELECT 'still there'").fetchone()
            time.sleep(SILENCE)
            overdue(served, "one")
            db.connection.dbapi_connection.execute("SELECT 1").fetchone()
    assert there == ("still there",)
    assert take(served, "one") == Lease(CONNECTION.id, "one", 2)  # going on, it finds a connection of its own


def test_whoever_has_a_long_statement_running_is_not_cut_off_though_its_time_has_run_out(served):
    working = take(served, "one")
    with served.database.write() as db, ThreadPoolExecutor(1) as thread:
        fence(db, db.scalar(sa.select(kept.c.connection)), working)
        long = thread.submit(db.scalar, sa.text("SELECT 1 FROM pg_sleep(1)"))
        time.sleep(2 * SILENCE)
        overdue(served, "one")
        assert long.result() == 1
