"""A day's de-duplication keys in a file: sorted, checked, written whole or not at all, and read by mapping it.

::

    <keys>/<day>.keys   header, then the keys as little-endian 64-bit numbers, ascending, each once
    <keys>/complete     which days there are, and the sequence number up to which their files have every key

A file is a copy of what the tables hold: whoever finds one missing, damaged or of another hash makes it anew from there.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from cornicen.warehouse.folders import sync

Keys = npt.NDArray[np.uint64]

MAGIC = b"cornkey1"
COMPLETE = "complete"
SUFFIX = ".keys"

_HEADER = struct.Struct("<8sQqQII")  # magic, hash probe, load, count, crc of the keys, crc of the header before it
_BODY = np.dtype("<u8")


class Complete(msgspec.Struct, frozen=True):
    """What a folder of key files holds.

    Args:
        probe: Which hash function made the keys.
        load: Every key of an event up to this sequence number is in its day's file.
        days: For each day that has a file, its `KeyFile.load` at that time; a file there now is at least as late.
    """

    probe: int
    load: int
    days: dict[int, int]


class KeyFile(NamedTuple):
    """An opened file.

    Args:
        load: It has every key of its day up to this sequence number.
        keys: Ascending; a mapping, nothing is read until it is looked at.
        crc: What `sound` compares.
    """

    load: int
    keys: Keys
    crc: int

    def sound(self) -> bool:
        """Whether the keys are those that were written; reads all of them."""
        return zlib.crc32(_bytes(self.keys)) == self.crc


def path_of(folder: Path, day: int) -> Path:
    """The file of a day, counted from 1970 UTC."""
    return folder / f"{day}{SUFFIX}"


def write(folder: Path, day: int, keys: Iterable[Keys], probe: int, load: int) -> None:
    """Write a day's file. After any error the one before it stays. Twice: the same.

    Args:
        folder: Where the files are.
        day: Counted from 1970 UTC.
        keys: The day's, in pieces: ascending over all of them, each key once.
        probe: Which hash function made them.
        load: They are all of the day's keys up to this sequence number.
    """

    def parts(file: BinaryIO) -> None:
        file.seek(_HEADER.size)
        count = crc = 0
        for piece in keys:
            body = _bytes(np.ascontiguousarray(piece, _BODY))
            count, crc = count + len(piece), zlib.crc32(body, crc)
            file.write(body)
        own = zlib.crc32(_HEADER.pack(MAGIC, probe, load, count, crc, 0))
        file.seek(0)
        file.write(_HEADER.pack(MAGIC, probe, load, count, crc, own))

    _replace(path_of(folder, day), parts)


def read(folder: Path, day: int, probe: int) -> KeyFile | None:
    """Open a day's file; None: there is none, or not one of this hash, or it is cut short."""
    path = path_of(folder, day)
    try:
        with path.open("rb") as file:
            head, size = file.read(_HEADER.size), os.fstat(file.fileno()).st_size
    except FileNotFoundError:
        return None
    if len(head) < _HEADER.size:
        return None
    magic, hashed, load, count, crc, own = _HEADER.unpack(head)
    whole = zlib.crc32(_HEADER.pack(magic, hashed, load, count, crc, 0)) == own
    if magic != MAGIC or not whole or hashed != probe or size != _HEADER.size + count * _BODY.itemsize:
        return None
    keys: Keys = np.memmap(path, _BODY, "r", _HEADER.size, (count,)) if count else np.empty(0, np.uint64)
    return KeyFile(load, keys, crc)


def write_complete(folder: Path, complete: Complete) -> None:
    """Say what the folder holds, after its files are written. Twice: the same."""
    _replace(folder / COMPLETE, lambda file: file.write(msgspec.json.encode(complete)))


def read_complete(folder: Path) -> Complete | None:
    """What the folder was last said to hold; None: nothing that can be read."""
    try:
        return msgspec.json.decode((folder / COMPLETE).read_bytes(), type=Complete)
    except (FileNotFoundError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def remove(folder: Path, keep: Mapping[int, object]) -> None:
    """Delete the files of all days but these, and what an interrupted write left. Twice: does nothing."""
    for entry in list(os.scandir(folder)):
        name = entry.name.removesuffix(SUFFIX)
        if entry.name != COMPLETE and (name == entry.name or not _number(name) or int(name) not in keep):
            Path(entry.path).unlink(missing_ok=True)


def _bytes(keys: Keys) -> memoryview:
    return keys.view(np.uint8).data


def _number(text: str) -> bool:
    return text.removeprefix("-").isdecimal()


def _replace(path: Path, fill: Callable[[BinaryIO], object]) -> None:
    beside = path.with_name(path.name + ".new")
    with beside.open("wb") as file:
        fill(file)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    sync(path.parent)
