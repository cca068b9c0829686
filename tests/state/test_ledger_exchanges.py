from dataclasses import replace

import pytest
import sqlalchemy as sa
from ledger_world import BY_RECIPIENT, CONNECTION, LONGEST, SECOND, A, B, C, Desk, told
from pyroaring import BitMap

from cornicen.delivery import retry
from cornicen.delivery.shapes import Answer, Grouping, Parcel, Shape, Verdict
from cornicen.errors import NotFound
from cornicen.flows.ports import Settled
from cornicen.flows.records import RunStatus, SyncStatus
from cornicen.state.ledger import claiming
from cornicen.state.tables import member

PAGES = Shape(Grouping.PAGE, 3)


@pytest.fixture
def pages(state):
    return Desk(state, PAGES)


def test_all_changes_of_a_recipient_travel_in_one_request(desk):
    desk.tick({A: [1], B: [1, 2]})
    assert told(desk.claim(2)) == [[(A, 1, True), (B, 1, True)], [(B, 2, True)]]


def test_what_is_claimed_carries_how_the_destination_knows_the_recipient(desk):
    desk.tick({A: [4]})
    assert desk.claim()[0].changes[0].identifier == "r04"


def test_no_more_than_the_free_slots_are_claimed(desk):
    desk.tick({A: range(10)})
    assert len(desk.claim(3)) == 3
    assert desk.exchange(0) == []
    assert len(desk.claim(20)) == 7


def test_everything_claimed_is_uncertain_on_disk(desk):
    desk.tick({A: [1, 2]})
    desk.claim(1)
    assert desk.facts().uncertain == BitMap([1])


def test_two_requests_for_one_recipient_are_never_under_way(desk):
    desk.tick({A: [1]})
    parcels = desk.claim()
    desk.tick({B: [1, 2]})
    assert told(desk.claim(5)) == [[(B, 2, True)]]
    desk.settle(parcels)
    assert told(desk.claim(5)) == [[(B, 1, True)]]


def test_at_the_limit_removals_go_first_and_the_rest_follows(state):
    desk = Desk(state, replace(BY_RECIPIENT, limit=2))
    desk.tick({A: [], B: [1], C: []})
    desk.drain()
    desk.tick({A: [1], B: [], C: [1]})
    first = desk.claim(5)
    assert told(first) == [[(B, 1, False), (A, 1, True)]]
    assert desk.claim(5) == []
    desk.settle(first)
    assert told(desk.claim(5)) == [[(C, 1, True)]]


def test_two_requests_for_one_recipient_keep_their_spacing(state):
    desk = Desk(state, replace(BY_RECIPIENT, spacing=1.5))
    desk.tick({A: [1]})
    desk.settle(desk.claim())
    desk.tick({B: [1, 2]})
    assert told(desk.claim(5)) == [[(B, 2, True)]]
    assert desk.due() == desk.now + 1.5 * SECOND
    desk.finish()
    desk.wait(1.4)
    assert desk.claim(5) == []
    desk.wait(0.1)
    assert told(desk.claim(5)) == [[(B, 1, True)]]


def test_spacing_outlives_the_end_of_a_run_and_the_next_tick(state):
    desk = Desk(state, replace(BY_RECIPIENT, spacing=2))
    desk.tick({A: [1]})
    desk.settle(desk.claim())
    desk.finish()
    desk.tick({A: []})
    assert desk.claim() == []
    desk.wait(2)
    assert told(desk.claim()) == [[(A, 1, False)]]


def test_after_a_lost_answer_nothing_at_all_is_sent_to_the_recipient_until_it_cannot_take_effect(desk):
    desk.tick({A: [1]})
    parcels = desk.claim()
    desk.wait(30)
    desk.settle(parcels, Verdict.UNKNOWN)
    desk.tick({B: [1]})
    desk.wait(LONGEST - 30 - 1)
    assert desk.claim(5) == []
    desk.wait(1)
    assert told(desk.claim(5)) == [[(A, 1, True), (B, 1, True)]]


def test_a_quiet_recipient_of_a_paused_sync_is_quiet_for_all(desk, state):
    desk.tick({A: [1]})
    desk.settle(desk.claim(), Verdict.UNKNOWN)
    state.syncs.change(A, status=SyncStatus.PAUSED)
    desk.tick({B: [1]})
    assert desk.claim() == []
    desk.wait(LONGEST)
    assert told(desk.claim()) == [[(B, 1, True)]]


def test_a_request_that_was_not_acted_on_is_asked_again_after_the_wait_and_clears_its_doubt(desk):
    desk.tick({A: [1]})
    desk.settle(desk.claim(), Verdict.UNTOUCHED, wait=30.0)
    assert not desk.facts().uncertain
    desk.wait(29)
    assert desk.claim() == []
    desk.wait(1)
    assert told(desk.claim()) == [[(A, 1, True)]]


@pytest.mark.parametrize("verdict", [Verdict.UNTOUCHED, Verdict.DENIED, Verdict.REFUSED])
def test_any_other_definite_answer_clears_only_its_own_doubt(desk, verdict):
    desk.tick({A: [1]})
    desk.settle(desk.claim(), Verdict.UNKNOWN)
    desk.wait(1000)
    desk.settle(desk.claim(), verdict, reason="tag_limit")
    assert desk.facts().uncertain == BitMap([1])
    desk.wait(86_400)
    desk.tick({A: [1]})
    desk.settle(desk.claim())
    assert not desk.facts().uncertain


def test_a_denial_leaves_the_change_waiting_and_nothing_uncertain(desk):
    desk.tick({A: [1]})
    desk.settle(desk.claim(), Verdict.DENIED)
    facts = desk.facts()
    assert (len(facts.uncertain), len(facts.acknowledged), len(facts.refused)) == (0, 0, 0)
    desk.wait(60)
    assert told(desk.claim()) == [[(A, 1, True)]]


def test_crashes_of_ours_are_not_counted_against_a_recipient(desk):
    desk.tick({A: [1]})
    for _ in range(retry.MOST_DOUBTS + 1):
        assert desk.claim()
        desk.state.ledger.recover(CONNECTION.id, desk.now, LONGEST)
        desk.wait(LONGEST)
    assert not desk.facts().refused


def test_after_many_lost_answers_a_recipient_is_left_alone_for_a_while_and_stays_uncertain(desk):
    desk.tick({A: [1]})
    for _ in range(retry.MOST_DOUBTS):
        assert not desk.facts().refused
        desk.settle(desk.claim(), Verdict.UNKNOWN)
        desk.wait(500)
    facts = desk.facts()
    assert (facts.refused, facts.declined, facts.uncertain) == (BitMap([1]), BitMap([1]), BitMap([1]))
    assert desk.claim() == []
    desk.wait(3600)
    desk.tick({A: [1]})
    assert told(desk.claim()) == [[(A, 1, True)]]


def test_a_yes_clears_a_refusal(desk):
    desk.tick({A: [1]})
    desk.settle(desk.claim(), Verdict.REFUSED, reason="tag_limit")
    desk.wait(90_000)
    desk.tick({A: [1]})
    desk.settle(desk.claim())
    assert not desk.facts().declined
    assert desk.standing().in_segment == 1


def test_a_page_answered_in_part_settles_each_by_its_own_answer(pages):
    pages.tick({A: [1, 2, 3]})
    (page,) = pages.claim(1)
    pages.settle([page], others={2: Answer(Verdict.REFUSED, "unknown_recipient"), 3: Answer(Verdict.UNKNOWN)})
    facts = pages.facts()
    assert (facts.acknowledged, facts.unknown, facts.uncertain) == (BitMap([1]), BitMap([2]), BitMap([3]))


def test_a_page_holds_one_sync_and_one_direction(pages):
    pages.tick({A: [1, 2], B: [8, 9]})
    pages.drain()
    pages.tick({A: [3, 4, 5, 6, 7], B: [10]})
    assert told(pages.claim(9)) == [
        [(A, 1, False), (A, 2, False)],
        [(B, 8, False), (B, 9, False)],
        [(A, 3, True), (A, 4, True), (A, 5, True)],
        [(A, 6, True), (A, 7, True)],
        [(B, 10, True)],
    ]


def test_a_page_leaves_out_recipients_who_are_under_way_or_quiet(pages):
    pages.tick({A: [1, 2]})
    first = pages.claim(1)
    pages.tick({B: [1, 2, 3, 4, 5, 6]})
    second = pages.claim(1)
    assert told(second) == [[(B, 3, True), (B, 4, True), (B, 5, True)]]
    pages.settle(first, Verdict.UNKNOWN)
    assert told(pages.claim(5)) == [[(B, 6, True)]]


def _stop(state, sync, **fields):
    state.syncs.change(sync, **fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"status": SyncStatus.PAUSED},
        {"status": SyncStatus.STOPPED},
        {"held": True},
        {"container": {"exists": False}},
        {"container": {}},
    ],
)
def test_a_sync_that_may_not_go_is_skipped_and_does_not_stand_in_the_way(desk, state, fields):
    desk.tick({A: range(40), B: [7]})
    _stop(state, A, **fields)
    assert told(desk.claim(5)) == [[(B, 7, True)]]
    assert desk.due() is None
    _stop(state, A, status=SyncStatus.ACTIVE, held=False, container={"exists": False, "words": "segment limit reached"})
    assert len(desk.claim(5)) == 5, "members are kept though the segment cannot be had"


def test_a_sync_that_is_cleared_away_goes_on(desk, state):
    desk.tick({A: [1]})
    desk.drain()
    _stop(state, A, status=SyncStatus.RETIRING)
    desk.tick({A: []})
    assert told(desk.drain()) == [[(A, 1, False)]]


def test_many_quiet_recipients_at_the_head_are_put_off_once(desk, state, monkeypatch):
    monkeypatch.setattr(claiming, "MOST_AT_ONCE", 8)
    desk.tick({A: range(30)})
    desk.settle(desk.claim(30), Verdict.UNKNOWN)
    desk.tick({B: range(50)})
    found = []
    for _ in range(20):
        found += desk.claim(1)
    assert [change.recipient for parcel in found for change in parcel.changes] == list(range(30, 50))
    with state.database.read() as db:
        due_now = sa.select(sa.func.count()).where(member.c.state == 0, member.c.due <= desk.now)
        assert db.scalar(due_now) == 0, "a quiet recipient still stands in the queue"


def test_the_next_moment_leaves_out_recipients_who_are_under_way(desk):
    assert desk.due() is None
    desk.tick({A: [1]})
    assert desk.due() == desk.now
    desk.claim()
    assert desk.due() is None
    desk.tick({B: [1]})
    assert desk.due() is None
    desk.tick({B: [1, 2]})
    assert desk.due() == desk.now


def test_settling_twice_settles_the_same(desk):
    desk.tick({A: [1, 2]})
    parcels = desk.claim(2)
    desk.settle(parcels)
    before = desk.facts()
    desk.settle(parcels, Verdict.UNKNOWN)
    assert desk.facts() == before
    assert desk.state.runs.of_sync(A)[0].added == 2


def test_an_answer_settles_its_own_request_and_no_later_one(desk):
    desk.tick({A: [1]})
    lost = desk.claim()
    desk.state.ledger.recover(CONNECTION.id, desk.now, LONGEST)
    desk.wait(LONGEST)
    (again,) = desk.claim()
    desk.settle(lost)
    assert desk.facts().uncertain == BitMap([1]), "an old answer settled the new request"
    desk.settle([again])
    assert desk.facts().acknowledged == BitMap([1])


def test_a_parcel_rebuilt_without_its_moment_still_settles(desk):
    desk.tick({A: [1]})
    (parcel,) = desk.claim()
    desk.settle([Parcel(parcel.changes)])
    assert desk.facts().acknowledged == BitMap([1])


def test_what_a_lost_courier_had_under_way_is_uncertain_and_quiet_from_its_sending(desk, state):
    desk.tick({A: [1, 2, 3]})
    desk.claim(2)
    desk.wait(40)
    assert state.ledger.recover(CONNECTION.id, desk.now, LONGEST) == 2
    assert state.ledger.recover(CONNECTION.id, desk.now, LONGEST) == 0
    assert desk.facts().uncertain == BitMap([1, 2])
    assert told(desk.claim(5)) == [[(A, 3, True)]]
    assert desk.due() == desk.now + (LONGEST - 40) * SECOND
    desk.wait(LONGEST - 40)
    assert len(desk.claim(5)) == 2


def test_requests_count_once_on_the_newest_tick_and_on_every_run_they_serve(desk, state):
    desk.tick({A: [1, 2]})
    desk.tick({B: [1]})
    desk.settle(desk.claim(5))
    assert [tick.requests for tick in state.runs.ticks("p" * 32)] == [1, 1]
    assert (state.runs.of_sync(A)[0].requests, state.runs.of_sync(B)[0].requests) == (2, 1)
    assert (state.runs.of_sync(A)[0].added, state.runs.of_sync(B)[0].added) == (2, 1)


def test_a_repeat_of_what_is_acknowledged_adds_nobody(desk, state):
    desk.tick({A: [1]})
    desk.drain()
    desk.tick({A: []})
    desk.settle(desk.claim(), Verdict.UNKNOWN)
    desk.tick({A: [1]})
    desk.wait(LONGEST)
    assert told(desk.drain()) == [[(A, 1, True)]]
    assert sum(run.added - run.removed for run in state.runs.of_sync(A)) == 1


def test_a_run_ends_when_nothing_of_it_waits_or_flies(desk, state):
    desk.tick({A: [1, 2], B: []})
    assert [run.sync for run in desk.finish()] == [B]
    parcels = desk.claim(5)
    assert desk.finish() == []
    desk.settle(parcels[:1])
    assert desk.finish() == []
    desk.settle(parcels[1:])
    (run,) = desk.finish()
    assert (run.status, run.added) == (RunStatus.DONE, 2)
    assert desk.finish() == []
    with state.database.read() as db:
        assert db.scalar(sa.select(sa.func.count()).select_from(member)) == 0
    assert desk.facts().acknowledged == BitMap([1, 2])


def test_a_doubtful_row_keeps_its_run_delivering_and_a_refused_one_does_not(desk):
    desk.tick({A: [1], B: [2]})
    one, two = desk.claim(2)
    desk.settle([one], Verdict.UNKNOWN)
    desk.settle([two], Verdict.REFUSED, reason="unknown_recipient")
    assert [run.sync for run in desk.finish()] == [B]
    assert desk.facts(B).unknown == BitMap([2])
    desk.wait(LONGEST)
    desk.drain()
    assert [run.sync for run in desk.finish()] == [A]


def test_a_stopped_sync_ends_its_run_as_stopped_and_as_done_once_it_went_on(desk, state):
    desk.tick({A: [1, 2]})
    one, two = desk.claim(2)
    desk.settle([one])
    state.syncs.change(A, status=SyncStatus.STOPPED)
    assert desk.finish() == []
    desk.settle([two], Verdict.DENIED)
    assert [run.status for run in desk.finish()] == [RunStatus.STOPPED]
    assert desk.finish() == []
    assert state.runs.ticks("p" * 32)[0].ended == desk.now
    state.syncs.change(A, status=SyncStatus.ACTIVE)
    desk.wait(60)
    desk.drain()
    assert [run.status for run in desk.finish()] == [RunStatus.DONE]


def test_a_settled_parcel_of_a_forgotten_sync_is_passed_over(desk, state):
    desk.tick({A: [1]})
    parcels = desk.claim()
    state.ledger.forget(A)
    desk.settle(parcels)
    assert desk.facts().acknowledged == BitMap()


def test_an_exchange_with_a_missing_connection_says_so(state):
    with pytest.raises(NotFound):
        state.ledger.exchange("none", [Settled(Parcel(()), Answer(Verdict.ACCEPTED))], BY_RECIPIENT, 1, 0, LONGEST)
    assert state.ledger.finish("none", 0) == []


def test_no_statement_of_an_exchange_walks_the_ledger(lite):
    """However many rows wait, each statement goes through an index."""
    state, desk = lite, Desk(lite)
    desk.tick({A: range(50), B: range(0, 50, 2)})
    seen = []
    with state.database.engine.connect() as connection:
        driver = connection.connection.driver_connection
        driver.set_trace_callback(seen.append)
    desk.exchange(3, [Settled(parcel, Answer(Verdict.ACCEPTED)) for parcel in desk.claim(3)])
    desk.due()
    desk.facts()
    plans = []
    with state.database.read() as db:
        db.connection.driver_connection.set_trace_callback(None)
        for statement in {text for text in seen if " member" in text and text.startswith(("SELECT", "UPDATE"))}:
            plans += [(row[3], statement) for row in db.exec_driver_sql("EXPLAIN QUERY PLAN " + statement.replace("%", "%%"))]
    assert len(plans) > 8
    assert "ix_member_told" in {words for plan, _ in plans for words in plan.split()}, "facts read rows that say nothing"
    assert not [plan for plan in plans if plan[0].startswith(("SCAN member", "USE TEMP B-TREE"))]
