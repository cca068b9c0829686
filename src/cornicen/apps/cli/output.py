"""What commands print: one JSON document, or text for people; errors on standard error either way."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from cornicen.errors import BadDefinition, BadFolder, CornicenError


def document(value: object) -> None:
    """Print one JSON document."""
    print(json.dumps(value, ensure_ascii=False), file=sys.stdout, flush=True)


class _Console(Console):
    """Leaves a reader that has gone to whoever runs the command line."""

    def on_broken_pipe(self) -> None:
        """Called while handling it."""
        raise BrokenPipeError


def people() -> Console:
    """A console on standard output; what is piped is never wrapped to a terminal's width."""
    return _Console(file=sys.stdout, highlight=False, soft_wrap=not sys.stdout.isatty())


def aside() -> Console:
    """A console on standard error, for progress and errors."""
    return _Console(file=sys.stderr, highlight=False, soft_wrap=not sys.stderr.isatty())


WIDE = 160
"""Columns of a table that is not shown on a terminal."""


def table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, title: str = "") -> None:
    """Print a table for people; numbers stand to the right. No row: nothing is printed.

    Words are never cut: on a terminal that is too narrow the lines run over.
    """
    if not rows:
        return
    drawn = Table(title=title or None, box=None, pad_edge=False, header_style="bold", title_justify="left")
    for number, column in enumerate(columns):
        figures = all(isinstance(row[number], int | float) or row[number] in {None, ""} for row in rows)
        longest = max(len(word) for word in column.split())
        drawn.add_column(column, justify="right" if figures else "left", no_wrap=not figures and number == 0, min_width=longest)
    for row in rows:
        drawn.add_row(*(cell(value) for value in row))
    console = people()
    least = Measurement.get(console, console.options.update(width=WIDE), drawn).minimum
    console.width = max(console.width if sys.stdout.isatty() else WIDE, least)
    console.print(drawn, soft_wrap=False, crop=False)


def cell(value: object) -> str:
    """One value for people, safe from markup."""
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else escape(str(value))


def say(text: str) -> None:
    """Print a line for people, as it is."""
    people().print(text, markup=False)


def line(text: str) -> None:
    """Print a line of data as it is, fast."""
    sys.stdout.write(text + "\n")


def progress(*, shown: bool) -> Progress:
    """Progress on standard error; drawn only on a terminal, and not when JSON was asked for."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
        console=aside(),
        transient=True,
        disable=not (shown and sys.stderr.isatty()),
    )


def error(failure: CornicenError, *, as_json: bool) -> None:
    """Print what is wrong and what to do, on standard error."""
    if as_json:
        print(json.dumps({"error": failure.as_json()}, ensure_ascii=False), file=sys.stderr, flush=True)
        return
    console = aside()
    console.print(f"[bold red]{escape(failure.what)}[/]")
    if isinstance(failure, BadDefinition | BadFolder):
        for fault in failure.faults:
            console.print(
                f"  [bold]{escape(fault.path)}[/]: {escape(fault.what)}"
                + (f" [dim]{escape(fault.fix)}[/]" if fault.fix else "")
            )
    if failure.fix:
        console.print(escape(failure.fix))
