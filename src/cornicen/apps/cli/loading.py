"""Waits until the keeper has loaded what an import left at the door."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from cornicen.apps.cli import output
from cornicen.errors import NotRunning

if TYPE_CHECKING:
    from cornicen.apps.cli.house import House

BETWEEN_LOOKS = 0.1

PATIENCE = 30.0
"""Seconds without a keeper before giving up: one that died is started again."""


def until_loaded(house: House, *, shown: bool) -> None:
    """Wait until nothing waits in the bulk lane any more.

    Args:
        house: Whose keeper.
        shown: Whether progress is drawn, and told that there is no keeper.

    Raises:
        NotRunning: Nothing serves the home any more, or for `PATIENCE` no keeper answered.

    Twice: nothing is left to wait for.
    """
    with output.progress(shown=shown) as bar:
        task, most = bar.add_task("Loading", total=None, note=""), 0
        while waiting := _waiting(house, shown=shown):
            most = max(most, waiting)
            bar.update(task, total=most, completed=most - waiting, note=f"{waiting / 1e6:,.1f} MB waiting")
            time.sleep(BETWEEN_LOOKS)


def _waiting(house: House, *, shown: bool) -> int:
    """How many bytes of the bulk lane are not loaded, as soon as a keeper answers."""
    from cornicen.apps.up import running

    until = None
    while True:
        try:
            return int(house.ask("status")["backlog"].get("bulk", 0))
        except NotRunning as error:
            running(house.home)
            if until is None:
                until = time.monotonic() + PATIENCE
                if shown:
                    output.aside().print("No keeper answers; waiting for it to be started again.", markup=False, style="dim")
            if time.monotonic() >= until:
                what = f"Everything is safe at the door, but for {PATIENCE:.0f} seconds no keeper has answered to load it."
                fix = f"Look at the keeper's log in {house.home.run_folder}; the same command waits again, and adds nothing."
                raise NotRunning(what, fix) from error
            time.sleep(BETWEEN_LOOKS)
