"""One call of a route, taken apart as far as all routes need it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import parse_qs

import msgspec

from cornicen.integrations.onesignal.simulator.answers import Refused
from cornicen.integrations.onesignal.simulator.state.app import App

T = TypeVar("T")

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What a decoder raises for a body that is no JSON, has text that is no UTF-8, is nested too deep, or does not fit."""


@dataclass(slots=True)
class Asked:
    """A request as it came in.

    Args:
        method: In capitals.
        path: Percent-encoded, without the query.
        query: Without the question mark.
        headers: Names in lower case.
        body: As sent.
        client: The caller's address, "" if unknown.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    client: str = ""

    def parameter(self, name: str) -> str | None:
        """A parameter of the query, its last value if there are several."""
        return parse_qs(self.query, keep_blank_values=True).get(name, [None])[-1] if self.query else None


@dataclass(slots=True)
class Call:
    """A request for a route of a known application.

    Args:
        app: Whose.
        asked: The request.
        parts: What stands in the path's places, decoded.
        now: When it came in, Unix seconds.
    """

    app: App
    asked: Asked
    parts: Mapping[str, str]
    now: float

    def body(self, shape: type[T]) -> T:
        """The JSON body, its types checked.

        Raises:
            Refused: 400: no JSON, or a member of the wrong type.
        """
        try:
            return msgspec.json.decode(self.asked.body, type=shape)
        except UNREADABLE as fault:
            raise Refused(400, f"Request is malformed: {fault}") from fault

    def object(self) -> dict[str, Any]:
        """The JSON body as an object.

        Raises:
            Refused: 400: no JSON, or no object.
        """
        return self.body(dict[str, Any])

    def whole_number(self, name: str, default: int) -> int:
        """A parameter of the query that is a number from 0 on.

        Raises:
            Refused: 400: it is something else.
        """
        text = self.asked.parameter(name)
        if text is None:
            return default
        if not text.isascii() or not text.isdigit():
            raise Refused(400, f"{name} must be a whole number")
        return int(text)
