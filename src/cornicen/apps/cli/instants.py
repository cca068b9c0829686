"""Instants as people write and read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cornicen.errors import BadInput
from cornicen.events import values

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read(text: str) -> int:
    """Microseconds since 1970 UTC from an ISO-8601 instant; without an offset it is UTC, and a date is its first moment.

    Raises:
        BadInput: It is none.
    """
    found = values.instant(text.strip(), UTC)
    if found is None:
        raise BadInput(f"{text!r} is no instant.", "Write it like 2017-10-29T00:00:00Z.")
    return found


def show(moment: int) -> str:
    """An instant in UTC, ISO-8601, with fractions of a second only where there are some."""
    return (_EPOCH + timedelta(microseconds=moment)).isoformat().replace("+00:00", "Z")


def maybe(moment: int | None) -> str | None:
    """As `show`; None stays None."""
    return None if moment is None else show(moment)
