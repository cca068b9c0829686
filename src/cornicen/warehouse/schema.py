"""The tables of a warehouse, and how an older file becomes a newer one.

========================  ==========================================================================================
``meta``                  schema version, the time zone of the typed columns, a probe of DuckDB's hash function
``totals``                one row: the loader's latest sequence number, the highest person, counts
``position``              how far each door's spool files have been read
``names``                 the number a name was given, the sequence number at which it was met or last changed, whether it is
                          ``linked`` (not its person's own name), and 128 bits of its keyed digest
                          (`cornicen.warehouse.names`); each person has exactly one name of its own
``merges``                who turned out to be somebody else, when, and until when that somebody was the last of the chain
                          (null: still); among those rows a number on the right is never on the left
``clusters``              how many names a person has, aliases among them, where more than one, under the rule that limits
                          them
``steps``                 what was learnt about who is who (`cornicen.identity.people.Step`)
``persons``               canonical persons and the time of their first event
``events``                what came lately, in the loader's order; ``person`` as it was known then; ``key`` a hash of the
                          de-duplication key, null where there is no insert id; ``device`` what the insert id is unique
                          under, where the first arrival stays
``superseded``            events that a later arrival of the same key replaced, and when
``settled``               the events of closed days, by day, event and time; `cornicen.warehouse.compaction`
``by_person``             the same without what no cohort reads: stretches of days, each ordered by person and time
``days``                  the days in ``settled``, counted from 1970 UTC: how many events they were written with, the sequence
                          number up to which merges are written into them, how many rows newer merges touch, when
                          (microseconds) they were last written, and the stretch of ``by_person`` in which they lie
``profiles``              properties as JSON text, and since when
``profile_history``       what profiles were before, and from when to when, as long as anybody may still ask about then
``changes``               profile changes that changed something or have an insert id, each with its operations as JSON
``groups``                profiles of groups
``mappings``              which user is whose in the organisation, as Amplitude's ``/usermap`` was told
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
    """
    ALTER TABLE names DROP COLUMN hash;
    ALTER TABLE names ADD COLUMN high UBIGINT;
    ALTER TABLE names ADD COLUMN low UBIGINT;
    ALTER TABLE merges ADD COLUMN until BIGINT;
    CREATE TABLE clusters (person INTEGER, size INTEGER);
    CREATE TABLE steps (load BIGINT, kind VARCHAR, one VARCHAR, other VARCHAR, arrived BIGINT);
    CREATE TABLE changes (
      load BIGINT, person INTEGER, time BIGINT, arrived BIGINT, source VARCHAR, device VARCHAR, insert_id VARCHAR,
      operations VARCHAR);
    CREATE TABLE groups (key VARCHAR, id VARCHAR, from_load BIGINT, properties VARCHAR);
    CREATE TABLE mappings ("user" VARCHAR, whole VARCHAR, load BIGINT);
    ALTER TABLE events ADD COLUMN device VARCHAR;
    ALTER TABLE superseded ADD COLUMN device VARCHAR;
    """,
    """
    ALTER TABLE events ALTER key TYPE UBIGINT;
    ALTER TABLE superseded ALTER key TYPE UBIGINT;
    DELETE FROM meta WHERE key = 'hash';
    """,
    """
    CREATE TABLE settled AS SELECT * FROM events LIMIT 0;
    CREATE TABLE by_person AS
      SELECT * EXCLUDE (distinct_id, insert_id, key, failure, arrived, properties, device) FROM events LIMIT 0;
    CREATE TABLE days (day BIGINT, events BIGINT, canonical BIGINT, touched BIGINT, written BIGINT, stretch BIGINT);
    """,
    """
    DELETE FROM clusters;
    INSERT INTO clusters
      SELECT coalesce(m.canonical, n.person) AS person, count(*) AS size
      FROM names n LEFT JOIN merges m ON m.person = n.person AND m.until IS NULL
      WHERE (SELECT value FROM meta WHERE key = 'identity') = 'original'
      GROUP BY ALL HAVING size > 1;
    """,
)
"""One step a version; a later version appends, and never changes what was released."""

KEY = """
CREATE OR REPLACE TEMP MACRO key_of(event, distinct_id, time, insert_id, device := NULL) AS
  CASE WHEN insert_id IS NULL THEN NULL
       WHEN device IS NOT NULL THEN hash('', device, 0, insert_id)
       ELSE hash(event, distinct_id, time, insert_id) END
"""
"""What stands in ``key``: equal for rows of one de-duplication key, and for hardly any others."""

KEYED = ("events", "settled", "superseded")
"""Tables with keys in them."""

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
        for table in KEYED:
            database.rows(f"UPDATE {table} SET key = key_of(event, distinct_id, time, insert_id, device)")
        set_meta(database, "hash", probe)


def meta(database: Database, key: str) -> str | None:
    """One fact about the file."""
    rows = database.rows("SELECT value FROM meta WHERE key = ?", [key])
    return rows[0][0] if rows else None


def set_meta(database: Database, key: str, value: str) -> None:
    """Keep one fact about the file. Twice: the same."""
    database.rows("DELETE FROM meta WHERE key = ?", [key])
    database.rows("INSERT INTO meta VALUES (?, ?)", [key, value])
