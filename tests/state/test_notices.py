"""What people are told of syncs, as the state keeps it."""

from dataclasses import replace

from ledger_world import CONNECTION, START, A, B

from cornicen.flows.ports.telling import Kind, Notice

BAD = Notice(0, A, "ear", Kind.VIOLATION, "subject", "text", START)
GOOD = replace(BAD, kind=Kind.RECOVERY)
LATER = START + 60_000_000


def test_a_notice_is_taken_once_until_its_time_and_then_again_until_it_is_said(state):
    state.notices.put([BAD])
    taken = state.notices.take("ear", START, LATER)
    assert replace(taken, id=0) == BAD
    assert state.notices.take("ear", LATER - 1, LATER) is None
    assert state.notices.take("ear", LATER, LATER + 9) == taken
    state.notices.said(taken.id, LATER)
    state.notices.said(taken.id, LATER)
    assert state.notices.take("ear", LATER + 99, LATER + 999) is None
    assert state.notices.open() == {(A, "ear")}


def test_one_that_was_put_off_keeps_later_ones_of_its_sync_waiting_and_no_others(state):
    state.notices.put([BAD, replace(BAD, sync=B)])
    state.notices.put([GOOD])
    first = state.notices.take("ear", START, LATER)
    state.notices.put_off(first.id, LATER)
    other = state.notices.take("ear", START, LATER)
    assert (first.sync, other.sync) == (A, B)
    state.notices.said(other.id, START)
    assert state.notices.take("ear", START, LATER) is None
    again = state.notices.take("ear", LATER, LATER + 1)
    assert (again.id, again.attempts) == (first.id, 1)
    state.notices.put_off(first.id, None)
    assert state.notices.take("ear", LATER, LATER + 1).kind is Kind.RECOVERY


def test_what_would_say_the_same_again_is_not_kept_and_a_sync_that_is_gone_is_passed_over(state):
    state.notices.put([GOOD, BAD, BAD, replace(BAD, sync="f" * 32)])
    state.notices.put([BAD])
    assert state.notices.take("ear", START, LATER).kind is Kind.VIOLATION
    assert state.notices.take("ear", START, LATER) is None


def test_channels_are_told_apart(state):
    state.notices.put([BAD, replace(BAD, channel="eye")])
    assert state.notices.open() == {(A, "ear"), (A, "eye")}
    assert state.notices.take("eye", START, LATER).channel == "eye"
    assert state.notices.take("eye", START, LATER) is None


def test_a_connection_whose_syncs_were_told_of_can_be_removed(desk, state):
    desk.tick({A: range(3)})
    desk.drain()
    state.notices.put([BAD])
    for sync in state.syncs.all("p" * 32):
        state.syncs.change(sync.id, status="retired")
    state.connections.remove(CONNECTION.id)
    assert state.notices.open() == frozenset()
