"""A file a run: everybody it was about, what became of each, and why. Kept for some time, then removed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
from pyroaring import BitMap

from cornicen.errors import Unavailable
from cornicen.flows.ports import Audited
from cornicen.flows.records import Run, RunStatus
from cornicen.flows.syncs.propose import Desk, Proposal, identifier_of

PIECE = 50_000
"""Recipients whose identifiers are read at once."""

DAY = 24 * 3600
ENDINGS = (".csv.gz", ".csv.gz.part")


def audit_file(folder: Path, run: int) -> Path:
    """Where a run's file is, or was."""
    return folder / f"{run}.csv.gz"


def audit(desk: Desk, proposals: Sequence[Proposal], runs: Sequence[Run], now: int) -> dict[int, str]:
    """Write the files of a tick's runs.

    Args:
        desk: The project's.
        proposals: What each run was decided on.
        runs: As kept, in the same order.
        now: Microseconds; the files' age counts from here.

    Returns:
        By run, why its file could not be written; the run itself is not touched by that.

    Twice: the same files, as long as nothing was loaded in between.
    """
    failed: dict[int, str] = {}
    if desk.audits is None:
        return failed
    for proposal, run in zip(proposals, runs, strict=True):
        path = audit_file(desk.audits, run.id)
        try:
            desk.warehouse.audit(_audited(desk, proposal, held=run.status is RunStatus.HELD), path)
            os.utime(path, (now / 1e6, now / 1e6))
        except (OSError, Unavailable) as error:
            failed[run.id] = str(error)
    return failed


def _audited(desk: Desk, proposal: Proposal, *, held: bool) -> Audited:
    connection, facts = proposal.connection, proposal.facts
    listed = proposal.definition is not None and proposal.definition.recipients is not None
    known = proposal.desired if listed else BitMap()
    others = known | ((facts.acknowledged | facts.uncertain) - (BitMap() if listed else proposal.desired))
    return Audited(
        proposal.persons,
        identifier_of(connection),
        connection.id,
        desk.form(connection),
        facts,
        proposal.desired,
        _pieces(desk, connection.id, others),
        held,
    )


def _pieces(desk: Desk, connection: str, numbers: BitMap) -> Iterator[pa.Table]:
    for start in range(0, len(numbers), PIECE):
        found = desk.state.recipients.identifiers(connection, numbers[start : start + PIECE])
        yield pa.table({"identifier": pa.array(found.values(), pa.string()), "number": pa.array(found, pa.uint32())})


def tidy_audits(folder: Path, days: int, now: int) -> int:
    """Remove the files of runs that were more than so many days ago, and what a crash left of any.

    Args:
        folder: Where they are; it need not exist.
        days: How long they are kept.
        now: Microseconds.

    Returns:
        How many were removed.

    Twice: finds nothing.
    """
    removed, before = 0, now / 1e6
    for path in folder.iterdir() if folder.is_dir() else ():
        kept = 1 if path.name.endswith(ENDINGS[1]) else days
        if path.name.endswith(ENDINGS) and before - path.stat().st_mtime > kept * DAY:
            path.unlink(missing_ok=True)
            removed += 1
    return removed
