"""What every destination must do, with any ledger: the contract that a vendor's `members_out` passes.

Subclass `DestinationContract` in a test module, and give it a `stage`.
"""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cornicen.delivery.shapes import Change, Container, Parcel, Verdict
from cornicen.errors import DestinationRefused, Unreachable
from cornicen.flows.ports import State
from cornicen.flows.records import SyncStatus
from cornicen.testing.delivering import Delivering, Stage
from cornicen.testing.faults import Fault
from cornicen.testing.memory import MemoryState
from cornicen.wire.http import NoAnswer, NotSent, Reply

PEOPLE = ["ada", "bob", "cy", "dee/ü ?", "eve"]
PASSING = [fault for fault in Fault if fault is not Fault.DENIED]
BODIES = st.binary(max_size=40) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["errors", "error", "id", "code"]), inner),
    max_leaves=8,
).map(lambda value: json.dumps(value).encode())

_NUMBERS = itertools.count(1000)
_SYNC = "a" * 32
_PARCEL = Parcel((Change(_SYNC, 7, "ada", want=True, entered=1_700_000_000),))
_CONTAINER = Container(_SYNC, "Big spenders")


class DestinationContract:
    """The contract. Every test starts from a stage that knows nobody.

    Attributes:
        examples: How many random histories are tried.
    """

    examples = 25

    @pytest.fixture
    def stage(self) -> Iterator[Stage]:
        """A destination with a server of its own; overridden by who is tested."""
        raise NotImplementedError("a destination's contract needs its stage")

    @pytest.fixture
    def states(self) -> Callable[[], State]:
        """Makes empty states; overridden to hold a ledger to the contract too."""
        return MemoryState

    @pytest.fixture
    def delivering(self, stage: Stage, states: Callable[[], State]) -> Delivering:
        """A connection to the stage."""
        return self.to(stage, states())

    def to(self, stage: Stage, state: State) -> Delivering:
        """A connection to a stage; overridden where the server goes by the connection's clock."""
        return Delivering(stage, state)

    def test_exactly_the_wanted_whom_it_knows_are_in(self, delivering: Delivering, stage: Stage) -> None:
        stage.know(PEOPLE[:4])
        sync = delivering.sync()
        delivering.want({sync: PEOPLE[1:]})
        delivering.settle()
        assert stage.members(sync) == set(PEOPLE[1:4])
        assert delivering.facts(sync).acknowledged == delivering.facts(sync).desired - delivering.facts(sync).unknown
        delivering.want({sync: PEOPLE[:2]})
        delivering.settle()
        assert stage.members(sync) == set(PEOPLE[:2])

    def test_whom_it_does_not_know_is_counted_and_asked_about_later(self, delivering: Delivering, stage: Stage) -> None:
        stage.know(PEOPLE[:2])
        sync = delivering.sync()
        delivering.want({sync: PEOPLE[:3]})
        delivering.settle()
        assert len(delivering.facts(sync).unknown) == 1
        assert delivering.deliver() == []
        stage.know(PEOPLE[:3])
        delivering.pass_time(24 * 3600)
        delivering.want({sync: PEOPLE[:3]})
        delivering.settle()
        assert stage.members(sync) == set(PEOPLE[:3])
        assert not delivering.facts(sync).unknown

    def test_nothing_changed_sends_nothing(self, delivering: Delivering, stage: Stage) -> None:
        stage.know(PEOPLE)
        sync = delivering.sync()
        delivering.want({sync: PEOPLE})
        assert delivering.settle()
        delivering.pass_time(900)
        delivering.want({sync: PEOPLE})
        assert delivering.settle() == []

    def test_a_parcel_told_twice_leaves_the_same(self, delivering: Delivering, stage: Stage) -> None:
        stage.know(PEOPLE)
        sync = delivering.sync()
        delivering.want({sync: PEOPLE})
        delivering.settle(Fault.NONE, Fault.LOST, Fault.LOST, Fault.LOST, Fault.LOST, Fault.LOST)
        assert stage.members(sync) == set(PEOPLE)

    def test_the_container_is_there_before_the_first_member(self, delivering: Delivering, stage: Stage) -> None:
        stage.know(PEOPLE)
        sync = delivering.sync()
        delivering.want({sync: PEOPLE})
        delivering.deliver(Fault.BROKEN)
        assert not stage.contained(sync)
        assert not stage.members(sync)
        delivering.pass_time(60)
        delivering.settle()
        assert stage.contained(sync)
        assert stage.members(sync) == set(PEOPLE)

    def test_a_container_whose_making_was_not_confirmed_is_made_once(self, delivering: Delivering, stage: Stage) -> None:
        stage.know(PEOPLE)
        sync = delivering.sync()
        delivering.want({sync: PEOPLE})
        delivering.deliver(Fault.LOST)
        delivering.pass_time(60)
        delivering.settle()
        assert stage.contained(sync)
        assert stage.members(sync) == set(PEOPLE)

    def test_a_lost_answer_is_repeated_only_when_it_cannot_take_effect_any_more(
        self, delivering: Delivering, stage: Stage
    ) -> None:
        stage.know(PEOPLE[:1])
        sync = delivering.sync()
        delivering.want({sync: PEOPLE[:1]})
        assert len(delivering.deliver(Fault.NONE, Fault.GONE)) == 2
        longest = stage.destination.longest_answer
        delivering.pass_time(longest / 2)
        delivering.want({sync: ()})
        assert delivering.deliver() == []
        delivering.pass_time(longest / 2)
        assert len(delivering.deliver()) == 1
        assert stage.members(sync) == set()
        assert not delivering.facts(sync).uncertain

    def test_in_sent_out_answer_lost_leaves_nobody_behind(self, delivering: Delivering, stage: Stage) -> None:
        stage.know(PEOPLE[:1])
        sync = delivering.sync()
        delivering.want({sync: PEOPLE[:1]})
        delivering.deliver(Fault.NONE, Fault.LATE)
        delivering.want({sync: ()})
        delivering.settle()
        assert stage.members(sync) == set()

    def test_a_denied_key_stops_the_sync_and_forgets_nothing(self, delivering: Delivering, stage: Stage) -> None:
        stage.know(PEOPLE)
        sync = delivering.sync()
        delivering.want({sync: PEOPLE})
        delivering.deliver(Fault.NONE, *[Fault.DENIED] * len(PEOPLE))
        stopped = delivering.state.syncs.get(sync)
        assert stopped.status is SyncStatus.STOPPED
        assert stopped.what
        assert delivering.deliver() == []
        delivering.state.syncs.change(sync, status=SyncStatus.ACTIVE)
        delivering.pass_time(120)
        delivering.settle()
        assert stage.members(sync) == set(PEOPLE)

    def test_a_renamed_cohort_keeps_its_members_and_costs_one_request(self, delivering: Delivering, stage: Stage) -> None:
        stage.know(PEOPLE)
        sync = delivering.sync(1, "Big spenders")
        delivering.want({sync: PEOPLE})
        delivering.settle()
        delivering.rename(sync, "Bigger spenders")
        assert len(delivering.settle()) == 1
        assert stage.members(sync) == set(PEOPLE)
        assert delivering.settle() == []

    def test_a_retired_sync_leaves_nobody_and_nothing(self, delivering: Delivering, stage: Stage) -> None:
        stage.know(PEOPLE[:4])
        kept, sync = delivering.sync(1), delivering.sync(2, "Lapsed")
        delivering.want({kept: PEOPLE, sync: PEOPLE})
        delivering.settle()
        delivering.pass_time(900)
        delivering.retire(sync)
        delivering.settle(Fault.LOST)
        assert not stage.contained(sync)
        assert stage.members(sync) == set()
        assert delivering.state.syncs.get(sync).status is SyncStatus.RETIRED
        assert stage.contained(kept)
        assert stage.members(kept) == set(PEOPLE[:4])
        assert delivering.settle() == []

    def test_an_outage_is_not_told_to_every_recipient(self, delivering: Delivering, stage: Stage) -> None:
        stage.know(PEOPLE)
        sync = delivering.sync()
        delivering.want({sync: PEOPLE})
        delivering.settle(*[Fault.UNSENT] * 10)
        assert stage.members(sync) == set(PEOPLE)
        assert not delivering.facts(sync).uncertain
        assert [facts["seconds"] for event, facts in delivering.said if event == "paused"]

    def test_whatever_breaks_it_ends_exact(self, stage: Stage, states: Callable[[], State]) -> None:
        @settings(max_examples=self.examples, deadline=None, report_multiple_bugs=False)
        @given(data=st.data())
        def hold(data: st.DataObject) -> None:
            self._ends_exact(self.to(stage, states()), stage, data)

        hold()

    def _ends_exact(self, delivering: Delivering, stage: Stage, data: st.DataObject) -> None:
        stage.know(PEOPLE[:4])
        syncs = [delivering.sync(next(_NUMBERS)) for _ in range(2)]  # the stage outlives the example
        subsets, faults = st.sets(st.sampled_from(PEOPLE)), st.lists(st.sampled_from(PASSING), max_size=8)
        wanted: dict[str, set[str]] = {}
        for _ in range(data.draw(st.integers(1, 4), label="ticks")):
            wanted = {sync: data.draw(subsets, label="wanted") for sync in syncs}
            delivering.want(wanted)
            delivering.deliver(*data.draw(faults, label="faults"))
            delivering.pass_time(data.draw(st.sampled_from([0.5, 30, 101, 900]), label="seconds"))
        delivering.settle()
        for sync in syncs:
            facts = delivering.facts(sync)
            assert stage.members(sync) == wanted[sync] & set(PEOPLE[:4])
            assert not facts.uncertain - facts.unknown  # a refusal clears only its own request's doubt

    @pytest.mark.parametrize(
        ("result", "verdict"),
        [
            (NotSent("refused"), Verdict.UNTOUCHED),
            (NoAnswer("timed out"), Verdict.UNKNOWN),
            (Reply(429, {"retry-after": "7"}, b""), Verdict.UNTOUCHED),
            (Reply(500, {}, b""), Verdict.UNKNOWN),
            (Reply(503, {"retry-after": "7"}, b"<html>"), Verdict.UNKNOWN),
            (Reply(401, {}, b""), Verdict.DENIED),
        ],
    )
    def test_answers_that_all_vendors_share_mean_the_same(
        self, stage: Stage, result: Reply | NotSent | NoAnswer, verdict: Verdict
    ) -> None:
        answer = stage.destination.answered(_PARCEL, result)
        assert answer.verdict is verdict
        assert stage.destination.ensured(_CONTAINER, result).verdict is verdict
        assert stage.destination.retired(_CONTAINER, result).verdict is verdict
        if isinstance(result, Reply) and "retry-after" in result.headers:
            assert answer.wait == 7

    def test_no_answer_is_beyond_understanding(self, stage: Stage) -> None:
        @settings(max_examples=200, deadline=None)
        @given(status=st.integers(200, 599), body=BODIES)
        def hold(status: int, body: bytes) -> None:
            reply = Reply(status, {}, body)
            stage.destination.answered(_PARCEL, reply)
            stage.destination.ensured(_CONTAINER, reply)
            stage.destination.retired(_CONTAINER, reply)
            with contextlib.suppress(DestinationRefused, Unreachable):
                stage.destination.probed(reply)

        hold()
