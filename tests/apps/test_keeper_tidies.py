"""What can wait is done between batches, also where records never stop coming."""

import asyncio

import pytest

from cornicen.apps.keeper.questions import Keeping
from cornicen.apps.keeper.server import Keeper
from cornicen.flows.ports import Loaded
from cornicen.flows.records import Project
from cornicen.flows.syncs.propose import Desk
from cornicen.testing.clock import HurriedClock
from cornicen.testing.memory import MemoryState
from cornicen.warehouse.lists import ListReader
from cornicen.warehouse.warehouse import DuckDBWarehouse

TURNS = 20


class SteadyWarehouse(DuckDBWarehouse):
    """Every batch ends at a bound, or not; after some batches the keeper is told to stop."""

    def __init__(self, folder, more, stop):
        super().__init__(folder)
        self.more, self.stop, self.loads, self.tidied = more, stop, 0, 0

    def load(self, limit=50_000):
        self.loads += 1
        if self.loads >= TURNS:
            self.stop()
        return Loaded(records=1, more=self.more)

    def tidy(self, before, now):
        self.tidied += 1
        return super().tidy(before, now)


@pytest.mark.parametrize("behind", [False, True])
def test_a_trickle_does_not_put_tidying_off_and_a_backlog_does(tmp_path, behind):
    async def hold():
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        warehouse = SteadyWarehouse(tmp_path, behind, lambda: loop.call_soon_threadsafe(stop.set))
        desk = Desk(Project("p", "p", "t"), MemoryState(), warehouse, lambda _before: None, ListReader(), {})
        keeping = Keeping(desk, HurriedClock(), lambda _connection: None)
        try:
            await Keeper(keeping, tmp_path / "k.sock", schedule=False).run(stop)
        finally:
            warehouse.close()
        return warehouse.tidied

    assert (asyncio.run(hold()) > 0) is not behind
