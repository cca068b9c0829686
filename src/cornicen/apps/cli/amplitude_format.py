"""Amplitude's export as records for the door: its rows become the events again that they once were."""

from __future__ import annotations

import gzip
import re
import zipfile
import zlib
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC
from functools import partial
from pathlib import Path
from typing import IO, Any, cast

import msgspec

from cornicen.apps.cli.formats import NULL, START, BrokenOff, Place, Records, Taken, key_of, lines, rejected
from cornicen.errors import BadFile
from cornicen.events import values

SUFFIXES = (".json.gz", ".json")
"""Of the files in an export; others, and hidden ones, are passed over."""

TEXTS = (
    *("user_id", "device_id", "event_type", "session_id", "event_id", "platform", "os_name", "os_version", "device_brand"),
    *("device_manufacturer", "device_model", "country", "region", "city", "dma", "language", "location_lat", "location_lng"),
    *("idfa", "adid", "library", "partner_id"),
)
OBJECTS = ("event_properties", "user_properties", "groups", "group_properties", "plan")
FIELDS = (
    *((name, name) for name in TEXTS),
    *(("device_carrier", "carrier"), ("ip_address", "ip"), ("version_name", "app_version")),
    *((name, name) for name in OBJECTS),
)
"""Columns of an export and the fields of the HTTP API they came from. The rest is Amplitude's own (its ids, its clocks)."""

TIMES = ("event_time", "client_event_time")
"""The first is the axis of charts and cohorts, the device's clock corrected. Both are UTC without saying so."""

KEYS = ("$insert_id", "uuid")
"""What makes a row itself: the sender's key, else the row's own id, which every later export of it has too."""

EMPTY = (NULL, b"{}")


def _row_of(names: Sequence[str]) -> type[msgspec.Struct]:
    """What is read of a row: these columns, in this order; objects stay the text that they are."""
    kinds = [(f"at_{place}", msgspec.Raw if name in OBJECTS else Any, name) for place, name in enumerate(names)]
    fields = [(field, kind, msgspec.field(default=None, name=name)) for field, kind, name in kinds]
    return msgspec.defstruct("Row", fields, gc=False)


def _event_of(names: Sequence[str]) -> type[msgspec.Struct]:
    """An event with these fields, in this order; those that are None are left out."""
    fields = [(f"at_{place}", Any, msgspec.field(default=None, name=name)) for place, name in enumerate(names)]
    return msgspec.defstruct("Event", fields, omit_defaults=True, gc=False)


_rows = msgspec.json.Decoder(_row_of([*TIMES, *KEYS, *(here for here, _ in FIELDS)]))
_Event = _event_of(["time", "insert_id", *(there for _, there in FIELDS)])


@dataclass(frozen=True)
class Member:
    """One of an export's files.

    Args:
        name: In the export.
        size: Bytes, as it is packed there.
        open: Opens it.
    """

    name: str
    size: int
    open: Callable[[], IO[bytes]]


def members(path: Path, stack: ExitStack) -> list[Member]:
    """The files of an export in the order of time, hour 9 before hour 10.

    Args:
        path: The ZIP that Amplitude sends, a folder it was unpacked to, or one file out of it.
        stack: Closes what stays open.

    Raises:
        BadFile: It is damaged, or there is no such file in it.
    """
    if path.is_dir():
        inside = [one for one in path.rglob("*") if one.is_file()]
        found = [Member(str(one.relative_to(path)), one.stat().st_size, _opener(one)) for one in inside]
    elif _starts_as_zip(path):
        try:
            archive = stack.enter_context(zipfile.ZipFile(path))
        except zipfile.BadZipFile as error:
            what = f"{path} is a damaged ZIP file: {error}. Nothing of it was taken."
            raise BadFile(what, "Export it again.") from error
        found = [Member(one.filename, one.file_size, partial(archive.open, one)) for one in archive.infolist()]
    else:
        return [Member(path.name, path.stat().st_size, _opener(path))]
    chosen = [one for one in found if one.name.endswith(SUFFIXES) and not _hidden(one.name)]
    if not chosen:
        raise BadFile(f"{path} holds no file of an export.", "Its files end in .json.gz, each with one row a line.")
    return sorted(chosen, key=_by_time)


def _opener(path: Path) -> Callable[[], IO[bytes]]:
    return lambda: path.open("rb")


def _starts_as_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in {b"PK\x03\x04", b"PK\x05\x06"}


def _hidden(name: str) -> bool:
    return any(step.startswith((".", "__")) for step in name.split("/"))


def _by_time(member: Member) -> list[tuple[int, str]]:
    return [(int(piece), "") if piece.isdigit() else (0, piece) for piece in re.split(r"(\d+)", member.name)]


class Export:
    """An export that is read from some place on.

    Args:
        members: Its files, in order.
        after: Everything up to here is passed over.
    """

    def __init__(self, members: Sequence[Member], after: Place = START) -> None:
        self._members = members
        self._after = after
        self._behind = 0
        self._open: IO[bytes] | None = None

    def read(self) -> int:
        """Bytes that were read so far, of the sizes of the members."""
        return self._behind + (0 if self._open is None or self._open.closed else self._open.tell())

    def records(self) -> Records:
        """Its rows, one after the other. Raises: BrokenOff."""
        for part, member in enumerate(self._members):
            if part >= self._after.part:
                try:
                    yield from self._rows_of(part, member)
                except (EOFError, OSError, zlib.error, zipfile.BadZipFile, RuntimeError) as error:  # the last: encrypted
                    raise BrokenOff(f"{member.name}: {error}") from error
            self._behind += member.size

    def _rows_of(self, part: int, member: Member) -> Records:
        with member.open() as self._open:
            yield from rows(_unpacked(self._open), part, self._after.line if part == self._after.part else 0)


def _unpacked(file: IO[bytes]) -> IO[bytes]:
    packed = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    return cast("IO[bytes]", gzip.open(file)) if packed else file


def rows(file: IO[bytes], part: int = 0, after: int = 0) -> Records:
    """One file's rows as events for `/batch`. Arguments as `Place`'s; lines up to ``after`` are passed over."""
    for number, line in lines(file, after):
        try:
            event_time, client_time, insert_id, uuid, *said = msgspec.structs.astuple(_rows.decode(line))
            time = _time(event_time, client_time)
        except (msgspec.DecodeError, ValueError) as error:
            yield rejected(number, f"Is no row of an export: {error}.", line, part)
            continue
        user, device, event = (text or None for text in said[:3])
        if event is None:
            yield rejected(number, "Is no row of an export: `event_type` is missing.", line, part)
            continue
        objects = [None if raw is None or bytes(raw) in EMPTY else raw for raw in said[-len(OBJECTS) :]]
        key = insert_id or uuid or key_of(number, line)
        found = _Event(time, key, user, device, event, *said[3 : -len(OBJECTS)], *objects)
        yield Taken(number, msgspec.json.encode(found), part)


def _time(event_time: object, client_time: object) -> int:
    """When it happened, in milliseconds. Raises: ValueError."""
    name, text = (TIMES[0], event_time) if event_time is not None else (TIMES[1], client_time)
    if text is None:
        raise ValueError("`event_time` is missing")
    moment = values.instant(text, UTC) if isinstance(text, str) else None
    if moment is None:
        raise ValueError(f"`{name}` is no instant: {text!r}")
    return moment // 1_000
