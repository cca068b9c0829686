import pytest
import sqlalchemy as sa
from ledger_world import HOUR, LONGEST, PROJECT, A, B, a_sync, told
from pyroaring import BitMap

from cornicen.delivery.shapes import Verdict
from cornicen.errors import NotFound
from cornicen.flows.ports import Decision
from cornicen.flows.records import Run, RunStatus, Standing, SyncStatus, Tick
from cornicen.state.tables import member


def _rows(state, **where):
    with state.database.read() as db:
        return list(db.execute(sa.select(member).filter_by(**where).order_by(member.c.sync, member.c.recipient)).mappings())


def test_a_first_tick_waits_for_exactly_those_who_are_wanted(desk, state):
    (run,) = desk.tick({A: [1, 2, 3]}, adding=3)
    assert (run.status, run.sync, run.adding, run.tick) == (RunStatus.DELIVERING, A, 3, 1)
    assert [(row["recipient"], row["want"], row["entered"]) for row in _rows(state)] == [(1, 1, 7), (2, 1, 7), (3, 1, 7)]
    assert desk.facts().desired == BitMap([1, 2, 3])


def test_deciding_the_same_twice_changes_no_row_and_is_a_run_of_its_own(desk, state):
    desk.tick({A: [1, 2, 3]})
    parcels = desk.claim(1)
    before = _rows(state)
    desk.wait(60)
    (run,) = desk.tick({A: [1, 2, 3]}, entered=99)
    assert _rows(state) == before
    assert run.id == 2
    assert [one.status for one in state.runs.of_sync(A)] == [RunStatus.DELIVERING, RunStatus.SUPERSEDED]
    desk.settle(parcels)
    assert len(desk.drain()) == 2, "a recipient was told twice"


def test_nothing_changed_is_nothing_owed(desk):
    desk.tick({A: [1, 2, 3]})
    assert len(desk.drain()) == 3
    desk.wait(1)
    desk.tick({A: [1, 2, 3]})
    assert desk.drain() == []
    desk.finish()
    desk.tick({A: [1, 2, 3]})
    assert desk.drain() == []


def test_only_the_difference_is_owed(desk):
    desk.tick({A: [1, 2, 3]})
    desk.drain()
    desk.tick({A: [2, 3, 4]}, entered=8)
    assert sorted(told(desk.drain())) == [[(A, 1, False)], [(A, 4, True)]]


def test_one_who_goes_before_being_told_is_never_told(desk, state):
    desk.tick({A: [1, 2]})
    desk.tick({A: [2]})
    assert told(desk.drain()) == [[(A, 2, True)]]


def test_one_who_was_wanted_already_keeps_the_time_of_entry(desk):
    desk.tick({A: [1]}, entered=7)
    desk.tick({A: [1, 2]}, entered=8)
    changes = {change.recipient: change.entered for parcel in desk.drain() for change in parcel.changes}
    assert changes == {1: 7, 2: 8}


def test_one_who_comes_back_enters_anew(desk):
    desk.tick({A: [1]}, entered=7)
    desk.tick({A: []}, entered=8)
    desk.tick({A: [1]}, entered=9)
    assert desk.claim()[0].changes[0].entered == 9


def test_one_who_leaves_has_no_time_of_entry(desk):
    desk.tick({A: [1]}, entered=7)
    desk.drain()
    desk.tick({A: []}, entered=8)
    assert desk.claim()[0].changes[0].entered == 0


def test_a_row_in_flight_is_wanted_anew_when_it_is_settled(desk):
    desk.tick({A: [1]})
    parcels = desk.claim()
    desk.tick({A: []})
    assert desk.facts().uncertain == BitMap([1])
    assert desk.claim() == [], "told twice at once"
    desk.settle(parcels)
    assert desk.facts().acknowledged == BitMap([1])
    assert told(desk.drain()) == [[(A, 1, False)]]
    assert desk.facts().acknowledged == BitMap()


def test_a_row_in_flight_that_turned_back_is_told_nothing_more(desk):
    desk.tick({A: [1]})
    parcels = desk.claim()
    desk.tick({A: []})
    desk.tick({A: [1]})
    desk.settle(parcels)
    assert desk.drain() == []


def test_a_request_that_was_not_acted_on_and_is_not_wanted_any_more_is_forgotten(desk):
    desk.tick({A: [1]})
    parcels = desk.claim()
    desk.tick({A: []})
    desk.settle(parcels, Verdict.UNTOUCHED)
    desk.wait(3600)
    assert desk.drain() == []
    assert not desk.facts().uncertain


def test_an_uncertain_recipient_is_told_the_truth_though_nothing_seems_to_have_changed(desk):
    desk.tick({A: [1]})
    desk.settle(desk.claim(), Verdict.UNKNOWN)
    desk.tick({A: []})
    assert desk.facts().acknowledged == desk.facts().desired == BitMap()
    assert desk.facts().uncertain == BitMap([1])
    desk.wait(LONGEST)
    assert told(desk.drain()) == [[(A, 1, False)]]
    assert not desk.facts().uncertain


def test_a_held_run_touches_nothing_and_frees_nobody_else(desk, state):
    desk.tick({A: [1, 2], B: [1]})
    desk.tick({A: None, B: [1, 5]}, why="too many")
    assert state.syncs.get(A).held
    assert state.runs.of_sync(A)[0].status is RunStatus.HELD
    assert state.runs.of_sync(A)[1].status is RunStatus.DELIVERING, "a held run took over"
    assert sorted(told(desk.drain())) == [[(B, 1, True)], [(B, 5, True)]]
    desk.tick({A: [1, 2]})
    assert sorted(told(desk.drain())) == [[(A, 1, True)], [(A, 2, True)]]


def test_a_release_given_while_a_run_was_evaluated_is_not_lost(desk, state):
    desk.tick({A: [1]})
    stale = state.syncs.get(A)
    assert not stale.released
    state.syncs.change(A, released=True)
    desk.tick({A: None})
    assert state.syncs.get(A).released


def test_a_tick_moves_its_sync_and_leaves_its_status(desk, state):
    state.syncs.change(A, status=SyncStatus.RETIRING, words="w")
    desk.tick({A: []})
    found = state.syncs.get(A)
    assert (found.status, found.words) == (SyncStatus.RETIRING, "w")


def test_a_sync_retired_while_its_run_was_evaluated_is_left_alone(desk, state):
    state.syncs.change(A, status=SyncStatus.RETIRED)
    state.ledger.forget(A)
    (run,) = desk.tick({A: [1]})
    assert run.status is RunStatus.STOPPED
    assert _rows(state) == []
    assert state.runs.ticks("p" * 32)[0].ended is not None


def test_a_missing_sync_leaves_the_others_as_they_were(desk, state):
    opened = state.runs.open_tick(Tick(0, PROJECT.id, desk.now, desk.now))
    decisions = [Decision(Run(0, 0, sync.id, RunStatus.DELIVERING), sync, BitMap([1]), 5) for sync in (a_sync(1), a_sync(77))]
    with pytest.raises(NotFound):
        state.ledger.decide(opened, decisions, desk.now)
    assert _rows(state) == []
    assert state.runs.of_sync(A) == []


def test_a_refusal_that_has_ended_is_asked_again_at_the_next_tick_and_not_before(desk):
    desk.tick({A: [1]})
    desk.settle(desk.claim(), Verdict.REFUSED, reason="unknown_recipient")
    desk.wait(7200)
    assert desk.drain() == []
    assert not desk.facts().refused
    assert desk.facts().unknown == BitMap([1])
    desk.tick({A: [1]})
    assert told(desk.claim()) == [[(A, 1, True)]]


def test_a_refusal_that_has_not_ended_holds_whatever_is_wanted_meanwhile(desk):
    desk.tick({A: [1]})
    desk.settle(desk.claim(), Verdict.REFUSED, reason="unknown_recipient")
    for wanted in ([], [1]):
        desk.wait(60)
        desk.tick({A: wanted})
        desk.finish()
        assert desk.drain() == []
    assert desk.facts().refused == BitMap([1])


def test_refusals_in_a_row_are_asked_about_ever_more_seldom(desk):
    waits = []
    for _ in range(3):
        desk.tick({A: [1]})
        desk.settle(desk.claim(), Verdict.REFUSED, reason="unknown_recipient")
        waits.append(0)
        while 1 in desk.facts().refused:
            desk.now += HOUR
            waits[-1] += 1
    assert waits == [1, 6, 24]


def test_the_line_adds_up_while_it_is_on_the_way(desk, state):
    desk.tick({A: [1, 2, 3, 4, 5, 6]}, size=20, no_profile=4, no_id=9, shared=1)
    one, two, three, four = desk.claim(4)
    desk.settle([one, two])
    desk.settle([three], Verdict.REFUSED, reason="unknown_recipient")
    desk.settle([four], Verdict.REFUSED, reason="tag_limit")
    desk.tick({A: [2, 3, 4, 5, 6]}, size=19, no_profile=4, no_id=9, shared=1)
    expected = Standing(19, 4, 9, 1, unknown=1, refused=1, on_the_way=2, leaving=1, in_segment=2)
    assert desk.standing() == expected
    desk.tick({A: None}, size=1000)
    assert desk.standing() == expected, "a held run changed the line"


def test_a_sync_that_never_ran_stands_at_nothing(desk):
    assert desk.standing() == Standing(*[0] * 9)
    assert desk.facts().desired == BitMap()


def test_an_unknown_recipient_who_is_not_wanted_any_more_is_not_counted(desk):
    desk.tick({A: [1]})
    desk.settle(desk.claim(), Verdict.REFUSED, reason="unknown_recipient")
    desk.tick({A: []})
    assert desk.standing().unknown == 0


def test_a_million_recipients_are_decided_in_bulk(desk, state):
    """Not how fast: that the rows written are those the bitmaps say, over several pieces."""
    many = BitMap(range(0, 90_000, 2))
    desk.tick({A: many})
    with state.database.read() as db:
        assert BitMap(db.scalars(sa.select(member.c.recipient))) == many
    less = many - BitMap(range(50_000))
    more = less | BitMap([1, 3, 5])
    desk.tick({A: more})
    with state.database.read() as db:
        assert BitMap(db.scalars(sa.select(member.c.recipient))) == more


def test_forgetting_a_sync_drops_its_rows_and_keeps_its_runs(desk, state):
    desk.tick({A: [1], B: [1]})
    state.ledger.forget(A)
    state.ledger.forget(A)
    assert [row["sync"] for row in _rows(state)] == [2]
    assert desk.facts().desired == BitMap()
    assert len(state.runs.of_sync(A)) == 1
