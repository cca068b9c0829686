import asyncio
import contextlib
from collections import Counter

import pytest

from cornicen.delivery.shapes import Answer, Container, Ensured, Grouping, Shape, Verdict
from cornicen.errors import Unavailable
from cornicen.flows.records import RunStatus, SyncStatus
from cornicen.flows.syncs.deliver import Lane
from cornicen.testing.delivering import CONNECTION, Delivering
from cornicen.testing.faults import Fault, FaultySender
from cornicen.wire.http import NotSent, Reply, Request

PEOPLE = [f"p{number:03}" for number in range(40)]
OK = Reply(200, {}, b"{}")


class Wall:
    """A destination of one connection that takes one recipient a request and agrees to everything; its stage too."""

    longest_answer = 30.0

    def __init__(self, connections=4, rate=10_000.0):
        self.shape, self.rate, self.connections = Shape(Grouping.RECIPIENT, 100, 1.0), rate, connections
        self.destination = self

    def ensure(self, container):
        return Request("PUT", f"/{container.sync}")

    def ensured(self, container, result):
        made = isinstance(result, Reply)
        known = Container(container.sync, container.name, exists=True) if made else container
        return Ensured(known, Verdict.ACCEPTED if made else Verdict.UNTOUCHED)

    def retire(self, container):
        return Request("DELETE", f"/{container.sync}")

    def retired(self, container, result):
        return Ensured(container, Verdict.ACCEPTED)

    def deliver(self, parcel):
        return Request("PATCH", "/" + parcel.changes[0].identifier)

    def answered(self, parcel, result):
        if isinstance(result, NotSent):
            return Answer(Verdict.UNTOUCHED)
        if isinstance(result, Reply) and result.status == 429:
            return Answer(Verdict.UNTOUCHED, wait=float(result.headers["retry-after"]))
        return Answer(Verdict.ACCEPTED if isinstance(result, Reply) and result.status == 200 else Verdict.UNKNOWN)

    @contextlib.asynccontextmanager
    async def sender(self):
        yield self

    async def send(self, request, *, timeout):
        return OK


class Holding:
    """A sender that answers when it is let to, and knows how many requests it holds."""

    def __init__(self):
        self.held, self.most, self.sent = [], 0, []

    async def send(self, request, *, timeout):
        self.sent.append(request)
        if request.method != "PATCH":
            return OK
        answer = asyncio.get_running_loop().create_future()
        self.held.append(answer)
        self.most = max(self.most, len(self.held))
        return await answer

    def let(self, count=None):
        for answer in self.held[:count]:
            answer.set_result(OK)
        del self.held[:count]


async def until(true):
    """Give way until something has come about; pytest's time-out is the end of patience."""
    while not true():  # noqa: ASYNC110 - what is waited for is another's state
        await asyncio.sleep(0.001)


@contextlib.asynccontextmanager
async def running(delivering, sender):
    told = asyncio.Event()
    task = asyncio.create_task(Lane(delivering.line(sender)).run(told))
    try:
        yield task
    finally:
        told.set()
        await task


@pytest.fixture
def wall(state):
    return Delivering(Wall(), state)


def test_no_more_requests_are_in_flight_than_there_are_connections(wall):
    async def run():
        sender = Holding()
        async with running(wall, sender):
            for _ in range(len(PEOPLE) // 4):
                await until(lambda: len(sender.held) == 4)
                sender.let()
        return sender.most, Counter(request.url for request in sender.sent if request.method == "PATCH")

    sync = wall.sync()
    wall.want({sync: PEOPLE})
    most, sent = asyncio.run(run())
    assert most == 4
    assert set(sent.values()) == {1}
    assert len(sent) == len(PEOPLE)


def test_a_connection_is_free_again_only_once_its_outcome_is_durable(wall):
    ledger, gate = wall.state.ledger, asyncio.Event()

    class Slow:
        """The ledger, whose commits can be kept waiting."""

        def __getattr__(self, name):
            return getattr(ledger, name)

        def exchange(self, connection, settled, *rest):
            if settled:
                asyncio.run_coroutine_threadsafe(gate.wait(), loop).result()
            return ledger.exchange(connection, settled, *rest)

    async def run():
        nonlocal loop
        loop, sender = asyncio.get_running_loop(), Holding()
        line = wall.line(sender)
        lane, told = Lane(line), asyncio.Event()
        lane._ledger = Slow()
        task = asyncio.create_task(lane.run(told))
        await until(lambda: len(sender.held) == 4)
        sender.let(1)
        for _ in range(50):
            await asyncio.sleep(0.002)
        waiting = len([request for request in sender.sent if request.method == "PATCH"])
        gate.set()
        await until(lambda: len(sender.held) == 4)
        sender.let()
        told.set()
        await task
        return waiting

    loop = None
    sync = wall.sync()
    wall.want({sync: PEOPLE[:6]})
    assert asyncio.run(run()) == 4


def test_what_a_lane_leaves_in_flight_is_all_that_the_next_one_repeats(wall):
    async def run():
        sender = Holding()
        lane = asyncio.create_task(Lane(wall.line(sender)).run(asyncio.Event()))
        await until(lambda: len(sender.held) == 4)
        sender.let(2)
        await until(lambda: len(sender.held) == 4)
        lane.cancel()  # as when the process dies: nothing is settled any more
        with contextlib.suppress(asyncio.CancelledError):
            await lane
        return [request.url for request in sender.sent if request.method == "PATCH"]

    sync = wall.sync()
    wall.want({sync: PEOPLE})
    before = asyncio.run(run())
    at_once = wall.deliver()
    assert not {f"PATCH {url}" for url in before[2:]} & set(at_once)  # these have to wait for the longest answer
    wall.pass_time(30)
    after = at_once + wall.settle()
    assert len(before) + len(after) == len(PEOPLE) + 4
    assert len(wall.facts(sync).acknowledged) == len(PEOPLE)


def test_told_to_stop_it_settles_what_is_in_flight_and_claims_nothing_more(wall):
    async def run():
        sender, told = Holding(), asyncio.Event()
        lane = asyncio.create_task(Lane(wall.line(sender)).run(told))
        await until(lambda: len(sender.held) == 4)
        told.set()
        await asyncio.sleep(0.3)
        sender.let()
        await lane
        return len(sender.held)

    sync = wall.sync()
    wall.want({sync: PEOPLE})
    assert asyncio.run(run()) == 0
    assert len(wall.facts(sync).acknowledged) == 4
    assert not wall.facts(sync).uncertain


@pytest.mark.parametrize("rate", [20.0, 100.0])
def test_no_second_holds_more_requests_than_the_rate_and_its_burst(state, rate):
    wall = Delivering(Wall(connections=50, rate=rate), state)
    moments = []

    class Noting:
        async def send(self, request, *, timeout):
            moments.append(wall.clock.now())
            return OK

    sync = wall.sync()
    wall.want({sync: [f"q{n}" for n in range(150)]})
    asyncio.run(Lane(wall.line(Noting())).drain())
    assert len(moments) == 151
    burst = max(1, rate / 20)
    assert max(sum(start <= at < start + 1_000_000 for at in moments) for start in moments) <= rate + burst + 1


def test_an_outage_of_ten_minutes_costs_a_handful_of_attempts(wall):
    attempts = 0

    class Dead:
        async def send(self, request, *, timeout):
            nonlocal attempts
            attempts += 1
            return NotSent("no route") if wall.clock.now() < end else OK

    sync = wall.sync()
    wall.want({sync: ()})
    wall.deliver()
    wall.want({sync: PEOPLE})
    end = wall.clock.now() + 600_000_000

    async def run():
        lane, told = Lane(wall.line(Dead())), asyncio.Event()
        task = asyncio.create_task(lane.run(told))
        while len(wall.facts(sync).acknowledged) < len(PEOPLE):
            await wall.clock.sleep(0.5)
            await asyncio.sleep(0.002)
        told.set()
        await task

    asyncio.run(run())
    assert attempts <= len(PEOPLE) + 30
    assert not wall.facts(sync).uncertain


def test_all_members_wait_until_every_segment_that_is_missing_has_been_asked_for(wall):
    first = wall.sync(1)
    wall.want({first: PEOPLE[:3]})
    wall.settle()
    wall.pass_time(900)
    second, third = wall.sync(2, "Lapsed"), wall.sync(3, "New")
    wall.want({first: (), second: PEOPLE[:3], third: PEOPLE[:3]})
    assert [line.split()[0] for line in wall.settle()] == ["PUT", "PUT", "PATCH", "PATCH", "PATCH"]


def test_a_state_that_does_not_answer_for_a_while_loses_no_answer(wall):
    ledger, failures = wall.state.ledger, [3]

    class Busy:
        def __getattr__(self, name):
            return getattr(ledger, name)

        def exchange(self, connection, settled, *rest):
            if settled and failures[0]:
                failures[0] -= 1
                raise Unavailable("The state database is locked.")
            return ledger.exchange(connection, settled, *rest)

    async def run():
        sender, told = FaultySender(wall.stage), asyncio.Event()
        lane = Lane(wall.line(sender))
        lane._ledger = Busy()
        task = asyncio.create_task(lane.run(told))
        await until(lambda: len(wall.facts(sync).acknowledged) == 8)
        told.set()
        await task
        return len(sender.sent)

    sync = wall.sync()
    wall.want({sync: PEOPLE[:8]})
    assert asyncio.run(run()) == 9
    assert failures == [0]


def test_a_run_ends_done_with_its_numbers_also_when_there_was_nothing_to_do(wall):
    sync = wall.sync()
    wall.want({sync: PEOPLE[:5]})
    wall.settle()
    (run,) = wall.state.runs.of_sync(sync)
    assert (run.status, run.added, run.removed, run.requests) == (RunStatus.DONE, 5, 0, 5)
    assert wall.state.runs.ticks(wall.connection.project)[0].requests == 6
    wall.want({sync: PEOPLE[:5]})
    wall.deliver()
    assert wall.state.runs.of_sync(sync)[0].status is RunStatus.DONE
    assert wall.state.runs.ticks(wall.connection.project)[0].requests == 0


def test_a_request_that_did_not_leave_is_not_counted(wall):
    sync = wall.sync()
    wall.want({sync: ()})
    wall.settle(Fault.UNSENT)
    assert wall.state.runs.ticks(wall.connection.project)[0].requests == 1


def test_a_retired_sync_that_was_never_asked_for_goes_without_a_request(wall):
    sync = wall.sync()
    wall.retire(sync)
    assert wall.deliver() == []
    assert wall.state.syncs.get(sync).status is SyncStatus.RETIRED


def test_a_paused_or_held_sync_is_left_alone_and_the_others_are_not(wall):
    paused, held, active = wall.sync(1), wall.sync(2), wall.sync(3)
    wall.want({paused: (), held: (), active: ()})
    wall.settle()
    wall.want({paused: PEOPLE[:2], held: PEOPLE[:2], active: PEOPLE[:2]})
    wall.state.syncs.change(paused, status=SyncStatus.PAUSED)
    wall.state.syncs.change(held, held=True)
    assert len(wall.deliver()) == 2
    assert len(wall.facts(active).acknowledged) == 2
    assert not wall.facts(paused).acknowledged
    assert not wall.facts(held).acknowledged
    assert wall.state.ledger.due(CONNECTION) is None
