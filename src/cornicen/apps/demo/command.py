"""``cornicen demo``: the whole job on public data, and its proof."""

from __future__ import annotations

import signal
import time
from types import FrameType

from cornicen.apps.cli import exits, output
from cornicen.apps.cli.options import PLAIN, Style


def demo(*, once: bool = False, lines: bool = False, port: int = 0, style: Style = PLAIN) -> int:
    """Keep segments of a simulated OneSignal equal to cohorts of a year of public grocery data, then prove it.

    Needs the extra `demo`. Takes under two minutes, listens on this machine only, and leaves nothing behind. Exits 0 only
    if nothing differs, no cohort is empty, and something was added and removed.

    Args:
        once: Stop after the proof, instead of staying up to be looked at.
        lines: Send each of the 1.5 million receipt lines as an event too; takes longer.
        port: The door's port; 0: a free one.
        style: How to answer.
    """
    from cornicen.apps.demo import data, telling
    from cornicen.apps.demo.play import play
    from cornicen.apps.demo.stage import staged

    folder, notice, began = data.find(), data.notice(), time.monotonic()
    console = output.aside() if style.json else output.people()
    signal.signal(signal.SIGTERM, _interrupt)
    telling.introduce(console, notice)
    with staged(lambda: data.read(folder, lines=lines), port) as stage:
        telling.head(console)
        played = play(stage, folder, lambda name, one: telling.tick(console, name, one))
        seconds = time.monotonic() - began
        if style.json:
            output.document(telling.document(played, notice, seconds))
        else:
            telling.verdict(played, seconds)
        if not once:
            telling.invite(console, stage)
            _stay()
    return exits.NO if played.faults else exits.OK


def _stay() -> None:
    """Until Ctrl-C or SIGTERM."""
    try:
        while True:
            signal.pause()
    except KeyboardInterrupt:
        return


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
