"""The world outside: time, destinations, and what carries requests there."""

from __future__ import annotations

from typing import Protocol

from cornicen.delivery.shapes import Answer, Container, Ensured, Parcel, Shape
from cornicen.wire.http import Request, Result


class Clock(Protocol):
    """Time. Flows never read another."""

    def now(self) -> int:
        """Microseconds since 1970 UTC."""

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds of this clock."""


class Destination(Protocol):
    """A vendor's `members_out`: pure, it never sends.

    Made from one connection's settings and secrets.
    """

    shape: Shape
    rate: float
    """Requests per second that the connection allows."""
    connections: int
    """Requests at the same time."""
    longest_answer: float
    """Seconds after which a request that was not answered cannot take effect any more."""

    def probe(self) -> Request:
        """The cheapest request that shows whether key and account are right."""

    def probed(self, result: Result) -> str:
        """The account's name for people. Raises: WrongKey, TierRefused, Unreachable."""

    def ensure(self, container: Container) -> Request:
        """Make the container, or rename it where it exists. Twice: the same container."""

    def ensured(self, container: Container, result: Result) -> Ensured:
        """What the answer to `ensure` means."""

    def retire(self, container: Container) -> Request:
        """Remove the container. Twice: it is gone."""

    def retired(self, container: Container, result: Result) -> Ensured:
        """What the answer to `retire` means; ACCEPTED: it is gone."""

    def deliver(self, parcel: Parcel) -> Request:
        """The request that carries a parcel. Twice: the same state there."""

    def answered(self, parcel: Parcel, result: Result) -> Answer:
        """What its answer means."""


class Sender(Protocol):
    """Sends requests; the only one of these ports that touches the network."""

    async def send(self, request: Request, *, timeout: float) -> Result:
        """One attempt, no retry, no redirect. Never raises for the network's faults: they are values."""
