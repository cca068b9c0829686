"""The spool: what a door acknowledged is there exactly once and in order, whatever happened to the door."""

import asyncio
import errno
import os
import subprocess
import sys
import threading
from itertools import count

import msgspec
import pytest

from cornicen.errors import SpoolFull, Unavailable
from cornicen.events.shapes import Batch, Event, Ids
from cornicen.warehouse import lane as lane_module
from cornicen.warehouse.folders import Position
from cornicen.warehouse.reader import SpoolReader
from cornicen.warehouse.spool import DoorSpool

pytestmark = pytest.mark.anyio
SOURCE = "test:/import"
ROOM = 1 << 30


def event(number):
    return Event("seen", Ids(user=f"u{number}"), number, b"{}", f"i{number}")


def batches(reading):
    return [msgspec.msgpack.decode(taken.frame.payload, type=Batch) for taken in reading.taken]


def numbers(reading):
    return [record.time for batch in batches(reading) for record in batch.records]


def ticking():
    return count(1_000_000).__next__


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def door(tmp_path):
    spool = DoorSpool(tmp_path, "door", ticking(), ROOM)
    yield spool
    spool.close()


async def append(spool, *records, lane="live"):
    return await spool.append(lane, SOURCE, [event(n) for n in records])


async def settled(coroutine):
    """The result, or the kind of error."""
    try:
        return await coroutine
    except SpoolFull as error:
        return type(error)


async def test_appended_batches_are_read_as_they_were(tmp_path, door):
    stamps = [await append(door, 1, 2), await append(door, 3)]
    reading = SpoolReader(tmp_path, {}).read(100)
    assert [batch.arrived for batch in batches(reading)] == stamps == sorted(set(stamps))
    assert [(batch.source, batch.records) for batch in batches(reading)] == [
        (SOURCE, (event(1), event(2))),
        (SOURCE, (event(3),)),
    ]


async def test_the_live_lane_is_read_before_the_bulk_lane_and_doors_by_stamp(tmp_path):
    now = ticking()
    one, two = DoorSpool(tmp_path, "one", now, ROOM), DoorSpool(tmp_path, "two", now, ROOM)
    await append(one, 1, lane="bulk")
    for number, spool in [(2, two), (3, one), (4, two), (5, one)]:
        await append(spool, number)
    reader = SpoolReader(tmp_path, {})
    assert numbers(reader.read(100)) == [2, 3, 4, 5, 1]
    first = reader.read(3)
    assert numbers(first) == [2, 3, 4]
    assert numbers(reader.read(3)) == [2, 3, 4]
    reader.commit(first.reached)
    assert numbers(reader.read(100)) == [5, 1]
    one.close()
    two.close()


async def test_stamps_never_decrease_when_the_clock_is_set_back(tmp_path):
    times = iter([50, 50, 10, 10, 60, 60])
    spool = DoorSpool(tmp_path, "door", lambda: next(times), ROOM)
    assert [await append(spool, n) for n in range(3)] == [50, 50, 60]
    spool.close()


async def test_the_mark_is_shown_before_the_stamp_is_taken(tmp_path):
    seen = []
    clock = ticking()

    def now():
        seen.append(SpoolReader(tmp_path, {}).pending())
        return clock()

    spool = DoorSpool(tmp_path, "door", now, ROOM)
    stamp = await append(spool, 1)
    spool.close()
    assert seen == [[], [stamp - 1]]


class Gate:
    """A disk that syncs only when it is let."""

    def __init__(self):
        self.begun, self.open, self.syncs = threading.Event(), threading.Event(), 0

    def __call__(self, descriptor):
        self.begun.set()
        assert self.open.wait(30)
        self.syncs += 1
        os.fsync(descriptor)


async def test_appends_that_wait_share_one_sync_and_none_returns_before_it(tmp_path, door, monkeypatch):
    gate = Gate()
    monkeypatch.setattr(lane_module, "_sync", gate)
    waiting = [asyncio.ensure_future(append(door, 0))]
    await asyncio.to_thread(gate.begun.wait, 30)
    waiting += [asyncio.ensure_future(append(door, n)) for n in range(1, 20)]
    await asyncio.sleep(0)
    assert not any(one.done() for one in waiting)
    assert SpoolReader(tmp_path, {}).watermark(2_000_000) < 1_000_001
    gate.open.set()
    stamps = await asyncio.gather(*waiting)
    assert gate.syncs == 2
    assert numbers(SpoolReader(tmp_path, {}).read(100)) == list(range(20))
    assert stamps == sorted(stamps)


async def test_the_watermark_is_bounded_by_what_is_read_and_not_loaded_then_by_now_alone(tmp_path, door):
    reader = SpoolReader(tmp_path, {})
    assert reader.watermark(2_000_000) == 1_999_999
    await append(door, 0, lane="bulk")
    first, second = await append(door, 1), await append(door, 2)
    assert reader.watermark(2_000_000) == first - 1
    reading = reader.read(1)
    reader.commit(reading.reached)
    assert reader.watermark(2_000_000) == second - 1
    reader.commit(reader.read(10).reached)
    assert reader.watermark(2_000_000) == 1_999_999


async def test_the_watermark_looks_into_every_file_because_a_restarted_clock_may_stamp_lower(tmp_path):
    late = DoorSpool(tmp_path, "door", lambda: 900, ROOM)
    await append(late, 1)
    late.close()
    early = DoorSpool(tmp_path, "door", lambda: 500, ROOM)
    await append(early, 2)
    assert SpoolReader(tmp_path, {}).watermark(1000) == 499
    early.close()


@pytest.mark.parametrize(("code", "kind"), [(errno.ENOSPC, SpoolFull), (errno.EIO, Unavailable)])
async def test_a_failed_write_reaches_every_waiter_and_the_next_append_uses_a_new_file(tmp_path, door, monkeypatch, code, kind):
    await append(door, 1)
    write, torn = os.write, []

    def half(descriptor, data):
        if descriptor in torn:
            torn.remove(descriptor)
            raise OSError(code, os.strerror(code))
        torn.append(descriptor)
        return write(descriptor, data[:40])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", half)
        failed = await asyncio.gather(*(append(door, n) for n in range(2, 5)), return_exceptions=True)
    assert [type(one) for one in failed] == [kind] * 3
    await append(door, 9)
    reader = SpoolReader(tmp_path, {})
    assert numbers(reader.read(100)) == [1, 9]
    assert len(list((tmp_path / "live" / "door").glob("*.spool"))) > 1


async def test_a_failed_sync_reaches_its_waiter_and_poisons_the_file(tmp_path, door, monkeypatch):
    await append(door, 1)

    def broken(_descriptor):
        raise OSError(errno.EIO, "I/O error")

    with monkeypatch.context() as patch:
        patch.setattr(lane_module, "_sync", broken)
        with pytest.raises(Unavailable):
            await append(door, 2)
    await append(door, 3)
    taken = SpoolReader(tmp_path, {}).read(100).taken
    assert [one.file for one in taken] == [1, 1, 2]


async def test_a_torn_end_waits_while_its_door_lives_and_is_passed_over_when_it_is_dead(tmp_path):
    spool = DoorSpool(tmp_path, "door", ticking(), ROOM)
    await append(spool, 1)
    path = tmp_path / "live" / "door" / "1.spool"
    size = path.stat().st_size
    with path.open("ab") as file:
        file.write(path.read_bytes()[:-1])
    reader = SpoolReader(tmp_path, {})
    assert reader.read(10).reached == {("live", "door"): Position(1, size)}
    spool.close()
    reading = reader.read(10)
    assert numbers(reading) == [1]
    reader.commit(reading.reached)
    reader.commit(reader.read(10).reached)
    assert reader.backlog() == {"live": 0, "bulk": 0}
    again = DoorSpool(tmp_path, "door", ticking(), ROOM)
    await append(again, 2)
    assert numbers(reader.read(10)) == [2]
    again.close()


async def test_files_are_rotated_and_deleted_once_all_of_them_is_loaded(tmp_path):
    spool = DoorSpool(tmp_path, "door", ticking(), ROOM, rotate=1)
    for number in range(4):
        await append(spool, number)
    reader = SpoolReader(tmp_path, {})
    reading = reader.read(2)
    reader.commit(reading.reached)
    assert sorted(path.name for path in (tmp_path / "live" / "door").glob("*.spool")) == ["2.spool", "3.spool", "4.spool"]
    assert numbers(reader.read(10)) == [2, 3]
    spool.close()


async def test_the_spool_is_full_at_its_bound_and_takes_again_after_the_loader_moved_on(tmp_path):
    spool = DoorSpool(tmp_path, "door", ticking(), 600)
    results = [await settled(append(spool, number, lane=["live", "bulk"][number % 2])) for number in range(100)]
    kept = results.index(SpoolFull)
    assert 2 < kept < 20
    assert results[kept:] == [SpoolFull] * (100 - kept)
    reader = SpoolReader(tmp_path, {})
    assert sum(reader.backlog().values()) >= 600
    reading = reader.read(1000)
    assert len(numbers(reading)) == kept
    reader.commit(reading.reached)
    await append(spool, 1000)
    spool.close()


async def test_what_waited_before_a_restart_counts_against_the_bound(tmp_path):
    first = DoorSpool(tmp_path, "door", ticking(), ROOM)
    await first.append("live", SOURCE, [event(n) for n in range(100)])
    first.close()
    second = DoorSpool(tmp_path, "door", ticking(), 600)
    with pytest.raises(SpoolFull):
        await append(second, 1)
    second.close()


def test_two_living_processes_are_never_the_same_door(tmp_path, door):
    with pytest.raises(Unavailable):
        DoorSpool(tmp_path, "door", ticking(), ROOM)


async def test_a_closed_door_takes_nothing(tmp_path):
    spool = DoorSpool(tmp_path, "door", ticking(), ROOM)
    spool.close()
    spool.close()
    with pytest.raises(Unavailable):
        await append(spool, 1)


WRITER = """
import asyncio, sys
from itertools import count
from pathlib import Path
from cornicen.events.shapes import Event, Ids
from cornicen.warehouse.spool import DoorSpool

numbers, now = count(int(sys.argv[2])), count(int(sys.argv[2])).__next__
spool = DoorSpool(Path(sys.argv[1]), "door", now, 1 << 30, rotate=20_000)

async def one():
    while True:
        number = next(numbers)
        await spool.append("live", "test:/", [Event("seen", Ids(), number, b'{"pad":"' + b"x" * (number % 700) + b'"}')])
        sys.stdout.write(f"{number}\\n")
        sys.stdout.flush()

async def all():
    await asyncio.gather(*(one() for _ in range(8)))

asyncio.run(all())
"""


@pytest.mark.journey
def test_whatever_was_acknowledged_before_a_kill_is_there_once_and_in_order(tmp_path):
    acknowledged = []
    for start in range(12):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(start * 1_000_000)], stdout=subprocess.PIPE
        ) as writer:
            lines = [writer.stdout.readline() for _ in range(1 + 37 * start)]
            writer.kill()
            lines += writer.stdout.read().split(b"\n")
        acknowledged += [int(line) for line in lines if line.strip() and line != lines[-1]]
    found = numbers(SpoolReader(tmp_path, {}).read(10**9))
    assert found == sorted(set(found))
    assert set(acknowledged) <= set(found)
    assert len(acknowledged) > 1000
