"""From what a person writes to a query, all faults at once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cornicen.cohorts.query import Query


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
class Context:
    """What parsing may look at.

    Args:
        zone: The project's time zone, an IANA name.
        folder: Relative file names start here.
        lookup: The document of another cohort of the project by slug; None: there is none.
        slugs: The slugs there are, for suggestions.
    """

    zone: str = "UTC"
    folder: str = "."
    lookup: Callable[[str], object | None] = lambda _slug: None
    slugs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Definition:
    """A cohort definition, understood.

    Args:
        slug: Its name for files and people.
        name: What people read.
        query: None when `recipients` stands for the whole cohort.
        given: The lists it reads, by key.
        recipients: Values that are a destination's users already (``ids`` with ``as: external_id``); it then stands alone.
        nested: Slugs of the cohorts it reads, directly or not.
    """

    slug: str
    name: str
    query: Query | None
    given: Mapping[str, GivenSource] = field(default_factory=dict)
    recipients: GivenSource | None = None
    nested: tuple[str, ...] = ()
