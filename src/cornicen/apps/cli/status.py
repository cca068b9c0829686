"""``cornicen status``: how the syncs do, what a project holds, what waits to be loaded, and what was refused."""

from __future__ import annotations

from cornicen.apps.cli import exits, glimpses, instants, output
from cornicen.apps.cli.options import HERE, Where

LANES = ("live", "bulk")


def status(*, where: Where = HERE) -> int:
    """Show how the syncs do, how much is loaded, how much waits and for how long, and what was refused.

    Exits 1 if a sync is failing, held, or late: older than twice its cadence.

    Args:
        where: Which home.
    """
    from cornicen.apps.cli.conditions import conditions, tell
    from cornicen.apps.cli.house import House

    with House.open(where) as house:
        syncs, now = conditions(house), house.now
        found = house.ask("status")
    code = exits.NO if any(one["bad"] for one in syncs) else exits.OK
    behind = {lane: max(0, now - found["oldest"][lane]) / 1_000_000 if lane in found["oldest"] else 0.0 for lane in LANES}
    if where.json:
        oldest = {lane: instants.show(moment) for lane, moment in found["oldest"].items()}
        output.document({**found, "as_of": instants.show(found["as_of"]), "oldest": oldest, "behind": behind, "syncs": syncs})
        return code
    output.say(", ".join(f"{count:,} {name}" for name, count in found["counts"].items()))
    output.say(f"Answers can be about {instants.show(found['as_of'])}")
    waiting = [
        [lane, found["backlog"].get(lane, 0), instants.maybe(found["oldest"].get(lane)), round(behind[lane], 1)]
        for lane in LANES
    ]
    output.table(["lane", "bytes that wait", "the oldest came at", "seconds behind"], waiting)
    refused = [[one["reason"], one["field"], one["count"], glimpses.clean(str(one["message"]))] for one in found["refusals"]]
    output.table(["refused for", "field", "records", "what the sender was told"], refused)
    tell(syncs)
    return code
