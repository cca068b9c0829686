"""People are told once when a sync needs a look, and once when it is fine again, whatever breaks in between."""

import asyncio
from dataclasses import replace

import pytest
from cryptography.fernet import Fernet
from hypothesis import given, settings
from hypothesis import strategies as st

from cornicen.errors import Unavailable
from cornicen.flows.ports import Decision
from cornicen.flows.ports.telling import Kind, Notice
from cornicen.flows.records import Cohort, Connection, Project, Run, RunStatus, Sync, SyncStatus, Tick
from cornicen.flows.syncs.notify import FIRST_PAUSE, GIVEN_UP, LONGEST_PAUSE, TAKEN_FOR, Telling, again_at, cleaned, find, tell
from cornicen.state.opening import open_state
from cornicen.testing.clock import HurriedClock
from cornicen.testing.memory import MemoryState

SECOND, HOUR = 1_000_000, 3_600_000_000
NOW = 1_795_539_600_000_000
SYNC = "a" * 32
STOPPED = {"status": SyncStatus.STOPPED, "what": "The key is wrong.", "words": "no\r\nkey <!channel>", "fix": "Set it."}
FINE = {"status": SyncStatus.ACTIVE, "held": False, "words": "", "what": "", "fix": ""}


class Listener:
    """A channel that remembers; it takes nothing while it is deaf."""

    def __init__(self):
        self.heard, self.tried, self.deaf = [], 0, False

    async def tell(self, notice):
        self.tried += 1
        if self.deaf:
            raise Unavailable("Nobody is there.")
        self.heard.append(notice)


class Watched:
    """A state with one sync, and channels that are told about it."""

    def __init__(self, state, **channels):
        self.state, self.clock, self.channels = state, HurriedClock(NOW), channels
        state.projects.add(Project("p", "shop", "token"))
        state.connections.put(Connection("c" * 32, "p", "push", "vendor"))
        state.cohorts.put(Cohort("p", "lapsed", "Lapsed", {}))
        state.syncs.put(Sync(SYNC, "p", "lapsed", "c" * 32, last_as_of=NOW))

    def change(self, **fields):
        self.state.syncs.change(SYNC, **fields)

    def look(self, go_on=lambda: True):
        asyncio.run(tell(Telling(self.state, self.channels, self.clock, lambda *_, **__: None), go_on))


@pytest.fixture
def listener():
    return Listener()


@pytest.fixture
def watched(state, listener):
    return Watched(state, ear=listener)


def kinds(listener):
    return [str(notice.kind) for notice in listener.heard]


def test_a_violation_is_told_once_and_the_recovery_once(watched, listener):
    watched.look()
    assert listener.heard == []
    watched.change(**STOPPED)
    watched.look()
    watched.look()
    [told] = listener.heard
    assert (told.kind, told.subject) == (Kind.VIOLATION, "lapsed is failing (shop)")
    assert told.text == "The key is wrong.\nThe destination says: “no key <!channel>”\nSet it."
    watched.change(**FINE)
    watched.look()
    watched.look()
    assert kinds(listener) == ["violation", "recovery"]
    assert listener.heard[1].subject == "lapsed is fine again (shop)"
    watched.change(**STOPPED)
    watched.look()
    assert kinds(listener) == ["violation", "recovery", "violation"]


def test_another_violation_before_the_recovery_is_not_told_anew(watched, listener):
    watched.change(**STOPPED)
    watched.look()
    watched.change(**FINE | {"held": True})
    watched.look()
    assert kinds(listener) == ["violation"]


def test_a_sync_that_is_paused_meanwhile_has_not_recovered(watched, listener):
    watched.change(**STOPPED)
    watched.look()
    watched.change(**FINE | {"status": SyncStatus.PAUSED})
    watched.look()
    assert kinds(listener) == ["violation"]
    watched.change(**FINE)
    watched.look()
    assert kinds(listener) == ["violation", "recovery"]


def test_time_alone_makes_a_sync_late_and_people_are_told(watched, listener):
    watched.clock.advance(1801)
    watched.look()
    assert [notice.subject for notice in listener.heard] == ["lapsed is late (shop)"]


def test_what_nobody_took_is_said_later_and_then_once(watched, listener):
    listener.deaf = True
    watched.change(**STOPPED)
    watched.look()
    watched.look()
    assert listener.tried == 1
    listener.deaf = False
    watched.clock.advance(FIRST_PAUSE - 1)
    watched.look()
    assert listener.heard == []
    watched.clock.advance(1)
    watched.look()
    watched.look()
    assert kinds(listener) == ["violation"]
    assert listener.tried == 2


def test_a_violation_that_was_over_before_anybody_took_it_is_told_before_its_recovery(watched, listener):
    listener.deaf = True
    watched.change(**STOPPED)
    watched.look()
    watched.change(**FINE)
    watched.look()
    listener.deaf = False
    watched.clock.advance(FIRST_PAUSE)
    watched.look()
    watched.look()
    assert kinds(listener) == ["violation", "recovery"]


def test_one_channel_that_is_down_keeps_nothing_from_another(state):
    deaf, ear = Listener(), Listener()
    deaf.deaf = True
    watched = Watched(state, deaf=deaf, ear=ear)
    watched.change(**STOPPED)
    watched.look()
    assert (deaf.tried, kinds(deaf), kinds(ear)) == (1, [], ["violation"])


def test_a_channel_that_is_added_later_is_told_what_is_wrong_then(watched, listener):
    watched.change(**STOPPED)
    watched.look()
    watched.channels = {"ear": listener, "other": (other := Listener())}
    watched.look()
    assert (kinds(listener), kinds(other)) == (["violation"], ["violation"])


def test_told_to_stop_it_leaves_the_rest_for_the_next_time(watched, listener):
    watched.change(**STOPPED)
    watched.look(go_on=lambda: False)
    assert listener.tried == 0
    watched.look()
    assert kinds(listener) == ["violation"]


def test_a_held_run_s_own_sentence_is_told(watched, listener):
    tick = watched.state.runs.open_tick(Tick(0, "p", as_of=NOW, started=NOW))
    held = replace(watched.state.syncs.get(SYNC), held=True)
    watched.state.ledger.decide(tick, [Decision(Run(0, tick.id, SYNC, RunStatus.HELD, why="900 of 1,000 go."), held)], NOW)
    watched.look()
    assert listener.heard[0].text.startswith("900 of 1,000 go.\nLook at `cornicen sync plan lapsed`")


def test_a_restart_neither_repeats_nor_forgets(tmp_path):
    key, listener = Fernet.generate_key(), Listener()

    def opened(first=None):
        state = open_state(tmp_path / "state.db", key)
        if first is not None:
            return state, Watched(state, ear=listener)
        watched = Watched.__new__(Watched)
        watched.state, watched.clock, watched.channels = state, HurriedClock(NOW + HOUR), {"ear": listener}
        return state, watched

    state, watched = opened(first=True)
    watched.change(**STOPPED)
    find(state, ["ear"], NOW)  # and the courier dies before it says anything
    state.close()
    for _ in range(2):
        state, watched = opened()
        watched.look()
        state.close()
    assert kinds(listener) == ["violation"]
    state, watched = opened()
    watched.change(**FINE, last_as_of=NOW + HOUR)
    find(state, ["ear"], NOW + HOUR)
    state.close()
    for _ in range(2):
        state, watched = opened()
        watched.look()
        state.close()
    assert kinds(listener) == ["violation", "recovery"]


def test_what_was_said_is_kept_only_as_far_as_the_newest(watched, listener, state):
    for _ in range(3):
        watched.change(**STOPPED)
        watched.look()
        watched.change(**FINE)
        watched.look()
    assert kinds(listener) == ["violation", "recovery"] * 3
    assert state.notices.open() == frozenset()
    assert state.notices.take("ear", NOW + 10 * HOUR, NOW + 11 * HOUR) is None


def one(kind, sync=SYNC, channel="ear"):
    return Notice(0, sync, channel, kind, "s", "t", NOW)


def test_nothing_is_kept_that_would_say_again_what_was_kept_last(watched, state):
    state.notices.put([one(Kind.RECOVERY)])
    assert state.notices.take("ear", NOW, NOW + HOUR) is None
    state.notices.put([one(Kind.VIOLATION), one(Kind.VIOLATION)])
    state.notices.put([one(Kind.VIOLATION)])
    assert state.notices.open() == {(SYNC, "ear")}
    assert state.notices.take("ear", NOW, NOW + HOUR).kind is Kind.VIOLATION
    assert state.notices.take("ear", NOW, NOW + HOUR) is None


def test_what_a_courier_took_and_did_not_say_before_it_died_is_said_later(watched, listener, state):
    watched.change(**STOPPED)
    find(state, ["ear"], NOW)
    state.notices.take("ear", NOW, NOW + TAKEN_FOR * SECOND)
    watched.look()
    assert listener.heard == []
    watched.clock.advance(TAKEN_FOR)
    watched.look()
    assert kinds(listener) == ["violation"]


def test_pauses_double_to_the_longest_and_old_news_is_given_up():
    tries = [Notice(1, SYNC, "ear", Kind.VIOLATION, "s", "t", NOW, attempts) for attempts in (0, 1, 2, 50)]
    pauses = [(again_at(notice, NOW) - NOW) // SECOND for notice in tries]
    assert pauses == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE, LONGEST_PAUSE]
    assert again_at(tries[0], NOW + GIVEN_UP * SECOND) is None


def test_what_was_given_up_keeps_nothing_behind_it_waiting(watched, listener, state):
    listener.deaf = True
    watched.change(**STOPPED)
    watched.look()
    watched.clock.advance(GIVEN_UP)
    watched.look()
    listener.deaf = False
    watched.change(**FINE, last_as_of=watched.clock.now())
    watched.look()
    assert kinds(listener) == ["recovery"]


@given(st.text())
def test_a_line_that_is_cleaned_has_nothing_a_terminal_or_a_header_obeys(text):
    assert cleaned(text).isprintable()


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(["stop", "hold", "mend", "pause"]), st.booleans()), max_size=12))
def test_told_is_always_violation_then_recovery_in_turn_and_ends_with_what_is_true(steps):
    listener = Listener()
    watched = Watched(MemoryState(), ear=listener)
    changes = {"stop": STOPPED, "hold": FINE | {"held": True}, "mend": FINE, "pause": {"status": SyncStatus.PAUSED}}
    for step, listener.deaf in [*steps, ("stop", False)]:
        watched.change(**changes[step])
        watched.clock.advance(3600)
        watched.change(last_as_of=watched.clock.now())
        watched.look()
    for _ in steps:
        watched.look()
    assert kinds(listener) == (["violation", "recovery"] * 7)[: len(listener.heard)]
    assert kinds(listener)[-1] == "violation"
