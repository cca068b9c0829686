"""CSV files as records for the door: rows are events or profiles."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from typing import IO

import msgspec

from cornicen.apps.cli.columns import IDS, event_of, profile_of, route_of, time_of
from cornicen.apps.cli.formats import ENGAGE, KEPT, Records, Rejected, Taken, key_of
from cornicen.errors import BadFile

NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?")
"""A cell that is a JSON number; ``00123`` is a text."""

Convert = Callable[[dict[str, str], int], bytes]


def csv_rows(file: IO[bytes], token: str, after: int = 0) -> tuple[str, Records]:
    """A CSV file with a header line.

    With the columns ``event`` and ``time`` its rows are events, else profiles. Whose they are stands in ``distinct_id``,
    ``$user_id`` or ``$device_id``; all other columns are properties. An empty cell is a missing property; one that is a
    JSON number, ``true`` or ``false`` is that; everything else is text. ``time`` is ISO-8601 or Unix seconds or
    milliseconds.

    Args:
        file: At its beginning.
        token: The project's.
        after: Rows that begin before the next line are passed over.

    Returns:
        The route, and the records.

    Raises:
        BadFile: There is no header, or it names nobody's id.
    """
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
    rows = csv.DictReader(text)
    try:
        route = route_of(list(rows.fieldnames or ()), "CSV")
    except BadFile:
        text.detach()
        raise
    convert = _profile_by(token) if route == ENGAGE else _event
    return route, _all_rows(text, rows, convert, after)


def _all_rows(text: io.TextIOWrapper, rows: csv.DictReader[str], convert: Convert, after: int) -> Records:
    try:
        yield from _rows(rows, convert, after)
    finally:
        text.detach()  # else the file, which is not ours, is closed with the wrapper


def _rows(rows: csv.DictReader[str], convert: Convert, after: int) -> Records:
    while True:
        line, problem = rows.line_num + 1, ""
        row: dict[str, str] | None = {}
        try:
            row = next(rows, None)
        except csv.Error as error:
            problem = f"Is no CSV: {error}."
        if row is None:
            return
        if line > after:
            yield Rejected(line, problem, "") if problem else _record(row, line, convert)


def _record(row: dict[str, str], line: int, convert: Convert) -> Taken | Rejected:
    if None in row or None in row.values():
        return Rejected(line, "Has another number of cells than the header.", _shown(row))
    try:
        return Taken(line, convert({name: text for name, text in row.items() if text}, line))
    except UnicodeEncodeError:
        return Rejected(line, "Is not UTF-8.", _shown(row))
    except BadFile as error:
        return Rejected(line, error.what, _shown(row))


def _event(cells: dict[str, str], line: int) -> bytes:
    event, time = cells.pop("event", ""), cells.pop("time", "")
    key = cells.pop("$insert_id", "") or _key(line, (event, time, cells))
    return event_of(event, _time(time), key, _typed(cells))


def _profile_by(token: str) -> Convert:
    return lambda cells, line: profile_of(_typed(cells), token, _key(line, cells))


def _key(line: int, of: object) -> str:
    return key_of(line, repr(of).encode("utf-8", "surrogateescape"))


def _typed(cells: dict[str, str]) -> dict[str, object]:
    """Cells as JSON has them; a number keeps its literal, so that nothing is rounded here; ids stay text."""
    return {name: text if name in IDS or not _is_json(text) else msgspec.Raw(text.encode()) for name, text in cells.items()}


def _is_json(text: str) -> bool:
    return text in {"true", "false"} or NUMBER.fullmatch(text) is not None


def _time(text: str) -> int | msgspec.Raw:
    """Unix seconds or milliseconds, as the door takes them."""
    return msgspec.Raw(text.encode()) if NUMBER.fullmatch(text) else time_of(text)


def _shown(row: dict[str, str]) -> str:
    """As much of a row as is kept."""
    text = ",".join(str(value) for value in row.values())
    return text[:KEPT].encode("utf-8", "surrogateescape").decode("utf-8", "replace")
