"""What the demo says: to people in lines and a small honest table, to programs in one document."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from cornicen.apps.cli import instants, output
from cornicen.apps.demo.audit import REASONS
from cornicen.apps.demo.play import LAST, Played
from cornicen.apps.demo.scenario import OURS, THEIRS
from cornicen.apps.demo.stage import Stage

FIGURES = ("exportable", "in_segment", "added", "removed", "requests", "differ")

TICK = "{:<16} {:<22} {:>9} {:>7} {:>8} {:>9} {:>8}"


def introduce(console: Console, notice: str) -> None:
    """Say what is the data's and what is ours."""
    console.print(notice, markup=False)
    console.print(f"The data's: {THEIRS}.", markup=False)
    console.print("Ours:", markup=False)
    for one in OURS:
        console.print(f"  - {one}", markup=False)
    console.print()


def head(console: Console) -> None:
    """Head the lines of the ticks."""
    console.print(TICK.format("tick", "as of", "events", "added", "removed", "requests", "seconds"), markup=False)


def tick(console: Console, name: str, one: dict[str, Any]) -> None:
    """One tick's line."""
    numbers = [f"{one[key]:,}" for key in ("events", "added", "removed", "requests")]
    note = "  the guard would hold this; released" if one["released"] else ""
    console.print(TICK.format(name, one["as_of"], *numbers, f"{one['seconds']:.2f}") + note, markup=False)


def document(played: Played, notice: str, seconds: float) -> dict[str, Any]:
    """The one document of ``--json``."""
    wanted = ("slug", "size", "exportable", "in_segment", "not_exported", "added", "removed", "requests", "differ")
    return {
        "cohorts": [{key: one[key] for key in wanted} for one in played.cohorts],
        "ticks": played.ticks,
        "faults": played.faults,
        "seconds": round(seconds, 1),
        "ours": list(OURS),
        "notice": notice,
    }


def verdict(played: Played, seconds: float) -> None:
    """The table, and what it comes to."""
    reasons = [f"- {reason.replace('_', ' ')}" for reason in REASONS]
    heads = ["cohort", "size", *reasons, "= exportable", *(figure.replace("_", " ") for figure in FIGURES[1:])]
    rows = [
        [one["slug"], one["size"], *(one["not_exported"][reason] for reason in REASONS), *(one[figure] for figure in FIGURES)]
        for one in played.cohorts
    ]
    output.say("")
    output.table(heads, rows)
    output.say(
        "Sizes, reasons and segments: recomputed from the raw files by a process of its own, and read back by CSV export."
    )
    output.say("One request carries all of a recipient's changes, so a request may count for several cohorts.")
    for fault in played.faults:
        output.say(f"NOT PROVEN: {fault}.")
    if not played.faults:
        output.say(f"Nothing differs. {len(played.ticks)} ticks and the audit took {seconds:.0f} s.")


def invite(console: Console, stage: Stage) -> None:
    """Say where to look, and three commands worth trying."""
    console.print()
    console.print(
        f"It stays up at {stage.address} (the simulated OneSignal: {stage.app.address}). Ctrl-C stops it.", markup=False
    )
    console.print("Worth trying, in another terminal:", markup=False)
    home = f"--home {stage.home}"
    console.print(f"  cornicen sync status {home}", markup=False)
    console.print(f"  cornicen cohort show going-quiet --sql {home}", markup=False)
    console.print(f"  cornicen cohort preview lapsed --to onesignal --as-of {instants.show(LAST)} {home}", markup=False)
