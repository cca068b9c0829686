"""The newest events, and those that came after them: what `cornicen events tail` follows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from cornicen.warehouse.database import Database
from cornicen.warehouse.stored import union

COLUMNS = ("load", "event", "time", "arrived", "insert_id", "properties", "person")


def tail(
    database: Database, after: int | None, limit: int, event: str = "", numbers: Sequence[int] | None = None
) -> list[dict[str, Any]]:
    """Events in the loader's order.

    Args:
        database: Open.
        after: A sequence number: those that came after it, oldest first. None: the newest.
        limit: How many at most.
        event: Only those of this name; "": of any.
        numbers: Only those of these persons; None: of anybody.

    Returns:
        ``{load, event, time, arrived, insert_id, properties, person}``, ascending; ``person`` is the canonical
        name, "" nobody's.
    """
    where = " AND ".join(
        [
            f"load > {after if after is not None else -1}",
            *(["event = $event"] if event else []),
            *(["person IN (SELECT unnest($numbers))"] if numbers is not None else []),
        ]
    )
    order = "load" if after is not None else "load DESC"
    parameters: dict[str, object] = {"limit": limit}
    if event:
        parameters["event"] = event
    if numbers is not None:
        parameters["numbers"] = list(numbers)
    found = database.rows(
        f"SELECT {', '.join(COLUMNS)} FROM ({union(COLUMNS, where)}) ORDER BY {order} LIMIT $limit", parameters
    )
    names = _names(database, {row[-1] for row in found if row[-1] is not None})
    rows = [dict(zip(COLUMNS, (*row[:-2], json.loads(row[-2]), names.get(row[-1], "")), strict=True)) for row in found]
    return rows if after is not None else rows[::-1]


def _names(database: Database, persons: set[int]) -> dict[int, str]:
    """The canonical name behind each number."""
    rows = database.rows(
        """
        WITH asked AS (
          SELECT p.person, coalesce(m.canonical, p.person) AS canonical
          FROM (SELECT unnest($persons) AS person) p
          LEFT JOIN (SELECT person, canonical FROM merges WHERE until IS NULL) m ON m.person = p.person)
        SELECT a.person, n.name FROM asked a JOIN names n ON n.person = a.canonical AND NOT n.linked
        """,
        {"persons": sorted(persons)},
    )
    return dict(rows)
