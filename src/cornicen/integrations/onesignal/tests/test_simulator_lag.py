from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from cornicen.integrations.onesignal.simulator.state.people import User

NOW = 1_700_000_000.0
STEPS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 3), st.booleans()), max_size=30)


@settings(max_examples=300, deadline=None)
@given(steps=STEPS, settle=st.integers(0, 60), arrive=st.integers(0, 60))
def test_whoever_is_behind_sees_what_was_so_a_lag_ago_and_neither_lag_moves_the_other(steps, settle, arrive):
    user, now = User("id", NOW), NOW
    written = [(NOW - 1000, {})]

    def as_of(instant):
        return [tags for at, tags in written if at <= instant][-1]

    for wait, value, write in steps:
        now += wait
        if write:
            written.append((now, {"k": str(value)}))
            user.retag(written[-1][1], now, settle, arrive)
        assert user.tags == written[-1][1]
        assert user.settled_tags(now) == as_of(now - settle)
        assert user.viewed_tags(now) == as_of(now - arrive)


def test_a_lag_that_is_turned_off_is_over_with_the_next_write():
    user = User("id", NOW)
    user.retag({"k": "1"}, NOW, 60, 60)
    assert (user.settled_tags(NOW), user.viewed_tags(NOW)) == ({}, {})
    user.retag({"k": "2"}, NOW + 1)
    assert user.settled_tags(NOW + 1) == user.viewed_tags(NOW + 1) == {"k": "2"}
