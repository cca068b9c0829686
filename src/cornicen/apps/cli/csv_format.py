"""CSV files as records for the door: rows are events or profiles."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC
from typing import IO

import msgspec

from cornicen.apps.cli.formats import ENGAGE, IMPORT, KEPT, Records, Rejected, Taken, key_of
from cornicen.errors import BadFile
from cornicen.events import values

IDS = ("distinct_id", "$distinct_id", "$user_id", "$device_id")
"""Columns of a CSV file that say whose a row is."""

NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?")
"""A cell that is a JSON number; ``00123`` is a text."""

Convert = Callable[[dict[str, str], int], dict[str, object]]


def csv_rows(file: IO[bytes], token: str) -> tuple[str, Records]:
    """A CSV file with a header line.

    With the columns ``event`` and ``time`` its rows are events, else profiles. Whose they are stands in ``distinct_id``,
    ``$user_id`` or ``$device_id``; all other columns are properties. An empty cell is a missing property; one that is a
    JSON number, ``true`` or ``false`` is that; everything else is text. ``time`` is ISO-8601 or Unix seconds or
    milliseconds.

    Returns:
        The route, and the records.

    Raises:
        BadFile: There is no header, or it names nobody's id.
    """
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
    rows = csv.DictReader(text)
    columns = list(rows.fieldnames or ())
    ids, events = [name for name in IDS if name in columns], "event" in columns
    if not ids or (events and "time" not in columns):
        text.detach()
        wanted = "`time`" if ids else "one of distinct_id, $user_id, $device_id"
        raise BadFile(f"The CSV file's header has no column {wanted}.", "Add a header line with event, time and distinct_id.")
    return (IMPORT if events else ENGAGE), _all_rows(text, rows, _event_of if events else _profile_of(token))


def _all_rows(text: io.TextIOWrapper, rows: csv.DictReader[str], convert: Convert) -> Records:
    try:
        yield from _rows(rows, convert)
    finally:
        text.detach()  # else the file, which is not ours, is closed with the wrapper


def _rows(rows: csv.DictReader[str], convert: Convert) -> Records:
    while True:
        line = rows.line_num + 1
        try:
            row = next(rows, None)
        except csv.Error as error:
            yield Rejected(line, f"Is no CSV: {error}.", "")
            continue
        if row is None:
            return
        shown = _plain(",".join(str(value) for value in row.values()))
        if None in row or None in row.values():
            yield Rejected(line, "Has another number of cells than the header.", shown)
            continue
        try:
            record = msgspec.json.encode(convert({name: text for name, text in row.items() if text}, line))
        except UnicodeEncodeError:
            yield Rejected(line, "Is not UTF-8.", shown)
        except BadFile as error:
            yield Rejected(line, error.what, shown)
        else:
            yield Taken(line, record)


def _event_of(cells: dict[str, str], line: int) -> dict[str, object]:
    event, time = cells.pop("event", ""), cells.pop("time", "")
    if not event:
        raise BadFile("Is no event: `event` is empty.")
    key = cells.pop("$insert_id", "") or key_of(line, repr((event, time, cells)).encode("utf-8", "surrogateescape")).decode()
    named = {name: cells.pop(name) for name in IDS if name in cells}
    typed = {name: _typed(text) for name, text in cells.items()}
    return {"event": event, "properties": {**typed, **named, "time": _time(time), "$insert_id": key}}


def _profile_of(token: str) -> Convert:
    def convert(cells: dict[str, str], _line: int) -> dict[str, object]:
        named = [cells.pop(name) for name in IDS if name in cells]
        if not named:
            raise BadFile("Is no profile: nobody's id stands in it.")
        return {"$token": token, "$distinct_id": named[0], "$set": {name: _typed(text) for name, text in cells.items()}}

    return convert


def _typed(text: str) -> str | msgspec.Raw:
    """A cell as JSON has it; a number keeps its literal, so that nothing is rounded here."""
    return msgspec.Raw(text.encode()) if text in {"true", "false"} or NUMBER.fullmatch(text) else text


def _time(text: str) -> int | msgspec.Raw:
    """Unix seconds or milliseconds, as the door takes them."""
    if NUMBER.fullmatch(text):
        return msgspec.Raw(text.encode())
    moment = values.instant(text, UTC)
    if moment is None:
        raise BadFile(f"Is no event: `time` is no instant: {text!r}.")
    return moment // 1_000 if moment % 1_000_000 else moment // 1_000_000


def _plain(text: str) -> str:
    return text[:KEPT].encode("utf-8", "surrogateescape").decode("utf-8", "replace")
