"""What a keeper answers about events, groups and what waits."""

import asyncio
import json

import pytest

from cornicen.apps.keeper.questions import Keeping, answer
from cornicen.errors import NotFound
from cornicen.events.shapes import Event, GroupChange, Ids, Operation
from cornicen.flows.records import Project
from cornicen.flows.syncs.propose import Desk
from cornicen.testing.clock import HurriedClock
from cornicen.testing.memory import MemoryState
from cornicen.warehouse.lists import ListReader
from cornicen.warehouse.spool import DoorSpool
from cornicen.warehouse.warehouse import DuckDBWarehouse, spool_folder

DAY = 86_400_000_000


class Asked:
    """A keeper's desk, and the door that it loads from."""

    def __init__(self, folder):
        self.clock = HurriedClock()
        self.door = DoorSpool(spool_folder(folder), "door-1", self.clock.now, 10**9)
        self.warehouse = DuckDBWarehouse(folder, threads=1)
        desk = Desk(Project("p", "p", "t"), MemoryState(), self.warehouse, lambda _before: None, ListReader(), {})
        self.keeping = Keeping(desk, self.clock, lambda _connection: None)

    def keep(self, *records, lane="live"):
        asyncio.run(self.door.append(lane, "test", list(records)))

    def __call__(self, question, **arguments):
        found = answer(self.keeping, question, arguments)
        assert json.loads(json.dumps(found)) == found
        return found


@pytest.fixture
def ask(tmp_path):
    asked = Asked(tmp_path)
    yield asked
    asked.warehouse.close()
    asked.door.close()


def seen(number, name="seen"):
    return Event(name, Ids(user="u"), number * DAY, b'{"n": 1.0}', f"k{number}")


def test_an_export_has_every_event_of_its_first_page_s_moment_page_after_page(ask):
    ask.keep(*(seen(number) for number in range(5)))
    ask("drain")
    first = ask("export", limit=2)
    assert (first["last"], first["until"]) == (2, 5)
    told = {"load": 1, "event": "seen", "time": 0, "distinct_id": "u", "insert_id": "k0", "properties": '{"n": 1.0}'}
    assert told.items() < first["events"][0].items()
    ask.keep(seen(9))
    ask("drain")
    rest = ask("export", after=first["last"], until=first["until"])
    assert ([one["load"] for one in rest["events"]], rest["last"]) == ([3, 4, 5], 5)


def test_an_export_is_of_the_days_and_the_name_that_were_asked_for(ask):
    ask.keep(*(seen(number, "even" if number % 2 == 0 else "odd") for number in range(6)))
    ask("drain")
    assert [one["load"] for one in ask("export", first=1, last=4, event="even")["events"]] == [3, 5]


def test_groups_are_counted_listed_and_shown(ask):
    for id_ in ("acme", "birch"):
        ask.keep(GroupChange("company", id_, (Operation("set", b'{"plan":"pro"}'),)))
    ask("drain")
    assert ask("groups") == {"count": 1, "keys": [{"key": "company", "groups": 2}]}
    assert ask("groups", key="company", limit=1) == {"key": "company", "count": 2, "ids": ["acme"]}
    assert ask("group", key="company", id="acme") == {"group": {"key": "company", "id": "acme", "profile": {"plan": "pro"}}}
    with pytest.raises(NotFound):
        ask("group", key="company", id="zenith")


def test_status_tells_since_when_each_lane_waits(ask):
    assert ask("status")["oldest"] == {}
    came = ask.clock.now()
    ask.keep(seen(1), lane="bulk")
    found = ask("status")
    assert set(found["oldest"]) == {"bulk"}
    assert came <= found["oldest"]["bulk"] <= ask.clock.now()
    ask("drain")
    assert ask("status")["oldest"] == {}
