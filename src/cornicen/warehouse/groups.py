"""Profiles of groups, and which user is whose in an organisation: kept as they are told; no cohort reads them yet."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from cornicen.errors import NotFound
from cornicen.events.shapes import Refusal
from cornicen.warehouse.arrivals import Arrivals, operations_text
from cornicen.warehouse.database import Database
from cornicen.warehouse.profiles import Profile, applied, decoded, encoded


def change_groups(database: Database, arrivals: Arrivals) -> None:
    """Apply a batch's group changes and mappings, inside its transaction; what cannot be applied becomes a refusal."""
    if arrivals.groups:
        _change(database, arrivals)
    if arrivals.mappings:
        last = {mapping.user: (mapping.whole, load) for load, mapping in arrivals.mappings}
        whole, load = zip(*last.values(), strict=True)
        table = pa.table({"user": list(last), "whole": whole, "load": load})
        with database.lent(told=table):
            database.rows('DELETE FROM mappings WHERE "user" IN (SELECT "user" FROM told)')
            database.rows("INSERT INTO mappings SELECT \"user\", whole, load FROM told WHERE whole <> ''")


def _change(database: Database, arrivals: Arrivals) -> None:
    named = list({(change.key, change.id): None for _, change, _ in arrivals.groups})
    with database.lent(asked=pa.table({"key": [key for key, _ in named], "id": [id_ for _, id_ in named]})):
        rows = database.rows(
            "SELECT g.key, g.id, g.properties FROM groups g SEMI JOIN asked a ON a.key = g.key AND a.id = g.id"
        )
        now: dict[tuple[str, str], Profile | None] = {(key, id_): decoded(text) for key, id_, text in rows}
        since: dict[tuple[str, str], int] = {}
        for load, change, origin in arrivals.groups:
            of = change.key, change.id
            now[of], faults = applied(now.get(of), change.operations)
            since[of] = load
            for unfit in faults:
                record = f"{change.key} {change.id}: ".encode() + operations_text(change.operations)
                arrivals.refusals.add(load, Refusal(unfit.reason, unfit.field, unfit.message, record), origin)
        there = [(*of, since[of], encoded(profile)) for of, profile in now.items() if profile is not None]
        database.rows("DELETE FROM groups USING asked a WHERE groups.key = a.key AND groups.id = a.id")
    if there:
        keys, ids, loads, texts = zip(*there, strict=True)
        with database.lent(fresh=pa.table({"key": keys, "id": ids, "load": loads, "properties": texts})):
            database.rows("INSERT INTO groups SELECT * FROM fresh")


def group(database: Database, key: str, id_: str) -> dict[str, Any]:
    """One group: ``{key, id, profile}``. What its profile was before is not kept.

    Raises:
        NotFound: It has no profile.
    """
    rows = database.rows("SELECT properties FROM groups WHERE key = ? AND id = ?", [key, id_])
    if not rows:
        raise NotFound(
            f"There is no profile of {key!r} {id_!r}.", f"Names are compared exactly; look at `cornicen group list {key}`."
        )
    return {"key": key, "id": id_, "profile": json.loads(rows[0][0])}


def kinds(database: Database, limit: int) -> tuple[list[dict[str, Any]], int]:
    """The keys that groups have: ``{key, groups}``, those with most groups first; and how many keys there are in all."""
    rows = database.rows("SELECT key, count(*) FROM groups GROUP BY key ORDER BY 2 DESC, 1")
    return [{"key": key, "groups": count} for key, count in rows[:limit]], len(rows)


def ids(database: Database, key: str, after: str, limit: int) -> tuple[list[str], int]:
    """The groups of a key by id, ascending by code point, those after an id; and how many there are in all."""
    rows = database.rows(
        "SELECT id FROM groups WHERE key = $key AND id > $after ORDER BY id LIMIT $limit",
        {"key": key, "after": after, "limit": limit},
    )
    [count] = database.one("SELECT count(*) FROM groups WHERE key = ?", [key])
    return [id_ for (id_,) in rows], count
