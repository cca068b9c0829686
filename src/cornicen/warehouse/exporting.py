"""Every event once, as it stood at one sequence number, page after page in the loader's order.

What an event is does not change when compaction moves it, nor does its sequence number. So a page is found by that number
wherever its events lie by now; and what a later arrival has replaced since is read where it was put. All pages together are the
events of one moment, whatever arrives, is replaced or is moved between them. Only what retention deletes meanwhile is missing.
"""

from __future__ import annotations

from contextlib import closing
from typing import Any

from cornicen.flows.ports import Asked
from cornicen.warehouse.database import Database
from cornicen.warehouse.stored import DAY, TABLES

COLUMNS = ("load", "event", "time", "arrived", "distinct_id", "insert_id", "properties", "device")

FIRST_LOOK = 4
"""Times the events of a page that sequence numbers are looked through first; others may be of profiles, or not asked for."""

WIDER = 8
"""How much wider each further look is."""

AT_ONCE = 200
"""Rows that are taken into memory before it is looked again how large they are."""


def export(database: Database, after: int, asked: Asked, limit: int, size: int) -> tuple[list[dict[str, Any]], int]:
    """A page of events, ascending by sequence number.

    Args:
        database: Open, between batches.
        after: A sequence number: those that came after it.
        asked: Which.
        limit: How many at most.
        size: Characters of properties after which a page ends; it has one event at least, if there is any.

    Returns:
        ``{load, event, time, arrived, distinct_id, insert_id, properties, first_stays}`` each, instants in microseconds,
        ``properties`` as JSON text, ``insert_id`` null where there is none; and the sequence number up to which there are
        no others: ``asked.until`` at the end.
    """
    reached = _reach(database, after, asked, limit)
    columns = ", ".join(COLUMNS)
    found: list[dict[str, Any]] = []
    with closing(database.cursor()) as cursor:
        cursor.execute(f"SELECT {columns} FROM ({_rows(columns, after, reached, asked)}) ORDER BY load", _named(asked))
        while rows := cursor.fetchmany(AT_ONCE):
            for row in rows:
                if found and size <= 0:
                    return found, found[-1]["load"]
                size -= len(row[-2])
                found.append({**dict(zip(COLUMNS[:-1], row[:-1], strict=True)), "first_stays": row[-1] is not None})
    return found, reached


def _reach(database: Database, after: int, asked: Asked, limit: int) -> int:
    """Up to which sequence number ``limit`` events lie, or all there are."""
    width = limit * FIRST_LOOK
    while True:
        end = min(after + width, asked.until)
        within = f"SELECT load FROM ({_rows('load', after, end, asked)}) ORDER BY load LIMIT {limit}"
        last, count = database.one(f"SELECT max(load), count(*) FROM ({within})", _named(asked))
        if count == limit:
            return int(last)
        if end >= asked.until:
            return asked.until
        width *= WIDER


def _rows(columns: str, after: int, end: int, asked: Asked) -> str:
    """SQL: the asked events between two sequence numbers, wherever they lie; bounds as numbers, so that scans prune by them."""
    conditions = [f"load > {after}", f"load <= {end}"]
    if asked.first is not None:
        conditions.append(f"time >= {asked.first * DAY}")
    if asked.last is not None:
        conditions.append(f"time < {(asked.last + 1) * DAY}")
    if asked.event:
        conditions.append("event = $event")
    where = " AND ".join(conditions)
    there = [f"SELECT {columns} FROM {table} WHERE {where}" for table in TABLES]
    return " UNION ALL ".join([*there, f"SELECT {columns} FROM superseded WHERE {where} AND until_load > {asked.until}"])


def _named(asked: Asked) -> dict[str, object]:
    return {"event": asked.event} if asked.event else {}
