"""What people are told of syncs, and over what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Kind(StrEnum):
    """What a notice says."""

    VIOLATION = "violation"
    RECOVERY = "recovery"


@dataclass(frozen=True)
class Notice:
    """One thing that people are told of one sync over one channel.

    Args:
        id: Number, ascending; 0: not kept yet.
        sync: Sync id.
        channel: The channel's name.
        kind: What it says.
        subject: One line, nothing in it that is not printable.
        text: Likewise, but with line breaks; plain, a channel escapes it as it must.
        made_at: When it was found, microseconds.
        attempts: How often it was tried to say it, in vain.
    """

    id: int
    sync: str
    channel: str
    kind: Kind
    subject: str
    text: str
    made_at: int
    attempts: int = 0


class Notices(Protocol):
    """What was found and what was said of it: on disk, so that a restart neither repeats nor forgets one."""

    def open(self) -> frozenset[tuple[str, str]]:
        """``(sync, channel)`` of which the newest notice is a violation."""

    def put(self, notices: Sequence[Notice]) -> None:
        """Keep these to be said, in one transaction.

        Twice: keeps them once: what would say again what the newest of its sync and channel says is passed over, and so is a
        recovery from nothing.
        """

    def take(self, channel: str, now: int, until: int) -> Notice | None:
        """The oldest that is to be said now, of one sync never a later one before an earlier one; None: nothing is.

        Nobody else gets it before ``until``: where whoever took it dies, it is said then.

        Twice: the second gets the next.
        """

    def said(self, notice: int, now: int) -> None:
        """It was said; earlier ones of its sync and channel go. Twice: the same."""

    def put_off(self, notice: int, until: int | None) -> None:
        """It could not be said; it is tried again then. None: not any more. Twice: counts two attempts."""


class Channel(Protocol):
    """Over which people are told."""

    async def tell(self, notice: Notice) -> None:
        """Say it.

        Raises:
            Unavailable: Nobody took it, or it is not known whether somebody did; no secret in it.

        Twice: says it twice.
        """
