"""``cornicen sync audit-file``: where a run's list is; and how people are told of identifiers that do not agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cornicen.apps.cli import exits, output
from cornicen.apps.cli.options import HERE, Where
from cornicen.errors import NotFound

if TYPE_CHECKING:
    from cornicen.apps.cli.house import House


def differs(count: int, identifier: str = "their identifier") -> str:
    """One sentence about persons whose user id is not their identifier's value."""
    people = "1 person has a $user_id" if count == 1 else f"{count:,} persons have a $user_id"
    return f"{people} that differs from {identifier}."


def audit_file(run: str, /, *, where: Where = HERE) -> int:
    """Print where a run's audit file is: gzipped CSV, a line a person: recipient, person, action, reason.

    Args:
        run: A run's id, or a cohort slug or sync id for its newest run.
        where: Which home.
    """
    from cornicen.apps.cli.house import House
    from cornicen.flows.syncs.audit import audit_file as place

    with House.open(where) as house:
        number = _run(house, run)
        path = place(house.home.audits_folder, number)
        if not path.is_file():
            days = house.home.settings.audit_days
            raise NotFound(f"Run {number} has no audit file.", f"They are kept {days} days (`audit_days`).")
        if where.json:
            output.document({"run": number, "path": str(path), "bytes": path.stat().st_size})
        else:
            output.line(str(path))
        return exits.OK


def _run(house: House, named: str) -> int:
    """The id of the run that a person names. Raises: NotFound."""
    if named.isdecimal() and not any(named in {one.cohort, one.id} for one in house.state.syncs.all(house.project.id)):
        return int(named)
    newest = [run for sync in house.syncs([named]) for run in house.state.runs.of_sync(sync.id, 1)]
    if not newest:
        raise NotFound(f"The sync of {named} has not run yet.", "`cornicen sync run` runs it.")
    return max(run.id for run in newest)
