import asyncio
from itertools import count

from cornicen.apps.keeper.questions import Keeping, drain
from cornicen.events.shapes import Event, Ids
from cornicen.flows.records import Project
from cornicen.flows.syncs.propose import Desk
from cornicen.testing.clock import HurriedClock
from cornicen.testing.memory import MemoryState
from cornicen.warehouse.lists import ListReader
from cornicen.warehouse.spool import DoorSpool
from cornicen.warehouse.warehouse import DuckDBWarehouse, spool_folder

MOST = 5


class BusyWarehouse(DuckDBWarehouse):
    """Somebody sends another event before every batch that is loaded."""

    def __init__(self, folder):
        super().__init__(folder)
        self.door = DoorSpool(spool_folder(folder), "door-1", HurriedClock().now, 10**9)
        self.loads = count(1)

    def load(self, limit=50_000):
        number = next(self.loads)
        assert number <= MOST, "whoever asked is still waiting"
        event = Event("seen", Ids(user="u"), number, b"{}", str(number))
        asyncio.run(self.door.append("live", "test", [event]))
        return super().load(limit)

    def close(self):
        self.door.close()
        super().close()


def test_whoever_goes_on_sending_cannot_keep_a_question_waiting(tmp_path):
    warehouse = BusyWarehouse(tmp_path)
    desk = Desk(Project("p", "p", "t"), MemoryState(), warehouse, lambda _before: None, ListReader(), {})
    try:
        assert drain(Keeping(desk, HurriedClock(), lambda _connection: None))["events"] >= 1
    finally:
        warehouse.close()
