"""Who was meant by a run, who was not, and why: one gzipped CSV file a run, written by the database in pieces.

============  ==========================================================================================================
``recipient``  the identifier as the connection keeps it; empty where there is none
``person``     the person's own name; empty where nobody is known to have the identifier
``action``     ``add``, ``remove``, ``no-op`` (in already, and to stay) or ``skipped``
``reason``     of ``skipped``: ``no_profile`` or ``no_user_id`` (not identified), ``no_id`` (no usable identifier),
               ``unknown_recipient`` or ``refused`` (the destination said no, and is not asked again yet), ``held`` (the guard);
               of the others: ``uncertain`` (an earlier answer was lost) or empty
============  ==========================================================================================================
"""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pyarrow as pa
from pyroaring import BitMap

from cornicen.errors import Unavailable
from cornicen.flows.ports import Audited
from cornicen.warehouse.database import Database
from cornicen.warehouse.identify import EVERYBODY, RECIPIENTS, USER_RULE, Identifiers, person_table

COLUMNS = ("recipient", "person", "action", "reason")
PART = ".part"

_ACTION = """
CASE WHEN a.number IS NOT NULL AND u.number IS NULL AND d.number IS NOT NULL THEN 'no-op'
     WHEN $held OR r.number IS NOT NULL THEN 'skipped'
     WHEN d.number IS NOT NULL THEN 'add' ELSE 'remove' END
"""
_REASON = """
CASE WHEN a.number IS NOT NULL AND u.number IS NULL AND d.number IS NOT NULL THEN ''
     WHEN $held THEN 'held'
     WHEN r.number IS NOT NULL THEN CASE WHEN k.number IS NULL THEN 'refused' ELSE 'unknown_recipient' END
     WHEN u.number IS NOT NULL THEN 'uncertain' ELSE '' END
"""
_SETS = """
LEFT JOIN desired d ON d.number = s.number
LEFT JOIN acknowledged a ON a.number = s.number
LEFT JOIN uncertain u ON u.number = s.number
LEFT JOIN refused r ON r.number = s.number
LEFT JOIN unknown k ON k.number = s.number
"""


def write_audit(database: Database, identifiers: Identifiers, audited: Audited, path: Path) -> None:
    """Write one run's file; when this returns it is whole and on disk, and after an error it is not there.

    Args:
        database: Open; nothing of it changes.
        identifiers: Who is whom. `Identifiers.identify` must have been asked for the same persons and connection.
        audited: The run.
        path: The file. Its folder is made.

    Raises:
        OSError, Unavailable: The disk does not take it.

    Twice: the same file again.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part, facts = path.with_name(path.name + PART), audited.facts
    sets = {
        "desired": audited.desired,
        "acknowledged": facts.acknowledged,
        "uncertain": facts.uncertain,
        "refused": facts.refused,
        "unknown": facts.unknown,
    }
    tables = {name: _number_table(numbers) for name, numbers in sets.items()}
    try:
        with database.lent(members=person_table(audited.members), **tables):
            lines = _lines(identifiers, audited, owners=_stage(database, audited))
            database.rows(
                f"COPY ({lines}) TO {_quoted(part)} (FORMAT csv, HEADER, COMPRESSION gzip)",
                {"connection": audited.connection, "held": audited.held},
            )
        _commit(part, path)
    except duckdb.Error as error:
        raise Unavailable(f"{path} cannot be written: {error}.", "Make room on the disk.") from error
    finally:
        database.rows("DROP TABLE IF EXISTS others")
        part.unlink(missing_ok=True)


def _stage(database: Database, audited: Audited) -> bool:
    """The recipients who are no person's of the cohort, as a table; whether there is one."""
    database.rows("CREATE OR REPLACE TEMP TABLE others (identifier VARCHAR, number UINTEGER)")
    for piece in audited.others:
        with database.lent(piece=piece):
            database.rows("INSERT INTO others SELECT identifier, number FROM piece")
    return bool(database.one("SELECT count(*) FROM others")[0])


def _lines(identifiers: Identifiers, audited: Audited, *, owners: bool) -> str:
    """SQL: the lines, in no order; ``owners``: whether it is worth looking whose the others are, among all persons."""
    chosen = identifiers.chosen(audited.identifier, audited.form)
    everybody = identifiers.chosen(audited.identifier, audited.form, EVERYBODY if owners else "members")
    nobody = "no_user_id" if identifiers.identity == USER_RULE else "no_profile"
    own = "names n ON n.person = {0}.person AND NOT n.linked"
    return f"""
    WITH chosen AS MATERIALIZED ({chosen}),
    settled AS (
      SELECT c.value AS recipient, n.name AS person, t.number
      FROM chosen c JOIN {RECIPIENTS} t ON t.connection = $connection AND t.identifier = c.value JOIN {own.format("c")}
      UNION ALL
      SELECT o.identifier, o.person, o.number FROM (
        SELECT o.identifier, o.number, min(n.name) AS person
        FROM others o LEFT JOIN ({everybody}) e ON e.value = o.identifier LEFT JOIN {own.format("e")}
        GROUP BY o.identifier, o.number) AS o
    )
    SELECT s.recipient, coalesce(s.person, '') AS person, {_ACTION} AS action, {_REASON} AS reason FROM settled s {_SETS}
    UNION ALL
    SELECT '', n.name, 'skipped', 'no_id' FROM chosen c JOIN {own.format("c")} WHERE c.value IS NULL
    UNION ALL
    SELECT '', coalesce(n.name, ''), 'skipped', '{nobody}'
    FROM members m ANTI JOIN chosen c ON c.person = m.person LEFT JOIN {own.format("m")}
    """


def _number_table(numbers: BitMap) -> pa.Table:
    values = pa.Array.from_buffers(pa.uint32(), len(numbers), [None, pa.py_buffer(numbers.to_array())])
    return pa.table({"number": values})


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _commit(part: Path, path: Path) -> None:
    """Give a finished file its name, durably."""
    _sync(part, os.O_RDWR)
    part.replace(path)
    _sync(path.parent, os.O_RDONLY)


def _sync(path: Path, flags: int) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
