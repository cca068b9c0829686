import pytest
from onesignal_standin import OneSignalApp

from cornicen.flows.records import SyncStatus
from cornicen.testing.delivering import Delivering
from cornicen.testing.destinations import PEOPLE, DestinationContract
from cornicen.testing.faults import Fault
from cornicen.testing.memory import MemoryState


class TestOneSignal(DestinationContract):
    @pytest.fixture
    def stage(self):
        return OneSignalApp()

    def test_the_first_sync_takes_a_request_a_recipient_and_one_for_the_segment(self, delivering, stage):
        stage.know(PEOPLE)
        sync = delivering.sync()
        delivering.want({sync: PEOPLE})
        assert len(delivering.settle()) == len(PEOPLE) + 1

    def test_all_changes_of_a_recipient_travel_together(self, delivering, stage):
        stage.know(PEOPLE)
        syncs = [delivering.sync(number, f"Cohort {number}") for number in range(1, 6)]
        delivering.want(dict.fromkeys(syncs, PEOPLE))
        assert len(delivering.settle()) == len(PEOPLE) + 5
        delivering.pass_time(900)
        delivering.want({syncs[0]: PEOPLE[:1], syncs[1]: (), syncs[2]: PEOPLE[2:], syncs[3]: PEOPLE})
        assert len(delivering.settle()) == len(PEOPLE)
        assert [stage.members(sync) for sync in syncs] == [
            set(PEOPLE[:1]),
            set(),
            set(PEOPLE[2:]),
            set(PEOPLE),
            set(PEOPLE),
        ]

    def test_two_requests_for_one_recipient_keep_the_spacing(self, delivering, stage):
        stage.know(PEOPLE[:1])
        sync = delivering.sync()
        delivering.want({sync: PEOPLE[:1]})
        delivering.deliver()
        delivering.want({sync: ()})
        assert delivering.deliver() == []
        delivering.pass_time(1)
        assert len(delivering.deliver()) == 1

    def test_a_repeat_carries_the_same_entry_time(self, delivering, stage):
        stage.know(PEOPLE[:1])
        sync = delivering.sync()
        delivering.want({sync: PEOPLE[:1]})
        entered = str(delivering.clock.now() // 1_000_000)
        delivering.deliver(Fault.NONE, Fault.GONE)
        delivering.pass_time(900)
        delivering.want({sync: PEOPLE[:1]})
        delivering.settle()
        assert stage.tags[PEOPLE[0]] == {f"cornicen_{sync}": entered}

    def test_nobody_elses_tags_are_touched(self, delivering, stage):
        stage.know(PEOPLE)
        stage.tags["ada"]["level"] = "10"
        sync = delivering.sync()
        delivering.want({sync: PEOPLE})
        delivering.settle()
        delivering.pass_time(900)
        delivering.want({sync: ()})
        delivering.settle()
        assert stage.tags["ada"] == {"level": "10"}

    def test_two_instances_on_one_app_keep_to_themselves(self, stage):
        stage.know(PEOPLE)
        ours, theirs = Delivering(stage, MemoryState()), Delivering(stage, MemoryState())
        mine, other = ours.sync(1, "Same name"), theirs.sync(2, "Same name")
        ours.want({mine: PEOPLE[:2]})
        theirs.want({other: PEOPLE[2:]})
        ours.settle()
        theirs.settle()
        ours.want({mine: PEOPLE[:1]})
        ours.settle()
        assert stage.members(mine) == set(PEOPLE[:1])
        assert stage.members(other) == set(PEOPLE[2:])
        assert stage.contained(mine)
        assert stage.contained(other)

    def test_a_segment_deleted_by_hand_is_made_again_at_the_next_rename(self, delivering, stage):
        stage.know(PEOPLE)
        sync = delivering.sync()
        delivering.want({sync: PEOPLE})
        delivering.settle()
        stage.segments.clear()
        delivering.rename(sync, "Bigger spenders")
        delivering.settle()
        assert stage.contained(sync)
        assert [segment["name"] for segment in stage.segments.values()] == ["Bigger spenders"]


def test_a_tier_without_segments_is_found_before_the_first_tag():
    app = OneSignalApp(segments=False)
    app.know(PEOPLE)
    delivering = Delivering(app, MemoryState())
    sync = delivering.sync()
    delivering.want({sync: PEOPLE})
    assert len(delivering.deliver()) == 1
    stopped = delivering.state.syncs.get(sync)
    assert stopped.status is SyncStatus.STOPPED
    assert stopped.what == "App may not submit cohort updates from Mixpanel"
    assert stopped.words == "This API is not available for applications on your plan."
    assert "cornicen sync resume cohort-1" in stopped.fix
    assert not any(app.tags.values())


def test_a_full_segment_list_keeps_the_tags_and_says_so():
    app = OneSignalApp(most_segments=1, taken=["Theirs"])
    app.know(PEOPLE)
    delivering = Delivering(app, MemoryState())
    sync = delivering.sync()
    delivering.want({sync: PEOPLE})
    delivering.settle()
    assert app.members(sync) == set(PEOPLE)
    assert "maximum number of segments" in delivering.state.syncs.get(sync).container["words"]
    app.segments.clear()
    delivering.pass_time(3601)
    delivering.settle()
    assert app.contained(sync)
    assert not delivering.state.syncs.get(sync).container["words"]


def test_while_a_full_segment_list_is_asked_again_in_vain_the_tags_still_travel():
    app = OneSignalApp(most_segments=1, taken=["Theirs"])
    app.know(PEOPLE)
    delivering = Delivering(app, MemoryState())
    sync = delivering.sync()
    delivering.want({sync: PEOPLE[:1]})
    delivering.settle()
    delivering.pass_time(3601)
    delivering.want({sync: PEOPLE})
    delivering.deliver(Fault.BROKEN)
    assert app.members(sync) == set(PEOPLE)


def test_a_cohort_renamed_to_a_free_name_loses_the_part_of_the_id():
    app = OneSignalApp(taken=["Big spenders"])
    delivering = Delivering(app, MemoryState())
    sync = delivering.sync()
    delivering.want({sync: ()})
    delivering.settle()
    delivering.rename(sync, "Bigger spenders")
    delivering.settle()
    assert {segment["name"] for segment in app.segments.values()} == {"Big spenders", "Bigger spenders"}


def test_a_taken_name_gets_a_part_of_the_syncs_id():
    app = OneSignalApp(taken=["Big spenders"])
    delivering = Delivering(app, MemoryState())
    sync = delivering.sync(0xABCDEF0100000000000000000000000A)
    delivering.want({sync: ()})
    delivering.settle()
    assert {segment["name"] for segment in app.segments.values()} == {"Big spenders", "Big spenders (abcdef01)"}


def test_where_our_id_is_refused_the_one_given_is_kept():
    app = OneSignalApp(own_ids=False)
    app.know(PEOPLE)
    delivering = Delivering(app, MemoryState())
    sync = delivering.sync()
    delivering.want({sync: PEOPLE})
    delivering.settle()
    assert delivering.state.syncs.get(sync).container["stored"] in app.segments
    delivering.rename(sync, "Bigger spenders")
    delivering.settle()
    assert [segment["name"] for segment in app.segments.values()] == ["Bigger spenders"]
    delivering.pass_time(900)
    delivering.retire(sync)
    delivering.settle()
    assert not app.segments


def test_a_recipient_at_the_tag_cap_is_refused_and_the_others_are_in():
    app = OneSignalApp(most_tags=2)
    app.know(PEOPLE)
    app.tags["ada"] = {"a": "1", "b": "2"}
    delivering = Delivering(app, MemoryState())
    sync = delivering.sync()
    delivering.want({sync: PEOPLE})
    delivering.settle()
    assert app.members(sync) == set(PEOPLE) - {"ada"}
    assert app.tags["ada"] == {"a": "1", "b": "2"}
    assert len(delivering.facts(sync).declined) == 1


def test_a_429_costs_one_request_more_and_is_heeded():
    app = OneSignalApp()
    app.know(PEOPLE)
    delivering = Delivering(app, MemoryState())
    sync = delivering.sync()
    delivering.want({sync: PEOPLE})
    assert len(delivering.settle(Fault.NONE, Fault.BUSY)) == 1 + len(PEOPLE) + 1
    assert ("paused", {"seconds": 2.0, "why": "rate limit"}) in delivering.said
    assert app.members(sync) == set(PEOPLE)
