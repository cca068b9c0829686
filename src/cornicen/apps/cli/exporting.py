"""``cornicen events export``: every event once, as lines that `cornicen import` reads."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from cornicen.apps.cli import exits, export_lines, output
from cornicen.apps.cli.options import HERE, Where
from cornicen.errors import BadFile, BadInput, NotRunning

if TYPE_CHECKING:
    from cornicen.apps.cli.house import House

PATIENCE = 30.0
"""Seconds without a keeper before giving up: one that died is started again, and nothing of the export is lost by it."""

BETWEEN_TRIES = 0.3

_EPOCH = date(1970, 1, 1)


def export(
    *,
    out: Path | None = None,
    since: Annotated[str, Parameter(name="--from")] = "",
    to: str = "",
    event: str = "",
    where: Where = HERE,
) -> int:
    """Write every event once, one a line, as Mixpanel's raw export has them; `cornicen import` takes them elsewhere.

    It is what was loaded when it began, in the order of loading. What arrives meanwhile is not in it, and is not kept waiting.

    Args:
        out: The file; it appears when it is whole. Else standard output.
        since: Only events of this UTC day on, e.g. 2017-10-29.
        to: Only events up to this UTC day, it included.
        event: Only events of this name.
        where: Which home.
    """
    from cornicen.apps.cli.house import House

    first, last = _day(since, "--from"), _day(to, "--to")
    if first is not None and last is not None and first > last:
        raise BadInput(f"--from {since} is after --to {to}.", "Give the earlier day first.")
    if out is not None and out.is_dir():
        raise BadFile(f"{out} is a folder.", "Name a file.")
    with House.open(where) as house:
        only = {"first": first, "last": last, "event": event}
        lines = _lines(house, only, shown=not where.json and not (out is None and sys.stdout.isatty()))
        if out is None:
            for one in lines:
                sys.stdout.write(one.decode() + "\n")
            sys.stdout.flush()
            return exits.OK
        count = _keep(lines, out)
    if where.json:
        output.document({"events": count, "out": str(out)})
    else:
        output.say(f"{count:,} event{'' if count == 1 else 's'} written to {out}.")
    return exits.OK


def _day(text: str, option: str) -> int | None:
    """A UTC day, counted from 1970; "": none."""
    if not text:
        return None
    try:
        return (date.fromisoformat(text) - _EPOCH).days
    except ValueError as error:
        raise BadInput(f"{option} is {text!r}, and that is no day.", "Write it like 2017-10-29.") from error


def _lines(house: House, only: dict[str, Any], *, shown: bool) -> Iterator[bytes]:
    """All lines, a page of them in memory at a time."""
    after, until, count = 0, None, 0
    with output.progress(shown=shown) as bar:
        task = bar.add_task("Exporting", total=None, note="")
        while until is None or after < until:
            page = _page(house, after=after, until=until, **only)
            for one in page["events"]:
                yield export_lines.line(one, house.project.token)
            after, until = page["last"], page["until"]
            count += len(page["events"])
            bar.update(task, total=until, completed=after, note=f"{count:,} events")


def _page(house: House, **asked: Any) -> dict[str, Any]:  # noqa: ANN401 - a question's arguments
    """One page. Raises: NotRunning, once no keeper has answered for long, or none did at the beginning."""
    silent = 0.0
    while True:
        try:
            return house.ask("export", **asked)
        except NotRunning:
            if silent >= PATIENCE or asked["until"] is None:
                raise
            silent += BETWEEN_TRIES
            time.sleep(BETWEEN_TRIES)


def _keep(lines: Iterator[bytes], path: Path) -> int:
    """Write lines beside a file, and put them in its place once they are whole and on disk; how many."""
    count = 0
    with _beside(path) as file:
        for one in lines:
            file.write(one + b"\n")
            count += 1
    return count


@contextmanager
def _beside(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes the other's place at the end; after any error it is gone.

    Raises:
        BadFile: It cannot be written.
    """
    try:
        descriptor, name = tempfile.mkstemp(prefix=f"{path.name}.", suffix=".part", dir=path.parent)
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        with suppress(FileNotFoundError):
            Path(name).unlink()


def _unwritable(path: Path, error: OSError) -> BadFile:
    return BadFile(f"{path} cannot be written: {error.strerror}.", "Make room or choose another file.")
