"""What engines read: everything loaded, or what had been loaded up to a sequence number.

Where nobody turned out to be somebody else, the relations are the plain tables; otherwise rows are resolved on the way.
"""

from __future__ import annotations

from collections.abc import Sequence

from cornicen.sql.tables import Columns, Tables
from cornicen.warehouse.catalogue import Catalogue
from cornicen.warehouse.database import SCRATCH, Database
from cornicen.warehouse.properties import EVENT, PROFILE, prefix

EVENT_COLUMNS = ("person", "event", "time", "load")
GIVEN = f"{SCRATCH}.main.given"


def tables(database: Database, catalogue: Catalogue, before: int | None) -> Tables:
    """The mapping for engines.

    Args:
        database: Open.
        catalogue: Which properties have typed columns.
        before: A sequence number that `Warehouse.last_load` returned: as if nothing had been loaded since. None: everything.
    """
    return Tables(
        events=events(database, catalogue, before),
        profiles=profiles(catalogue, before),
        persons=persons(database, catalogue, before),
        given=given(database, before),
        event_properties={name: Columns(prefix(id_)) for name, id_ in catalogue.ids[EVENT].items()},
        profile_properties={name: Columns(prefix(id_)) for name, id_ in catalogue.ids[PROFILE].items()},
    )


def events(database: Database, catalogue: Catalogue, before: int | None, extra: Sequence[str] = ()) -> str:
    """One row an event, under the canonical person; with some more columns of ``events``."""
    columns = [*EVENT_COLUMNS, *extra, *catalogue.columns(EVENT)]
    source = "events"
    if before is not None:
        listed = ", ".join(columns)
        source = (
            f"(SELECT {listed} FROM events WHERE load <= {before} "
            f"UNION ALL SELECT {listed} FROM superseded WHERE load <= {before} AND until_load > {before})"
        )
    if not _merged(database, before):
        return source
    others = ", ".join(f"e.{column}" for column in columns[1:])
    return (
        f"(SELECT coalesce(m.canonical, e.person) AS person, {others} "
        f"FROM {source} AS e LEFT JOIN {_merges(before)} AS m ON m.person = e.person)"
    )


def profiles(catalogue: Catalogue, before: int | None) -> str:
    """One row a person with a profile; whoever turned out to be somebody else has none."""
    if before is None:
        return "profiles"
    listed = ", ".join(["person", "properties", *catalogue.columns(PROFILE)])
    return (
        f"(SELECT {listed} FROM profiles WHERE from_load <= {before} "
        f"UNION ALL SELECT {listed} FROM profile_history WHERE from_load <= {before} AND until_load > {before})"
    )


def persons(database: Database, catalogue: Catalogue, before: int | None) -> str:
    """One row a canonical person, with the time of the first event."""
    if before is None:
        return "persons"
    return (
        f"(SELECT person, min(time) AS first FROM ("
        f"SELECT person, time FROM {events(database, catalogue, before)} AS e WHERE person IS NOT NULL "
        f"UNION ALL SELECT person, CAST(NULL AS BIGINT) FROM {profiles(catalogue, before)} AS p) AS seen GROUP BY person)"
    )


def given(database: Database, before: int | None) -> str:
    """One row a person and given list."""
    source = GIVEN if before is None else f"(SELECT key, person FROM {GIVEN} WHERE load <= {before})"
    if not _merged(database, before):
        return f"(SELECT DISTINCT key, person FROM {source} AS g)"
    return (
        f"(SELECT DISTINCT g.key, coalesce(m.canonical, g.person) AS person "
        f"FROM {source} AS g LEFT JOIN {_merges(before)} AS m ON m.person = g.person)"
    )


def _merges(before: int | None) -> str:
    return "merges" if before is None else f"(SELECT person, canonical FROM merges WHERE load <= {before})"


def _merged(database: Database, before: int | None) -> bool:
    return bool(database.one(f"SELECT count(*) FROM {_merges(before)} AS m")[0])
