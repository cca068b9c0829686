"""Answers as values, and the two ways in which the vendor writes its errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec

Headers = tuple[tuple[bytes, bytes], ...]

_JSON: Headers = ((b"content-type", b"application/json; charset=utf-8"),)
_encode = msgspec.json.Encoder().encode


class Errors(StrEnum):
    """How a route writes its errors; it depends on the route, not on the status."""

    STRUCTURED = "structured"
    """``{"errors":[{"code","title","meta"}]}``: users, aliases, subscriptions."""
    STRINGS = "strings"
    """``{"errors":["…"]}``: everything else."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One complete answer.

    Args:
        status: The HTTP status.
        body: As sent.
        headers: Names in lower case; the length is added on the way out.
    """

    status: int
    body: bytes
    headers: Headers = _JSON


def answer(status: int, value: object, headers: Headers = ()) -> Answer:
    """A JSON answer."""
    return Answer(status, _encode(value), _JSON + headers if headers else _JSON)


@dataclass(eq=False)
class Refused(Exception):
    """The request is answered with an error, and nothing was done.

    Args:
        status: The HTTP status.
        title: The vendor's words; "" leaves ``errors`` out of a string-shaped body.
        code: Of a structured error.
        meta: Of a structured error.
        extra: Further members of a string-shaped body, e.g. ``success``.
        headers: Added to the answer's.
        strings: Written with strings even where the route's errors are structured.
    """

    status: int
    title: str
    code: str = "request-0"
    meta: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    headers: Headers = ()
    strings: bool = False

    def written(self, errors: Errors) -> Answer:
        """The answer, in the shape of the route that gives it."""
        if errors is Errors.STRUCTURED and not self.strings:
            error: dict[str, Any] = {"code": self.code, "title": self.title}
            if self.meta:
                error["meta"] = dict(self.meta)
            return answer(self.status, {"errors": [error]}, self.headers)
        body: dict[str, Any] = {"errors": [self.title]} if self.title else {}
        return answer(self.status, {**body, **self.extra}, self.headers)


def too_many(retry_after: int) -> Refused:
    """The 429 of every route: ``Retry-After`` in whole seconds is the one header that is promised."""
    return Refused(
        429,
        "API rate limit exceeded",
        code="Rate Limit Exceeded",
        extra={"limit": "App ID"},
        headers=((b"retry-after", str(retry_after).encode()),),
    )


NOT_FOUND = answer(404, {"status": 404, "error": "Not Found"})
"""What a path that no route has answers."""
