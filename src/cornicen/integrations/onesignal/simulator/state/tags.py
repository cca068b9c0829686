"""The rules of tags: what may be written, and when the price plan says no."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cornicen.integrations.onesignal.simulator.answers import Refused

MOST_PER_REQUEST = 100
"""Tags that one request may write (rate-limit page, first half of 2026)."""

RESERVED = frozenset(
    {"message", "notification", "subscription", "user", "template", "app", "org"}
    | {"dynamic_content", "data_feed", "journey", "custom_data"}
)
"""Keys that the vendor keeps for itself (tag page, first half of 2026). That writing one is refused is our guess."""


def read(written: Mapping[str, Any]) -> dict[str, str]:
    """What a request wants to write, as text: a tag is a string, and a number or a boolean is stored as it is printed.

    Args:
        written: As it came; "" deletes a tag.

    Raises:
        Refused: 400: more than 100 tags, an empty or reserved key, or a value that is neither text, number nor boolean.
    """
    if len(written) > MOST_PER_REQUEST:
        raise Refused(400, f"Please limit your tag updates to {MOST_PER_REQUEST} per request")
    if written.keys() & RESERVED or "" in written:
        raise Refused(400, "Tag keys must not be empty or reserved", meta={"keys": sorted(written.keys() & (RESERVED | {""}))})
    return {key: _text(key, value) for key, value in written.items()}


def _text(key: str, value: object) -> str:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case _:
            raise Refused(400, "Tag values must be strings", meta={"key": key})


def merged(tags: Mapping[str, str], changes: Mapping[str, str], cap: int) -> dict[str, str]:
    """A user's tags after a write: keys that are not mentioned stay, "" deletes.

    At the cap an existing key may be given a new value, and a key may be deleted; a new key is refused even if the same
    request deletes another, since deletions count from the next request on (tag page, first half of 2026).

    Args:
        tags: As they are.
        changes: As `read` gave them.
        cap: Tags that the price plan allows one user.

    Raises:
        Refused: 409 ``entitlements-tag-limit``: the whole write is refused.
    """
    new = sum(1 for key, value in changes.items() if value and key not in tags)
    if new and len(tags) + new > cap:
        raise Refused(
            409, "The tags for this user exceed the limit for this organization's plan.", code="entitlements-tag-limit"
        )
    return {key: value for key, value in {**tags, **changes}.items() if value}
