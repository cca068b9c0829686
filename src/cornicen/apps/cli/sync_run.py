"""``cornicen sync run``: one evaluation, and the wait until all of it is settled."""

from __future__ import annotations

import math
import time
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from cornicen.apps.cli import exits, instants, output
from cornicen.apps.cli.options import HERE, Where
from cornicen.apps.cli.sync_audit import differs
from cornicen.errors import Unreachable
from cornicen.flows.records import RunStatus, SyncStatus
from cornicen.flows.syncs.progress import Progress, Watch, counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cornicen.apps.cli.house import House
    from cornicen.flows.records import Run

BETWEEN_LOOKS = 0.05
"""Seconds between two looks at the ledger; grows to a second on a long delivery."""

STUCK_AFTER = 10.0
"""Seconds without any change after which we look whether somebody has gone."""

ENDED = frozenset({RunStatus.DONE, RunStatus.HELD, RunStatus.STOPPED, RunStatus.SUPERSEDED})


def run(
    syncs: list[str] | None = None,
    /,
    *,
    as_of: str | None = None,
    release: bool = False,
    wait: Annotated[bool, Parameter(negative="--no-wait")] = True,
    where: Where = HERE,
) -> int:
    """Evaluate syncs now, and wait until every change is settled: acknowledged, or refused with a reason.

    What waits at the door is loaded first. Exits 1 if the guard held some of it, 4 if a destination stopped some of it.

    Args:
        syncs: Cohort slugs or sync ids; else all that are active.
        as_of: The instant to be about, which is also the entry time of who is added; else now.
        release: Pass the guard, whatever changes.
        wait: Wait for the courier; it goes on by itself either way.
        where: Which home.
    """
    from cornicen.apps.cli.house import House

    with House.open(where) as house:
        began = time.monotonic()
        asked = {} if as_of is None else {"as_of": instants.read(as_of)}
        ticked = house.ask("run", syncs=syncs or [], release=release, **asked)
        return followed(house, ticked, syncs or [], began, wait=wait, where=where)


def followed(house: House, ticked: Mapping[str, Any], names: list[str], began: float, *, wait: bool, where: Where) -> int:
    """Wait until a tick's changes are settled, tell what became of them, and say with which code to exit.

    Args:
        house: Where it runs.
        ticked: What the keeper said of it.
        names: The syncs asked for; none: all.
        began: When the command began, on the monotonic clock.
        wait: Wait for the courier.
        where: How to answer.
    """
    runs = _settled(house, ticked["tick"], shown=not where.json) if wait else house.state.runs.of_tick(ticked["tick"])
    found = _report(house, names, ticked, runs, time.monotonic() - began)
    if where.json:
        output.document(found)
    else:
        _tell(found)
    statuses = {one.status for one in runs}
    if any(one["words"] for one in found["stopped"]):
        return exits.DENIED
    return exits.NO if found["stopped"] or statuses & {RunStatus.HELD, RunStatus.STOPPED} else exits.OK


def _settled(house: House, tick: int, *, shown: bool) -> list[Run]:
    """Wait until every run of a tick has ended.

    Raises:
        NotRunning: Nothing serves the home any more.
        Unreachable: A destination does not answer. Either way what is left is delivered by itself, later.
    """
    pause, unchanged, before, watch = BETWEEN_LOOKS, 0.0, None, Watch(time.monotonic())
    with output.progress(shown=shown) as bar:
        task = bar.add_task("Delivering", total=None, note="")
        while True:
            runs = house.state.runs.of_tick(tick)
            seen = watch.see(*counted(runs), time.monotonic())
            bar.update(task, total=seen.total or None, completed=seen.done, note=note(seen))
            if all(one.status in ENDED for one in runs):
                return runs
            unchanged = unchanged + pause if runs == before else 0.0
            if unchanged >= STUCK_AFTER:
                _look_why(house, [one for one in runs if one.status not in ENDED])
                unchanged = 0.0
            before = runs
            time.sleep(pause)
            pause = min(pause * 1.1, 1.0)


def note(seen: Progress) -> str:
    """What stands beside the bar: how much, how fast, how long yet, and how long nothing moved where that was long. Pure."""
    said = [f"{seen.done:,} of {seen.total:,} changes"]
    if seen.rate:
        said.append(f"{seen.rate:,.0f}/s" if seen.rate >= 10 else f"{seen.rate:.1f}/s")
    if seen.left:
        said.append(f"about {timedelta(seconds=math.ceil(seen.left))} left")
    if seen.still >= 1:
        said.append(f"{timedelta(seconds=int(seen.still))} throttled or without an answer")
    return ", ".join(said)


def _look_why(house: House, waiting: list[Run]) -> None:
    """Nothing has moved for a while: find out whether somebody has gone. Raises: NotRunning, Unreachable."""
    from cornicen.apps.cli.probing import probe
    from cornicen.apps.up import running

    running(house.home)
    for connection in {house.state.syncs.get(one.sync).connection for one in waiting}:
        try:
            probe(house.state.connections.get(house.project.id, connection))
        except Unreachable as error:
            raise Unreachable(error.what, "What is left goes out by itself once it answers: `cornicen sync status`.") from error


def _report(house: House, names: list[str], ticked: Mapping[str, Any], runs: list[Run], seconds: float) -> dict[str, Any]:
    tick = next((one for one in house.state.runs.ticks(house.project.id) if one.id == ticked["tick"]), None)
    syncs = {sync.id: sync for sync in house.state.syncs.all(house.project.id, retired=True)}
    slugs = {connection.id: connection.slug for connection in house.state.connections.all(house.project.id)}
    entries = []
    for one in runs:
        sync = syncs[one.sync]
        entries.append({"cohort": sync.cohort, "connection": slugs.get(sync.connection, sync.connection), **asdict(one)})
    stopped = [
        {"cohort": sync.cohort, "what": sync.what, "fix": sync.fix, "words": sync.words}
        for sync in syncs.values()
        if sync.status is SyncStatus.STOPPED and (not names or sync.cohort in names or sync.id in names)
    ]
    return {
        "tick": ticked["tick"],
        "as_of": instants.show(ticked["as_of"]),
        "events": ticked["events"],
        "added": sum(one.added for one in runs),
        "removed": sum(one.removed for one in runs),
        "requests": tick.requests if tick is not None else 0,
        "seconds": round(seconds, 3),
        "runs": entries,
        "stopped": stopped,
    }


def _tell(found: Mapping[str, Any]) -> None:
    names = ("cohort", "connection", "status", "size", "adding", "removing", "added", "removed", "requests")
    output.say(f"As of {found['as_of']}, {found['events']:,} events since the last run:")
    output.table(names, [[one[name] for name in names] for one in found["runs"]])
    for one in found["runs"]:
        if one["status"] == RunStatus.HELD:
            output.say(f"{one['cohort']} is held. {one['why']}")
        if one["differing"]:
            output.say(f"{one['cohort']}: {differs(one['differing'])}")
    for one in found["stopped"]:
        words = f" Its words: {one['words']}" if one["words"] else ""
        output.say(f"{one['cohort']} is stopped. {one['what']} {one['fix']}{words}")
    output.say(f"{found['requests']:,} requests, {found['seconds']:.1f} s.")
