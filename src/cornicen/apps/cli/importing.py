"""``cornicen import``: a file of events or profiles, through the door like any sender's."""

from __future__ import annotations

import gzip
import json
import zlib
from collections import Counter
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Literal, cast

from cyclopts import Parameter

from cornicen.apps.cli import exits, output
from cornicen.apps.cli.options import HERE, Where
from cornicen.errors import BadFile

if TYPE_CHECKING:
    from collections.abc import Callable

    from cornicen.apps.cli.formats import Records, Rejected
    from cornicen.apps.cli.house import House
    from cornicen.apps.cli.posting import Door

MOST_REASONS = 100
SHOWN_REASONS = 10
"""Different reasons that are counted apart; some quote what they found."""

Format = Literal["mixpanel-export", "engage-jsonl", "csv"]


@dataclass
class Tally:
    """What became of a file's records.

    Args:
        taken: Safe at the door.
        rejected: Not taken.
        reasons: How many for each reason.
        rejects: Where the rejected ones were written; empty: there were none.
    """

    taken: int = 0
    rejected: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    rejects: str = ""


def import_file(
    file: Path,
    /,
    *,
    format: Format,  # noqa: A002 - the option's name
    strict: bool = False,
    wait: Annotated[bool, Parameter(negative="--no-wait")] = True,
    where: Where = HERE,
) -> int:
    """Load a file of events or profiles through the running door.

    A broken line never stops it: it is counted, and kept with its reason in FILE.rejected.ndjson. The same file twice
    adds nothing.

    Args:
        file: The file; .gz is unpacked.
        format: mixpanel-export: Mixpanel's raw export, an event a line. engage-jsonl: a profile a line. csv: events when
            it has the columns event and time, else profiles.
        strict: Hold every event to all of Mixpanel's rules for imports.
        wait: Return when everything is loaded, not merely safe at the door.
        where: Which home.
    """
    from cornicen.apps.cli.house import House
    from cornicen.apps.cli.posting import Door
    from cornicen.apps.up import running

    with House.open(where) as house:
        door = Door(running(house.home).address, house.project.token, strict=strict)
        with closing(door):
            tally = _carry(file, format, house.project.token, door, shown=not where.json)
        if wait:
            _until_loaded(house, shown=not where.json)
        _report(tally, as_json=where.json)
        return exits.OK


def _carry(path: Path, kind: Format, token: str, door: Door, *, shown: bool) -> Tally:
    from cornicen.apps.cli.formats import Rejected
    from cornicen.apps.cli.posting import batches

    tally = Tally()
    rejects = path.with_name(path.name + ".rejected.ndjson")
    with ExitStack() as stack:
        plain, opened = _open(path, stack)
        route, records = _read(opened, kind, token)
        bar = stack.enter_context(output.progress(shown=shown))
        task = bar.add_task(f"Importing {path.name}", total=path.stat().st_size, note="")
        keep = _keeper(rejects, token, tally, stack)
        for piece in batches(_sound(path, records, tally)):
            if isinstance(piece, Rejected):
                keep(piece)
                continue
            refused = door.post(route, piece)
            tally.taken += len(piece.records) - len(refused)
            for one in refused:
                keep(one)
            bar.update(task, completed=plain.tell(), note=f"{tally.taken:,} taken, {tally.rejected:,} rejected")
    return tally


def _sound(path: Path, records: Records, tally: Tally) -> Records:
    """The records, until the file turns out to be damaged. Raises: BadFile."""
    try:
        yield from records
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        what = f"{path} is a damaged gzip file: {error}. {tally.taken:,} records before that place were taken."
        raise BadFile(what, "Make the file anew and import it again; what was taken is not taken twice.") from error


def _open(path: Path, stack: ExitStack) -> tuple[IO[bytes], IO[bytes]]:
    """The file as it is (its position is the progress), and unpacked."""
    try:
        plain = stack.enter_context(path.open("rb"))
    except OSError as error:
        raise BadFile(f"{path} cannot be read: {error.strerror}.", "Check the name and its permissions.") from error
    packed = plain.read(2) == b"\x1f\x8b"
    plain.seek(0)
    return plain, cast("IO[bytes]", stack.enter_context(gzip.open(plain))) if packed else plain


def _read(file: IO[bytes], kind: Format, token: str) -> tuple[str, Records]:
    from cornicen.apps.cli import csv_format, formats

    match kind:
        case "mixpanel-export":
            return formats.IMPORT, formats.mixpanel_export(file)
        case "engage-jsonl":
            return formats.ENGAGE, formats.engage_jsonl(file, token)
        case "csv":
            return csv_format.csv_rows(file, token)


def _keeper(path: Path, token: str, tally: Tally, stack: ExitStack) -> Callable[[Rejected], None]:
    """Keeps rejected records in a file beside the imported one, made with the first; the project's token stays out of it."""
    file: IO[str] | None = None

    def keep(rejected: Rejected) -> None:
        nonlocal file
        if file is None:
            file = stack.enter_context(path.open("w", encoding="utf-8"))
            tally.rejects = str(path)
        tally.rejected += 1
        known = rejected.reason in tally.reasons or len(tally.reasons) < MOST_REASONS
        tally.reasons[rejected.reason if known else "Other reasons."] += 1
        kept = {"line": rejected.line, "reason": rejected.reason, "record": rejected.record.replace(token, "(left out)")}
        file.write(json.dumps(kept, ensure_ascii=False) + "\n")

    return keep


def _until_loaded(house: House, *, shown: bool) -> None:
    """Wait until the keeper has loaded all that waited when we began."""
    import time

    with output.progress(shown=shown) as bar:
        task, most = bar.add_task("Loading", total=None, note=""), 0
        while waiting := house.ask("status")["backlog"].get("bulk", 0):
            most = max(most, waiting)
            bar.update(task, total=most, completed=most - waiting, note=f"{waiting / 1e6:,.1f} MB waiting")
            time.sleep(0.1)


def _report(tally: Tally, *, as_json: bool) -> None:
    if as_json:
        output.document(
            {"taken": tally.taken, "rejected": tally.rejected, "reasons": tally.reasons, "rejects": tally.rejects or None}
        )
        return
    output.say(f"{tally.taken:,} records taken, {tally.rejected:,} rejected.")
    if tally.rejected:
        shown, others = tally.reasons.most_common(SHOWN_REASONS), tally.reasons.most_common()[SHOWN_REASONS:]
        more = [(f"{len(others)} other reasons", sum(count for _, count in others))] if others else []
        output.table(["reason", "records"], [*shown, *more])
        output.say(f"They are kept in {tally.rejects}.")
