"""The leases of one courier: taken, renewed all together, given back; and whether one is certainly still its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import structlog

from cornicen.errors import CornicenError, LeaseLost
from cornicen.flows.ports import Lease, Leases

TERM = 15.0
"""Seconds after which others may take over what a courier has not renewed."""

BEAT = 4.0
"""Seconds between two renewals."""

CERTAIN = 0.9
"""The part of `TERM` for which a courier relies on a lease: its clock may run slower than the database's."""

AGAIN = 0.2
"""Seconds before a question that the state did not answer is asked again."""

log = structlog.get_logger()


@dataclass(eq=False)
class Held:
    """A lease of ours.

    Args:
        lease: As it was taken.
        lost: Set once it is known to be another's.
    """

    lease: Lease
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    sure_until: float = 0.0


class Holdings:
    """The leases of one courier; of one event loop.

    A lease is relied on by a clock that nobody turns, from before the database was asked: so a courier never thinks it has one
    for longer than the database does, whatever their clocks say, and one that was stopped for a while notices when it goes on.

    Args:
        leases: Where they are kept.
        holder: Our name there, which no other courier has or had.
        dead: A courier that is known to have ended, whose leases need not run out first; empty: none.
        clock: Seconds that go on while the machine sleeps.
    """

    def __init__(self, leases: Leases, holder: str, dead: str = "", clock: Callable[[], float] | None = None) -> None:
        self._leases, self.holder, self._dead = leases, holder, dead
        self._clock = clock or _seconds
        self._held: dict[str, Held] = {}
        self._beating = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, "lease")  # of its own: it must not wait behind exchanges
        self.couriers = 1
        """How many couriers there were at the last renewal, this one among them."""

    async def keep(self) -> None:
        """Renew again and again, until cancelled."""
        while True:
            try:
                await self.beat()
            except CornicenError as error:
                log.warning("leases cannot be renewed", **error.as_json())
            await asyncio.sleep(BEAT)

    async def beat(self) -> None:
        """Renew all leases, and find those that are another's. Raises: Unavailable. Twice: the same."""
        async with self._beating:
            before, began = dict(self._held), self._clock()
            beat = await asyncio.get_running_loop().run_in_executor(self._thread, self._leases.beat, self.holder, TERM)
            self.couriers = beat.couriers
            for id_, held in before.items():
                if beat.terms.get(id_) == held.lease.term:
                    held.sure_until = began + TERM * CERTAIN
                else:
                    self._lose(held)

    async def take(self, connection: str) -> Held | None:
        """Take a connection's lease; None: another has it. Raises: NotFound, Unavailable."""
        began = self._clock()
        lease = await asyncio.to_thread(self._leases.take, connection, self.holder, TERM, self._dead)
        if lease is None:
            return None
        held = self._held[connection] = Held(lease, sure_until=began + TERM * CERTAIN)
        return held

    async def give(self, held: Held) -> None:
        """Give a lease back; where the state does not answer it runs out by itself. Twice: does nothing."""
        if self._held.get(held.lease.connection) is held:
            del self._held[held.lease.connection]
        try:
            await asyncio.to_thread(self._leases.release, held.lease)
        except CornicenError as error:
            log.warning("a lease cannot be given back", **error.as_json())

    async def sure(self, held: Held) -> None:
        """Return as soon as a lease is certainly ours: at once, or once the state, asked again, says so.

        Raises:
            LeaseLost: It is another's.
        """
        while not held.lost.is_set():
            if self._clock() < held.sure_until:
                return
            try:
                await self.beat()
            except CornicenError:
                await asyncio.sleep(AGAIN)
        raise LeaseLost(f"The connection {held.lease.connection} is delivered for by another courier now.")

    async def end(self) -> None:
        """Be counted no more. Twice: does nothing."""
        try:
            await asyncio.to_thread(self._leases.leave, self.holder)
        except CornicenError as error:
            log.warning("leaving could not be told", **error.as_json())
        self._thread.shutdown()

    def _lose(self, held: Held) -> None:
        if self._held.get(held.lease.connection) is held:
            del self._held[held.lease.connection]
        held.lost.set()
        log.warning("lease lost", connection=held.lease.connection)


def _seconds() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()
