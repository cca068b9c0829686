"""What a server asks us to wait, read from an answer's headers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

LONGEST = 3600.0
"""Seconds: a longer wait is asked for in vain; after an hour we ask again and are told again."""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds in ``Retry-After``.

    Args:
        headers: Names in lower case. A date is taken against the answer's own ``Date``, so that no clock of ours matters.

    Returns:
        0.0 to `LONGEST`; None: there is none that can be read.
    """
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return min(float(text[:12]), LONGEST)
    then, now = _instant(text), _instant(headers.get("date", ""))
    if then is None or now is None:
        return None
    return min(max((then - now).total_seconds(), 0.0), LONGEST)


def _instant(text: str) -> datetime | None:
    try:
        instant = parsedate_to_datetime(text)
    except ValueError:
        return None
    return instant if instant.tzinfo else None
