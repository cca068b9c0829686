"""A door's side of the spool: keep records on disk before the sender is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from cornicen.errors import SpoolFull
from cornicen.events.shapes import Record
from cornicen.warehouse import folders
from cornicen.warehouse.lane import ROTATE, Lane

CLOSE_LOOK = 16
"""The spool's size on disk is read again after each sixteenth of its bound that this door has written."""


class DoorSpool:
    """`cornicen.flows.ports.Spool` for one door of one project.

    Appends that wait at the same time share one write and one sync. One thread a lane; use from one event loop.

    Args:
        folder: The project's spool.
        door: The door's name, the same at every start; one living process at a time may have it.
        now: Microseconds since 1970 UTC.
        max_bytes: How many bytes may wait for the loader, over all lanes and doors.
        rotate: Bytes after which a new file is begun.

    Raises:
        Unavailable: A living process is this door already.
    """

    def __init__(self, folder: Path, door: str, now: Callable[[], int], max_bytes: int, rotate: int = ROTATE) -> None:
        self._folder = folder
        self._max = max_bytes
        self._lanes = {lane: Lane(folder / lane / door, now, rotate) for lane in folders.LANES}
        self._found = sum(folders.waiting(folder).values())
        self._since = 0

    async def append(self, lane: str, source: str, records: Sequence[Record]) -> int:
        """Stamp and keep; return after the records are safe on disk.

        The bound is looked at before a batch is taken: it may be passed by the batches that are under way.

        Args:
            lane: ``live`` or ``bulk``.
            source: The route, e.g. ``mixpanel:/import``.
            records: In the sender's order.

        Returns:
            The arrival stamp, microseconds.

        Raises:
            SpoolFull: The bound or the disk is reached; the sender must not be told that anything was kept.
            Unavailable: The disk failed, likewise.

        Twice: keeps twice; the loader's keys make two of the same one.
        """
        self._refuse_when_full()
        kept, size = self._lanes[lane].admit(source, records)
        self._since += size
        return await asyncio.wrap_future(kept)

    def _refuse_when_full(self) -> None:
        if self._since >= self._max // CLOSE_LOOK or self._found + self._since >= self._max:
            self._found, self._since = sum(folders.waiting(self._folder).values()), 0
        if self._found >= self._max:
            raise SpoolFull(
                f"{self._found} bytes wait in the spool; its bound is {self._max}.",
                "Wait for the keeper to load them, or raise spool_bytes.",
            )

    def close(self) -> None:
        """Write what is under way and give the door's name back. Twice: does nothing."""
        for lane in self._lanes.values():
            lane.close()
