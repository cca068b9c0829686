"""The next batches, read and decoded by a process of its own while one is being written.

That process sees the spool and nothing else: it is told from where to read and how, and sends back arrivals, batch after batch,
for as long as there is more; it is two batches ahead at most. What it read for a batch that was not committed after all, or in
a manner that is not the loader's any more, is thrown away with it; so it cannot do any harm by being wrong, slow or dead. It
ends with its parent: its standard input ends then.
"""

from __future__ import annotations

import gc
import pickle
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from cornicen.errors import CornicenError
from cornicen.warehouse.arrivals import Arrivals
from cornicen.warehouse.reader import Position, SpoolReader
from cornicen.warehouse.unpacking import Manner, Unpacker

REST = 60.0
"""Seconds without work after which the process is ended, to give its memory back."""

_COUNT = struct.Struct("<I")
_LENGTH = struct.Struct("<Q")


@dataclass(frozen=True)
class Task:
    """What is to be read.

    Args:
        folder: The spool.
        positions: From where, by lane and door.
        last: The latest sequence number before it.
        manner: How.
    """

    folder: Path
    positions: Mapping[tuple[str, str], Position]
    last: int
    manner: Manner

    def read(self, limit: int, unpacker: Unpacker) -> Unpacked:
        """About ``limit`` records from there on. Raises: Damaged."""
        reading = SpoolReader(self.folder, self.positions).read(limit)
        return Unpacked(reading.reached, unpacker.unpack(reading, self.last, self.manner), reading.more)

    def after(self, unpacked: Unpacked) -> Task:
        """What is to be read next."""
        return replace(self, positions={**self.positions, **unpacked.reached}, last=unpacked.arrivals.last)


@dataclass(frozen=True)
class Unpacked:
    """What was read.

    Args:
        reached: Where each door's files have been read to, for those that moved.
        arrivals: The records.
        more: It ended at a bound; there may be more.
    """

    reached: Mapping[tuple[str, str], Position]
    arrivals: Arrivals
    more: bool


class Ahead:
    """The process that reads ahead; started when it is first needed, and again after it died."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._coming: Task | None = None
        self._used = 0.0

    def ask(self, task: Task, limit: int) -> None:
        """Let it read from there on, and do not wait for it. Nothing happens where it is doing that already.

        Where it has died meanwhile, or cannot be started, the next time another one is.
        """
        self._used = time.monotonic()
        if self._coming is not None:
            return
        try:
            if self._process is None:
                command = [sys.executable, "-m", "cornicen.warehouse.ahead"]
                self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 - this program
            _send(_pipe(self._process.stdin), (task, limit))
            self._coming = task
        except OSError:
            self.close()

    def take(self, task: Task) -> Unpacked | None:
        """What it has read, if that is what is wanted; None: somebody else has to read it.

        Raises:
            Damaged: As whoever reads it now would.
        """
        if self._coming is None or self._process is None:
            return None
        if self._coming != task:
            self.close()
            return None
        try:
            found = _receive(_pipe(self._process.stdout))
        except EOFError:
            self.close()
            return None
        if isinstance(found, Unpacked):
            self._coming = task.after(found) if found.more else None
            return found
        self._coming = None
        if isinstance(found, CornicenError):
            raise found
        return None

    def rest(self) -> None:
        """End the process if it was not needed lately. Twice: does nothing."""
        if self._process is not None and time.monotonic() - self._used > REST:
            self.close()

    def close(self) -> None:
        """End the process. Twice: does nothing."""
        process, self._process, self._coming = self._process, None, None
        if process is not None:
            process.kill()  # it holds nothing that could be lost
            process.communicate()


def _pipe(pipe: Any) -> BinaryIO:  # noqa: ANN401 - Popen's pipes are None where none was asked for
    found: BinaryIO = pipe
    return found


def _send(pipe: BinaryIO, value: object) -> None:
    """Write a value, its large buffers without a copy."""
    buffers: list[pickle.PickleBuffer] = []
    head = pickle.dumps(value, 5, buffer_callback=buffers.append)
    parts = [memoryview(head), *(buffer.raw() for buffer in buffers)]
    pipe.write(_COUNT.pack(len(parts)) + b"".join(_LENGTH.pack(part.nbytes) for part in parts))
    pipe.writelines(parts)
    pipe.flush()


def _receive(pipe: BinaryIO) -> object:
    """The next value. Raises: EOFError."""
    [count] = _COUNT.unpack(_exactly(pipe, _COUNT.size))
    lengths = [_LENGTH.unpack(_exactly(pipe, _LENGTH.size))[0] for _ in range(count)]
    head, *buffers = [_exactly(pipe, length) for length in lengths]
    found: object = pickle.loads(head, buffers=buffers)  # noqa: S301 - the other end is this same program
    return found


def _exactly(pipe: BinaryIO, size: int) -> bytearray:
    found = bytearray(size)
    view, at = memoryview(found), 0
    while at < size:
        read = pipe.readinto(view[at:])  # type: ignore[attr-defined] # a pipe has it
        if not read:
            raise EOFError
        at += read
    return found


def _read_on(task: Task, limit: int, unpacker: Unpacker, sending: Executor) -> None:
    """Read and send batch after batch until there is no more; one is read while the one before it is sent."""
    sent: Future[None] | None = None
    while True:
        try:
            found: Unpacked | CornicenError = task.read(limit, unpacker)
        except CornicenError as error:
            found = error
        if sent is not None:
            sent.result()
        sent = sending.submit(_send, sys.stdout.buffer, found)
        if isinstance(found, CornicenError) or not found.more:
            return sent.result()
        task = task.after(found)


def main() -> None:
    """Do tasks until the parent has gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent's matter
    gc.disable()  # a batch is a million small objects and no circle
    unpacker = Unpacker()
    with ThreadPoolExecutor(1) as sending, suppress(EOFError, BrokenPipeError):
        while True:
            asked: Any = _receive(sys.stdin.buffer)
            task, limit = asked
            _read_on(task, limit, unpacker, sending)


if __name__ == "__main__":
    main()
