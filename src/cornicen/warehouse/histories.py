"""Everybody's past in plain values, for the executable meaning: every property read, every event held in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import tzinfo

from pyroaring import BitMap

from cornicen.events.history import Happening, History
from cornicen.events.values import Value, read
from cornicen.warehouse.catalogue import Catalogue
from cornicen.warehouse.database import Database
from cornicen.warehouse.properties import UNREADABLE, fields
from cornicen.warehouse.relations import events, given, persons, profiles


def histories(
    database: Database, catalogue: Catalogue, zone: tzinfo, members: BitMap | None, before: int | None
) -> dict[int, History]:
    """Each canonical person's past; slow, and as large as the data."""
    happenings: dict[int, list[Happening]] = defaultdict(list)
    lists: dict[int, set[str]] = defaultdict(set)
    everybody = [person for (person,) in database.rows(f"SELECT person FROM {persons(database, catalogue, before)} AS p")]
    source = events(database, catalogue, before, ("properties",))
    for person, name, time, load, text in database.rows(
        f"SELECT person, event, time, load, properties FROM {source} AS e WHERE person IS NOT NULL ORDER BY load"
    ):
        happenings[person].append(Happening(name, time, load, _values(text, zone)))
    own = dict(database.rows(f"SELECT person, properties FROM {profiles(catalogue, before)} AS p"))
    for key, person in database.rows(f"SELECT key, person FROM {given(database, before)} AS g"):
        lists[person].add(key)
    return {
        person: History(
            tuple(happenings[person]),
            _values(own[person], zone) if person in own else None,
            frozenset(lists[person]),
        )
        for person in everybody
        if members is None or person in members
    }


def _values(text: str, zone: tzinfo) -> Mapping[str, Value]:
    found = {}
    for name, raw in fields(text).items():
        try:
            value = read(bytes(raw), zone)
        except UNREADABLE:
            continue  # as in the typed columns
        if value is not None:
            found[name] = value
    return found
