"""The protocol's cases for a sender, call by call, against a strict receiver."""

import itertools

import pytest

from cornicen.flows.records import RunStatus, SyncStatus
from cornicen.testing.delivering import Delivering
from cornicen.testing.faults import Fault
from cornicen.testing.memory import MemoryState

DAY = 24 * 3600


def people(count, first=0):
    return [f"u{number:05}" for number in range(first, first + count)]


@pytest.fixture(params=["memory", "sqlite"])
def delivering(request, stage):
    return Delivering(stage, MemoryState() if request.param == "memory" else request.getfixturevalue("sql_states")())


@pytest.fixture
def calls(stage):
    """What the receiver has read since it was last asked: (action, members, cohort's name)."""
    seen = 0

    def since():
        nonlocal seen
        new, seen = stage.receiver.calls[seen:], len(stage.receiver.calls)
        return [(one["action"], len(one["parameters"]["members"]), one["parameters"]["mixpanel_cohort_name"]) for one in new]

    return since


def kept(delivering, stage, wanted):
    """A sync that was brought to the receiver."""
    sync = delivering.sync()
    delivering.want({sync: wanted})
    delivering.settle()
    assert stage.members(sync) == set(wanted)
    delivering.pass_time(900)
    return sync


def test_a_first_run_opens_the_cohort_and_sends_pages_of_a_thousand(delivering, stage, calls):  # H1
    kept(delivering, stage, people(2500))
    pages = [("add_members", 1000), ("add_members", 1000), ("add_members", 500)]
    assert [one[:2] for one in calls()] == [("members", 0), *pages]
    infos = [one["parameters"] for one in stage.receiver.calls]
    assert all(one["page_info"] == {"total_pages": 1, "page_count": 1} for one in infos)
    assert len({one["mixpanel_session_id"] for one in infos}) == 4
    assert {one["mixpanel_cohort_name"] for one in infos} == {"Big spenders"}


def test_who_came_and_who_left_take_a_call_each_and_never_share_one(delivering, stage, calls):  # H2; Amplitude 81, 82
    sync = kept(delivering, stage, people(10))
    calls()
    wanted = people(10, first=2)
    delivering.want({sync: wanted})
    delivering.settle()
    assert [one[:2] for one in calls()] == [("remove_members", 2), ("add_members", 2)]
    assert stage.members(sync) == set(wanted)
    delivering.pass_time(900)
    delivering.want({sync: wanted})
    delivering.settle()
    assert calls() == []


@pytest.mark.parametrize("lost", [1, 2])
def test_a_receiver_that_fails_twice_has_everybody_within_a_minute(delivering, stage, lost):  # H3
    sync = kept(delivering, stage, people(3))
    stage.receiver.script = [500] * lost
    began = delivering.clock.now()
    delivering.want({sync: people(5)})
    delivering.settle()
    assert delivering.clock.now() - began < 60_000_000
    assert stage.members(sync) == set(people(5))
    assert delivering.state.runs.of_sync(sync, 1)[0].status is RunStatus.DONE


def test_an_outage_takes_few_calls_in_growing_gaps_and_neither_stops_nor_forgets(delivering, stage, calls):  # H4; Amplitude 85
    sync = kept(delivering, stage, people(3))
    calls()
    stage.receiver.script = [503] * 1000
    delivering.want({sync: people(5)})
    began, at = delivering.clock.now(), []
    while delivering.clock.now() - began < 65_000_000:
        at += [(delivering.clock.now() - began) / 1_000_000] * len(delivering.deliver())
        delivering.pass_time(1)
    assert 4 <= len(at) <= 6
    assert all(later - earlier >= 1 for earlier, later in itertools.pairwise(at))
    assert delivering.state.syncs.get(sync).status is SyncStatus.ACTIVE
    assert len(delivering.facts(sync).acknowledged) == 3
    stage.receiver.script = []
    delivering.settle()
    assert stage.members(sync) == set(people(5))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 302, 422])
def test_a_definite_no_stops_the_sync_with_the_receivers_words(delivering, stage, calls, status):  # H5
    sync = kept(delivering, stage, people(3))
    stage.receiver.script = [status]
    delivering.want({sync: people(5)})
    delivering.settle()
    stopped = delivering.state.syncs.get(sync)
    assert stopped.status is SyncStatus.STOPPED
    assert stopped.words == "As the script has it."
    assert "cornicen sync resume cohort-1" in stopped.fix
    calls()
    delivering.pass_time(DAY)
    assert delivering.deliver() == []
    delivering.state.syncs.change(sync, status=SyncStatus.ACTIVE)
    delivering.settle()
    assert stage.members(sync) == set(people(5))


def test_a_failure_under_200_is_a_failure(delivering, stage):  # H6
    sync = kept(delivering, stage, people(3))
    stage.receiver.script = [(200, '{"action":"add_members","status":"failure","error":{"message":"quota reached"}}')]
    delivering.want({sync: people(5)})
    delivering.settle()
    stopped = delivering.state.syncs.get(sync)
    assert (stopped.status, stopped.words) == (SyncStatus.STOPPED, "quota reached")


@pytest.mark.parametrize("fault", [503, "after"])
def test_a_page_that_fails_among_three_costs_one_call_more_and_leaves_no_gap(
    delivering, stage, calls, fault
):  # H7; Amplitude 84
    sync = delivering.sync()
    stage.receiver.script = [None, None, fault]
    delivering.want({sync: people(2500)})
    delivering.settle()
    assert stage.members(sync) == set(people(2500))
    assert len(calls()) == 1 + 3 + 1


def test_after_three_days_of_silence_what_is_owed_is_sent_and_nothing_else(delivering, stage, calls):  # H8
    sync = kept(delivering, stage, people(5))
    stage.receiver.script = [503] * 10_000
    delivering.want({sync: people(5, first=1)})
    for _ in range(4 * 24):
        delivering.deliver()
        delivering.pass_time(3600)
        delivering.want({sync: people(5, first=1)})
    stage.receiver.script = []
    calls()
    delivering.settle()
    assert [one[:2] for one in calls()] == [("remove_members", 1), ("add_members", 1)]
    assert stage.members(sync) == set(people(5, first=1))


@pytest.mark.parametrize(
    "answer",
    [
        (200, '{"action":"members","status":"success"}'),
        (200, "<html>thanks</html>"),
        (200, ""),
        (200, "x" * 10_000_000),
    ],
    ids=["another action", "html", "empty", "10 MB"],
)
def test_an_answer_that_is_not_the_protocols_is_none_and_the_page_is_repeated(delivering, stage, calls, answer):  # H9
    sync = kept(delivering, stage, people(3))
    calls()
    stage.receiver.script = [answer]
    delivering.want({sync: people(5)})
    delivering.settle()
    assert len(calls()) == 2
    assert stage.members(sync) == set(people(5))


def test_whoever_comes_and_goes_while_an_answer_is_lost_is_told_out(delivering, stage, calls):  # Amplitude 83
    sync = kept(delivering, stage, people(3))
    calls()
    delivering.want({sync: people(5)})
    delivering.deliver(Fault.LOST)
    delivering.want({sync: people(3)})
    delivering.settle()
    assert [one[:2] for one in calls()] == [("add_members", 2), ("remove_members", 2)]
    assert stage.members(sync) == set(people(3))


def test_a_new_name_travels_alone_and_then_with_every_page(delivering, stage, calls):
    sync = kept(delivering, stage, people(3))
    calls()
    delivering.rename(sync, "Bigger spenders")
    delivering.settle()
    delivering.want({sync: people(4)})
    delivering.settle()
    assert calls() == [("add_members", 0, "Bigger spenders"), ("add_members", 1, "Bigger spenders")]
    assert stage.receiver.names[sync] == "Bigger spenders"


def test_a_cohort_that_ends_is_emptied_first(delivering, stage, calls):
    sync = kept(delivering, stage, people(3))
    calls()
    delivering.retire(sync)
    delivering.settle()
    assert [one[:2] for one in calls()] == [("remove_members", 3), ("members", 0)]
    assert stage.members(sync) == set()


def test_a_person_who_is_known_by_another_id_now_leaves_under_the_earlier_one(delivering, stage):  # Amplitude 87
    sync = kept(delivering, stage, ["a@old.example.com", "b@example.com"])
    told = len(stage.receiver.calls)
    delivering.want({sync: ["a@new.example.com", "b@example.com"]})
    delivering.settle()
    said = [(one["action"], one["parameters"]["members"]) for one in stage.receiver.calls[told:]]
    assert said == [
        ("remove_members", [{"mixpanel_distinct_id": "a@old.example.com"}]),
        ("add_members", [{"mixpanel_distinct_id": "a@new.example.com"}]),
    ]


def test_a_run_whose_receiver_skips_somebody_ends_and_counts_them(delivering, stage, calls):  # Amplitude 86
    stage.know(people(3))
    sync = delivering.sync()
    delivering.want({sync: people(4)})
    delivering.settle()
    assert delivering.state.runs.of_sync(sync, 1)[0].status is RunStatus.DONE
    assert stage.members(sync) == set(people(3))
    assert len(delivering.facts(sync).unknown) == 1
    calls()
    delivering.pass_time(1800)
    delivering.want({sync: people(4)})
    delivering.deliver()
    assert calls() == []


def test_a_page_that_is_repeated_is_the_same_page_however_often(delivering, stage, calls):  # H3
    sync = kept(delivering, stage, people(1))
    calls()
    stage.receiver.script = ["after"] * 6
    delivering.want({sync: people(900)})
    delivering.settle()
    assert calls() == [("add_members", 899, "Big spenders")] * 7
