"""Which properties have typed columns, and how one gets them: all rows read once, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo
from typing import Any

import pyarrow as pa

from cornicen.warehouse.database import Database
from cornicen.warehouse.properties import EVENT, PROFILE, UNREADABLE, Chooser, Chosen, column_types, typed_columns
from cornicen.warehouse.schema import meta, set_meta
from cornicen.warehouse.stored import COPY, copy_anew

TABLES = {EVENT: ("events", "superseded", "settled"), PROFILE: ("profiles", "profile_history")}
"""Tables with JSON in them; a closed day's copy for persons has only the columns."""

STEP = 200_000
"""Rows read and written at a time."""

LISTS = "lists_found"


class Catalogue:
    """The properties that have typed columns.

    Args:
        database: Open, with its schema.
        zone: The project's. Where it has changed since the columns were filled, they are filled anew.
    """

    def __init__(self, database: Database, zone: tzinfo) -> None:
        self._database = database
        self.zone = zone
        self._read()
        if (then := meta(database, "zone")) != str(zone):
            with database.transaction():
                set_meta(database, "zone", str(zone))
                for owner, ids in self.ids.items():
                    if then is not None and ids:
                        self._fill(owner, ids)

    def _read(self) -> None:
        self.ids: dict[str, dict[str, int]] = {EVENT: {}, PROFILE: {}}
        for id_, owner, name in self._database.rows("SELECT id, owner, name FROM property ORDER BY id"):
            self.ids[owner][name] = id_
        self.choosers = {owner: Chooser(list(ids)) for owner, ids in self.ids.items()}

    def columns(self, owner: str) -> list[str]:
        """The names of all typed columns of an owner's rows."""
        return list(_kinds(owner, self.ids[owner]))

    def typed(self, owner: str, chosen: Sequence[Chosen]) -> dict[str, pa.Array[Any]]:
        """All typed columns of some rows, from what this owner's chooser took out of them."""
        return typed_columns(self.choosers[owner], chosen, self.ids[owner], owner, self.zone)

    def add(self, owner: str, names: Iterable[str]) -> None:
        """Make typed columns for the properties that have none, filled from the stored JSON.

        All or nothing: after a crash it has not begun. Twice: does nothing.
        """
        new = sorted(set(names) - self.ids[owner].keys())
        if not new:
            return
        [last] = self._database.one("SELECT coalesce(max(id), 0) FROM property")
        ids = {name: id_ for id_, name in enumerate(new, last + 1)}
        with self._database.transaction():
            for table in (*TABLES[owner], *([COPY] if owner == EVENT else [])):
                for column, kind in _kinds(owner, ids).items():
                    self._database.rows(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
            self._fill(owner, ids)
            for name, id_ in ids.items():
                self._database.rows("INSERT INTO property VALUES (?, ?, ?)", [id_, owner, name])
        self._read()

    def _fill(self, owner: str, ids: dict[str, int]) -> None:
        for table in TABLES[owner]:
            self._fill_table(table, owner, ids)
        if owner == EVENT:
            copy_anew(self._database)

    def _fill_table(self, table: str, owner: str, ids: dict[str, int]) -> None:
        """Read every row whose JSON can hold one of the properties: DuckDB only looks for their names, it reads no value.

        Lists are written last: DuckDB moves a row whose list it changes, and moved rows would be met again.
        """
        database = self._database
        kinds = _kinds(owner, ids)
        lists = {column: kind for column, kind in kinds.items() if column.endswith("_l")}
        shape = ", ".join(f"{column} {kind}" for column, kind in lists.items())
        database.rows(f"CREATE OR REPLACE TEMP TABLE {LISTS} (row BIGINT, {shape})")
        chooser = Chooser(list(ids))
        first, last = database.one(f"SELECT coalesce(min(rowid), 0), coalesce(max(rowid), -1) FROM {table}")
        for start in range(first, last + 1, STEP):
            found = database.arrow(
                f"SELECT rowid AS row, properties FROM {table} WHERE rowid BETWEEN $first AND $last AND "
                "(contains(properties, '\\') OR list_bool_or([contains(properties, name) FOR name IN $names]))",
                {"first": start, "last": start + STEP - 1, "names": [f'"{name}"' for name in ids]},
            )
            texts: list[str] = found["properties"].to_pylist()  # type: ignore[assignment] # the column has no nulls
            chosen = _choose(chooser, texts)
            with database.lent(filled=pa.table({"row": found["row"], **typed_columns(chooser, chosen, ids, owner, self.zone)})):
                self._set(table, "filled", kinds.keys() - lists.keys())
                any_list = " OR ".join(f"{column} IS NOT NULL" for column in lists)
                database.rows(f"INSERT INTO {LISTS} SELECT row, {', '.join(lists)} FROM filled WHERE {any_list}")
        self._set(table, LISTS, lists)
        database.rows(f"DROP TABLE {LISTS}")

    def _set(self, table: str, source: str, columns: Iterable[str]) -> None:
        sets = ", ".join(f"{column} = {source}.{column}" for column in columns)
        self._database.rows(f"UPDATE {table} SET {sets} FROM {source} WHERE {table}.rowid = {source}.row")


def _kinds(owner: str, ids: Mapping[str, int]) -> dict[str, str]:
    return {column: kind for id_ in ids.values() for column, kind in column_types(owner, id_).items()}


def _choose(chooser: Chooser, texts: list[str]) -> list[Chosen]:
    """What is no JSON object has none of the fields."""
    try:
        return chooser.choose(texts)
    except UNREADABLE:
        return [one for text in texts for one in (_choose(chooser, [text]) if len(texts) > 1 else chooser.choose(["{}"]))]
