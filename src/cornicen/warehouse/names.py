"""Names to persons, in bulk: the same answers and the same numbers as `cornicen.identity.simplified`.

The rule needs no walk through a batch: a device's link is the first event that carries it with a user, users are never
joined, so everything follows from where each name was first met.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import pyarrow as pa

from cornicen.identity.simplified import TAKEN
from cornicen.warehouse.database import Database

_SIGHTING: list[pa.Field[Any]] = [pa.field("load", pa.int64()), pa.field("user", pa.string()), pa.field("device", pa.string())]
SIGHTING = pa.schema(_SIGHTING)
"""One row a record that names somebody, "" for a name that is not there; both only on events, which then may link."""

# Each step reads only those before it. `alone`: where a device was met without a user. `own`: the number that a device has
# or gets for itself, because it was met alone before it was linked.
STEPS = (
    """
    CREATE OR REPLACE TEMP TABLE met AS
    SELECT name, hash(name) AS hash, min(load) AS load,
           min(load) FILTER (alone) AS alone
    FROM (SELECT "user" AS name, load, false AS alone FROM sightings WHERE "user" <> ''
          UNION ALL SELECT device, load, "user" = '' FROM sightings WHERE device <> '')
    GROUP BY name
    """,
    """
    CREATE OR REPLACE TEMP TABLE known AS
    WITH found AS MATERIALIZED (
      SELECT n.rowid AS row, n.hash, n.name, n.person, n.linked FROM names n SEMI JOIN met ON n.hash = met.hash)
    SELECT met.*, found.row, found.person, coalesce(found.linked, false) AS linked
    FROM met LEFT JOIN found ON found.hash = met.hash AND found.name = met.name
    """,
    """
    CREATE OR REPLACE TEMP TABLE links AS
    SELECT s.device, arg_min(s."user", s.load) AS "user", min(s.load) AS load, any_value(k.row) AS row,
           any_value(k.person) IS NOT NULL OR coalesce(any_value(k.alone) < min(s.load), false) AS owns
    FROM sightings s JOIN known k ON k.name = s.device
    WHERE s."user" <> '' AND s.device <> '' AND NOT k.linked
    GROUP BY s.device
    """,
    """
    CREATE OR REPLACE TEMP TABLE given_numbers AS
    SELECT name, load, CAST($last + row_number() OVER (ORDER BY load) AS INTEGER) AS person
    FROM (
      SELECT k.name, k.load FROM known k
      WHERE k.person IS NULL AND k.alone IS NULL AND k.name NOT IN (SELECT device FROM links)
        AND NOT EXISTS (SELECT 1 FROM links l WHERE l.owns AND l."user" = k.name AND l.load = k.load)
      UNION ALL
      SELECT k.name, k.alone FROM known k LEFT JOIN links l ON l.device = k.name
      WHERE k.person IS NULL AND k.alone IS NOT NULL AND (l.device IS NULL OR l.owns))
    """,
    """
    CREATE OR REPLACE TEMP TABLE numbered AS
    WITH own AS (
      SELECT k.name, coalesce(k.person, g.person) AS person
      FROM known k LEFT JOIN given_numbers g ON g.name = k.name),
    taken_over AS (
      SELECT l."user" AS name, own.person FROM links l
      JOIN known k ON k.name = l."user" AND k.load = l.load AND k.person IS NULL
      JOIN own ON own.name = l.device
      WHERE l.owns)
    SELECT k.name, k.hash, k.load, k.person IS NULL AS new, k.linked AS linked_before,
           coalesce(own.person, t.person) AS person
    FROM known k JOIN own ON own.name = k.name LEFT JOIN taken_over t ON t.name = k.name
    """,
    """
    CREATE OR REPLACE TEMP TABLE linked_now AS
    SELECT l.device, l.row, l.load, d.person AS own, u.person AS "user"
    FROM links l JOIN numbered d ON d.name = l.device JOIN numbered u ON u.name = l."user"
    """,
    """
    CREATE OR REPLACE TEMP TABLE joined AS
    SELECT own AS person, "user" AS canonical, load FROM linked_now WHERE own IS NOT NULL AND own <> "user"
    """,
    """
    CREATE OR REPLACE TEMP TABLE resolved AS
    WITH devices AS (
      SELECT n.name, n.person AS own, n.linked_before, l.load AS linked_at,
             CASE WHEN l.device IS NOT NULL THEN l."user"
                  WHEN n.linked_before THEN coalesce(m.canonical, n.person) END AS owner
      FROM numbered n LEFT JOIN linked_now l ON l.device = n.name LEFT JOIN merges m ON m.person = n.person
      WHERE n.name IN (SELECT device FROM sightings WHERE device <> ''))
    SELECT s.load,
           CASE WHEN s."user" <> '' THEN u.person
                WHEN d.linked_before OR s.load > d.linked_at THEN d.owner
                ELSE d.own END AS person,
           CASE WHEN s."user" <> '' AND s.device <> '' AND d.owner <> u.person THEN $taken END AS failure
    FROM sightings s
    LEFT JOIN numbered u ON u.name = s."user"
    LEFT JOIN devices d ON d.name = s.device
    """,
)

KEEP = (
    "UPDATE names SET linked = true FROM linked_now l WHERE names.rowid = l.row",
    """
    INSERT INTO names
    SELECT n.hash, n.name, coalesce(n.person, l."user"), n.load, l.device IS NOT NULL
    FROM numbered n LEFT JOIN linked_now l ON l.device = n.name
    WHERE n.new ORDER BY n.load
    """,
    "INSERT INTO merges SELECT person, canonical, load FROM joined ORDER BY load",
)


def resolve(database: Database, sightings: pa.Table, last: int) -> int:
    """Say whose each record is, number whom it met first, and keep what was learnt.

    It leaves these tables for the rest of the transaction: ``resolved`` (``load``, ``person``, ``failure``), ``joined``
    (``person``, ``canonical``, ``load``: who turned out to be somebody else) and ``given_numbers`` (``person``: who is new).

    Args:
        database: Inside a transaction.
        sightings: `SIGHTING`, sequence numbers ascending.
        last: The highest person so far.

    Returns:
        The highest person now.
    """
    with database.lent(sightings=sightings):
        for step in STEPS:
            parameters = {name: value for name, value in (("last", last), ("taken", TAKEN)) if f"${name}" in step}
            database.rows(step, parameters or None)
    for step in KEEP:
        database.rows(step)
    [highest] = database.one("SELECT coalesce(max(person), $last) FROM given_numbers", {"last": last})
    return int(highest)


def endings(database: Database) -> deque[tuple[int, int]]:
    """The profiles that the links of the last `resolve` end, because a device's own is not carried over.

    Returns:
        ``(sequence number of the link, person)``, ascending.
    """
    return deque(database.rows("SELECT load, own FROM linked_now WHERE own IS NOT NULL ORDER BY load"))
