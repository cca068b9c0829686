"""The stage: a simulator, a home and its `up`, as a user would set them up, and the sending of records up to an instant."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

from cornicen.apps.cli import instants
from cornicen.apps.demo.app import App
from cornicen.apps.demo.data import Story
from cornicen.apps.demo.hand import do, started
from cornicen.apps.demo.scenario import TIER

RATE = "800"
"""Requests a second: the most a connection may have, so that nobody waits for the demo."""


@dataclass
class Stage:
    """A running home beside a running simulator.

    Args:
        home: The home's folder.
        address: Its door's.
        app: The simulated app.
        story: What there is to send.
        sent: Records up to here have been sent, microseconds; None: none.
    """

    home: Path
    address: str
    app: App
    story: Story
    sent: int | None = field(default=None)

    def do(self, *arguments: str) -> dict[str, Any]:
        """A command on this home."""
        return do(*arguments, "--home", str(self.home))

    def send(self, until: int, *, wait: bool = False) -> None:
        """Send the records before an instant that have not been sent yet, through the door, as files of an export."""
        for name, stream, form in (
            ("profiles.jsonl", self.story.profiles, "engage-jsonl"),
            ("events.jsonl", self.story.events, "mixpanel-export"),
        ):
            if records := stream.between(self.sent, until):
                file = self.home / "sending" / name
                file.write_text("\n".join(records))
                self.do("import", str(file), "--format", form, "--wait" if wait else "--no-wait")
        self.sent = until

    def tick(self, moment: int) -> dict[str, Any]:
        """Send what happened before an instant, and bring the segments to it: one line of the output."""
        began = time.monotonic()
        self.send(moment)
        return self._run(moment, began, released=False)

    def catch_up(self, moment: int) -> dict[str, Any]:
        """As `tick`, after an outage: where the plan says that the guard would hold it, it is released."""
        began = time.monotonic()
        self.send(moment, wait=True)
        planned = self.do("sync", "plan", "--as-of", instants.show(moment))
        return self._run(moment, began, released=any(one.get("held_why") for one in planned["syncs"]))

    def _run(self, moment: int, began: float, *, released: bool) -> dict[str, Any]:
        found = self.do("sync", "run", "--as-of", instants.show(moment), *(["--release"] if released else []))
        return {**found, "seconds": round(time.monotonic() - began, 3), "released": released}


@contextlib.contextmanager
def staged(read: Callable[[], Story], port: int) -> Iterator[Stage]:
    """Set everything up in a new folder; all of it is gone at the end of the block.

    Args:
        read: Gives what there is to send; called while the processes start.
        port: The door's; 0: a free one.
    """
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cornicen-demo-", ignore_cleanup_errors=True)))
        simulating = stack.enter_context(started("simulate", "onesignal", "--port", "0", "--tier", TIER))
        home = _home(folder)
        serving = stack.enter_context(started("up", "--home", str(home), "--port", str(port)))
        story = read()
        simulated = simulating.ready()
        app = App(simulated["address"], simulated["app_id"], simulated["api_key"])
        app.populate(story.mailed)
        stage = Stage(home, serving.ready()["address"], app, story)
        _connect(stage)
        yield stage


def _connect(stage: Stage) -> None:
    file = stage.home / "onesignal.key"
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as key:
        key.write(stage.app.key)
    account = ["--app-id", stage.app.id, "--api-key", f"file:{file}", "--base-url", stage.app.address, "--rate", RATE]
    stage.do("connect", "onesignal", *account)
    stage.do("apply", "--yes")


def _home(folder: Path) -> Path:
    """A home whose syncs run only when asked, with the demo's cohorts."""
    home = folder / "home"
    do("init", str(home), "--name", "The Complete Journey")
    with (home / "cornicen.toml").open("a") as settings:
        settings.write("\nschedule = false\n")
    with as_file(files("cornicen.apps.demo")) as package:
        shutil.copytree(package / "cohorts", home / "cohorts", dirs_exist_ok=True)
        shutil.copy(package / "syncs.yml", home / "syncs.yml")
    (home / "sending").mkdir()
    return home
