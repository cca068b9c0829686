"""``cornicen apply``: what is stored becomes what the project folder says, after showing what will change."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cornicen.apps.cli import exits, output
from cornicen.apps.cli.options import HERE, Where
from cornicen.errors import BadInput

if TYPE_CHECKING:
    from cornicen.apps.cli.house import House
    from cornicen.flows.projects.changes import Change, Stored
    from cornicen.flows.projects.folder import Folder

SIGNS = {"add": "+", "change": "~", "unchanged": " ", "remove": "-", "left": "!", "waiting": "…"}


def apply(
    *, folder: Path | None = None, prune: bool = False, adopt: bool = False, yes: bool = False, where: Where = HERE
) -> int:
    """Make what is stored equal to a project folder: first show what will change, then ask, then do it.

    Only what files manage is touched. New and changed connections are tried before anything is written.

    Args:
        folder: The project folder, with cohorts/*.yml and syncs.yml; else the home.
        prune: Remove what vanished from the folder: everybody leaves its segments, then the segments go.
        adopt: Take over what is managed elsewhere under the same name, e.g. after the folder moved.
        yes: Do not ask.
        where: Which home.
    """
    from cornicen.apps.cli.house import House
    from cornicen.flows.projects.applying import apply as write
    from cornicen.flows.projects.changes import Kind, Stored, compare

    with House.open(where) as house:
        stored = Stored.read(house.state, house.project)
        changes = compare(_load(house, folder or house.home.path, stored), stored, prune=prune, adopt=adopt)
        doing = [change for change in changes if change.kind in {Kind.ADD, Kind.CHANGE, Kind.REMOVE}]
        if not where.json:
            _show(changes)
        if doing and not yes:
            _ask(where)
        _probe(doing)
        write(house.state, house.project, changes, house.now)
        if where.json:
            shown = [
                {"kind": one.kind.value, "thing": one.thing, "name": one.name, "notes": list(one.notes)} for one in changes
            ]
            output.document({"applied": len(doing), "changes": shown})
        else:
            output.say(f"Applied {len(doing)} change{'' if len(doing) == 1 else 's'}." if doing else "Nothing to change.")
        return exits.OK


def _load(house: House, path: Path, stored: Stored) -> Folder:
    from cornicen.apps import build
    from cornicen.flows.projects.folder import Around, load

    managed = f"file:{path.resolve()}"
    foreign = stored.foreign(managed)
    around = Around(
        build.operators(),
        build.manifests(),
        os.environ,
        house.project.zone,
        {cohort.slug: dict(cohort.definition) for cohort in foreign},
        {cohort.slug: cohort.folder for cohort in foreign},
        frozenset(one.slug for one in stored.connections if one.managed != managed),
    )
    return load(path, around)


def _show(changes: Sequence[Change]) -> None:
    from cornicen.flows.projects.changes import Kind

    for change in changes:
        if change.kind is not Kind.UNCHANGED:
            notes = f"  ({'; '.join(change.notes)})" if change.notes else ""
            output.say(f"  {SIGNS[change.kind]} {change.kind.value:<8} {change.thing:<10} {change.name}{notes}")
    same = sum(change.kind is Kind.UNCHANGED for change in changes)
    left = sum(change.kind is Kind.LEFT for change in changes)
    if same:
        output.say(f"    {same} unchanged")
    if left:
        output.say(f"    {left} no longer in the folder and left alone; --prune removes them")


def _ask(where: Where) -> None:
    """Ask on a terminal; elsewhere nobody can answer, so silence is no."""
    if where.json or not sys.stdin.isatty():
        raise BadInput("Nothing was changed: nobody was there to confirm it.", "Look at the changes, then add --yes.")
    if input("Do it? [y/N] ").strip().lower() not in {"y", "yes"}:
        raise BadInput("Nothing was changed.", "Answer y, or add --yes.")


def _probe(changes: Sequence[Change]) -> None:
    """Try connections that are new or other than before. Raises: WrongKey, TierRefused, Unreachable; nothing was written."""
    from dataclasses import replace

    from cornicen.apps.cli.probing import probe
    from cornicen.flows.records import Connection

    for change in changes:
        if isinstance(change.after, Connection):
            probe(replace(change.after, id=change.after.id or "new"))
