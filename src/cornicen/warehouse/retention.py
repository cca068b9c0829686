"""Retention: whole UTC days of events are deleted when they are older than a project keeps them.

Persons, names and profiles stay. Whoever has neither event nor profile left is not a known person any more: an answer is the
same as if the deleted events had never come. An event that arrives for a deleted day is to be refused as `TOO_OLD`: taken, it
would be deleted at the next turn, and until then nothing would know its repetitions.
"""

from __future__ import annotations

from cornicen.warehouse.database import Database
from cornicen.warehouse.key_days import KeyDays
from cornicen.warehouse.relations import merges
from cornicen.warehouse.stored import COPY, DAY, TABLES, union

TOO_OLD = "older_than_retention"
"""The reason under which a record is refused whose time lies before the `horizon`."""


def horizon(days: int, now: int) -> int | None:
    """The first microsecond that is kept: the start of a UTC day.

    Args:
        days: How many whole days before today are kept; 0: all.
        now: Microseconds since 1970 UTC.

    Returns:
        None: everything is kept.
    """
    return None if days <= 0 else (now // DAY - days) * DAY


def retain(database: Database, keys: KeyDays, days: int, now: int) -> int:
    """Delete the events of days that are older than is kept, in one transaction, and then their keys.

    Args:
        database: Open, between batches.
        keys: Its index. After a crash between the two it has keys of no event, which do no harm, until the next call.
        days: As for `horizon`.
        now: Likewise.

    Returns:
        How many events went; what had been replaced by later arrivals is not counted.

    Twice: deletes nothing.
    """
    first = horizon(days, now)
    if first is None:
        return 0
    old = f"time < {first}"
    [gone] = database.one(f"SELECT count(*) FROM ({union(['load'], old)}) AS e")
    [replaced] = database.one(f"SELECT count(*) FROM superseded WHERE {old}")
    if gone or replaced:
        with database.transaction():
            for table in (*TABLES, COPY, "superseded"):
                database.rows(f"DELETE FROM {table} WHERE {old}")
            database.rows("DELETE FROM days WHERE day < $day", {"day": first // DAY})
            _first_again(database, first)
    keys.forget(first)
    return int(gone)


def _first_again(database: Database, first: int) -> None:
    """Whose first event is deleted has another first, or none."""
    database.rows(
        f"""
        CREATE OR REPLACE TEMP TABLE earliest_left AS
        SELECT coalesce(m.canonical, e.person) AS person, min(e.time) AS first
        FROM ({union(["person", "time"], "person IS NOT NULL")}) AS e LEFT JOIN {merges(None)} AS m ON m.person = e.person
        GROUP BY 1
        """
    )
    database.rows("UPDATE persons SET first = NULL WHERE first < $first", {"first": first})
    database.rows(
        "UPDATE persons SET first = l.first FROM earliest_left l WHERE l.person = persons.person AND persons.first IS NULL"
    )
    database.rows("DROP TABLE earliest_left")
