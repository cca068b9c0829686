"""Histories as relations, for engines that ask a database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb
import pyarrow as pa

from cornicen.events.history import Happening, History
from cornicen.events.values import Value
from cornicen.sql.quoting import identifier
from cornicen.sql.tables import Columns, Tables

_SCALARS: dict[str, pa.DataType] = {letter: pa.int64() for letter in "nix"} | {letter: pa.string() for letter in "tf"}
_SCALARS["b"] = pa.bool_()
_TYPES = {"s": pa.bool_(), **_SCALARS, "l": pa.list_(pa.struct([(letter, _SCALARS[letter]) for letter in "ntbixf"]))}

Rows = list[Mapping[str, Value]]


def load(connection: duckdb.DuckDBPyConnection, histories: Mapping[int, History], *, persons: bool = True) -> Tables:
    """Write histories into the connection's database.

    What no person may profit from is written too: events of nobody, and members of given lists whom nobody knows.

    Args:
        connection: Any that may write.
        histories: By person number.
        persons: Whether there is a relation of persons; without, an engine must find them among the events.

    Returns:
        Where everything is. Names of columns need quoting, and only properties that occur have any.

    Twice: the second call's histories take the place of the first's.
    """
    rows = ((person, at) for person, history in histories.items() for at in history.happenings)
    happenings: list[tuple[int | None, Happening]] = [*rows]
    happenings += [(None, at) for _, at in happenings]
    profiles = {person: history.profile for person, history in histories.items() if history.profile is not None}
    event_columns, event_properties = _columns([at.properties for _, at in happenings], 'on "event"')
    profile_columns, profile_properties = _columns(list(profiles.values()), "profile's")
    events = {
        "person": pa.array([person for person, _ in happenings], pa.int32()),
        "event": pa.array([at.name for _, at in happenings], pa.string()),
        "time": pa.array([at.time for _, at in happenings], pa.int64()),
        "load": pa.array([at.load for _, at in happenings], pa.int64()),
    }
    _write(connection, "contract_events", {**events, **event_columns})
    _write(connection, "contract_profiles", {"person": pa.array(list(profiles), pa.int32()), **profile_columns})
    first = [min((at.time for at in history.happenings), default=None) for history in histories.values()]
    _write(
        connection, "contract_persons", {"person": pa.array(list(histories), pa.int32()), "first": pa.array(first, pa.int64())}
    )
    given = [(key, person) for person, history in histories.items() for key in history.given]
    given += [(key, 1_000_000) for key, _ in given]
    keys, members = pa.array([key for key, _ in given], pa.string()), pa.array([person for _, person in given], pa.int32())
    _write(connection, "contract_given", {"key": keys, "person": members})
    return Tables(
        events="contract_events",
        profiles="(select * from contract_profiles)",
        persons="contract_persons" if persons else None,
        given="contract_given",
        event_properties=event_properties,
        profile_properties=profile_properties,
    )


def _write(connection: duckdb.DuckDBPyConnection, name: str, columns: dict[str, Any]) -> None:
    rows = pa.table(columns)
    connection.register("contract_rows", rows)
    connection.execute(f"create or replace table {identifier(name)} as select * from contract_rows").fetchall()
    connection.unregister("contract_rows")


def _columns(rows: Rows, prefix: str) -> tuple[dict[str, Any], dict[str, Columns]]:
    """The typed columns of every property that occurs, and their mapping; two properties of three have only what they need."""
    columns: dict[str, Any] = {}
    mapping: dict[str, Columns] = {}
    for index, name in enumerate(sorted({name for row in rows for name in row})):
        cells = {letter: [_cell(row.get(name), letter) for row in rows] for letter in _TYPES}
        used = [letter for letter, column in cells.items() if index % 3 == 2 or any(cell is not None for cell in column)]
        mapping[name] = Columns(f"{prefix} {index}", "".join(used))
        columns |= {mapping[name].of(letter): pa.array(cells[letter], _TYPES[letter]) for letter in used}
    return columns, mapping


def _cell(value: Value | None, letter: str) -> object:
    """What one column holds for a value."""
    if value is None:
        return None
    if letter == "s":
        return True
    if letter == "l":
        return None if value.items is None else list(map(_item, value.items))
    return _item(value)[letter]


def _item(value: Value) -> dict[str, object]:
    return {
        "n": value.number,
        "t": value.text,
        "b": value.truth,
        "i": value.instant,
        "x": value.spelled,
        "f": value.folded,
    }
