"""Taken: how many records the doors of a house have put safely on disk, by project and route."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from pathlib import Path

import msgspec

TELL_AFTER = 1.0
"""Seconds after which a door tells the others what it has counted."""

Counted = dict[str, dict[str, int]]
"""Records by project id and route."""


class Taken:
    """Counts since the door started, and tells the other doors of the house through a file each.

    Args:
        file: Where this door tells, ``taken-DOOR.json``; the others' are beside it. None: there are no others.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file, self._telling = file, False
        if file is not None:
            file.unlink(missing_ok=True)
        self._own: Counter[tuple[str, str]] = Counter()

    def note(self, project: str, source: str, records: int) -> None:
        """Count records. Twice: counts twice.

        Args:
            project: Whose, by id.
            source: The route; there are few.
            records: How many.
        """
        self._own[project, source] += records
        if self._file is not None and not self._telling:
            self._telling = True
            asyncio.get_running_loop().call_later(TELL_AFTER, self._tell, self._file)

    def counted(self) -> dict[str, Counted]:
        """By door; this one's under its own name, the others' as they told a second ago. Each starts anew with its door."""
        found = {_door(self._file): self._told()}
        if self._file is not None:
            for path in self._file.parent.glob("taken-*.json"):
                if path != self._file:
                    with contextlib.suppress(OSError, msgspec.MsgspecError):  # it may be written just now
                        found[_door(path)] = msgspec.json.decode(path.read_bytes(), type=Counted)
        return found

    def _told(self) -> Counted:
        told: Counted = {}
        for (project, source), count in self._own.items():
            told.setdefault(project, {})[source] = count
        return told

    def _tell(self, file: Path) -> None:
        self._telling = False
        file.write_bytes(msgspec.json.encode(self._told()))


def _door(file: Path | None) -> str:
    return "door" if file is None else file.stem.removeprefix("taken-")
