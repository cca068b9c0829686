import asyncio
import contextlib
import fcntl
from dataclasses import replace

import pytest

from cornicen.apps.clock import SystemClock
from cornicen.apps.courier import Wiring, run, work
from cornicen.flows.records import Connection
from cornicen.testing.delivering import PROJECT, Delivering
from cornicen.testing.faults import FaultySender
from cornicen.testing.pages import PageDestination
from cornicen.wire.client import HttpSender

PEOPLE = ["ada", "bob", "cy"]


@contextlib.asynccontextmanager
async def couriering(wiring):
    stop = asyncio.Event()
    task = asyncio.create_task(run(wiring, stop))
    try:
        yield task
    finally:
        stop.set()
        await task


async def until(true):
    while not true():  # noqa: ASYNC110 - what is waited for is another's state
        await asyncio.sleep(0.005)


@pytest.fixture
def delivering(server, state):
    server.know(PEOPLE)
    return Delivering(server, state, SystemClock())


@pytest.fixture
def wired(delivering, server, tmp_path, monkeypatch):
    monkeypatch.setattr(work, "DISCOVER", 0.02)

    def make(destination=lambda connection: PageDestination(server.address), **more):
        sender = HttpSender()
        parts = {"sender": sender, "close": sender.close, **more}
        return Wiring(delivering.state, clock=SystemClock(), destination=destination, lock=tmp_path / "run" / "lock", **parts)

    return make


def test_what_a_tick_decides_is_delivered_without_being_told(delivering, server, wired):
    sync = delivering.sync()

    async def play():
        async with couriering(wired()):
            delivering.want({sync: PEOPLE})
            await until(lambda: server.members(sync) == set(PEOPLE))
            delivering.want({sync: PEOPLE[:1]})
            await until(lambda: server.members(sync) == set(PEOPLE[:1]))

    asyncio.run(play())
    assert not delivering.facts(sync).uncertain


def test_a_connection_that_is_added_or_changed_gets_a_lane_of_its_own(delivering, server, wired):
    made = []

    def destination(connection):
        made.append(dict(connection.settings))
        return PageDestination(server.address)

    async def play():
        async with couriering(wired(destination)):
            await until(lambda: len(made) == 1)
            delivering.state.connections.put(Connection("d" * 32, PROJECT, "second", "vendor"))
            await until(lambda: len(made) == 2)
            delivering.state.connections.put(replace(delivering.connection, settings={"rate": 5}))
            await until(lambda: len(made) == 3)

    asyncio.run(play())
    assert made == [{}, {}, {"rate": 5}]


def test_a_lane_that_fails_is_started_again_and_the_others_go_on(delivering, server, wired):
    tries = []

    def destination(connection):
        if connection.slug == "broken":
            raise RuntimeError("a fault of ours")
        tries.append(1)
        if len(tries) == 1:
            raise RuntimeError("a fault of ours, once")
        return PageDestination(server.address)

    delivering.state.connections.put(Connection("d" * 32, PROJECT, "broken", "vendor"))
    sync = delivering.sync()
    delivering.want({sync: PEOPLE})

    async def play():
        async with couriering(wired(destination)):
            await until(lambda: server.members(sync) == set(PEOPLE))

    asyncio.run(play())
    assert len(tries) == 2


def test_a_second_courier_waits_for_the_first_to_end(delivering, server, wired, tmp_path):
    sync = delivering.sync()
    delivering.want({sync: PEOPLE})
    (tmp_path / "run").mkdir()

    async def play():
        with (tmp_path / "run" / "lock").open("a") as first:
            fcntl.flock(first, fcntl.LOCK_EX)
            async with HttpSender() as inner:
                sender = FaultySender(inner)
                async with couriering(wired(sender=sender)):
                    await asyncio.sleep(0.4)
                    early = len(sender.sent)
                    fcntl.flock(first, fcntl.LOCK_UN)
                    await until(lambda: server.members(sync) == set(PEOPLE))
                    return early

    assert asyncio.run(play()) == 0


def test_it_stops_while_it_waits_for_another(delivering, wired, tmp_path):
    (tmp_path / "run").mkdir()

    async def play():
        with (tmp_path / "run" / "lock").open("a") as first:
            fcntl.flock(first, fcntl.LOCK_EX)
            async with couriering(wired()):
                await asyncio.sleep(0)

    asyncio.run(play())


def test_nothing_is_delivered_where_the_vendor_takes_nothing(delivering, wired):
    async def play():
        async with couriering(wired(lambda connection: None)):
            await asyncio.sleep(0.1)

    sync = delivering.sync()
    delivering.want({sync: PEOPLE})
    asyncio.run(play())
    assert not delivering.facts(sync).acknowledged
