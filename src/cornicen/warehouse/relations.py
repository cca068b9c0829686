"""What engines read: everything loaded, or what had been loaded up to a sequence number.

Events lie in ``events`` (lately come) and ``settled`` (closed days), and a scan of either prunes by time and event. Persons are
resolved on the way where somebody turned out to be somebody else: for lately come rows always, for settled days from the first
one on that newer merges may touch (`cornicen.warehouse.compaction`); the others are read as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from cornicen.sql.tables import ONLY, Columns, Tables
from cornicen.warehouse.catalogue import Catalogue
from cornicen.warehouse.database import SCRATCH, Database
from cornicen.warehouse.properties import EVENT, PROFILE, prefix
from cornicen.warehouse.stored import COPY, DAY

EVENT_COLUMNS = ("person", "event", "time", "load")
GIVEN = f"{SCRATCH}.main.given"


def tables(database: Database, catalogue: Catalogue, before: int | None) -> Tables:
    """The mapping for engines.

    Args:
        database: Open.
        catalogue: Which properties have typed columns.
        before: A sequence number that `Warehouse.last_load` returned: as if nothing had been loaded since. None: everything.
            Where compaction has written later merges into a day, the day is answered with these.
    """
    return Tables(
        events=events(database, catalogue, before),
        profiles=profiles(catalogue, before),
        persons=persons(database, catalogue, before),
        given=given(database, before),
        some=_some(database, catalogue, before, "settled") if _merged(database, before) else None,
        by_person=_some(database, catalogue, before, COPY),
        event_properties={name: Columns(prefix(id_)) for name, id_ in catalogue.ids[EVENT].items()},
        profile_properties={name: Columns(prefix(id_)) for name, id_ in catalogue.ids[PROFILE].items()},
    )


def events(database: Database, catalogue: Catalogue, before: int | None, extra: Sequence[str] = ()) -> str:
    """One row an event, under the canonical person; with some more columns of ``events``."""
    columns = [*EVENT_COLUMNS, *extra, *catalogue.columns(EVENT)]
    if before is None and not _merged(database, before) and _days(database, before).first is None:
        return "events"
    return f"({' UNION ALL '.join(_parts(database, columns, before, 'settled'))})"


def _some(database: Database, catalogue: Catalogue, before: int | None, settled: str) -> str | None:
    """As `events`, of some persons alone; see `cornicen.sql.tables.Tables`."""
    if _days(database, before).first is None:
        return None
    columns = [*EVENT_COLUMNS, *catalogue.columns(EVENT)]
    return f"({' UNION ALL '.join(_parts(database, columns, before, settled, only=ONLY))})"


def _parts(
    database: Database, columns: Sequence[str], before: int | None, settled: str, only: str | None = None
) -> Iterator[str]:
    """The stretches of events that together are all: lately come, replaced since, settled and plain, settled and to resolve."""
    merged = _merged(database, before)
    there = [] if before is None else [f"load <= {before}"]
    yield _part("events", columns, there, merges(before) if merged else None, only)
    if before is not None:
        replaced = [*there, f"until_load > {before}"]
        yield _part("superseded", columns, replaced, merges(before) if merged else None, only)
    days = _days(database, before)
    if days.resolved is None and days.first is not None:
        yield _part(settled, columns, there, None, only)
    elif days.resolved is not None:
        if days.first != days.resolved:
            yield _part(settled, columns, [*there, f"time < {days.resolved}"], None, only)
        yield _part(settled, columns, [*there, f"time >= {days.resolved}"], merges(before, days.canonical), only)


def _part(source: str, columns: Sequence[str], where: Sequence[str], merged: str | None, only: str | None) -> str:
    """Some rows of a table, under canonical persons."""
    if only is not None:
        numbers = f"SELECT person FROM {only}"
        if merged is not None:
            numbers += f" UNION ALL SELECT person FROM {merged} AS m WHERE canonical IN (SELECT person FROM {only})"
        where = [*where, f"person IN ({numbers})"]
    clause = f" WHERE {' AND '.join(where)}" if where else ""
    rows = f"SELECT {', '.join(columns)} FROM {source}{clause}"
    if merged is None:
        return rows
    listed = ", ".join("coalesce(m.canonical, e.person) AS person" if name == "person" else f"e.{name}" for name in columns)
    return f"SELECT {listed} FROM ({rows}) AS e LEFT JOIN {merged} AS m ON m.person = e.person"


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
        f"FROM {source} AS g LEFT JOIN {merges(before)} AS m ON m.person = g.person)"
    )


def merges(before: int | None, after: int | None = None) -> str:
    """SQL: whom numbers stood for at a sequence number, where not for themselves; a number on the right is none on the left.

    Args:
        before: The sequence number; None: now.
        after: Only of what was learnt after it.
    """
    then = "until IS NULL" if before is None else f"load <= {before} AND (until IS NULL OR until > {before})"
    later = "" if after is None else f" AND load > {after}"
    return f"(SELECT person, canonical FROM merges WHERE {then}{later})"


def _merged(database: Database, before: int | None) -> bool:
    return bool(database.one(f"SELECT count(*) FROM {merges(before)} AS m")[0])


class _Days(NamedTuple):
    """What is known of the settled days.

    Args:
        first: The first microsecond of the first of them; None: there are none.
        resolved: The first microsecond from which merges are to be resolved; None: nowhere.
        canonical: The sequence number up to which merges are written into all of them.
    """

    first: int | None
    resolved: int | None
    canonical: int


def _days(database: Database, before: int | None) -> _Days:
    then = "" if before is None else f"WHERE load <= {before}"
    [top] = database.one(f"SELECT coalesce(max(load), 0) FROM merges {then}")
    first, resolved, canonical = database.one(
        "SELECT min(day), min(day) FILTER (canonical < $top), coalesce(min(canonical), 0) FROM days", {"top": top}
    )
    return _Days(_start(first), _start(resolved), canonical)


def _start(day: int | None) -> int | None:
    return None if day is None else max(day * DAY, -(2**63))
