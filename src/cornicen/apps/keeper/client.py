"""Asking a keeper: one JSON line there, one JSON line back, over its local socket."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import msgspec

from cornicen import errors
from cornicen.apps.home import Home

LONGEST_LINE = 64 * 1024 * 1024
_NOT_RUNNING_FIX = "Start it with `cornicen up --home {home}` and leave it running."


def ask(home: Home, project: str, question: str, **arguments: object) -> dict[str, Any]:
    """Put one question to a project's keeper and wait for its answer.

    Args:
        home: Whose keeper.
        project: The project's id.
        question: `cornicen.apps.keeper.questions` has them.
        arguments: Of the question; JSON values.

    Raises:
        NotRunning: No keeper answers at this home.
        CornicenError: Whatever the keeper answered, as the class it was there.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        try:
            line.connect(str(home.socket(project)))
            line.sendall(_asked(question, arguments))
            with line.makefile("rb") as answers:
                answer = answers.readline()
        except OSError as error:
            raise _not_running(home) from error
    return _answered(answer, home)


async def ask_soon(home: Home, project: str, question: str, **arguments: object) -> dict[str, Any]:
    """`ask` for roles that must not wait in place; the same answers and errors."""
    try:
        reader, writer = await asyncio.open_unix_connection(str(home.socket(project)), limit=LONGEST_LINE)
    except OSError as error:
        raise _not_running(home) from error
    try:
        writer.write(_asked(question, arguments))
        await writer.drain()
        answer = await reader.readline()
    except OSError as error:
        raise _not_running(home) from error
    finally:
        writer.close()
    return _answered(answer, home)


def _asked(question: str, arguments: dict[str, object]) -> bytes:
    return msgspec.json.encode({"question": question, "arguments": arguments}) + b"\n"


def _answered(line: bytes, home: Home) -> dict[str, Any]:
    if not line.endswith(b"\n"):
        raise _not_running(home)
    reply = msgspec.json.decode(line, type=dict[str, Any])
    if "error" in reply:
        raise error_of(reply["error"])
    answer: dict[str, Any] = reply["answer"]
    return answer


def _not_running(home: Home) -> errors.NotRunning:
    return errors.NotRunning("No keeper answers at this home.", _NOT_RUNNING_FIX.format(home=home.path))


def error_of(said: dict[str, Any]) -> errors.CornicenError:
    """An error as it was on the other side: its class by its code, its faults and words among it."""
    what, fix = str(said["what"]), str(said["fix"])
    for kind in _kinds(errors.CornicenError):
        if kind.code == said["code"]:
            if "faults" in said and issubclass(kind, errors.BadDefinition | errors.BadFolder):
                return kind(what, [errors.Fault(**fault) for fault in said["faults"]], fix)
            return kind(what, fix, said["words"]) if issubclass(kind, errors.DestinationRefused) else kind(what, fix)
    return errors.CornicenError(what, fix)


def _kinds(kind: type[errors.CornicenError]) -> list[type[errors.CornicenError]]:
    return [kind, *(found for under in kind.__subclasses__() for found in _kinds(under))]
