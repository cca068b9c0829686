"""``cornicen up``: serve a home until told to stop."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cornicen.apps.cli import output
from cornicen.apps.cli.options import PLAIN, Style
from cornicen.errors import BadSetting

if TYPE_CHECKING:
    from cornicen.apps.home import Settings
    from cornicen.apps.up import Listening

SIDES = ("capture", "console")


class _Spoken(io.StringIO):
    """Takes the supervisor's JSON line and says it to people."""

    def flush(self) -> None:
        """Say what has come."""
        line = self.getvalue()
        self.seek(0)
        self.truncate()
        if line.strip():
            said = json.loads(line)
            if said["console"] != said["address"]:
                output.say(f"The console is at {said['console']}.")
            if said["public"] != said["address"]:
                output.say(f"Senders are to use {said['public']}.")
            output.say(f"Listening at {said['address']}. Ctrl-C stops.")


def up(
    *,
    home: Path | None = None,
    host: str | None = None,
    port: int | None = None,
    listen: list[str] | None = None,
    public_url: str | None = None,
    style: Style = PLAIN,
) -> int:
    """Run a door, a courier and a keeper a project, until SIGTERM or Ctrl-C. Stops cleanly; goes on where it stopped.

    With --json one line ``{"pid": …, "address": …, "console": …, "public": …}`` is printed once everything answers.

    Args:
        home: The home; else CORNICEN_HOME, else the current folder.
        host: Where to listen for everything; else as cornicen.toml says, else 127.0.0.1.
        port: The port for everything; 0: a free one. Else as cornicen.toml says, else 8585.
        listen: capture=HOST:PORT takes records there, console=HOST:PORT shows the pages there; may be given twice. What is
            not named stays where cornicen.toml says, else at 127.0.0.1:8585.
        public_url: What senders call us, when a proxy stands in front: scheme and host only.
        style: How to answer.
    """
    from cornicen.apps.courier.channels import channels
    from cornicen.apps.home import Home
    from cornicen.apps.up import serve
    from cornicen.wire.client import HttpSender

    found = Home.find(home)
    channels(found, HttpSender(), os.environ)  # what is wrong there is better told here than in the courier's log
    listening = _listening(found.settings, host, port, listen or [], public_url)
    serve(found, listening, ready=sys.stdout if style.json else _Spoken())
    return 0


def _listening(settings: Settings, host: str | None, port: int | None, listen: list[str], public: str | None) -> Listening:
    """What options and settings say together. Raises: BadSetting."""
    from cornicen.apps.addresses import Place, origin, place
    from cornicen.apps.up import Listening

    named = _named(listen)
    outside = origin(public or settings.public_url) if public or settings.public_url else ""
    if host is not None or port is not None:
        if named:
            raise BadSetting("--listen is given together with --host or --port.", "Give the ones or the other.")
        there = place(settings.listen_capture)
        return Listening(Place(there.host if host is None else host, there.port if port is None else port), None, outside)
    capture = place(named.get("capture", settings.listen_capture))
    console = place(named.get("console", settings.listen_console))
    return Listening(capture, None if capture == console and capture.port else console, outside)


def _named(listen: list[str]) -> dict[str, str]:
    named: dict[str, str] = {}
    for text in listen:
        side, _, where = text.partition("=")
        if side not in SIDES or side in named:
            raise BadSetting(f"--listen {text} cannot be meant.", "Give capture=HOST:PORT, console=HOST:PORT, or each once.")
        named[side] = where
    return named
