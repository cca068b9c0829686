"""Frames: how a batch of records lies in a spool file, and how a reader tells a torn end from damage.

::

    magic 4 · crc32 4 · length 4 · group 8 · stamp 8 · records 4 · payload (length bytes)

The checksum covers everything after itself. ``group`` is the offset at which the write began that carried this frame: that
write began only after everything before it was safe on disk. So a broken frame that is followed by a whole one of a *later*
group had been acknowledged and is damage; one that is followed by nothing, or by frames of its own group only, is the end of
a write that never finished, and nobody was told that it had.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from zlib import crc32

from cornicen.errors import Damaged

MAGIC = b"\x9cCF\n"
_START = struct.Struct("<4sI")
_REST = struct.Struct("<IQqI")
HEADER_BYTES = _START.size + _REST.size


@dataclass(frozen=True)
class Frame:
    """One batch in a spool file.

    Args:
        start: Offset of its first byte.
        end: Offset after its last byte.
        group: Offset at which the write began that carried it.
        stamp: When the door took it, microseconds.
        records: How many records it carries.
        payload: The batch, encoded.
    """

    start: int
    end: int
    group: int
    stamp: int
    records: int
    payload: bytes


def pack(payload: bytes, *, stamp: int, records: int, group: int) -> bytes:
    """One frame's bytes; see `Frame`."""
    rest = _REST.pack(len(payload), group, stamp, records)
    return _START.pack(MAGIC, crc32(payload, crc32(rest))) + rest + payload


def parse(data: bytes, at: int, offset: int) -> Frame | None:
    """The frame that begins at ``data[at]``, if a whole and unbroken one does.

    Args:
        data: Bytes of a file.
        at: Where in them.
        offset: Where in the file ``data[0]`` lies.
    """
    body = at + HEADER_BYTES
    if len(data) < body:
        return None
    magic, checksum = _START.unpack_from(data, at)
    length, group, stamp, records = _REST.unpack_from(data, at + _START.size)
    if magic != MAGIC or len(data) < body + length:
        return None
    if crc32(memoryview(data)[at + _START.size : body + length]) != checksum:
        return None
    return Frame(offset + at, offset + body + length, group, stamp, records, data[body : body + length])


def scan(path: Path, start: int) -> Iterator[Frame]:
    """The frames of a file from an offset on, as far as they are whole.

    Raises:
        Damaged: A broken frame had been safe on disk once.
    """
    with path.open("rb", buffering=1 << 20) as file:
        file.seek(start)
        while (frame := _next(file, start, path)) is not None:
            yield frame
            start = frame.end


def _next(file: BinaryIO, start: int, path: Path) -> Frame | None:
    header = file.read(HEADER_BYTES)
    if not header:
        return None
    length = _REST.unpack_from(header, _START.size)[0] if len(header) == HEADER_BYTES and header[:4] == MAGIC else 0
    data = header + file.read(length)
    if (frame := parse(data, 0, start)) is not None:
        return frame
    _refuse_damage(data + file.read(), start, path)
    return None


def _refuse_damage(rest: bytes, start: int, path: Path) -> None:
    at = rest.find(MAGIC, 1)
    while at >= 0:
        later = parse(rest, at, start)
        if later is not None and later.group > start:
            what = f"{path} is damaged between byte {start} and byte {later.start}."
            raise Damaged(what, "Restore the file from a backup, or move it away to go on without what it holds.")
        at = rest.find(MAGIC, at + 1)
