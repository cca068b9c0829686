"""One person as people read it: names and why they are one, the profile and how it came about, the newest events."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from cornicen.errors import NotFound
from cornicen.identity.people import ALIAS_TAKEN, ALIAS_TOO_MANY, DEVICE
from cornicen.warehouse.aliases import alias_value
from cornicen.warehouse.aliasing import known_aliases
from cornicen.warehouse.clusters import is_full
from cornicen.warehouse.database import Database
from cornicen.warehouse.resolving import Resolver
from cornicen.warehouse.stored import COPY, union

HISTORY = 100
"""Profile changes shown."""

FAILURES = 20
"""Events shown whose identity could not be taken as it was meant."""

WHY = {
    "link": "a record named both",
    "takeover": "a record named both, and the first was not met before",
    "merge": "a record named both, and each had been somebody",
    "move": "the device was used by another user",
    "alias": "a profile property names it",
}


def person_number(database: Database, resolver: Resolver, name: str) -> int:
    """The canonical number behind a name; a device may be given without its prefix.

    Raises:
        NotFound: Nobody has it.
    """
    for candidate in (name, DEVICE + name):
        high, low = resolver.where(candidate)
        for person, met in database.rows("SELECT person, name FROM names WHERE high = ? AND low = ?", [high, low]):
            if met == candidate:
                return resolver.persons.canonical(person)
    raise NotFound(f"Nobody is called {name!r}.", "Names are compared exactly; look at `cornicen events tail`.")


def portrait(database: Database, resolver: Resolver, name: str, events: int) -> dict[str, Any]:
    """Everything about one person.

    Args:
        database: Open.
        resolver: The loader's.
        name: Any of the person's names.
        events: How many of the newest events.

    Returns:
        ``{number, name, known, names, links, profile, history, events, counts, organisation}``; instants in microseconds; see
        docs/cli.md for the shapes.

    Raises:
        NotFound: Nobody has that name.
    """
    number = person_number(database, resolver, name)
    numbers = [number, *resolver.persons.standing_for(number)]
    names = _names(database, numbers, number)
    called = [one["name"] for one in names]
    profile = _profile(database, number)
    return {
        "number": number,
        "name": next(one["name"] for one in names if one["canonical"]),
        "known": True,
        "names": names,
        "links": [*_links(database, called, numbers), *_unnamed(database, number, called, profile or {})],
        "profile": profile,
        "history": _history(database, numbers),
        "events": _events(database, numbers, events),
        "counts": {"events": _count(database, numbers)},
        "organisation": _organisation(database, called),
    }


def _names(database: Database, numbers: Sequence[int], canonical: int) -> list[dict[str, Any]]:
    rows = database.rows(
        "SELECT name, person, linked FROM names WHERE person IN (SELECT unnest($numbers)) ORDER BY linked, name",
        {"numbers": numbers},
    )
    listed = [name for name, _, _ in rows]
    aliases = {
        one
        for (one,) in database.rows(
            "SELECT other FROM steps WHERE kind = 'alias' AND other IN (SELECT unnest($names))", {"names": listed}
        )
    }
    since = dict(
        database.rows(
            "SELECT name, min(arrived) FROM "
            "(SELECT one AS name, arrived FROM steps UNION ALL SELECT other, arrived FROM steps) "
            "WHERE name IN (SELECT unnest($names)) GROUP BY name",
            {"names": listed},
        )
    )
    return [
        {
            "name": name,
            "kind": "device" if name.startswith(DEVICE) else "alias" if name in aliases and linked else "user",
            "canonical": person == canonical and not linked,
            "since": since.get(name),
        }
        for name, person, linked in rows
    ]


def _links(database: Database, names: Sequence[str], numbers: Sequence[int]) -> list[dict[str, Any]]:
    """What was learnt about these names, oldest first, and what could not be taken as it was meant."""
    steps = database.rows(
        "SELECT arrived, kind, one, other, load FROM steps "
        "WHERE one IN (SELECT unnest($names)) OR other IN (SELECT unnest($names)) ORDER BY load",
        {"names": names},
    )
    failed = database.rows(
        f"SELECT arrived, failure, distinct_id, load FROM ({union(['arrived', 'failure', 'distinct_id', 'load', 'person'])}) "
        "WHERE failure IS NOT NULL AND person IN (SELECT unnest($numbers)) ORDER BY load DESC LIMIT $limit",
        {"numbers": numbers, "limit": FAILURES},
    )
    found = [
        (load, {"at": at, "kind": kind, "one": one, "other": other, "why": WHY[kind]}) for at, kind, one, other, load in steps
    ]
    found += [(load, {"at": at, "kind": "refused", "one": one, "other": "", "why": why}) for at, why, one, load in failed]
    return [link for _, link in sorted(found, key=lambda entry: entry[0])]


def _unnamed(database: Database, number: int, names: Sequence[str], profile: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Values of the profile that would be further names, and are somebody else's, or were one too many."""
    values = {name: alias_value(json.dumps(profile.get(name)).encode()) for name in sorted(known_aliases(database))}
    others = {name: value for name, value in values.items() if value is not None and value not in names}
    met = {
        name
        for (name,) in database.rows(
            "SELECT name FROM names WHERE name IN (SELECT unnest($values))", {"values": list(others.values())}
        )
    }
    why = {name: f"{ALIAS_TAKEN}: {name} holds a name of somebody else" for name, value in others.items() if value in met}
    if is_full(database, number):
        too_many = "holds one name more than a person may have"
        why |= {name: f"{ALIAS_TOO_MANY}: {name} {too_many}" for name, value in others.items() if value not in met}
    return [
        {"at": None, "kind": "refused", "one": value, "other": "", "why": why[name]}
        for name, value in others.items()
        if name in why
    ]


def _profile(database: Database, number: int) -> Mapping[str, Any] | None:
    rows = database.rows("SELECT properties FROM profiles WHERE person = ?", [number])
    return json.loads(rows[0][0]) if rows else None


def _history(database: Database, numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Which operation set what, when: newest first."""
    rows = database.rows(
        "SELECT time, arrived, source, operations FROM changes WHERE person IN (SELECT unnest($numbers)) "
        "ORDER BY load DESC LIMIT $limit",
        {"numbers": numbers, "limit": HISTORY},
    )
    return [
        {"at": time, "arrived": arrived, "source": source, "operations": json.loads(operations)}
        for time, arrived, source, operations in rows
    ]


def _events(database: Database, numbers: Sequence[int], limit: int) -> list[dict[str, Any]]:
    """The newest events, newest first: found in the order by person, then read where they lie."""
    found = database.rows(
        f"SELECT time, load FROM (SELECT person, time, load FROM events UNION ALL SELECT person, time, load FROM {COPY}) "
        "WHERE person IN (SELECT unnest($numbers)) ORDER BY time DESC, load DESC LIMIT $limit",
        {"numbers": numbers, "limit": limit},
    )
    if not found:
        return []
    columns = ["load", "event", "time", "arrived", "insert_id", "distinct_id", "failure", "properties"]
    between = f"time BETWEEN {found[-1][0]} AND {found[0][0]} AND load IN (SELECT unnest($loads))"
    rows = database.rows(f"{union(columns, between)} ORDER BY time DESC, load DESC", {"loads": [load for _, load in found]})
    return [dict(zip(columns, (*row[:-1], json.loads(row[-1])), strict=True)) for row in rows]


def _count(database: Database, numbers: Sequence[int]) -> int:
    [count] = database.one(
        f"SELECT count(*) FROM (SELECT person FROM events UNION ALL SELECT person FROM {COPY}) "
        "WHERE person IN (SELECT unnest($numbers))",
        {"numbers": numbers},
    )
    return int(count)


def _organisation(database: Database, names: Sequence[str]) -> list[dict[str, str]]:
    rows = database.rows(
        'SELECT "user", whole FROM mappings WHERE "user" IN (SELECT unnest($names)) ORDER BY 1', {"names": names}
    )
    return [{"user": user, "whole": whole} for user, whole in rows]
