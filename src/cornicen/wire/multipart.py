"""Forms sent as ``multipart/form-data``: their fields, as far as they can be read."""

from __future__ import annotations

import re

MOST_PARTS = 64
"""Of one form; what follows is not read."""

_BOUNDARY = re.compile(r"""^multipart/form-data\s*;.*?boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))""", re.IGNORECASE | re.DOTALL)
_NAME = re.compile(rb"""^content-disposition:[^\r\n]*?[;\s]name=(?:"([^"\r\n]*)"|([^\s;"]+))""", re.IGNORECASE | re.MULTILINE)


def boundary(content_type: str) -> bytes | None:
    """What parts such a form, from its ``Content-Type``; None: it is none."""
    found = _BOUNDARY.match(content_type.strip())
    return None if found is None else (found[1] or found[2]).encode("latin-1", "replace")


def fields(body: bytes, between: bytes) -> dict[str, bytes]:
    """The form's fields; of a repeated name the first. Never raises: what is no part is left out.

    Args:
        body: The whole form.
        between: Its `boundary`.
    """
    found: dict[str, bytes] = {}
    for piece in (b"\r\n" + body).split(b"\r\n--" + between, MOST_PARTS + 1)[1 : MOST_PARTS + 1]:
        if piece.startswith(b"--"):
            break
        head, _, value = piece.partition(b"\r\n\r\n")
        if (name := _NAME.search(head)) is not None:
            found.setdefault((name[1] if name[1] is not None else name[2]).decode("utf-8", "replace"), value)
    return found
