"""Given membership: where the values of an ``ids`` clause come from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class GivenSource:
    """Where the values of an ``ids`` clause come from.

    Args:
        kind: ``list`` ``csv`` ``parquet`` ``sql``.
        text: Of ``csv`` and ``parquet`` the absolute path, of ``sql`` the statement.
        column: Of ``csv`` and ``parquet`` the column to read; "" the first.
        values: Of ``list`` the values.
        folder: Of ``sql``: relative file names start here.
    """

    kind: str
    text: str = ""
    column: str = ""
    values: tuple[str, ...] = ()
    folder: str = ""

    @property
    def key(self) -> str:
        """A digest that names the list."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Recipients:
    """A clause whose values are a destination's users already; no query can hold it.

    Args:
        source: Where the values come from.
    """

    source: GivenSource
