"""One lane of one door: stamps, queues, and writes everything that waits with one sync."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import NamedTuple

import msgspec

from cornicen.errors import CornicenError, SpoolFull, Unavailable
from cornicen.events.shapes import Batch, Record
from cornicen.warehouse import folders, frames
from cornicen.warehouse.marks import Mark

ROTATE = 64 << 20
"""Bytes after which a file is closed and the next one begun."""

NO_ROOM = {errno.ENOSPC, errno.EDQUOT}

_sync = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


class Queued(NamedTuple):
    """A batch on its way to the disk."""

    stamp: int
    records: int
    payload: bytes
    kept: Future[int]


class Lane:
    """One lane of one door; the only writer of its folder.

    Args:
        folder: ``<spool>/<lane>/<door>``; made where it does not exist.
        now: Microseconds since 1970 UTC.
        rotate: Bytes after which a new file is begun.

    Raises:
        Unavailable: A living process is this door already.
    """

    def __init__(self, folder: Path, now: Callable[[], int], rotate: int = ROTATE) -> None:
        self._folder = folder
        self._now = now
        self._rotate = rotate
        self._lock = _own(folder)
        self._mark = Mark(folder / "mark")
        self._mark.settle(None)  # a dead predecessor's: what it left unsynced was never acknowledged
        self._turn = threading.Condition()
        self._queue: list[Queued] = []
        self._last = 0
        self._file: int | None = None
        self._number = max(folders.numbers(folder), default=0)
        self._size = 0
        self._closing = False
        self._writer = threading.Thread(target=self._work, name=f"spool-{folder.parent.name}", daemon=True)
        self._writer.start()

    def admit(self, source: str, records: Sequence[Record]) -> tuple[Future[int], int]:
        """Stamp a batch and queue it.

        Returns:
            What becomes of it: its stamp once it is safe on disk; and its size in bytes.

        Raises:
            Unavailable: The lane is closed.
        """
        kept: Future[int] = Future()
        kept.set_running_or_notify_cancel()  # whoever waits may go away; the batch is kept all the same
        with self._turn:
            if self._closing:
                raise Unavailable("The door is closing.", "Try again in a moment.")
            self._mark.publish(self._now())
            stamp = max(self._now(), self._mark.value, self._last)
            payload = msgspec.msgpack.encode(Batch(stamp, source, tuple(records)))
            self._last = stamp
            self._queue.append(Queued(stamp, len(records), payload, kept))
            self._turn.notify()
        return kept, len(payload) + frames.HEADER_BYTES

    def close(self) -> None:
        """Write what is queued, stop, and give the lock back. Twice: does nothing."""
        with self._turn:
            if self._closing:
                return
            self._closing = True
            self._turn.notify()
        self._writer.join()
        self._mark.close()
        os.close(self._lock)

    def _work(self) -> None:
        while group := self._next_group():
            fault = self._keep(group)
            with self._turn:
                self._mark.settle(self._queue[0].stamp if self._queue else None)
            for queued in group:
                if fault is None:
                    queued.kept.set_result(queued.stamp)
                else:
                    queued.kept.set_exception(fault)
        self._end_file()

    def _next_group(self) -> list[Queued]:
        """Everything that waits; empty: nothing does, and nothing will."""
        with self._turn:
            while not self._queue and not self._closing:
                self._turn.wait()
            group, self._queue = self._queue, []
        return group

    def _keep(self, group: list[Queued]) -> CornicenError | None:
        """Write and sync a group; after a fault its file is not written to again, so that what is torn stays at its end."""
        try:
            if self._file is None:
                self._file = self._begin_file()
            at = self._size
            self._write(b"".join(frames.pack(q.payload, stamp=q.stamp, records=q.records, group=at) for q in group))
            _sync(self._file)
            if self._size >= self._rotate:
                self._end_file()
        except OSError as error:
            self._end_file()
            if error.errno in NO_ROOM:
                return SpoolFull("The disk of the spool is full.", "Make room on it; senders will try again.")
            return Unavailable(f"The spool cannot be written: {error.strerror}.", "See to its disk; senders will try again.")
        return None

    def _begin_file(self) -> int:
        self._number += 1
        path = folders.file_of(self._folder, self._number)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._size = 0
        folders.sync(self._folder)
        return file

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            written = os.write(self._file or 0, rest)
            self._size += written
            rest = rest[written:]

    def _end_file(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                os.close(file)


def _own(folder: Path) -> int:
    """Make the folder safe on disk and take its lock."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in missing:
        folders.sync(path.parent)
    for _ in range(100):
        if (lock := folders.lock(folder)) is not None:
            return lock
        time.sleep(0.005)  # a reader that looks whether the door lives holds its lock for a moment
    raise Unavailable(f"Another process is the door {folder.name} already.", "Stop it, or give this door another name.")
