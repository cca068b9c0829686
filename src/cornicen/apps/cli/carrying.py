"""Carries a file through a door, batch after batch, and knows how far it is at every moment."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from cornicen.apps.cli import amplitude_format, csv_format, formats, output
from cornicen.apps.cli.formats import BATCH, ENGAGE, IMPORT, BrokenOff, Format, Place, Records
from cornicen.apps.cli.posting import Batch, batches
from cornicen.apps.cli.rejects import Rejects
from cornicen.errors import BadFile

if TYPE_CHECKING:
    from cornicen.apps.cli.positions import Tally
    from cornicen.apps.cli.posting import Door


@dataclass(frozen=True)
class Source:
    """A file that is opened for import.

    Args:
        route: Where its records go.
        records: Those that are still to be carried.
        size: Of all of it, in any unit.
        read: How much of that is behind.
        members: Names of its files, where it is a file of files.
    """

    route: str
    records: Records
    size: int
    read: Callable[[Place], int]
    members: tuple[str, ...] = ()


def opened(path: Path, kind: Format, token: str, after: Place, stack: ExitStack) -> Source:
    """Open a file from some place on.

    Args:
        path: The file.
        kind: What it is.
        token: The project's.
        after: Everything up to here is passed over.
        stack: Closes it.

    Raises:
        BadFile: It cannot be read as that.
    """
    if kind == "amplitude-export":
        members = amplitude_format.members(path, stack)
        export = amplitude_format.Export(members, after)
        names = tuple(one.name for one in members)
        return Source(BATCH, export.records(), sum(one.size for one in members), lambda _: export.read(), names)
    if path.is_dir():
        raise BadFile(f"{path} is a folder.", f"Name a file of it: {kind} is not read from a folder.")
    plain = stack.enter_context(path.open("rb"))
    if kind == "parquet":
        from cornicen.apps.cli.parquet_format import parquet_rows

        route, records, rows = parquet_rows(plain, token, after.line)
        return Source(route, records, rows, lambda place: place.line)
    file, size = _unpacked(plain, stack), path.stat().st_size
    match kind:
        case "mixpanel-export":
            route, records = IMPORT, formats.mixpanel_export(file, after.line)
        case "engage-jsonl":
            route, records = ENGAGE, formats.engage_jsonl(file, token, after.line)
        case "csv":
            route, records = csv_format.csv_rows(file, token, after.line)
    return Source(route, _sound(records), size, lambda _: plain.tell())


def _unpacked(plain: IO[bytes], stack: ExitStack) -> IO[bytes]:
    packed = plain.read(2) == b"\x1f\x8b"
    plain.seek(0)
    return cast("IO[bytes]", stack.enter_context(gzip.open(plain))) if packed else plain


def _sound(records: Records) -> Records:
    """The records, until the file turns out to be damaged, or cannot be read on. Raises: BrokenOff."""
    try:
        yield from records
    except (EOFError, OSError, zlib.error) as error:
        raise BrokenOff(str(error).rstrip(".")) from error


@dataclass
class Carriage:
    """A file on its way through a door.

    Args:
        path: The file.
        kind: What it is.
        token: The project's.
        door: Where to.
        tally: How far it is; counted on in place, and right after an error too.
    """

    path: Path
    kind: Format
    token: str
    door: Door
    tally: Tally

    def go(self, keep: Callable[[Tally], None], *, shown: bool) -> None:
        """Carry what is left of it.

        Args:
            keep: Called with the tally each time the door has answered for a batch.
            shown: Whether progress is drawn.

        Raises:
            BadFile: It is damaged; what came before that place is safe.
            CornicenError: Whatever the door raises.

        Twice: the second call has nothing left to do.
        """
        with ExitStack() as stack:
            source = opened(self.path, self.kind, self.token, self.tally.place, stack)
            stack.callback(source.records.close)  # before the file that they are read from
            beside = self.path.with_name(self.path.name + ".rejected.ndjson")
            rejects = stack.enter_context(Rejects(beside, self.token, self.tally, source.members))
            bar = stack.enter_context(output.progress(shown=shown))
            task = bar.add_task(f"Importing {self.path.name}", total=source.size, note="")
            try:
                for batch in batches(source.records):
                    self._post(source.route, batch, rejects)
                    keep(self.tally)
                    note = f"{self.tally.taken:,} taken, {self.tally.rejected:,} rejected"
                    bar.update(task, completed=source.read(batch.until), note=note)
            except BrokenOff as error:
                what = f"{self.path} is damaged: {error}. {self.tally.taken:,} records before that place were taken."
                raise BadFile(what, "Make the file anew and import it again; what was taken is not taken twice.") from error

    def _post(self, route: str, batch: Batch, rejects: Rejects) -> None:
        refused = self.door.post(route, batch.records)
        rejects.keep(sorted([*batch.rejected, *refused], key=lambda one: (one.part, one.line)))
        self.tally.taken += len(batch.records) - len(refused)
        self.tally.part, self.tally.line = batch.until
