"""``cornicen events``: what comes in, as it is loaded, and all of it as a file."""

from __future__ import annotations

import contextlib
import select
import sys
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from cornicen.apps.cli import exits, glimpses, output
from cornicen.apps.cli.exporting import export
from cornicen.apps.cli.options import HERE, Where
from cornicen.errors import BadInput, NotRunning

if TYPE_CHECKING:
    from cornicen.apps.cli.house import House

PAGE = 500
"""Events a question."""

BETWEEN_LOOKS = 0.3
"""Seconds between two looks when nothing was new."""

BETWEEN_COUNTS = 5.0
"""Seconds between two looks at what was rejected meanwhile."""

PATIENCE = 30.0
"""Seconds without a keeper before giving up: one that died is started again."""

app = App(name="events", sort_key=7, help="Look at what comes in, or take it elsewhere.", help_epilogue=exits.epilogue())
app.command(export)


@app.command
def tail(
    *,
    event: str = "",
    person: str = "",
    number: Annotated[int, Parameter(name=("--number", "-n"))] = 10,
    follow: Annotated[bool, Parameter(negative="--no-follow")] = True,
    where: Where = HERE,
) -> int:
    """Print the newest events, then each one as it is loaded: time, event, person, properties. Ctrl-C ends it.

    With --json each is one JSON object a line, whole.

    Args:
        event: Only events of this name.
        person: Only events of whoever has this name, under whatever name they come.
        number: How many to begin with.
        follow: Go on until stopped; else end after those.
        where: Which home.
    """
    from cornicen.apps.cli.house import House

    if not 0 <= number <= PAGE:
        raise BadInput(f"--number is {number}.", f"Give 0 to {PAGE}.")
    with House.open(where) as house:
        only = {"event": event, "person": person}
        first = house.ask("events", after=None, limit=max(number, 1), **only)
        newest = first["events"][-number:] if number else []
        _print(newest, where)
        if follow:
            for found in _following(house, first["last"], only, shown=not where.json):
                _print(found, where)
        return exits.OK


def _following(house: House, last: int, only: Mapping[str, str], *, shown: bool) -> Iterator[list[dict[str, Any]]]:
    """Pages of events after one, for ever. Raises: NotRunning, once no keeper has answered for long."""
    rejections, silent = _Rejections(house), 0.0
    while True:
        try:
            found = house.ask("events", after=last, limit=PAGE, **only)
            if shown:
                rejections.look()
        except NotRunning:
            if silent >= PATIENCE:
                raise
            silent += BETWEEN_LOOKS
            time.sleep(BETWEEN_LOOKS)
            continue
        silent, last = 0.0, found["last"]
        if found["events"]:
            yield found["events"]
        if len(found["events"]) < PAGE:
            _rest()


def _rest() -> None:
    """Wait a moment. Raises: BrokenPipeError: whoever reads our output has gone."""
    reader = select.poll()
    with contextlib.suppress(OSError, ValueError):  # an output that is no file has no reader that could go
        reader.register(sys.stdout.fileno(), 0)
    if any(state & (select.POLLERR | select.POLLHUP) for _, state in reader.poll(BETWEEN_LOOKS * 1_000)):
        raise BrokenPipeError


class _Rejections:
    """Says on standard error how many records were rejected since the first look: they are no events and in no line."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._counted: int | None = None
        self._next = 0.0

    def look(self) -> None:
        """Look, if it is time again. Raises: NotRunning."""
        if time.monotonic() < self._next:
            return
        count = sum(one["count"] for one in self._house.ask("status")["refusals"])
        self._next = time.monotonic() + BETWEEN_COUNTS
        if self._counted is not None and count > self._counted:
            hint = f"{count - self._counted:,} records were rejected meanwhile; the status page says why."
            output.aside().print(hint, markup=False, style="dim")
        self._counted = count


def _print(found: list[dict[str, Any]], where: Where) -> None:
    for one in found:
        if where.json:
            output.document(one)
        else:
            output.line(glimpses.event(one))
    sys.stdout.flush()
