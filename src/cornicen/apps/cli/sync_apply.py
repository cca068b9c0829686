"""``cornicen sync apply``: what a plan says, or nothing."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from cornicen.apps.cli import exits, output
from cornicen.apps.cli.options import HERE, Where
from cornicen.apps.cli.sync_run import followed
from cornicen.errors import BadFile

if TYPE_CHECKING:
    from collections.abc import Mapping


def apply(
    plan: Path,
    /,
    *,
    release: bool = False,
    wait: Annotated[bool, Parameter(negative="--no-wait")] = True,
    where: Where = HERE,
) -> int:
    """Do what a plan says, if that is still exactly what would be done; and wait until all of it is settled.

    What waits at the door is loaded first. Exits 1, having done nothing, if the data has moved.

    Args:
        plan: What `cornicen sync plan --json` printed, in a file.
        release: Pass the guard, whatever changes.
        wait: Wait for the courier; it goes on by itself either way.
        where: Which home.
    """
    from cornicen.apps.cli.house import House

    began = time.monotonic()
    syncs = _syncs(plan)
    with House.open(where) as house:
        ticked = house.ask("apply", plan=syncs, release=release)
        if "moved" not in ticked:
            return followed(house, ticked, [str(one.get("sync")) for one in syncs], began, wait=wait, where=where)
        _tell_moved(ticked, where)
        return exits.NO


def _syncs(path: Path) -> list[dict[str, Any]]:
    """The syncs of a plan. Raises: BadFile."""
    try:
        found = json.loads(path.read_bytes())["syncs"]
    except OSError as error:
        raise BadFile(f"{path} cannot be read: {error.strerror}.", "Name the file that holds the plan.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise BadFile(f"{path} holds no plan.", "Make one: `cornicen sync plan --json > plan.json`.") from error
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise BadFile(f"{path} holds no plan.", "Make one: `cornicen sync plan --json > plan.json`.")
    return found


def _tell_moved(found: Mapping[str, Any], where: Where) -> None:
    if where.json:
        output.document(found)
        return
    for sentence in found["moved"]:
        output.say(sentence)
    output.say("The data has moved since the plan was made; nothing was done. Look at a new plan: `cornicen sync plan`.")
