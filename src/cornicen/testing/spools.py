"""`MemorySpool`: a door's side of the spool in a list, for tests of whoever appends."""

from __future__ import annotations

from collections.abc import Sequence

from cornicen.errors import SpoolFull
from cornicen.events.shapes import Record
from cornicen.flows.ports import Clock


class MemorySpool:
    """The `Spool` of `flows.ports`.

    Args:
        clock: Stamps what arrives.
        room: Records it holds; one batch more is refused whole.
    """

    def __init__(self, clock: Clock, room: int = 1_000_000) -> None:
        self._clock, self._room = clock, room
        self.lanes: dict[str, list[Record]] = {"live": [], "bulk": []}
        self.sources: list[str] = []

    async def append(self, lane: str, source: str, records: Sequence[Record]) -> int:
        """Keep records. Raises: SpoolFull. Twice: keeps twice."""
        if sum(map(len, self.lanes.values())) + len(records) > self._room:
            raise SpoolFull("There is no room for more records.", "Load some.")
        self.lanes[lane].extend(records)
        self.sources.append(source)
        return self._clock.now()
