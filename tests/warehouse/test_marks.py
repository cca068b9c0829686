"""The watermark's protocol, in every order in which its steps can happen, and with each of its rules broken."""

import os
from itertools import count

import pytest

from cornicen.warehouse import folders, frames
from cornicen.warehouse.marks import Mark
from cornicen.warehouse.reader import SpoolReader

LANE = "live"


class Door:
    """Two admissions and the writer, step by step, over a real mark and a real file."""

    def __init__(self, spool, now, broken):
        self.folder = spool / LANE / "door"
        self.now, self.broken = now, broken
        self.path = folders.file_of(self.folder, 1)
        self.path.write_bytes(b"")
        self.mark = Mark(self.folder / "mark")
        self.mark.settle(None)
        self.queue, self.stamps, self.admitting = [], [], False
        self.last = self.size = 0
        self.group = []

    def admission(self):
        first, second = (self.publish, self.stamp) if self.broken != "stamp first" else (self.stamp, self.publish)
        return [first, second] * 2

    def writing(self):
        steps = [self.write, self.settle] if self.broken != "settle first" else [self.settle_before_writing, self.write]
        return steps * 2

    def publish(self):
        self.admitting = not self.admitting
        self.mark.publish(self.now())

    def stamp(self):
        self.admitting = not self.admitting
        self.last = max(self.now(), self.mark.value, self.last)
        self.stamps.append(self.last)
        self.queue.append(self.last)

    def write(self):
        group, self.queue = self.group or self.queue, [] if not self.group else self.queue
        data = b"".join(frames.pack(b"", stamp=stamp, records=1, group=self.size) for stamp in group)
        with self.path.open("ab") as file:
            file.write(data)
        self.size += len(data)
        self.group = []

    def settle(self):
        forgets = self.broken == "settle forgets the queue"
        self.mark.settle(self.queue[0] if self.queue and not forgets else None)

    def settle_before_writing(self):
        self.group, self.queue = self.queue, []
        self.settle()

    def may(self, step):
        """The lock: the writer moves the mark between admissions only."""
        return step not in {self.settle, self.settle_before_writing} or not self.admitting or self.broken == "no lock"


class Asker:
    """The reader, step by step."""

    def __init__(self, spool, now, broken):
        self.reader = SpoolReader(spool, {})
        self.clock, self.broken = now, broken
        self.answer = None
        self.low = []

    def steps(self):
        now, marks, files = self.now, self.marks, self.files
        return {
            "files before marks": [now, files, marks],
            "now last": [marks, files, now],
        }.get(self.broken, [now, marks, files])

    def now(self):
        self.low.append(self.clock())

    def marks(self):
        self.low += self.reader.pending()

    def files(self):
        self.low += self.reader.unread_stamps()


def orders(lengths, done=()):
    """Every way to interleave threads of so many steps, as thread numbers."""
    if not any(lengths):
        yield done
    for thread, left in enumerate(lengths):
        if left:
            yield from orders([n - (i == thread) for i, n in enumerate(lengths)], (*done, thread))


def play(spool, order, broken, *, ticking):
    """Run one order; None where the lock forbids it, else whether the answer was right."""
    ticks = count(1000)
    now = (lambda: next(ticks)) if ticking else (lambda: 1000)
    door, asker = Door(spool, now, broken), Asker(spool, now, broken)
    threads = [iter(door.admission()), iter(door.writing()), iter(asker.steps())]
    for thread in order:
        step = next(threads[thread])
        if thread < 2 and not door.may(step):
            return None
        step()
    answer = min(asker.low) - 1
    return all(stamp > answer for stamp in door.stamps)


@pytest.fixture
def spool(tmp_path):
    folder = tmp_path / LANE / "door"
    folder.mkdir(parents=True)
    lock = folders.lock(folder)
    yield tmp_path
    os.close(lock)


@pytest.mark.parametrize("ticking", [True, False])
def test_no_order_of_the_steps_lets_an_answer_reach_an_unread_stamp(spool, ticking):
    outcomes = [play(spool, order, "", ticking=ticking) for order in orders([4, 4, 3])]
    possible = [outcome for outcome in outcomes if outcome is not None]
    assert len(possible) > 2000
    assert all(possible)


@pytest.mark.parametrize(
    "broken", ["stamp first", "settle first", "settle forgets the queue", "no lock", "files before marks", "now last"]
)
def test_each_rule_of_the_protocol_is_needed(spool, broken):
    outcomes = (play(spool, order, broken, ticking=True) for order in orders([4, 4, 3]))
    assert any(outcome is False for outcome in outcomes)


def test_a_dead_doors_mark_is_ignored(tmp_path):
    folder = tmp_path / LANE / "door"
    folder.mkdir(parents=True)
    lock = folders.lock(folder)
    Mark(folder / "mark").publish(500)
    reader = SpoolReader(tmp_path, {})
    assert reader.watermark(1000) == 499
    os.close(lock)
    assert reader.watermark(1000) == 999
