"""The clocks a role can be given: the machine's, or a file that tests turn for all processes at once."""

from __future__ import annotations

import asyncio
import mmap
import os
import struct
import time
from pathlib import Path
from typing import TYPE_CHECKING

from cornicen.errors import BadSetting

if TYPE_CHECKING:
    from cornicen.flows.ports import Clock  # a protocol only: importing it would bring Arrow into every command


class SystemClock:
    """The machine's."""

    def now(self) -> int:
        """Microseconds since 1970 UTC."""
        return time.time_ns() // 1000

    async def sleep(self, seconds: float) -> None:
        """Return after so many seconds."""
        await asyncio.sleep(seconds)


class FileClock:
    """Eight bytes in a file, microseconds since 1970 UTC, little-endian: every process that maps it sees the same time.

    Args:
        path: Must exist; `set` makes it.
    """

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 8)

    @staticmethod
    def set(path: Path, now: int) -> None:
        """Turn the clock of every process that maps the file. Twice: the same."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            os.pwrite(descriptor, struct.pack("<q", now), 0)
        finally:
            os.close(descriptor)

    def now(self) -> int:
        """Microseconds since 1970 UTC."""
        return int(struct.unpack("<q", self._map[:8])[0])

    async def sleep(self, seconds: float) -> None:
        """Return once the file has been turned that far (looked at every five milliseconds)."""
        until = self.now() + int(seconds * 1_000_000)
        while self.now() < until:  # noqa: ASYNC110 - another process turns the file; there is nothing to wait on
            await asyncio.sleep(0.005)


def clock_of(setting: str) -> Clock:
    """The clock that a home's settings name.

    Args:
        setting: Empty: the machine's. Otherwise the path of a clock file.

    Raises:
        BadSetting: There is no such file.
    """
    if not setting:
        return SystemClock()
    path = Path(setting)
    if not path.is_file():
        raise BadSetting(f"The clock file {setting} does not exist.", "Create it, or remove `clock` from cornicen.toml.")
    return FileClock(path)
