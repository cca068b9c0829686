import asyncio

import pytest

from cornicen.apps.courier.holding import TERM, Holdings
from cornicen.errors import LeaseLost, Unavailable
from cornicen.testing.memory import MemoryLeases


class Silent(MemoryLeases):
    """Leases that do not answer so many times."""

    times = 0

    def beat(self, holder, seconds):
        if self.times:
            self.times -= 1
            raise Unavailable("The database does not answer.")
        return super().beat(holder, seconds)


class Turned:
    """A clock that tests turn."""

    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Turned()


def test_a_lease_is_relied_on_for_less_than_its_term_and_then_asked_about(clock):
    async def play():
        leases = Silent()
        holdings = Holdings(leases, "one", clock=clock)
        held = await holdings.take("c")
        leases.take("c", "two", TERM, dead="one")
        clock.now += TERM * 0.89
        await holdings.sure(held)  # another has it, which cannot be known without asking: nobody could take it so early
        clock.now += TERM * 0.02
        with pytest.raises(LeaseLost):
            await holdings.sure(held)
        assert held.lost.is_set()

    asyncio.run(play())


def test_a_lease_that_nobody_took_is_ours_again_once_asked(clock):
    async def play():
        holdings = Holdings(Silent(), "one", clock=clock)
        held = await holdings.take("c")
        clock.now += 1000
        await holdings.sure(held)
        assert not held.lost.is_set()

    asyncio.run(play())


def test_nothing_is_sure_while_the_state_does_not_answer(clock, monkeypatch):
    monkeypatch.setattr("cornicen.apps.courier.holding.AGAIN", 0.0)

    async def play():
        leases = Silent()
        holdings = Holdings(leases, "one", clock=clock)
        held = await holdings.take("c")
        clock.now += 1000
        leases.times = 3
        await holdings.sure(held)
        assert leases.times == 0

    asyncio.run(play())
