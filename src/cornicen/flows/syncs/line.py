"""One connection as the courier sees it: the ports it needs, and the pace at which its destination may be asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

from cornicen.delivery.rate import Bucket, RateLimit, pause, slow, spare, take
from cornicen.delivery.retry import backoff
from cornicen.delivery.shapes import Verdict
from cornicen.flows.ports import Clock, Destination, Lease, Sender, State
from cornicen.flows.records import Connection
from cornicen.wire.http import NotSent, Reply, Request, Result

TIME_OUT = 60.0
"""Seconds an answer is waited for, or the destination's longest answer where that is shorter."""

LEAST_PAUSE = 1.0
"""Seconds after a 429 that names no time."""

Say = Callable[..., None]
"""Told an event and its facts, for the log; never a secret."""

Sure = Callable[[], Awaitable[None]]
"""Returns as soon as the lease is certainly the courier's. Raises: LeaseLost."""


async def alone() -> None:
    """There is nobody who could take the connection over."""


@dataclass
class Line:
    """What talking to one connection takes. Of one event loop.

    Args:
        state: What was decided.
        connection: Which.
        destination: Made from its settings and secrets.
        sender: Sends.
        clock: Paces.
        say: For the log.
        lease: The courier's; None: nobody else delivers there.
        sure: Asked before a request leaves, and before an answer about a container is written.
    """

    state: State
    connection: Connection
    destination: Destination
    sender: Sender
    clock: Clock
    say: Say
    lease: Lease | None = None
    sure: Sure = alone
    _bucket: Bucket = field(default_factory=Bucket)
    _paused_until: float = 0.0
    _failures: int = 0
    _doubts: int = 0

    def __post_init__(self) -> None:
        self._limit = RateLimit.of(self.destination.rate)

    def spare(self) -> int:
        """How many requests may leave now."""
        return spare(self._bucket, self._limit, now=self._seconds())

    @property
    def failing(self) -> bool:
        """Whether nothing has answered lately: then one request at a time finds out whether something does again."""
        return self._failures > 0

    def spend(self, n: int) -> None:
        """So many leave now; at most `spare`."""
        if n:
            self._bucket, _ = take(self._bucket, self._limit, now=self._seconds(), n=n)

    def wait(self) -> float:
        """Seconds until the next request may leave; 0.0: now."""
        return take(self._bucket, self._limit, now=self._seconds())[1]

    async def ask(self, request: Request) -> Result:
        """Send one request that carries no member, at the line's pace. The caller then says what it meant: `heed`.

        Raises: LeaseLost.
        """
        while (wait := self.wait()) > 0:
            await self.clock.sleep(wait)
        self.spend(1)
        result = await self.send(request)
        await self.sure()  # what is written of it is not fenced
        return result

    async def slept(self, seconds: float) -> Literal[True]:
        """Return after so many seconds of the clock."""
        await self.clock.sleep(seconds)
        return True

    async def send(self, request: Request) -> Result:
        """Send a request whose turn has been spent. Raises: LeaseLost; it did not leave."""
        await self.sure()
        return await self.sender.send(request, timeout=min(TIME_OUT, self.destination.longest_answer))

    def heed(self, result: Result, verdict: Verdict, wait: float | None) -> None:
        """Let an answer set the pace of what follows.

        A 429 halves the pace and pauses for as long as it says. No connection, or as many requests in a row without a definite
        answer as may be in flight, pauses for 1, 2, 4 … 60 seconds, so that an outage is not told to every recipient.
        """
        if verdict is Verdict.UNTOUCHED and isinstance(result, Reply):
            self._bucket = slow(self._bucket, now=self._seconds())
            self.pause(max(wait or 0.0, LEAST_PAUSE), "rate limit")
            return
        if wait:
            self.pause(wait, "asked to wait")
        if verdict not in {Verdict.UNKNOWN, Verdict.UNTOUCHED}:
            self._failures = self._doubts = 0
            return
        self._doubts += 1
        outage = isinstance(result, NotSent) or self._doubts >= self.destination.connections
        if outage and not self._paused():
            self._failures += 1
            self.pause(backoff(self._failures), "no answer" if isinstance(result, Reply) else result.why)

    def pause(self, seconds: float, why: str) -> None:
        """Nothing leaves for so long; what is in flight stays."""
        if not self._paused():
            self.say("paused", seconds=round(seconds, 3), why=why)
        self._bucket = pause(self._bucket, now=self._seconds(), seconds=seconds)
        self._paused_until = max(self._paused_until, self._seconds() + seconds)

    def _paused(self) -> bool:
        return self._paused_until > self._seconds()

    def _seconds(self) -> float:
        return self.clock.now() / 1_000_000
