"""De-duplication: which events of a batch were there already, and which take the place of an earlier arrival.

Where the newest arrival replaces, the key is (event, id as received, time, insert id), and the same properties change nothing.
Where the first stays, it is (device, or the user where there is none, and insert id) within `WITHIN`. An event without an
insert id is nobody's duplicate. Suspects are found by a hash of the key (`cornicen.warehouse.key_days`); here keys are compared
in full.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cornicen.warehouse.database import Database
from cornicen.warehouse.stored import COPY, TABLES

WITHIN = 7 * 86_400_000_000
"""Microseconds between two events under one insert id for them to be one, where the first stays; Amplitude's seven days."""

_HELD = """
CREATE OR REPLACE TEMP TABLE held AS
WITH candidates AS MATERIALIZED (
  SELECT e.load, e.event, e.distinct_id, e.time, e.insert_id, e.device, e.properties, e.key
  FROM ({stored}) e SEMI JOIN suspicious s ON e.key = s.key
  WHERE e.time BETWEEN $low AND $high)
SELECT c.* FROM candidates c SEMI JOIN suspicious s
  ON s.insert_id = c.insert_id AND coalesce(s.device, '') = coalesce(c.device, '') AND (s.device IS NULL) = (c.device IS NULL)
  AND (s.device IS NOT NULL OR (s.time = c.time AND s.event = c.event AND s.distinct_id = c.distinct_id))
"""

# A row of the same key as the one before it is `same` when its properties are too. The last row that is not decides.
_FATES = """
CREATE OR REPLACE TEMP TABLE fates AS
WITH candidates AS (
  SELECT load, true AS old, event, distinct_id, time, insert_id, properties FROM held WHERE device IS NULL
  UNION ALL
  SELECT load, false, event, distinct_id, time, insert_id, properties FROM suspicious WHERE device IS NULL),
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
SELECT count(*) FILTER (NOT old AND NOT same AND before IS NOT NULL), count(*) FILTER (NOT old AND same) FROM fates
"""

_FIRSTS = """
SELECT device, insert_id, time, load, old FROM (
  SELECT device, insert_id, time, load, true AS old FROM held WHERE device IS NOT NULL
  UNION ALL SELECT device, insert_id, time, load, false FROM suspicious WHERE device IS NOT NULL)
ORDER BY device, insert_id, load
"""


@dataclass(frozen=True)
class Fates:
    """What became of a batch's events.

    Args:
        new: Events of a key not met before, or without a key.
        replaced: Events that took the place of an earlier arrival.
        repeated: Events that were there already.
        dropped: Sequence numbers of the events that are not to be kept: repeated, or replaced within the batch.
    """

    new: int
    replaced: int = 0
    repeated: int = 0
    dropped: frozenset[int] = field(default=frozenset())


def decide(database: Database, incoming: pa.Table, suspects: npt.NDArray[np.bool_], stored: str) -> Fates:
    """Compare a batch with itself and with what is there.

    It leaves the table ``fates`` for `supersede`, where there are suspects.

    Args:
        database: Inside a transaction.
        incoming: The batch's rows of ``events``.
        suspects: Of these rows, those whose key another row of the batch, or one that is there, may have.
        stored: SQL of all rows that are there, with the columns of ``events``.
    """
    rows = incoming.num_rows
    if not suspects.any():
        return Fates(rows)
    columns = ["load", "event", "distinct_id", "time", "insert_id", "device", "properties", "key"]
    suspicious = incoming.select(columns).filter(pa.array(suspects))
    times = suspicious["time"].to_numpy()
    low, high = int(times.min()), int(times.max())
    if suspicious["device"].null_count < len(times):
        low, high = low - WITHIN, high + WITHIN
    with database.lent(suspicious=suspicious):
        database.rows(_HELD.format(stored=stored), {"low": low, "high": high})
        database.rows(_FATES)
        repeats = list(_repeats(database.rows(_FIRSTS)))
    replaced, same = database.one(_COUNT)
    dropped = {load for (load,) in database.rows("SELECT load FROM fates WHERE NOT old AND load IS DISTINCT FROM final")}
    repeated = same + len(repeats)
    return Fates(rows - replaced - repeated, replaced, repeated, frozenset(dropped.union(repeats)))


def _repeats(lines: Iterable[tuple[str, str, int, int, bool]]) -> Iterable[int]:
    """Of rows whose first arrival stays, ordered by key and arrival: those of the batch that come to nothing."""
    key: tuple[str, str] | None = None
    kept: list[int] = []
    for device, insert_id, time, load, old in lines:
        if (device, insert_id) != key:
            key, kept = (device, insert_id), []
        if not old and any(abs(time - one) < WITHIN for one in kept):
            yield load
        else:
            kept.append(time)


def supersede(database: Database, columns: list[str]) -> None:
    """Move the events that were replaced to where they can still be asked about.

    Args:
        database: After `decide` found suspects, in its transaction.
        columns: All columns of ``events``.
    """
    [replaced] = database.one("SELECT count(*) FROM fates WHERE old AND final IS NOT NULL")
    if not replaced:
        return
    listed = ", ".join(columns)
    of_event = ", ".join(f"e.{column}" for column in columns)
    low, high = database.one("SELECT min(time), max(time) FROM held")
    between = f"time BETWEEN {low} AND {high}"
    for table in TABLES:
        database.rows(
            f"INSERT INTO superseded ({listed}, until_load) SELECT {of_event}, f.final "
            f"FROM {table} e JOIN fates f ON f.load = e.load WHERE e.{between} AND f.old AND f.final IS NOT NULL"
        )
    for table in (*TABLES, COPY):
        gone = "SELECT load FROM fates WHERE old AND final IS NOT NULL"
        database.rows(f"DELETE FROM {table} WHERE {between} AND load IN ({gone})")
