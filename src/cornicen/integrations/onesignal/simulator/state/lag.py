"""Changes that somebody sees later than they were made."""

from __future__ import annotations

from collections import deque

Tags = dict[str, str]


class Lag:
    """What a reader who is behind sees of a user's tags while they change.

    Args:
        seen: What the reader saw before the first change.
    """

    __slots__ = ("_coming", "_seen")

    def __init__(self, seen: Tags) -> None:
        self._seen = seen
        self._coming: deque[tuple[float, Tags]] = deque()

    def add(self, tags: Tags, at: float) -> None:
        """A change that the reader sees from an instant on.

        Args:
            tags: All tags after it.
            at: Unix seconds; never earlier than in the last call, unless the lag was turned down meanwhile.

        Twice: changes nothing.
        """
        self._coming.append((at, tags))

    def at(self, now: float) -> Tags | None:
        """What the reader sees; None: everything that was ever added."""
        while self._coming and self._coming[0][0] <= now:
            self._seen = self._coming.popleft()[1]
        return self._seen if self._coming else None
