"""A user's hand: the demo does everything through the commands that every user has."""

from __future__ import annotations

import contextlib
import io
import json
import select
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cornicen.apps.cli import exits, running
from cornicen.apps.keeper.client import error_of
from cornicen.errors import CornicenError, Unavailable

READY_WITHIN = 120.0
"""Seconds that a process gets to start."""

STOP_WITHIN = 30.0
"""Seconds that a process gets to stop cleanly."""


def do(*arguments: str) -> dict[str, Any]:
    """Run ``cornicen ARGUMENTS --json`` in this process, through the same code as the console script.

    Returns:
        The document it printed; a check that says no (exit code 1) has one too.

    Raises:
        CornicenError: What the command printed as its error.
    """
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = running.run([*arguments, "--json"])
    if code not in {exits.OK, exits.NO}:
        raise _error(err.getvalue(), arguments, code)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def _error(printed: str, arguments: tuple[str, ...], code: int) -> CornicenError:
    if code == exits.INTERRUPTED:
        raise KeyboardInterrupt
    lines = printed.strip().splitlines()
    try:
        return error_of(json.loads(lines[-1])["error"])
    except (IndexError, ValueError, KeyError):
        return CornicenError(f"`cornicen {' '.join(arguments[:2])}` ended with {code}.", printed.strip())


@dataclass(frozen=True)
class Child:
    """A command that runs as a process of its own.

    Args:
        words: What it is called.
        process: The process.
    """

    words: str
    process: subprocess.Popen[str]

    def ready(self) -> dict[str, Any]:
        """Wait for the line that it prints once it is ready.

        Raises:
            Unavailable: It ended instead, or took too long.

        Twice: waits for a second line.
        """
        out = self.process.stdout
        came = select.select([out], [], [], READY_WITHIN)[0] if out is not None else []
        line = out.readline() if out is not None and came else ""
        if not line.strip():
            raise Unavailable(f"`cornicen {self.words}` did not start.", "Try again when the machine is less busy.")
        said: dict[str, Any] = json.loads(line)
        return said


@contextlib.contextmanager
def started(*arguments: str) -> Iterator[Child]:
    """Start ``cornicen ARGUMENTS --json`` as a process of its own; it is told to stop at the end of the block."""
    command = [sys.executable, "-m", "cornicen.apps.cli", *arguments, "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as process:  # noqa: S603 - ourselves
        try:
            yield Child(" ".join(arguments[:2]), process)
        finally:
            process.terminate()
            try:
                process.wait(STOP_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
