"""Outbound HTTP as values: what is asked, what came back, and the two ways in which nothing came back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Request:
    """One HTTP request, ready to send.

    Args:
        method: ``GET``, ``POST``, ….
        url: Absolute, its path and query percent-encoded.
        headers: As sent.
        body: As sent; None: no body.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True)
class Reply:
    """A complete answer.

    Args:
        status: The HTTP status.
        headers: Names in lower case.
        body: Decoded of its transfer encoding, at most 1 MiB of it.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class NotSent:
    """The connection failed before a byte of the request left: the other side cannot have acted on it.

    Args:
        why: One sentence, e.g. ``connection refused``.
    """

    why: str


@dataclass(frozen=True)
class NoAnswer:
    """Something left and no complete answer came (time-out, reset): the other side may have acted on it, or may yet.

    Args:
        why: One sentence.
    """

    why: str


Result = Reply | NotSent | NoAnswer
