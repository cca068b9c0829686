"""The courier's loop over one connection: settle what has arrived, claim what may leave now, send it.

On disk at every step: a claimed change is uncertain before its request leaves, and a slot is free again only once the outcome
of what it carried is durable. So after a crash at most as many requests are repeated as there are connections.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence

from cornicen.delivery.shapes import Parcel, Verdict
from cornicen.errors import Unavailable
from cornicen.flows.ports import Settled
from cornicen.flows.syncs.contain import AFTER_DENIAL, Containers, Need, stop
from cornicen.flows.syncs.errands import Errands
from cornicen.flows.syncs.line import Line

POLL = 0.2
"""Seconds between two looks for new work when nothing is under way: real ones, whatever the clock does."""

LOOK = 1.0
"""Seconds between two looks at containers while members are under way."""

GRACE = 5.0
"""Seconds that requests in flight get when the courier is told to stop; what is not answered by then stays uncertain."""


class Lane:
    """All deliveries of one connection. One at a time may exist for it, over all processes.

    Args:
        line: To its destination.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self._ledger = line.state.ledger
        self._containers = Containers(line)
        self._errands = Errands(line, self._launch)
        self._round: asyncio.Task[None] | None = None
        self._gated = False
        self._flying: set[asyncio.Task[None]] = set()
        self._arrived: list[Settled] = []
        self._out = 0  # parcels claimed whose outcome is not durable yet
        self._hungry = True  # whether more may be waiting to be claimed
        self._stir = asyncio.Event()
        self._fault: BaseException | None = None
        self._recovered = False
        self._look_at = 0.0

    async def run(self, told: asyncio.Event) -> None:
        """Deliver until told to stop; then wait a little for what is in flight and settle it.

        Raises:
            CornicenError: As a port raised it, but not `Unavailable`, which is waited out. Whatever is raised, requests in
                flight count as lost, and the next lane recovers them.
        """
        try:
            while not told.is_set():
                try:
                    await self._turn()
                    if not await self._rest():
                        await self._glance()
                except Unavailable as error:
                    self._line.say("state unavailable", what=error.what)
                    await asyncio.sleep(POLL)
            await self._land()
        finally:
            await self._drop()

    async def drain(self) -> None:
        """Deliver until nothing more can be done at this moment of the clock. Twice: the second finds nothing to do."""
        self._hungry, self._look_at = True, 0.0
        try:
            while await self._turn() or self._out or self._round is not None or self._errands.asking:
                await self._rest()
            await self._glance()
        finally:
            await self._drop()

    async def _turn(self) -> bool:
        """Settle what has arrived and claim what may leave; whether there may be more to do."""
        await self._look()
        settled, self._arrived = self._arrived, []
        free = 0 if self._gated else max(0, min(self._slots(settled), self._line.spare()))
        if settled or (free and self._hungry):
            try:
                await self._deny(settled)
                parcels = await asyncio.to_thread(self._exchange, settled, free)
            except Unavailable:  # nothing was settled; what has arrived is still to be
                self._arrived = settled + self._arrived
                raise
            self._out += len(parcels) - len(settled)
            self._hungry = len(parcels) >= free
            self._line.spend(len(parcels))
            for parcel in parcels:
                self._launch(self._carry(parcel))
            if not self._hungry and not self._out:
                await self._finish()
        return self._hungry

    def _slots(self, settled: Sequence[Settled]) -> int:
        """Connections that may carry a request once these outcomes are durable."""
        connections = 1 if self._line.failing else self._line.destination.connections
        return connections - self._out + len(settled)

    async def _deny(self, settled: Sequence[Settled]) -> None:
        """Stop what a destination has denied, before its rows are anybody's to claim again."""
        for one in settled:
            if one.answer.verdict is Verdict.DENIED:
                syncs, answer = {change.sync for change in one.parcel.changes}, one.answer
                if await asyncio.to_thread(stop, self._line, syncs, answer.error, answer.words):
                    self._line.pause(AFTER_DENIAL, answer.words)

    def _exchange(self, settled: Sequence[Settled], free: int) -> list[Parcel]:
        destination, now = self._line.destination, self._line.clock.now()
        connection, longest = self._line.connection.id, destination.longest_answer
        return self._ledger.exchange(connection, settled, destination.shape, free, now, longest, self._line.lease)

    async def _carry(self, parcel: Parcel) -> None:
        answer = await self._errands.carry(parcel)
        self._arrived.append(Settled(parcel, answer))

    async def _look(self) -> None:
        """Recover once; then, at times and before the first claim after a rest, see to the containers."""
        if not self._recovered:
            await self._recover()
        now = asyncio.get_running_loop().time()  # a timer of ours, not the time of day
        if self._round is None and now >= self._look_at:
            self._look_at = now + LOOK
            await self._finish()
            if needs := await asyncio.to_thread(self._containers.needs):
                self._gated = any(need.gates for need in needs)
                self._round = self._launch(self._meet(needs))

    async def _recover(self) -> None:
        line = self._line
        rows = await asyncio.to_thread(
            self._ledger.recover, line.connection.id, line.clock.now(), line.destination.longest_answer, line.lease
        )
        self._recovered = True
        if rows:
            line.say("recovered", rows=rows)

    async def _meet(self, needs: list[Need]) -> None:
        try:
            await self._containers.meet(needs)
        except Unavailable as error:  # what is still needed will be found again
            self._line.say("state unavailable", what=error.what)
        self._round, self._gated, self._hungry, self._look_at = None, False, True, 0.0

    async def _rest(self) -> bool:
        """Until an answer arrives, or the next request may leave; False: neither came within `POLL` real seconds."""
        pace = self._line.wait() if self._hungry and not self._gated and self._slots([]) > 0 else None
        if self._arrived or pace == 0:
            await asyncio.sleep(0)
            return True
        waits = [asyncio.ensure_future(self._stir.wait())]
        if pace is not None:
            waits.append(asyncio.ensure_future(self._line.slept(pace)))
        done, _ = await asyncio.wait(waits, timeout=POLL, return_when=asyncio.FIRST_COMPLETED)
        for task in waits:
            task.cancel()
        self._stir.clear()
        self._raise_faults()
        return bool(done)

    async def _glance(self) -> None:
        """See whether a row's time has come, and end the runs that have nothing left."""
        due, now = await asyncio.to_thread(self._ledger.due, self._line.connection.id), self._line.clock.now()
        if due is not None and due <= now and not self._hungry:
            self._hungry, self._look_at = True, 0.0
        await self._finish()

    async def _finish(self) -> None:
        line = self._line
        ended = await asyncio.to_thread(self._ledger.finish, line.connection.id, line.clock.now(), line.lease)
        for run in ended:
            self._line.say("run ended", run=run.id, sync=run.sync, added=run.added, removed=run.removed, requests=run.requests)

    def _launch(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._flying.add(task)
        task.add_done_callback(self._landed)
        return task

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._flying.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            self._fault = fault
        self._stir.set()

    def _raise_faults(self) -> None:
        """A fault under way is the lane's: whoever runs it starts another."""
        if self._fault is not None:
            raise self._fault

    async def _land(self) -> None:
        """Settle what still comes within `GRACE`; claim nothing."""
        if self._flying:
            await asyncio.wait(self._flying, timeout=GRACE)
        settled, self._arrived = self._arrived, []
        if settled:
            await self._deny(settled)
            await asyncio.to_thread(self._exchange, settled, 0)
            self._out -= len(settled)

    async def _drop(self) -> None:
        """Nothing of this lane goes on behind its back."""
        flying = list(self._flying)
        for task in flying:
            task.cancel()
        await asyncio.gather(*flying, return_exceptions=True)
