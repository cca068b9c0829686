"""``cornicen sync``: plan, apply, run, list, status, release, pause, resume."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cyclopts import App

from cornicen.apps.cli import exits, instants, output
from cornicen.apps.cli.options import HERE, Where
from cornicen.apps.cli.sync_apply import apply
from cornicen.apps.cli.sync_audit import audit_file, differs
from cornicen.apps.cli.sync_run import run
from cornicen.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from cornicen.apps.cli.house import House
    from cornicen.flows.records import Sync

app = App(name="sync", sort_key=7, help="Keep segments equal to cohorts.", help_epilogue=exits.epilogue())
app.command(run)
app.command(apply)
app.command(audit_file)

PLANNED = (
    "cohort",
    "size",
    "no_profile",
    "no_id",
    "shared",
    "unknown",
    "refused",
    "recipients",
    "adding",
    "removing",
    "requests",
)


@app.command
def plan(syncs: list[str] | None = None, /, *, as_of: str | None = None, where: Where = HERE) -> int:
    """Show what a run would do, without doing it. Exits 1 if the guard would hold some of it.

    Args:
        syncs: Cohort slugs or sync ids; else all.
        as_of: The instant to be about; else now.
        where: Which home.
    """
    from cornicen.apps.cli.house import House

    with House.open(where) as house:
        found = house.ask("plan", syncs=syncs or [], **({} if as_of is None else {"as_of": instants.read(as_of)}))
        found["as_of"] = instants.show(found["as_of"])
        if where.json:
            output.document(found)
        else:
            _tell_plan(found)
        return exits.NO if any(one.get("held_why") or one.get("error") for one in found["syncs"]) else exits.OK


def _tell_plan(found: dict[str, Any]) -> None:
    planned = [one for one in found["syncs"] if "error" not in one]
    output.say(f"As of {found['as_of']}:")
    output.table([name.replace("_", " ") for name in PLANNED], [[one[name] for name in PLANNED] for one in planned])
    for one in planned:
        if one["others"]:
            others = ", ".join(f"{name} {count:,}" for name, count in one["others"].items())
            output.say(f"{one['cohort']}: nobody has {one['identifier']}; others would match: {others}.")
        if one["differing"]:
            output.say(f"{one['cohort']}: {differs(one['differing'], one['identifier'])}")
        if one["by_subscription"]:
            output.say(f"{one['cohort']}: {one['by_subscription']:,} are reached by their subscription's id.")
        if one["held_why"]:
            output.say(f"{one['cohort']}: would be held. {one['held_why']}")
    for one in found["syncs"]:
        if "error" in one:
            output.say(f"{one['cohort']}: {one['error']['what']} {one['error']['fix']}")
    if planned:
        requests, minutes = sum(one["requests"] for one in planned), sum(one["minutes"] for one in planned)
        output.say(f"{requests:,} requests at most, {minutes:.1f} minutes.")


@app.command(name="list")
def list_(*, where: Where = HERE) -> int:
    """List the syncs.

    Args:
        where: Which home.
    """
    from cornicen.apps.cli.house import House

    with House.open(where) as house:
        slugs = {connection.id: connection.slug for connection in house.state.connections.all(house.project.id)}
        found = [
            {
                "id": sync.id,
                "cohort": sync.cohort,
                "connection": slugs.get(sync.connection, sync.connection),
                "every": sync.cadence.value,
                "status": "held" if sync.held else sync.status.value,
                "last_as_of": instants.maybe(sync.last_as_of),
                "next_at": instants.maybe(sync.next_at),
                "managed": sync.managed,
            }
            for sync in house.state.syncs.all(house.project.id)
        ]
        if where.json:
            output.document({"syncs": found})
        else:
            columns = ["cohort", "connection", "every", "status", "last_as_of", "next_at", "managed"]
            output.table([name.replace("_", " ") for name in columns], [[one[name] for name in columns] for one in found])
        return exits.OK


@app.command
def status(syncs: list[str] | None = None, /, *, where: Where = HERE) -> int:
    """Show where each segment stands, in one line that adds up. Exits 1 if a sync is stopped, held or late.

    Args:
        syncs: Cohort slugs or sync ids; else all.
        where: Which home.
    """
    from cornicen.apps.cli.house import House
    from cornicen.apps.cli.standings import bad, standings, tell

    with House.open(where) as house:
        found = standings(house, house.syncs(syncs or []))
        if where.json:
            output.document({"syncs": found})
        else:
            tell(found)
        return exits.NO if any(bad(one) for one in found) else exits.OK


@app.command
def release(syncs: list[str], /, *, where: Where = HERE) -> int:
    """Let held runs go on: the next evaluation passes the guard, whatever it changes.

    Args:
        syncs: Cohort slugs or sync ids.
        where: Which home.
    """

    def change(house: House, sync: Sync) -> dict[str, object]:
        if not sync.held:
            raise BadInput(f"The sync of {sync.cohort} is not held.", "There is nothing to release.")
        return {"released": True, "next_at": house.now}

    return _change(syncs, where, change, "released")


@app.command
def pause(syncs: list[str], /, *, where: Where = HERE) -> int:
    """Leave segments as they are until resumed.

    Args:
        syncs: Cohort slugs or sync ids.
        where: Which home.
    """
    from cornicen.flows.records import SyncStatus

    def change(_house: House, sync: Sync) -> dict[str, object]:
        if sync.status not in {SyncStatus.ACTIVE, SyncStatus.PAUSED}:
            raise BadInput(f"The sync of {sync.cohort} is {sync.status.value}.", "Only an active one can be paused.")
        return {"status": SyncStatus.PAUSED}

    return _change(syncs, where, change, "paused")


@app.command
def resume(syncs: list[str], /, *, where: Where = HERE) -> int:
    """Let paused or stopped syncs go on.

    Args:
        syncs: Cohort slugs or sync ids.
        where: Which home.
    """
    from cornicen.flows.records import SyncStatus

    def change(house: House, sync: Sync) -> dict[str, object]:
        if sync.status not in {SyncStatus.PAUSED, SyncStatus.STOPPED, SyncStatus.ACTIVE}:
            raise BadInput(f"The sync of {sync.cohort} is {sync.status.value}.", "It is being cleared away; make a new one.")
        return {"status": SyncStatus.ACTIVE, "words": "", "what": "", "fix": "", "next_at": house.now}

    return _change(syncs, where, change, "resumed")


def _change(names: list[str], where: Where, change: Callable[[House, Sync], dict[str, object]], done: str) -> int:
    """Change all of them, or none where one cannot."""
    from cornicen.apps.cli.house import House

    with House.open(where) as house:
        changes = [(sync, change(house, sync)) for sync in house.syncs(names)]
        for sync, fields in changes:
            house.state.syncs.change(sync.id, **fields)
        if where.json:
            output.document({done: [{"id": sync.id, "cohort": sync.cohort} for sync, _ in changes]})
        else:
            output.say(f"{done.capitalize()}: {', '.join(sync.cohort for sync, _ in changes)}.")
        return exits.OK
