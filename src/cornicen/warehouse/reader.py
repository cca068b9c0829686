"""The loader's side of the spool: what waits, in which order, and up to which instant everything has been read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from heapq import merge
from operator import attrgetter
from pathlib import Path

from cornicen.warehouse import folders, marks
from cornicen.warehouse.folders import BEGIN, BULK, LANES, LIVE, Position
from cornicen.warehouse.frames import Frame, scan

MOST_BYTES = 64_000_000
"""Of records that are read at a time: they take several times that in memory."""

__all__ = ["BULK", "LANES", "LIVE", "Position", "Reading", "SpoolReader", "Taken"]


@dataclass(frozen=True)
class Taken:
    """A frame and where it lay."""

    lane: str
    door: str
    file: int
    frame: Frame

    @property
    def stamp(self) -> int:
        """When the door took it, microseconds."""
        return self.frame.stamp


@dataclass
class Reading:
    """What one look at the spool brought.

    Args:
        taken: Frames, in the order to load them.
        reached: Where each door's files have been read to, for those that moved.
        more: It ended at a bound; there may be more.
    """

    taken: list[Taken] = field(default_factory=list)
    reached: dict[tuple[str, str], Position] = field(default_factory=dict)
    more: bool = False


class SpoolReader:
    """Reads the spool of one project; nobody else may.

    Args:
        folder: The project's spool; it may not exist yet.
        positions: As committed, by lane and door.
    """

    def __init__(self, folder: Path, positions: Mapping[tuple[str, str], Position]) -> None:
        self.folder = folder
        self._positions = dict(positions)

    @property
    def positions(self) -> Mapping[tuple[str, str], Position]:
        """From where the next frames are read."""
        return dict(self._positions)

    def read(self, limit: int) -> Reading:
        """Frames with about ``limit`` records or `MOST_BYTES`, the live lane first, each lane's by arrival stamp.

        Raises:
            Damaged: A file is not what was written.

        Twice: the same frames, until `commit`.
        """
        reading = Reading()
        records = size = 0
        for lane in LANES:
            waiting = [self._of_door(lane, door, reading) for door in folders.doors(self.folder, lane)]
            for taken in merge(*waiting, key=attrgetter("stamp")):
                reading.taken.append(taken)
                reading.reached[lane, taken.door] = Position(taken.file, taken.frame.end)
                records, size = records + taken.frame.records, size + len(taken.frame.payload)
                if records >= limit or size >= MOST_BYTES:
                    reading.more = True
                    return reading
        return reading

    def _of_door(self, lane: str, door: str, reading: Reading) -> Iterator[Taken]:
        """A door's frames in order. What is torn at the end of a file that nobody will ever finish is passed over.

        Whether the door lives, and which files there are, is read before any file: a file found finished then was finished
        when it was read. At the end of a living door's newest file we wait.
        """
        folder, key = self.folder / lane / door, (lane, door)
        lives = folders.lives(folder)
        position = self._positions.get(key, BEGIN)
        files = folders.unread(folder, position)
        for number, offset in files:
            path = folders.file_of(folder, number)
            for frame in scan(path, offset):
                yield Taken(lane, door, number, frame)
            if not lives or number != files[-1][0]:
                end = Position(number, path.stat().st_size)
                if end > max(position, reading.reached.get(key, BEGIN)):
                    reading.reached[key] = end

    def commit(self, reached: Mapping[tuple[str, str], Position]) -> None:
        """Go on from there; files that are behind it are deleted. Call it after the warehouse has committed the same.

        Twice: the same.
        """
        self._positions.update(reached)
        for (lane, door), position in reached.items():
            folder = self.folder / lane / door
            folders.tell_loaded(folder, position)
            for number in folders.numbers(folder):
                if number < position.file:
                    folders.file_of(folder, number).unlink(missing_ok=True)

    def backlog(self) -> dict[str, int]:
        """Bytes not yet loaded, by lane."""
        return folders.waiting(self.folder, self._positions)

    def oldest(self) -> dict[str, int]:
        """When the oldest record that is not loaded came, microseconds, by lane; a lane where none waits is not named.

        Of each door the first frame is looked at, also where much waits: a door's stamps never decrease while it lives.

        Raises:
            Damaged: A file is not what was written.
        """
        found: dict[str, int] = {}
        for lane in LANES:
            for door in folders.doors(self.folder, lane):
                folder = self.folder / lane / door
                files = folders.unread(folder, self._positions.get((lane, door), BEGIN))
                frames = (next(scan(folders.file_of(folder, number), offset), None) for number, offset in files)
                if (frame := next(filter(None, frames), None)) is not None:
                    found[lane] = min(frame.stamp, found.get(lane, frame.stamp))
        return found

    def watermark(self, now: int) -> int:
        """The latest instant before the stamp of every live record not yet loaded; see `cornicen.warehouse.marks`.

        Args:
            now: Microseconds, read before this call.

        Raises:
            Damaged: A live file is not what was written: nobody knows what it held.
        """
        pending = self.pending()
        return min([now, *pending, *self.unread_stamps()]) - 1

    def pending(self) -> list[int]:
        """The marks of living doors that have something under way."""
        live = [self.folder / LIVE / door for door in folders.doors(self.folder, LIVE)]
        shown = [marks.read(folder / "mark") for folder in live if folders.lives(folder)]
        return [mark for mark in shown if mark]

    def unread_stamps(self) -> list[int]:
        """The earliest stamp in each live file that is not fully loaded: within a file stamps never decrease."""
        found = []
        for door in folders.doors(self.folder, LIVE):
            folder = self.folder / LIVE / door
            for number, offset in folders.unread(folder, self._positions.get((LIVE, door), BEGIN)):
                if (frame := next(scan(folders.file_of(folder, number), offset), None)) is not None:
                    found.append(frame.stamp)
        return found
