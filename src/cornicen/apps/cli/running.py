"""Runs one command line: arguments to a command, its errors to standard error and an exit code."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from types import TracebackType

from cyclopts import CycloptsError

from cornicen.apps.cli import exits, output
from cornicen.apps.cli.app import app
from cornicen.errors import BadInput, CornicenError


def run(arguments: Sequence[str]) -> int:
    """Run one command line in this process.

    Args:
        arguments: Without the program's name.

    Returns:
        The exit code. What the command printed is on standard output; an error is on standard error.
    """
    as_json = "--json" in arguments
    try:
        code = app(list(arguments), exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        failure = BadInput(str(error), f"`{_help_of(arguments)}` shows what there is.")
        output.error(failure, as_json=as_json)
        return exits.BAD_INPUT
    except CornicenError as error:
        output.error(error, as_json=as_json)
        return exits.code_of(error)
    except KeyboardInterrupt:
        return exits.INTERRUPTED
    except BrokenPipeError:  # whoever read our output has gone, e.g. `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exits.OK
    return code if isinstance(code, int) else exits.OK


def _help_of(arguments: Sequence[str]) -> str:
    words: list[str] = []
    for word in arguments[:2]:
        if word.startswith("-") or word not in _commands(words):
            break
        words.append(word)
    return " ".join(["cornicen", *words, "--help"])


def _commands(words: list[str]) -> list[str]:
    found = app
    for word in words:
        found = found[word]
    return list(found)


def treat_as_internal(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """The process's last resort: a fault of ours is shown whole, and exits with 70 rather than Python's 1."""
    traceback.print_exception(kind, error, trace)
    failure = CornicenError(
        "Cornicen failed: this is a fault of its own.", "Report it with the lines above; they hold no secret of yours."
    )
    output.error(failure, as_json="--json" in sys.argv)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(exits.INTERNAL)
