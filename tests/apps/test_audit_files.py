"""A run's audit file: written by the keeper with the run, shown by the command line, removed when its time is over."""

import asyncio
import csv
import gzip
import os
from functools import partial
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from cornicen.apps import build
from cornicen.apps.keeper.questions import Keeping, answer
from cornicen.events.shapes import Ids, Operation, ProfileChange
from cornicen.flows.ports.events import ANY_FORM
from cornicen.flows.records import Cohort, Connection, Project, Sync
from cornicen.flows.syncs.audit import audit_file, tidy_audits
from cornicen.flows.syncs.propose import Desk
from cornicen.state.opening import open_state
from cornicen.testing.clock import HurriedClock
from cornicen.warehouse.lists import ListReader
from cornicen.warehouse.spool import DoorSpool
from cornicen.warehouse.warehouse import DuckDBWarehouse, spool_folder

DAY = 86_400
SYNC, CONNECTION = "5" * 32, "c" * 32


class House:
    """A keeper's desk with a real state, and the door that it loads from."""

    def __init__(self, folder, identity="simplified", form=ANY_FORM):
        self.folder, self.clock = folder / "runs", HurriedClock()
        self.state = open_state(folder / "state.db", Fernet.generate_key())
        project = Project("p", "p", "t", identity=identity)
        self.state.projects.add(project)
        self.state.connections.put(Connection(CONNECTION, "p", "app", "onesignal", {"identifier": "id"}))
        self.door = DoorSpool(spool_folder(folder), "door-1", self.clock.now, 10**9)
        self.warehouse = DuckDBWarehouse(folder, threads=1, identity=identity)
        engines, operators = partial(build.engine, self.warehouse), build.operators()
        desk = Desk(project, self.state, self.warehouse, engines, ListReader(), operators, lambda _: form, self.folder)
        self.keeping = Keeping(desk, self.clock, lambda _: build.destination(CONNECTED))

    def want(self, definition):
        self.state.cohorts.put(Cohort("p", "big", "Big", {"cohort": "big", "who": [definition]}))
        self.state.syncs.put(Sync(SYNC, "p", "big", CONNECTION))

    def say(self, **people):
        changes = [ProfileChange(Ids(distinct=who), (Operation("set", said.encode()),)) for who, said in people.items()]
        asyncio.run(self.door.append("live", "test", changes))

    def ask(self, question, **arguments):
        return answer(self.keeping, question, arguments)

    def run(self):
        """Run; the run's row, and its audit file's lines without the header."""
        self.clock.advance(60)
        found = self.ask("run")
        [run] = found["runs"]
        with gzip.open(audit_file(self.folder, run["id"]), "rt", newline="") as file:
            return run, sorted(tuple(row.values()) for row in csv.DictReader(file))


CONNECTED = Connection(
    CONNECTION, "p", "app", "onesignal", {"app_id": "65c10914-0000-4000-8000-00000000abcd"}, {"api_key": "k"}
)


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path)
    yield made
    made.warehouse.close()
    made.door.close()
    made.state.close()


def test_every_run_lists_its_people_and_its_counts_are_the_lines_of_the_file(house):
    house.want({"profile": {"big": True}})
    house.say(ada='{"big":true,"id":"ada"}', bob='{"big":true,"id":"b-1"}', cy='{"big":true}', dee='{"big":false}')
    run, lines = house.run()
    assert lines == [("", "cy", "skipped", "no_id"), ("ada", "ada", "add", ""), ("b-1", "bob", "add", "")]
    assert (run["size"], run["no_id"], run["adding"], run["differing"]) == (3, 1, 2, 1)
    house.say(ada='{"big":false}')
    again, lines = house.run()
    assert again["id"] > run["id"]
    assert lines == [("", "cy", "skipped", "no_id"), ("b-1", "bob", "add", "")]
    assert audit_file(house.folder, run["id"]).is_file()


def test_persons_whose_user_id_is_another_are_counted_at_connect_in_the_plan_and_on_the_run(house):
    house.want({"profile": {"big": True}})
    house.say(ada='{"big":true,"id":"ada"}', bob='{"big":true,"id":"b-1"}', eve='{"big":false,"id":"e-1"}')
    house.ask("drain")
    assert house.ask("differing", connection="app") == {"identifier": "id", "usable": 3, "differing": 2}
    [planned] = house.ask("plan")["syncs"]
    assert planned["differing"] == 1
    run, _ = house.run()
    assert run["differing"] == house.state.runs.of_sync(SYNC)[0].differing == 1


def test_only_the_simplified_rule_warns(tmp_path):
    house = House(tmp_path, "amplitude")
    house.want({"profile": {"big": True}})
    house.say(bob='{"big":true,"id":"b-1"}')
    assert house.run()[0]["differing"] == house.ask("differing", connection="app")["differing"] == 0
    house.warehouse.close()
    house.door.close()
    house.state.close()


def test_a_file_that_cannot_be_written_does_not_touch_the_run(house):
    house.want({"profile": {"big": True}})
    house.say(ada='{"big":true,"id":"ada"}')
    house.folder.write_text("in the way")
    house.clock.advance(60)
    found = house.ask("run")
    [run] = found["runs"]
    assert run["adding"] == 1
    assert list(found["unlisted"]) == [str(run["id"])]


def test_files_go_when_their_days_are_over_and_what_a_crash_left_after_one(tmp_path):
    now = 1_700_000_000 * 1_000_000
    ages = {"1.csv.gz": 91, "2.csv.gz": 89, "3.csv.gz.part": 2, "4.csv.gz.part": 0.5, "notes.txt": 1000}
    for name, days in ages.items():
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (now / 1e6 - days * DAY,) * 2)
    assert tidy_audits(tmp_path, 90, now) == 2
    assert {path.name for path in Path(tmp_path).iterdir()} == {"2.csv.gz", "4.csv.gz.part", "notes.txt"}
    assert tidy_audits(tmp_path, 90, now) == tidy_audits(tmp_path / "none", 90, now) == 0


def test_a_file_is_as_old_as_its_run(house):
    house.want({"profile": {"big": True}})
    run, _ = house.run()
    assert audit_file(house.folder, run["id"]).stat().st_mtime == pytest.approx(house.clock.now() / 1e6, abs=1)
