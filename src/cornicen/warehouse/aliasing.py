"""Aliases: profile properties whose values are further names of their person, such as the user id at a messaging vendor."""

from __future__ import annotations

import json
from collections.abc import Iterable

from cornicen.events.shapes import Operation
from cornicen.identity.people import People
from cornicen.warehouse.aliases import alias_values, refuse_alias
from cornicen.warehouse.arrivals import Origin, Refusals
from cornicen.warehouse.clusters import sizes
from cornicen.warehouse.database import Database
from cornicen.warehouse.resolving import Resolver
from cornicen.warehouse.schema import meta, set_meta

KEY = "aliases"
STEP = 50_000
"""Profiles read at a time."""

SOURCE = "cornicen:aliases"


def known_aliases(database: Database) -> frozenset[str]:
    """The properties whose values are names since an earlier `take_aliases`."""
    return frozenset(json.loads(meta(database, KEY) or "[]"))


def take_aliases(database: Database, resolver: Resolver, names: frozenset[str], now: int) -> None:
    """From now on the values of these properties are names; those that profiles have already become names at once.

    A value that is somebody else's name stays that, and one too many for its person is nobody's; both are kept as refusals. A
    property that is no longer among them keeps the names it gave.

    Args:
        database: Open.
        resolver: The loader's.
        names: Profile properties.
        now: Microseconds, for what is refused.

    Twice: does nothing.
    """
    known = known_aliases(database)
    if known == names:
        return
    new = frozenset(names - known)
    people: People | None = None
    with database.transaction():
        set_meta(database, KEY, json.dumps(sorted(names)))
        if new:
            people = _taken(database, resolver, new, now)
    if people is not None:
        resolver.committed(people)


def _taken(database: Database, resolver: Resolver, names: frozenset[str], now: int) -> People:
    [load] = database.one("SELECT load FROM totals")
    found = [
        (person, called, name, value)
        for person, called, text in database.rows(
            "SELECT p.person, n.name, p.properties FROM profiles p JOIN names n ON n.person = p.person AND NOT n.linked "
            "WHERE list_bool_or([contains(p.properties, wanted) FOR wanted IN $names]) ORDER BY p.from_load, p.person",
            {"names": [f'"{name}"' for name in names]},
        )
        for name, value in alias_values((Operation("set", text.encode()),), names)
    ]
    people = resolver.knowing(dict.fromkeys(value for *_, value in found))
    people.at = load
    if people.most is not None:
        people.sizes = sizes(database, (person for person, *_ in found))
    refusals = Refusals()
    origin = Origin(now, SOURCE)
    for person, called, name, value in found:
        if reason := people.alias(person, value, called):
            refuse_alias(refusals, load, name, value, reason, origin)
    resolver.keep(people, _unknown)
    if refusals:
        with database.lent(refused=refusals.table()):
            database.rows("INSERT INTO refusals SELECT * FROM refused")
    database.rows("UPDATE totals SET person = $last", {"last": people.last})
    return people


def _unknown(loads: Iterable[int]) -> list[None]:
    """When they came: these steps are no record's."""
    return [None for _ in loads]
