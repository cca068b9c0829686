"""Globs as regular expressions that Python's `re` and RE2 read alike.

``*`` is any text without ``/``, ``**`` any text, ``?`` one character but ``/``, ``[abc]`` and ``[a-z]`` one of these,
``[!abc]`` one of the others, ``/`` never among them. Everything else is itself, a backslash too: ``[*]`` is a star. A
``]`` right after the opening (or its ``!``) is one of the class; an opening without an end is itself.
"""

from __future__ import annotations

import re
from functools import lru_cache

_SPECIAL = frozenset("\\.^$*+?{}[]|()-&~#/")
_NOTHING = r"[^\s\S]"
_PIECE = re.compile(
    r"(?P<any>\*\*+)|(?P<some>\*)|(?P<one>\?)|\[(?P<unlike>!?+)(?P<set>\][^\]]*|[^\]]+)\]|(?P<plain>.)", re.DOTALL
)


@lru_cache(maxsize=1024)
def expression(pattern: str) -> str:
    """The regular expression of a glob.

    It says itself that dots match newlines and that both ends are anchored, and holds only what both dialects share. Python
    must ask it with `re.fullmatch` (its ``$`` also matches before a last newline); RE2 may search or match in full.
    """
    return "(?s)^(?:" + "".join(map(_piece, _PIECE.finditer(pattern))) + ")$"


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text fits the glob."""
    return re.fullmatch(expression(pattern), text) is not None


def _piece(piece: re.Match[str]) -> str:
    match piece.lastgroup:
        case "any":
            return ".*"
        case "some":
            return "[^/]*"
        case "one":
            return "[^/]"
        case "set":
            return _class(piece["set"], unlike=bool(piece["unlike"]))
    return _plain(piece["plain"])


def _class(members: str, *, unlike: bool) -> str:
    """One character of a class; a range whose ends are swapped holds nothing."""
    ranges = [
        _plain(found[0]) if len(found[0]) == 1 else f"{_plain(found[0][0])}-{_plain(found[0][2])}"
        for found in re.finditer(r".-.|.", members, re.DOTALL)
        if len(found[0]) == 1 or found[0][0] <= found[0][2]
    ]
    if unlike:
        return "[^/" + "".join(ranges) + "]"
    return "[" + "".join(ranges) + "]" if ranges else _NOTHING


def _plain(character: str) -> str:
    return "\\" + character if character in _SPECIAL else character
