"""Given lists: names to persons, kept for as long as the process lives."""

from __future__ import annotations

import pyarrow as pa

from cornicen.warehouse.database import Database
from cornicen.warehouse.relations import GIVEN


def give(database: Database, key: str, names: pa.StringArray) -> int:
    """Keep a given list's persons under its key; see `cornicen.flows.ports.Warehouse.give`.

    A name is found under the number it was given, and whose it is now is resolved when it is asked: a list given before two
    persons turned out to be one stays right.
    """
    with database.lent(listed=pa.table({"name": names})), database.transaction():
        database.rows(f"DELETE FROM {GIVEN} WHERE key = $key", {"key": key})
        database.rows(
            f"""
            INSERT INTO {GIVEN}
            SELECT $key, n.person, n.load FROM names n SEMI JOIN listed l ON l.name = n.name
            """,
            {"key": key},
        )
    return int(database.one(f"SELECT count(*) FROM {GIVEN} WHERE key = $key", {"key": key})[0])
