"""What a network and a server do to requests, on order."""

from __future__ import annotations

from collections import deque
from enum import StrEnum

from cornicen.flows.ports import Sender
from cornicen.wire.http import NoAnswer, NotSent, Reply, Request, Result


class Fault(StrEnum):
    """What becomes of one request."""

    NONE = "none"
    UNSENT = "unsent"
    """There is no connection."""
    LOST = "lost"
    """It is acted on; the answer does not come."""
    GONE = "gone"
    """It never arrives, and nobody can tell."""
    LATE = "late"
    """No answer comes, and it is acted on later: at the next `FaultySender.flush`."""
    BUSY = "busy"
    """429, two seconds."""
    BROKEN = "broken"
    """500; not acted on."""
    BROKEN_AFTER = "broken after"
    """500; acted on."""
    DENIED = "denied"
    """401."""


class FaultySender:
    """A `Sender` around another that suffers the faults it is told, in order, and remembers what it was asked.

    Args:
        inner: Sends in truth.
    """

    def __init__(self, inner: Sender) -> None:
        self.inner = inner
        self.faults: deque[Fault] = deque()
        self.sent: list[Request] = []
        self._late: list[Request] = []

    async def send(self, request: Request, *, timeout: float) -> Result:
        """One attempt, as the next fault will have it."""
        fault = self.faults.popleft() if self.faults else Fault.NONE
        if fault is Fault.UNSENT:
            return NotSent("no connection, as ordered")
        self.sent.append(request)
        if fault in {Fault.NONE, Fault.LOST, Fault.BROKEN_AFTER}:
            result = await self.inner.send(request, timeout=timeout)
            return result if fault is Fault.NONE else _ANSWERS.get(fault, NoAnswer("timed out"))
        if fault is Fault.LATE:
            self._late.append(request)
        return _ANSWERS.get(fault, NoAnswer("timed out"))

    async def flush(self) -> None:
        """The late requests arrive."""
        late, self._late = self._late, []
        for request in late:
            await self.inner.send(request, timeout=60)


_ANSWERS: dict[Fault, Result] = {
    Fault.BUSY: Reply(429, {"retry-after": "2"}, b"{}"),
    Fault.BROKEN: Reply(500, {}, b"broken"),
    Fault.BROKEN_AFTER: Reply(500, {}, b"broken"),
    Fault.DENIED: Reply(401, {}, b"{}"),
}
