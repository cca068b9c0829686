"""Where events lie: lately come ones in ``events``, those of closed days in ``settled``, and again in ``by_person``."""

from __future__ import annotations

from collections.abc import Sequence

from cornicen.warehouse.database import Database

DAY = 86_400_000_000
"""Microseconds of a UTC day."""

TABLES = ("events", "settled")
"""Every event lies in one of these."""

COPY = "by_person"
"""Every event of somebody's that lies in ``settled`` lies here too."""

NARROW = ("distinct_id", "insert_id", "key", "failure", "arrived", "properties", "device")
"""Columns of ``events`` that `COPY` lacks."""


def day_of(time: str) -> str:
    """SQL: the UTC day of a time, counted from 1970; DuckDB's ``//`` would round those before it towards 1970."""
    return f"CASE WHEN {time} >= 0 THEN {time} // {DAY} ELSE -((-({time} + 1)) // {DAY}) - 1 END"


def columns(database: Database, table: str = "events") -> list[str]:
    """A table's columns, in its order."""
    return [row[1] for row in database.rows(f"PRAGMA table_info('{table}')")]


def union(listed: Sequence[str], where: str = "true") -> str:
    """SQL: some columns of all events, wherever they lie."""
    names = ", ".join(listed)
    return " UNION ALL ".join(f"SELECT {names} FROM {table} WHERE {where}" for table in TABLES)


def copy_anew(database: Database) -> None:
    """Fill ``by_person`` again from ``settled``, stretch by stretch; for when columns were added or filled anew.

    Inside a transaction. Twice: the same.
    """
    database.rows(f"DELETE FROM {COPY}")
    for (stretch,) in database.rows("SELECT DISTINCT stretch FROM days ORDER BY stretch"):
        copy(database, [day for (day,) in database.rows("SELECT day FROM days WHERE stretch = ?", [stretch])])


def copy(database: Database, days: Sequence[int], source: str = "settled") -> None:
    """Append the events of some days to ``by_person``, in its order."""
    listed = ", ".join(columns(database, COPY))
    database.rows(
        f"INSERT INTO {COPY} ({listed}) SELECT {listed} FROM {source} WHERE {on(days)} AND person IS NOT NULL "
        "ORDER BY person, time, load"
    )


def on(days: Sequence[int]) -> str:
    """SQL: whether an event lies on one of these days; the bounds stand alone too, where a scan can prune by them."""
    low, high = max(min(days) * DAY, -(2**63)), min((max(days) + 1) * DAY - 1, 2**63 - 1)
    between = f"time >= {low} AND time <= {high}"
    if max(days) - min(days) + 1 == len(set(days)):
        return f"({between})"
    return f"({between} AND {day_of('time')} IN ({', '.join(map(str, days))}))"
