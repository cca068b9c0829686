"""Where the spool keeps what: folders, file numbers, who lives there, and how far the loader has come.

::

    <spool>/<lane>/<door>/<n>.spool   frames, in the door's order; a new one at every start, rotation and fault
    <spool>/<lane>/<door>/lock        held by the door's process as long as it lives
    <spool>/<lane>/<door>/mark        see `cornicen.warehouse.marks`
    <spool>/<lane>/<door>/loaded      how far the loader has come: a hint for the door's bound, the truth is in the warehouse
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

LIVE = "live"
BULK = "bulk"
LANES = (LIVE, BULK)

_HINT = struct.Struct("<qq")


class Position(NamedTuple):
    """How far a door's files have been read.

    Args:
        file: The file's number; 0: none yet.
        offset: Bytes of it.
    """

    file: int
    offset: int


BEGIN = Position(0, 0)


def doors(spool: Path, lane: str) -> list[str]:
    """The doors that ever used a lane, by name."""
    try:
        return sorted(entry.name for entry in os.scandir(spool / lane) if entry.is_dir())
    except FileNotFoundError:
        return []


def numbers(folder: Path) -> list[int]:
    """The numbers of the files in a door's folder, ascending."""
    names = (Path(entry.name) for entry in os.scandir(folder))
    return sorted(int(name.stem) for name in names if name.suffix == ".spool" and name.stem.isdecimal())


def file_of(folder: Path, number: int) -> Path:
    """The file with that number."""
    return folder / f"{number}.spool"


def unread(folder: Path, position: Position) -> list[tuple[int, int]]:
    """``(file, offset)`` for each file that has or may get something behind a position, ascending."""
    return [(n, position.offset if n == position.file else 0) for n in numbers(folder) if n >= position.file]


def unread_bytes(folder: Path, position: Position) -> int:
    """Bytes behind a position."""
    total = 0
    for number, offset in unread(folder, position):
        try:
            total += max(0, file_of(folder, number).stat().st_size - offset)
        except FileNotFoundError:
            continue  # loaded and deleted since it was listed
    return total


def lock(folder: Path) -> int | None:
    """Take a door's lock for this process; None: a living process has it.

    Returns:
        A descriptor; closing it gives the lock back.
    """
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def lives(folder: Path) -> bool:
    """Whether a living process has the door's lock."""
    try:
        descriptor = os.open(folder / "lock", os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def sync(folder: Path) -> None:
    """Make the entries of a folder safe on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def tell_loaded(folder: Path, position: Position) -> None:
    """Let the door know how far the loader has come. Twice: the same."""
    descriptor = os.open(folder / "loaded", os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.pwrite(descriptor, _HINT.pack(*position), 0)
    finally:
        os.close(descriptor)


def loaded(folder: Path) -> Position:
    """How far the loader said it has come."""
    try:
        data = (folder / "loaded").read_bytes()
    except FileNotFoundError:
        return BEGIN
    return Position(*_HINT.unpack(data)) if len(data) == _HINT.size else BEGIN


def waiting(spool: Path, positions: Mapping[tuple[str, str], Position] | None = None) -> dict[str, int]:
    """Bytes behind the loader by lane.

    Args:
        spool: The spool's folder.
        positions: By lane and door; None: as the loader told.
    """
    found = {}
    for lane in LANES:
        folders = {door: spool / lane / door for door in doors(spool, lane)}
        at = {door: loaded(f) if positions is None else positions.get((lane, door), BEGIN) for door, f in folders.items()}
        found[lane] = sum(unread_bytes(folder, at[door]) for door, folder in folders.items())
    return found
