"""The command line: ``cornicen COMMAND``.

Every command takes ``--json`` and then prints one JSON document on standard output; errors go to standard error as
``what`` and ``fix``, or as ``{"error": {code, what, fix, …}}``. The exit codes are in `cornicen.apps.cli.exits`.

A command is a plain function that returns its exit code; heavy modules are imported inside, so that ``--help`` is fast.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code: the console script ``cornicen``.

    Args:
        arguments: Without the program's name; None: this process's.
    """
    from cornicen.apps.cli import exits
    from cornicen.apps.cli.running import run, treat_as_internal

    sys.excepthook = treat_as_internal
    code = run(sys.argv[1:] if arguments is None else arguments)
    if code == exits.INTERRUPTED:  # CPython would end by SIGINT if it has passed through an extension
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)
