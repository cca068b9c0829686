"""The exit codes, by what went wrong; `docs/cli.md` and every ``--help`` name them."""

from __future__ import annotations

from cornicen.errors import BadInput, CornicenError, Denied, DestinationRefused, Unavailable

OK = 0
NO = 1
"""A check says no: something differs, is held, or is failing."""
BAD_INPUT = 2
UNAVAILABLE = 3
DENIED = 4
INTERNAL = 70
INTERRUPTED = 130

MEANINGS = {
    OK: "ok",
    NO: "a check says no (differs, held, failing)",
    BAD_INPUT: "bad input",
    UNAVAILABLE: "unavailable or not running",
    DENIED: "denied, or refused by a destination",
    INTERNAL: "internal",
    INTERRUPTED: "interrupted",
}

_BY_CLASS: tuple[tuple[type[CornicenError], int], ...] = (
    (BadInput, BAD_INPUT),
    (Unavailable, UNAVAILABLE),
    (Denied, DENIED),
    (DestinationRefused, DENIED),
)


def code_of(error: CornicenError) -> int:
    """The exit code of an error."""
    return next((code for kind, code in _BY_CLASS if isinstance(error, kind)), INTERNAL)


def epilogue() -> str:
    """The exit codes in one line, for ``--help``."""
    return "Exit codes: " + ", ".join(f"{code} {meaning}" for code, meaning in MEANINGS.items())
