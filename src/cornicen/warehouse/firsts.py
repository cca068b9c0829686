"""Whose first event is not theirs any more: a later arrival took its place, and by then its name was another person's."""

from __future__ import annotations

import pyarrow as pa

from cornicen.warehouse.database import Database
from cornicen.warehouse.relations import merges
from cornicen.warehouse.stored import union

_LOSERS = f"""
CREATE OR REPLACE TEMP TABLE losers AS
WITH replaced AS (
  SELECT s.person, s.time, f.final
  FROM superseded s JOIN fates f ON f.load = s.load AND f.final = s.until_load
  WHERE f.old AND s.person IS NOT NULL)
SELECT DISTINCT p.person
FROM replaced r
LEFT JOIN {merges(None)} AS m ON m.person = r.person
JOIN events e ON e.load = r.final
LEFT JOIN {merges(None)} AS n ON n.person = e.person
JOIN persons p ON p.person = coalesce(m.canonical, r.person) AND p.first = r.time
WHERE p.person IS DISTINCT FROM coalesce(n.canonical, e.person)
"""

_LEFT = f"""
SELECT l.person, min(e.time) AS first
FROM losers l LEFT JOIN (
  SELECT coalesce(m.canonical, e.person) AS person, e.time
  FROM ({union(["person", "time"], "person IS NOT NULL")}) AS e LEFT JOIN {merges(None)} AS m ON m.person = e.person
) AS e ON e.person = l.person
GROUP BY l.person
"""


def first_again(database: Database) -> pa.Table:
    """Give whoever lost its first event to another person the earliest it has left, or none.

    Args:
        database: In the transaction of a batch, after `cornicen.warehouse.keys.supersede` replaced something, and after events,
            merges and persons were written.

    Returns:
        ``person``, ``first`` (null: it has no event left), for `cornicen.warehouse.persons.Persons.again`. Mostly empty.

    Twice: the second finds nobody.
    """
    database.rows(_LOSERS)
    [losers] = database.one("SELECT count(*) FROM losers")
    if not losers:
        return NOBODY
    left = database.arrow(_LEFT)
    with database.lent(left_over=left):
        database.rows("UPDATE persons SET first = l.first FROM left_over l WHERE l.person = persons.person")
    return left


NOBODY = pa.table({"person": pa.array([], pa.int32()), "first": pa.array([], pa.int64())})
"""Of batches in which nothing was replaced."""
