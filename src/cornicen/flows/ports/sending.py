"""The world outside: time, destinations, and what carries requests there."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from cornicen.delivery.shapes import Answer, Container, Ensured, Need, Parcel, Shape, Sought
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


@runtime_checkable
class Seeking(Protocol):
    """What a `Destination` has besides, some of whose recipients have to be asked for, or made."""

    views: float
    """Seconds between two questions."""
    lag: float
    """Seconds after its making in which a user may still be told to be unknown."""

    def need(self, identifier: str) -> Need:
        """Whether the user behind a recipient has to be asked for."""

    def seek(self, identifier: str) -> Request:
        """Ask who is behind a recipient."""

    def sought(self, result: Result) -> Sought:
        """What the answer means."""

    def deliver_to(self, parcel: Parcel, user: str) -> Request:
        """As `Destination.deliver`, to a user who was found. Twice: the same state there."""

    def create(self, parcel: Parcel) -> Request | None:
        """Make the user who is not known, with what the parcel says; None: not wanted. Twice: one user."""


class Sender(Protocol):
    """Sends requests; the only one of these ports that touches the network."""

    async def send(self, request: Request, *, timeout: float) -> Result:
        """One attempt, no retry, no redirect. Never raises for the network's faults: they are values."""
