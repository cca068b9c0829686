"""A loader that stands still while doors go on taking events: answers are late, and never about time that was not read."""

import asyncio
from functools import partial

import pytest

from cornicen.apps import build
from cornicen.events.shapes import Event, Ids, Operation, ProfileChange
from cornicen.flows.records import Cadence, Cohort, Connection, Project, RunStatus, Sync
from cornicen.flows.syncs.propose import Desk
from cornicen.flows.syncs.tick import due, tick
from cornicen.testing.clock import HurriedClock
from cornicen.testing.memory import MemoryState
from cornicen.warehouse.lists import ListReader
from cornicen.warehouse.spool import DoorSpool
from cornicen.warehouse.warehouse import DuckDBWarehouse, spool_folder

PEOPLE = 20
MINUTE = 60
STOPPED_FOR = 120 * MINUTE


class Town:
    """Twenty people who open the app every ten minutes, and a sync of those who did not for half an hour."""

    def __init__(self, folder):
        self.clock = HurriedClock()
        self.door = DoorSpool(spool_folder(folder), "door-1", self.clock.now, 10**9)
        self.warehouse = DuckDBWarehouse(folder)
        self.state = MemoryState()
        project = Project("p", "p", "t")
        self.state.projects.add(project)
        self.state.connections.put(Connection("c", "p", "os", "onesignal", {"identifier": "$user_id"}))
        lapsed = {"cohort": "lapsed", "who": [{"did_not": "open", "within": "30m"}]}
        self.state.cohorts.put(Cohort("p", "lapsed", "Lapsed", lapsed))
        self.state.syncs.put(Sync("s", "p", "lapsed", "c", Cadence.QUARTER_HOUR))
        engines = partial(build.engine, self.warehouse)
        self.desk = Desk(project, self.state, self.warehouse, engines, ListReader(), build.operators())

    def keep(self, *records):
        asyncio.run(self.door.append("live", "test", list(records)))

    def meet(self):
        self.keep(*(ProfileChange(Ids(user=f"u{n}"), (Operation("set", b'{"a":1}'),)) for n in range(PEOPLE)))

    def open(self, people=range(PEOPLE)):
        now = self.clock.now()
        self.keep(*(Event("open", Ids(user=f"u{n}"), now, b"{}", f"{n}-{now}") for n in people))

    def load(self):
        while self.warehouse.load(7).records:
            pass

    def tick(self):
        """Evaluate if the sync is due; how many are in the cohort, None: it is not due."""
        now = self.clock.now()
        if not due(self.desk, now):
            return None
        [run] = tick(self.desk, due(self.desk, now), now=now).runs
        assert run.status is not RunStatus.HELD
        return run.size

    def close(self):
        self.door.close()
        self.warehouse.close()


@pytest.fixture
def town(tmp_path):
    made = Town(tmp_path)
    yield made
    made.close()


def test_nobody_enters_a_did_not_cohort_because_the_loader_stood_still_for_two_hours(town):
    town.meet()
    town.open()
    town.load()
    town.clock.advance(MINUTE)
    assert town.tick() == 0
    sizes = []
    for _ in range(STOPPED_FOR // (10 * MINUTE)):
        town.clock.advance(10 * MINUTE)
        town.open()
        sizes.append(town.tick())
    assert [size for size in sizes if size is not None] == [0] * 8
    town.load()
    town.clock.advance(15 * MINUTE)
    assert town.tick() == 0


def test_whoever_really_did_not_enters_once_the_loader_has_caught_up_and_not_before(town):
    town.meet()
    town.open()
    town.load()
    for _ in range(6):
        town.clock.advance(10 * MINUTE)
        town.open(range(PEOPLE - 1))
        assert town.tick() in {None, 0}
    town.load()
    town.clock.advance(15 * MINUTE)
    assert town.tick() == 1


def test_the_same_at_an_instant_that_was_not_read_would_have_let_everybody_in(town):
    """What the watermark is for: an answer about now, over what was read until an hour ago."""
    town.meet()
    town.open()
    town.load()
    town.clock.advance(60 * MINUTE)
    town.open()
    town.warehouse.watermark = lambda now: now
    assert town.tick() == PEOPLE
