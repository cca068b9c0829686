"""The meaning itself as an engine: slow, and right by definition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyroaring import BitMap

from cornicen.cohorts import meaning
from cornicen.cohorts.query import Query
from cornicen.events.history import History
from cornicen.flows.engines import OverHistories


class MemoryEngine:
    """Answers from histories in memory, one person after the other: for tests, previews of a few people, explanations.

    Args:
        histories: Everybody, by person number.
    """

    def __init__(self, histories: Mapping[int, History]) -> None:
        self._histories = histories

    def members(self, queries: Sequence[Query], as_of: int, only: BitMap | None = None) -> list[BitMap]:
        """As `cornicen.flows.ports.Engine.members`."""
        asked = {person: history for person, history in self._histories.items() if only is None or person in only}
        return [BitMap(meaning.members(query, asked, as_of)) for query in queries]


ENGINE = OverHistories("memory", MemoryEngine)
