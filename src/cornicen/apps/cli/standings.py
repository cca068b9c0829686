"""Where syncs stand, read from disk: the line that adds up, and what became of the last run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cornicen.apps.cli import glimpses, instants, output
from cornicen.apps.cli.conditions import condition_of
from cornicen.flows.records import SyncStatus
from cornicen.flows.syncs.freshness import freshness
from cornicen.flows.syncs.health import Health
from cornicen.flows.syncs.progress import progress_of

if TYPE_CHECKING:
    from cornicen.apps.cli.house import House
    from cornicen.flows.records import Sync

LINE = ("size", "no_profile", "no_id", "shared", "unknown", "refused", "on_the_way", "leaving", "in_segment")


def standings(house: House, syncs: Sequence[Sync]) -> list[dict[str, Any]]:
    """One entry a sync: who it is, its status and why, and its standing."""
    slugs = {connection.id: connection.slug for connection in house.state.connections.all(house.project.id)}
    return [_standing(house, sync, slugs) for sync in syncs]


def _standing(house: House, sync: Sync, slugs: Mapping[str, str]) -> dict[str, Any]:
    last = next(iter(house.state.runs.of_sync(sync.id, 1)), None)
    timing = house.state.runs.timing(sync.id)
    fresh, moving = freshness(timing), None if last is None else progress_of(last, timing, house.now)
    return {
        "cohort": sync.cohort,
        "id": sync.id,
        "connection": slugs.get(sync.connection, sync.connection),
        "status": sync.status.value,
        "held": sync.held,
        "why": last.why if sync.held and last is not None else "",
        "what": sync.what,
        "fix": sync.fix,
        "words": sync.words,
        "segment": dict(sync.container),
        "last_as_of": instants.maybe(sync.last_as_of),
        "health": condition_of(house, sync).health.value,
        "last_run": None if last is None else last.status.value,
        "progress": None if moving is None else moving.as_json(),
        "freshness": None if fresh is None else fresh.as_json(),
        **asdict(house.state.ledger.standing(sync.id)),
    }


def bad(one: Mapping[str, Any]) -> bool:
    """Whether somebody has to look at it."""
    return bool(one["held"]) or one["status"] == SyncStatus.STOPPED.value or one["health"] == Health.LATE.value


def tell(found: Sequence[Mapping[str, Any]]) -> None:
    """Show them to people: columns subtract from left to right, and what is left is in the segment."""
    columns = ["cohort", "status", *LINE]
    heads = [
        "cohort",
        "status",
        "in cohort",
        "- no profile",
        "- no id",
        "- shared",
        "- unknown",
        "- refused",
        "- on the way",
        "+ leaving",
        "= in segment",
    ]
    output.table(heads, [["held" if one[name] == "active" and one["held"] else one[name] for name in columns] for one in found])
    for one in found:
        explain(one)


def explain(one: Mapping[str, Any]) -> None:
    """Say why a sync is held or stopped, and what to do."""
    if one["held"]:
        output.say(f"{one['cohort']} is held. {one['why']}")
    if one["status"] == SyncStatus.STOPPED.value:
        words = f" Its words: {one['words']}" if one["words"] else ""
        output.say(glimpses.clean(f"{one['cohort']} is stopped. {one['what']} {one['fix']}{words}"))
    if one["health"] == Health.LATE.value:
        output.say(f"{one['cohort']} is late: it is as of {one['last_as_of']}. `cornicen status` says more.")
