"""Parquet files as records for the door: rows are events or profiles, their columns as in a CSV file."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from cornicen.apps.cli.columns import IDS, event_of, mendable, profile_of, route_of, time_of
from cornicen.apps.cli.formats import ENGAGE, BrokenOff, Records, Rejected, Taken, key_of
from cornicen.errors import BadFile

if TYPE_CHECKING:
    from pyarrow import Schema
    from pyarrow.parquet import ParquetFile

ROWS = 10_000
"""Rows that are held at the same time."""

Convert = Callable[[dict[str, object], int], bytes]


def parquet_rows(file: IO[bytes], token: str, after: int = 0) -> tuple[str, Records, int]:
    """A Parquet file, its columns as in `csv_format.csv_rows`.

    Values have the type they have there: a text that spells a number stays a text; null, NaN and the infinities are missing
    properties; times and dates become ISO-8601 text, in UTC if they name a zone; lists, structs and maps become JSON lists and
    objects. ``time`` is a timestamp (UTC if it names no zone), a date, ISO-8601 text, or Unix seconds or milliseconds.

    Args:
        file: It must be one that can be sought in.
        token: The project's.
        after: So many rows are passed over.

    Returns:
        The route, the records (a record's line is its row, counted from 1), and how many rows there are.

    Raises:
        BadFile: It is damaged or no Parquet file, or names nobody's id.
    """
    from pyarrow.parquet import ParquetFile

    try:
        with _sound():
            table = ParquetFile(file)
            columns = table.schema_arrow.names
    except BrokenOff as error:
        raise BadFile(f"It is a damaged Parquet file, or none: {error}. Nothing of it was taken.", "Make it anew.") from error
    route = route_of(columns, "Parquet")
    convert = _profile_by(token) if route == ENGAGE else _event
    return route, _records(table, convert, route, after), table.metadata.num_rows


@contextmanager
def _sound() -> Iterator[None]:
    from pyarrow import ArrowException

    try:
        yield
    except (ArrowException, OSError, ValueError, OverflowError) as error:  # the last two: an instant that Python has not
        raise BrokenOff(str(error).rstrip(".")) from error


def _records(table: ParquetFile, convert: Convert, route: str, after: int) -> Records:
    for number, cells in _rows(table, after):
        try:
            yield Taken(number, convert({name: value for name, value in cells.items() if value is not None}, number))
        except BadFile as error:
            yield Rejected(number, error.what, mendable(route, *_readable(cells, number)))


def _readable(cells: Mapping[str, object], row: int) -> tuple[dict[str, object], str]:
    """A rejected row's cells as JSON has them, what it has not as text; and its key."""
    found: dict[str, object] = {}
    for name, value in cells.items():
        try:
            found |= _cells({name: value}) if value is not None else {}
        except BadFile:
            found[name] = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    given = found.pop("$insert_id", None)
    return found, str(given) if given else key_of(row, repr(cells).encode("utf-8", "backslashreplace"))


def _rows(table: ParquetFile, after: int) -> Iterator[tuple[int, dict[str, object]]]:
    """Rows after so many; whole row groups before them are not read. Raises: BrokenOff."""
    behind, exact = 0, _in_microseconds(table.schema_arrow)
    for group in range(table.num_row_groups):
        rows = table.metadata.row_group(group).num_rows
        if behind + rows > after:
            with _sound():
                for whole in table.iter_batches(ROWS, row_groups=[group]):
                    batch = whole.cast(exact, safe=False)
                    if behind + len(batch) > after:
                        start = max(0, after - behind)
                        yield from enumerate(batch.slice(start).to_pylist(maps_as_pydicts="lossy"), behind + start + 1)
                    behind += len(batch)
        else:
            behind += rows


def _in_microseconds(schema: Schema) -> Schema:
    """The same with instants that are no finer than ours."""
    import pyarrow as pa

    def finest(kind: pa.DataType) -> pa.DataType:
        return pa.timestamp("us", kind.tz) if pa.types.is_timestamp(kind) and kind.unit == "ns" else kind

    return pa.schema([column.with_type(finest(column.type)) for column in schema])


def _profile_by(token: str) -> Convert:
    return lambda cells, row: profile_of(_cells(cells), token, key_of(row, repr(cells).encode("utf-8", "backslashreplace")))


def _event(cells: dict[str, object], row: int) -> bytes:
    shown = repr(cells).encode("utf-8", "backslashreplace")
    event, moment, given = cells.pop("event", None), cells.pop("time", None), cells.pop("$insert_id", None)
    return event_of(event, _time(moment), str(given) if given else key_of(row, shown), _cells(cells))


def _time(moment: object) -> object:
    """Unix seconds or milliseconds, as the door takes them; text is read as in a CSV file. Raises: BadFile."""
    match moment:
        case int() | float() | Decimal() if (number := _plain(moment)) is not None:
            return number
        case datetime() | date():
            return time_of(str(_plain(moment)))
        case _:
            return time_of(str(moment or ""))


def _cells(cells: Mapping[str, object]) -> dict[str, object]:
    """Cells as JSON has them. Raises: BadFile."""
    found = {name: str(value) if name in IDS else _plain(value) for name, value in cells.items()}
    return {name: value for name, value in found.items() if value is not None}


def _plain(value: Any) -> object:  # noqa: ANN401 - whatever a column can hold
    """A value as JSON has it; None where there is none. Raises: BadFile."""
    if value is None or isinstance(value, bool | int | str):
        return value
    for kinds, convert in CONVERSIONS:
        if isinstance(value, kinds):
            return convert(value)
    raise BadFile(f"Has a value that JSON has not: {type(value).__name__}.")


def _number(value: float | Decimal) -> object:
    if not math.isfinite(value):
        return None
    return msgspec.Raw(f"{value:f}".encode()) if isinstance(value, Decimal) else value


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise BadFile("Has bytes that are no text.") from None


def _instant(value: datetime) -> str:
    return (value.astimezone(UTC) if value.tzinfo else value).isoformat().replace("+00:00", "Z")


CONVERSIONS: tuple[tuple[tuple[type, ...], Callable[[Any], object]], ...] = (
    ((float, Decimal), _number),
    ((datetime,), _instant),
    ((date, time), lambda value: value.isoformat()),
    ((timedelta,), lambda value: value.total_seconds()),
    ((list,), lambda value: [_plain(one) for one in value]),
    ((dict,), lambda value: {str(name): _plain(one) for name, one in value.items()}),
    ((bytes,), _text),
    ((UUID,), str),
)
"""By class, the first that fits; a `datetime` is a `date` too."""
