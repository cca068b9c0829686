"""De-duplication: the same key and the same properties change nothing; other properties replace the earlier arrival.

The key is (event, id as received, time, insert id); an event without an insert id is nobody's duplicate. Candidates are found
by time and 32 bits of a hash, within the batch's stretch of time; then keys are compared in full.
"""

from __future__ import annotations

from dataclasses import dataclass

from cornicen.warehouse.database import Database

_HELD = """
CREATE OR REPLACE TEMP TABLE held AS
WITH keyed AS MATERIALIZED (
  SELECT time, key_of(event, distinct_id, time, insert_id) AS key FROM incoming WHERE insert_id IS NOT NULL),
candidates AS MATERIALIZED (
  SELECT e.load, e.event, e.distinct_id, e.time, e.insert_id, e.properties, e.key
  FROM events e SEMI JOIN keyed k ON e.time = k.time AND e.key = k.key
  WHERE e.time BETWEEN $low AND $high)
SELECT c.* FROM candidates c SEMI JOIN incoming i
  ON i.time = c.time AND i.insert_id = c.insert_id AND i.event = c.event AND i.distinct_id = c.distinct_id
"""

_SUSPECT = """
CREATE OR REPLACE TEMP TABLE suspect AS
SELECT time, key FROM (
  SELECT time, key_of(event, distinct_id, time, insert_id) AS key FROM incoming WHERE insert_id IS NOT NULL
  UNION ALL SELECT time, key FROM held)
GROUP BY time, key HAVING count(*) > 1
"""

# A row of the same key as the one before it is `same` when its properties are too. The last row that is not decides.
_FATES = """
CREATE OR REPLACE TEMP TABLE fates AS
WITH candidates AS (
  SELECT load, true AS old, event, distinct_id, time, insert_id, properties FROM held
  UNION ALL
  SELECT i.load, false, i.event, i.distinct_id, i.time, i.insert_id, i.properties
  FROM incoming i JOIN suspect s ON s.time = i.time AND s.key = key_of(i.event, i.distinct_id, i.time, i.insert_id)),
lines AS (
  SELECT load, old, event, distinct_id, time, insert_id,
         lag(load) OVER line AS before,
         coalesce(properties = lag(properties) OVER line, false) AS same
  FROM candidates WINDOW line AS (PARTITION BY event, distinct_id, time, insert_id ORDER BY load))
SELECT load, old, before, same,
       max(load) FILTER (NOT old AND NOT same) OVER (PARTITION BY event, distinct_id, time, insert_id) AS final
FROM lines
"""

_COUNT = """
SELECT count(*) FILTER (NOT old AND before IS NULL), count(*) FILTER (NOT old AND NOT same AND before IS NOT NULL),
       count(*) FILTER (NOT old AND same), count(*) FILTER (NOT old)
FROM fates
"""


@dataclass(frozen=True)
class Fates:
    """What became of a batch's events.

    Args:
        new: Events of a key not met before, or without a key.
        replaced: Events that took the place of an earlier arrival.
        repeated: Events that were there already.
    """

    new: int
    replaced: int
    repeated: int


def decide(database: Database, rows: int, low: int, high: int) -> Fates:
    """Compare the batch with itself and with what is there.

    It leaves the table ``fates`` (``load``, ``old``, ``final``: the row that stands for its key now, null: none that came
    now) for the rest of the transaction; events of the batch that are not in it are new.

    Args:
        database: Inside a transaction, with ``incoming`` lent.
        rows: Rows of ``incoming``.
        low: Earliest time in it.
        high: Latest time in it.
    """
    database.rows(_HELD, {"low": low, "high": high})
    database.rows(_SUSPECT)
    database.rows(_FATES)
    new, replaced, repeated, looked_at = database.one(_COUNT)
    return Fates(rows - looked_at + new, replaced, repeated)


def supersede(database: Database, columns: list[str]) -> None:
    """Move the events that were replaced to where they can still be asked about.

    Args:
        database: After `decide`, in its transaction.
        columns: All columns of ``events``.
    """
    [replaced] = database.one("SELECT count(*) FROM fates WHERE old AND final IS NOT NULL")
    if not replaced:
        return
    listed = ", ".join(columns)
    database.rows(
        f"INSERT INTO superseded ({listed}, until_load) "
        f"SELECT {', '.join(f'e.{column}' for column in columns)}, f.final "
        "FROM events e JOIN fates f ON f.load = e.load WHERE f.old AND f.final IS NOT NULL"
    )
    database.rows("DELETE FROM events WHERE load IN (SELECT load FROM fates WHERE old AND final IS NOT NULL)")
