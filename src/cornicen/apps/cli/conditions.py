"""How each sync does, for commands: read from disk, no keeper needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cornicen.apps.cli import glimpses, instants, output
from cornicen.flows.syncs.health import Condition, Health, condition

if TYPE_CHECKING:
    from cornicen.apps.cli.house import House
    from cornicen.flows.records import Sync

QUIET = {Health.FINE, Health.LEAVING}
"""Of which the table says enough."""


def condition_of(house: House, sync: Sync) -> Condition:
    """How one sync does at the house's moment."""
    last = next(iter(house.state.runs.of_sync(sync.id, 1)), None) if sync.held else None
    return condition(sync, house.now, last.why if last is not None else "")


def conditions(house: House) -> list[dict[str, Any]]:
    """One entry a sync of the project: ``{cohort, id, connection, every, health, bad, what, words, fix, last_as_of}``."""
    slugs = {connection.id: connection.slug for connection in house.state.connections.all(house.project.id)}
    found = []
    for sync in house.state.syncs.all(house.project.id):
        one = condition_of(house, sync)
        found.append(
            {
                "cohort": sync.cohort,
                "id": sync.id,
                "connection": slugs.get(sync.connection, sync.connection),
                "every": sync.cadence.value,
                "health": one.health.value,
                "bad": one.bad,
                "what": one.what,
                "words": one.words,
                "fix": one.fix,
                "last_as_of": instants.maybe(sync.last_as_of),
            }
        )
    return found


def tell(found: Sequence[Mapping[str, Any]]) -> None:
    """Show them to people: a line each, then a sentence of each that is not simply fine."""
    names = ["cohort", "connection", "every", "health", "last_as_of"]
    output.table(["sync of", "to", "every", "is", "as of"], [[one[name] for name in names] for one in found])
    for one in found:
        if one["health"] not in QUIET:
            words = f" Its words: {one['words']}" if one["words"] else ""
            output.say(glimpses.clean(f"{one['cohort']} is {one['health']}. {one['what']} {one['fix']}{words}"))
