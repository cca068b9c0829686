"""``cornicen cohort validate``: definitions checked, all faults at once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cornicen.apps.cli import exits, output
from cornicen.apps.cli.options import HERE, Where
from cornicen.errors import BadFolder, Fault, NotFound

if TYPE_CHECKING:
    from cornicen.flows.projects.folder import Around, WrittenCohort


def validate(files: list[Path] | None = None, /, *, folder: Path | None = None, where: Where = HERE) -> int:
    """Check definitions: all faults at once, each with its place and what to write instead. Needs nothing running.

    Args:
        files: Definitions to check; else all of the project folder.
        folder: The project folder, whose other cohorts they may name; else the home.
        where: Which home; none is needed.
    """
    from cornicen.flows.projects.documents import read
    from cornicen.flows.projects.folder import definition_files, understand

    base = (folder or where.home or Path(os.environ.get("CORNICEN_HOME") or ".")).resolve()
    around = _around(where)
    chosen = [path.resolve() for path in files] if files else definition_files(base)
    if not chosen:
        raise NotFound(f"{base / 'cohorts'} has no definition.", "Name files, or the project folder with --folder.")
    beside = [path for path in definition_files(base) if path not in chosen]
    faults: list[Fault] = []
    written = understand([read(path, _shown(path, base)) for path in [*chosen, *beside]], base, around, faults)
    names = {_shown(path, base) for path in chosen}
    ours = [fault for fault in faults if fault.path.split(":")[0] in names]
    if ours:
        raise BadFolder(f"{len(ours)} fault{'s' if len(ours) > 1 else ''} in {len(chosen)} files.", ours)
    _tell_valid([cohort for cohort in written.values() if cohort is not None and cohort.file in names], where)
    return exits.OK


def _shown(path: Path, base: Path) -> str:
    return str(path.relative_to(base)) if path.is_relative_to(base) else str(path)


def _around(where: Where) -> Around:
    """What definitions may refer to: the home's cohorts where there is a home, else nothing."""
    from cornicen.apps import build
    from cornicen.apps.cli.house import House
    from cornicen.flows.projects.folder import Around

    try:
        with House.open(where) as house:
            cohorts = house.state.cohorts.all(house.project.id)
    except NotFound:
        if where.home is not None:
            raise
        return Around(build.operators(), {}, os.environ)
    stored = {cohort.slug: dict(cohort.definition) for cohort in cohorts}
    folders = {cohort.slug: cohort.folder for cohort in cohorts}
    return Around(build.operators(), {}, os.environ, house.project.zone, stored, folders)


def _tell_valid(written: list[WrittenCohort], where: Where) -> None:
    from cornicen.cohorts.query import needs

    found: list[dict[str, Any]] = []
    for cohort in written:
        definition = cohort.definition
        reads = needs(*([definition.query] if definition.query else []))
        found.append(
            {
                "slug": definition.slug,
                "name": definition.name,
                "file": cohort.file,
                "events": None if reads.names is None else sorted(reads.names),
                "properties": sorted(reads.events | reads.profile),
                "nested": list(definition.nested),
                "recipients": definition.recipients is not None,
            }
        )
    if where.json:
        output.document({"cohorts": found})
        return
    rows = [[one["slug"], one["name"], ", ".join(one["events"] or []) if one["events"] is not None else "any"] for one in found]
    output.table(["cohort", "name", "events it reads"], rows)
    output.say(f"{len(found)} cohort{'s are' if len(found) != 1 else ' is'} without fault.")
