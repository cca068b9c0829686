"""CSV files as records for the door: rows are events or profiles."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from typing import IO

import msgspec

from cornicen.apps.cli.columns import IDS, event_of, mendable, profile_of, route_of, time_of
from cornicen.apps.cli.formats import ENGAGE, Records, Rejected, Taken, key_of
from cornicen.errors import BadFile

NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?")
"""A cell that is a JSON number; ``00123`` is a text."""

MORE = "(more cells)"
"""The property that holds what a rejected row has beyond its header."""

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
    return route, _all_rows(text, rows, _Row(route, token), after)


def _all_rows(text: io.TextIOWrapper, rows: csv.DictReader[str], row: _Row, after: int) -> Records:
    try:
        yield from _rows(rows, row, after)
    finally:
        text.detach()  # else the file, which is not ours, is closed with the wrapper


def _rows(rows: csv.DictReader[str], row: _Row, after: int) -> Records:
    while True:
        line, problem = rows.line_num + 1, ""
        cells: dict[str, str] | None = {}
        try:
            cells = next(rows, None)
        except csv.Error as error:
            problem = f"Is no CSV: {error}."
        if cells is None:
            return
        if line > after:
            yield Rejected(line, problem, "") if problem else row.record(cells, line)


class _Row:
    """What the rows of a file become.

    Args:
        route: Where they go.
        token: The project's.
    """

    def __init__(self, route: str, token: str) -> None:
        self._route = route
        self._convert: Convert = _profile_by(token) if route == ENGAGE else _event

    def record(self, row: dict[str, str], line: int) -> Taken | Rejected:
        """One row, as `csv.DictReader` has it."""
        if None in row or None in row.values():
            return self._rejected(row, line, "Has another number of cells than the header.")
        try:
            return Taken(line, self._convert({name: text for name, text in row.items() if text}, line))
        except UnicodeEncodeError:
            return self._rejected(row, line, "Is not UTF-8.")
        except BadFile as error:
            return self._rejected(row, line, error.what)

    def _rejected(self, row: dict[str, str], line: int, reason: str) -> Rejected:
        more = [_readable(text) for text in row.get(None, ())]  # type: ignore[call-overload] # what is beyond the header
        cells = {_readable(name): _readable(text) for name, text in row.items() if name is not None and text}
        key = cells.pop("$insert_id", "") or _key(line, sorted(cells.items()))
        event = {"event": cells["event"]} if "event" in cells else {}
        beyond = {MORE: more} if more else {}
        return Rejected(line, reason, mendable(self._route, {**_typed(cells), **event, **beyond}, key))


def _readable(text: str) -> str:
    """A cell with marks where it is not UTF-8."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


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
