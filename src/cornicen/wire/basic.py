"""Basic authentication as senders really write it."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Basic:
    """What an ``Authorization: Basic`` header says.

    Args:
        username: Before the first colon.
        password: After it; empty: none was given.
    """

    username: str
    password: str = field(default="", repr=False)


def basic(header: str | None) -> Basic | None:
    """Read an ``Authorization`` header.

    The value is base64 of ``user:password``, or that text itself: Mixpanel's documentation shows both. A value without a colon
    is a user name without a password: one connector encodes a bare secret like that.

    Args:
        header: The header's value; None: there is none.

    Returns:
        None: no Basic authentication, or one that names nobody. Never raises.
    """
    scheme, _, value = (header or "").strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    plain = value.strip()
    username, _, password = (_decoded(plain) or plain).partition(":")
    return Basic(username, password) if username else None


def _decoded(value: str) -> str | None:
    """The text behind base64; None where the value is no base64 of a readable text, and so the text itself."""
    padded = value.rstrip("=")
    padded += "=" * (-len(padded) % 4)
    try:
        text = base64.b64decode(padded, altchars=b"-_" if {"-", "_"} & set(padded) else None, validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    return text if text.isprintable() else None
