"""The tables of a warehouse, and how an older file becomes a newer one.

========================  ==========================================================================================
``meta``                  schema version, the time zone of the typed columns, a probe of DuckDB's hash function
``totals``                one row: the loader's latest sequence number, the highest person, counts
``position``              how far each door's spool files have been read
``names``                 a name's hash, the number it was given, the sequence number at which it was met, and whether it
                          is a device that is linked to a user; each person has exactly one name that is not linked
``merges``                who turned out to be somebody else, and when; a number on the right is never on the left
``persons``               canonical persons and the time of their first event
``events``                in the loader's order; ``person`` as it was known then; ``key`` 32 bits of a hash of the
                          de-duplication key, null where there is no insert id
``superseded``            events that a later arrival of the same key replaced, and when
``profiles``              properties as JSON text, and since when
``profile_history``       what profiles were before, and from when to when
``property``              properties that have typed columns, by id; see `cornicen.warehouse.properties`
``refusals``              records that were not taken
========================  ==========================================================================================
"""

from __future__ import annotations

from cornicen.errors import Damaged
from cornicen.warehouse.database import SCRATCH, Database

STEPS = (
    """
    CREATE TABLE totals (load BIGINT, person INTEGER, repeated BIGINT, replaced BIGINT);
    INSERT INTO totals VALUES (0, 0, 0, 0);
    CREATE TABLE position (lane VARCHAR, door VARCHAR, file BIGINT, "offset" BIGINT);
    CREATE TABLE names (hash UBIGINT, name VARCHAR, person INTEGER, load BIGINT, linked BOOLEAN);
    CREATE TABLE merges (person INTEGER, canonical INTEGER, load BIGINT);
    CREATE TABLE persons (person INTEGER, first BIGINT);
    CREATE TABLE events (
      load BIGINT, person INTEGER, event VARCHAR, time BIGINT, distinct_id VARCHAR, insert_id VARCHAR, key UINTEGER,
      failure VARCHAR, arrived BIGINT, properties VARCHAR);
    CREATE TABLE superseded (
      load BIGINT, person INTEGER, event VARCHAR, time BIGINT, distinct_id VARCHAR, insert_id VARCHAR, key UINTEGER,
      failure VARCHAR, arrived BIGINT, properties VARCHAR, until_load BIGINT);
    CREATE TABLE profiles (person INTEGER, from_load BIGINT, properties VARCHAR);
    CREATE TABLE profile_history (person INTEGER, from_load BIGINT, properties VARCHAR, until_load BIGINT);
    CREATE TABLE property (id INTEGER, owner VARCHAR, name VARCHAR);
    CREATE TABLE refusals (
      load BIGINT, reason VARCHAR, field VARCHAR, message VARCHAR, record BLOB, arrived BIGINT, source VARCHAR);
    """,
)
"""One step a version; a later version appends, and never changes what was released."""

KEY = """
CREATE OR REPLACE TEMP MACRO key_of(event, distinct_id, time, insert_id) AS
  CASE WHEN insert_id IS NULL THEN NULL ELSE CAST(hash(event, distinct_id, time, insert_id) & 4294967295 AS UINTEGER) END
"""

SCRATCH_TABLES = f"""
CREATE TABLE {SCRATCH}.given (key VARCHAR, person INTEGER, load BIGINT);
CREATE TABLE {SCRATCH}.recipients (connection VARCHAR, identifier VARCHAR, number UINTEGER);
"""


def open_schema(database: Database) -> None:
    """Make the tables, or bring older ones up to this version.

    Raises:
        Damaged: The file was written by a later version.

    Twice: does nothing.
    """
    database.rows("CREATE TABLE IF NOT EXISTS meta (key VARCHAR, value VARCHAR)")
    version = int(meta(database, "version") or 0)
    if version > len(STEPS):
        raise Damaged("The warehouse was written by a later version of Cornicen.", "Use that version, or a newer one.")
    for number, step in enumerate(STEPS[version:], version + 1):
        with database.transaction():
            database.rows(step)
            set_meta(database, "version", str(number))
    database.rows(KEY)
    database.rows(SCRATCH_TABLES)
    _rehash(database)


def _rehash(database: Database) -> None:
    """DuckDB does not promise that its hash stays the same from version to version: when it changed, hash all anew."""
    [probe] = database.one("SELECT hash('cornicen', 1) || ' ' || hash('cornicen')")
    if meta(database, "hash") == probe:
        return
    with database.transaction():
        database.rows("UPDATE names SET hash = hash(name)")
        database.rows("UPDATE events SET key = key_of(event, distinct_id, time, insert_id)")
        set_meta(database, "hash", probe)


def meta(database: Database, key: str) -> str | None:
    """One fact about the file."""
    rows = database.rows("SELECT value FROM meta WHERE key = ?", [key])
    return rows[0][0] if rows else None


def set_meta(database: Database, key: str, value: str) -> None:
    """Keep one fact about the file. Twice: the same."""
    database.rows("DELETE FROM meta WHERE key = ?", [key])
    database.rows("INSERT INTO meta VALUES (?, ?)", [key, value])
