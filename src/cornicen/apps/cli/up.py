"""``cornicen up``: serve a home until told to stop."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

from cornicen.apps.cli import output
from cornicen.apps.cli.options import PLAIN, Style


class _Spoken(io.StringIO):
    """Takes the supervisor's JSON line and says it to people."""

    def flush(self) -> None:
        """Say what has come."""
        line = self.getvalue()
        self.seek(0)
        self.truncate()
        if line.strip():
            said = json.loads(line)
            output.say(f"Listening at {said['address']}. Ctrl-C stops.")


def up(*, home: Path | None = None, host: str = "127.0.0.1", port: int = 8585, style: Style = PLAIN) -> int:
    """Run a door, a courier and a keeper a project, until SIGTERM or Ctrl-C. Stops cleanly; goes on where it stopped.

    With --json one line ``{"pid": …, "address": …}`` is printed once everything answers.

    Args:
        home: The home; else CORNICEN_HOME, else the current folder.
        host: Where to listen.
        port: The port; 0: a free one.
        style: How to answer.
    """
    from cornicen.apps.home import Home
    from cornicen.apps.up import serve

    serve(Home.find(home), host, port, ready=sys.stdout if style.json else _Spoken())
    return 0
