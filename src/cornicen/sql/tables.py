"""Where a query finds its data: one mapping for our own warehouse and for a team's tables alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Columns:
    """The columns of one property, one for each type (`cornicen.events.values.Value`).

    Args:
        prefix: Column ``<prefix>_s`` says whether it is set (boolean, never null when set); ``_n`` number (millionths),
            ``_t`` text, ``_b`` truth, ``_i`` instant (microseconds), ``_x`` spelled number, ``_f`` folded text, ``_l`` the
            items of a list: a LIST of STRUCT(n, t, b, i, x, f). All null where the property is missing.
        letters: Those of the columns that exist: a type without a column never occurs, and no statement reads it. Without ``s``
            a property is set where any of the others is not null.
    """

    prefix: str
    letters: str = "sntbixfl"

    def of(self, letter: str) -> str:
        """The column for one type, by its letter."""
        return f"{self.prefix}_{letter}"


LETTERS = {"s": "BOOLEAN", "n": "BIGINT", "t": "VARCHAR", "b": "BOOLEAN", "i": "BIGINT", "x": "BIGINT", "f": "VARCHAR"}
"""The scalar columns of a property and their types."""

ITEM = "STRUCT(n BIGINT, t VARCHAR, b BOOLEAN, i BIGINT, x BIGINT, f VARCHAR)"
"""One element of a list column."""


@dataclass(frozen=True)
class Tables:
    """Names of relations and columns; each relation may be a table, a view or a sub-select in parentheses.

    Args:
        events: One row an event: ``person`` INTEGER (null: nobody's), ``event`` VARCHAR, ``time`` BIGINT microseconds,
            ``load`` BIGINT, and the columns of `event_properties`.
        profiles: One row a person with a profile: ``person``, and the columns of `profile_properties`.
        persons: One row a person: ``person``, ``first`` BIGINT: the time of the first event, null without events.
            None: take it from `events`.
        given: One row a member of a given list: ``key`` VARCHAR, ``person``.
        event_properties: By property name; a property that is absent here is missing everywhere.
        profile_properties: Likewise.
    """

    events: str
    profiles: str
    persons: str | None = None
    given: str | None = None
    event_properties: Mapping[str, Columns] = field(default_factory=dict)
    profile_properties: Mapping[str, Columns] = field(default_factory=dict)
