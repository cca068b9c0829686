"""What pages and flows ask of the warehouse beside who is in a cohort."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from cornicen.warehouse.database import Database
from cornicen.warehouse.stored import union

BEFORE = 28 * 86_400_000_000
"""How long before a run is looked at to see what used to come."""

ALL = "*"


def counts(database: Database) -> dict[str, int]:
    """See `cornicen.flows.ports.Warehouse.counts`. Persons are those with an event or a profile."""
    row = database.one(
        """
        SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM settled),
               (SELECT count(first) FROM persons)
                 + (SELECT count(*) FROM profiles p JOIN persons q ON q.person = p.person WHERE q.first IS NULL),
               (SELECT count(*) FROM profiles), (SELECT count(*) FROM refusals), repeated, replaced
        FROM totals
        """
    )
    return dict(zip(("events", "persons", "profiles", "refused", "repeated", "replaced"), row, strict=True))


def refusals(database: Database, limit: int) -> list[Mapping[str, object]]:
    """See `cornicen.flows.ports.Warehouse.refusals`; the example is the latest."""
    rows = database.rows(
        """
        SELECT reason, field, count(*) AS n, arg_max(message, load), arg_max(record, load) FROM refusals
        GROUP BY reason, field ORDER BY n DESC, reason, field LIMIT $limit
        """,
        {"limit": limit},
    )
    return [
        {"reason": reason, "field": field, "count": n, "message": message, "record": record.decode(errors="replace")}
        for reason, field, n, message, record in rows
    ]


def arrivals(
    database: Database, names: frozenset[str] | None, since_load: int, since: int, as_of: int
) -> dict[str, tuple[int, int]]:
    """See `cornicen.flows.ports.Warehouse.arrivals`; a name that nothing came under has (0, 0)."""
    asked = {"since_load": since_load, "since": since, "as_of": as_of, "from": since - BEFORE}
    name = f"'{ALL}'" if names is None else "event"
    wanted = pa.table({"name": pa.array(sorted(names or ()), pa.string())})
    only = "" if names is None else "AND event IN (SELECT name FROM wanted)"
    with database.lent(wanted=wanted):
        rows = database.rows(
            f"""
            SELECT {name} AS name, count(*) FILTER (time >= $since AND time < $as_of AND load > $since_load),
                   count(*) FILTER (time < $since)
            FROM ({union(["event", "time", "load"])}) AS e WHERE time >= $from AND time < $as_of {only} GROUP BY 1
            """,
            asked,
        )
    nothing = dict.fromkeys([ALL] if names is None else names, (0, 0))
    return nothing | {event: (came, used) for event, came, used in rows}
