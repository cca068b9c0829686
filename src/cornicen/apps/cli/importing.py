"""``cornicen import``: a file of events or profiles, through the door like any sender's."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from cornicen.apps.cli import exits, instants, output
from cornicen.apps.cli.formats import Format
from cornicen.apps.cli.options import HERE, Where
from cornicen.errors import BadFile

if TYPE_CHECKING:
    from cornicen.apps.cli.carrying import Carriage
    from cornicen.apps.cli.house import House
    from cornicen.apps.cli.positions import Positions, Tally
    from cornicen.apps.cli.posting import Door

SHOWN_REASONS = 10


def import_file(
    file: Path,
    /,
    *,
    format: Format,  # noqa: A002 - the option's name
    strict: bool = False,
    restart: bool = False,
    wait: Annotated[bool, Parameter(negative="--no-wait")] = True,
    where: Where = HERE,
) -> int:
    """Load a file of events or profiles through the running door.

    A broken line never stops it: it is counted, and kept with its reason in FILE.rejected.ndjson. The same file twice
    adds nothing. An import that was interrupted goes on where it stopped. Exits 1 if every record was rejected.

    Args:
        file: The file; .gz is unpacked.
        format: mixpanel-export: Mixpanel's raw export, an event a line. engage-jsonl: a profile a line. csv, parquet:
            events when it has the columns event and time, else profiles. amplitude-export: the ZIP that Amplitude's
            export gives, or a folder or a file out of it.
        strict: Hold every event to all of Mixpanel's rules for imports.
        restart: Begin at the first record, also where this file was imported before.
        wait: Return when everything is loaded, not merely safe at the door.
        where: Which home.
    """
    from cornicen.apps.cli.carrying import Carriage
    from cornicen.apps.cli.house import House
    from cornicen.apps.cli.loading import until_loaded
    from cornicen.apps.cli.positions import Positions, Tally

    with House.open(where) as house:
        identity = _identity(file, format, house.project.id, strict)
        positions = Positions(house.home.path / "imports")
        tally = (None if restart else positions.found(identity)) or Tally(file=str(file.resolve()))
        before, finished = tally.taken + tally.rejected, tally.finished
        if finished is None:
            _say_where(before, where)
            with closing(_door(house, strict=strict)) as door:
                _carry(Carriage(file, format, house.project.token, door, tally), positions, identity, where)
            _end(house, tally, positions, identity)
        if wait:
            until_loaded(house, shown=not where.json)
        _report(tally, 0 if finished else before, finished, where)
        return exits.NO if tally.rejected and not tally.taken else exits.OK


def _identity(file: Path, *said: object) -> str:
    from cornicen.apps.cli.positions import identity_of

    try:
        return identity_of(file, *said)
    except OSError as error:
        raise BadFile(f"{file} cannot be read: {error.strerror}.", "Check the name and its permissions.") from error


def _say_where(before: int, where: Where) -> None:
    if before and not where.json:
        output.say(f"Goes on after the {before:,} records of an earlier try.")


def _door(house: House, *, strict: bool) -> Door:
    from cornicen.apps.cli.posting import Door
    from cornicen.apps.up import running

    return Door(running(house.home).address, house.project.token, strict=strict)


def _carry(carriage: Carriage, positions: Positions, identity: str, where: Where) -> None:
    try:
        carriage.go(lambda tally: positions.keep(identity, tally), shown=not where.json)
    except KeyboardInterrupt:
        if not where.json:
            safe = f"{carriage.tally.taken:,} records are safe."
            output.aside().print(f"Interrupted: {safe} The same command goes on from there.", markup=False)
        raise


def _end(house: House, tally: Tally, positions: Positions, identity: str) -> None:
    """Remember that all of a file is in; one of which nothing was taken is worth another try."""
    tally.finished = house.now
    if tally.taken:
        positions.keep(identity, tally)
    else:
        positions.forget(identity)


def _report(tally: Tally, before: int, finished: int | None, where: Where) -> None:
    if where.json:
        found = {"taken": tally.taken, "rejected": tally.rejected, "reasons": tally.reasons, "rejects": tally.rejects or None}
        output.document({**found, "earlier": before, "finished_before": instants.maybe(finished)})
        return
    if finished is not None:
        output.say(
            f"This file was imported already, at {instants.show(finished)}. Nothing was added; --restart reads it again."
        )
    if tally.rejected and not tally.taken:
        output.say(f"Nothing was taken: all {tally.rejected:,} records were rejected. Is it a file of this format?")
    else:
        output.say(f"{tally.taken:,} records taken, {tally.rejected:,} rejected.")
    if tally.rejected:
        reasons = sorted(tally.reasons.items(), key=lambda one: -one[1])
        shown, others = reasons[:SHOWN_REASONS], reasons[SHOWN_REASONS:]
        more = [(f"{len(others)} other reasons", sum(count for _, count in others))] if others else []
        output.table(["reason", "records"], [*shown, *more])
        output.say(f"They are kept in {tally.rejects}.")
