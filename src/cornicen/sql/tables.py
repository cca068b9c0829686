"""Where a query finds its data: one mapping for our own warehouse and for a team's tables alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


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


ONLY = "{only}"
"""What stands in `Tables.some` and `Tables.by_person` for the relation of persons."""


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
        some: As `events`, of some persons alone: a sub-select in which `ONLY` stands for a relation with a column ``person``.
            For relations that say who somebody is now, where a restriction from outside comes too late. None: `events` will do.
        by_person: As `some`, read faster where the events of any name over a long time are asked for. None: there is no such.
    """

    events: str
    profiles: str
    persons: str | None = None
    given: str | None = None
    event_properties: Mapping[str, Columns] = field(default_factory=dict)
    profile_properties: Mapping[str, Columns] = field(default_factory=dict)
    some: str | None = None
    by_person: str | None = None

    def restricted(self, only: str) -> Tables:
        """The same for a question about some persons.

        Args:
            only: A relation with a column ``person``; the rows may be of others too, the question must be restricted to it.
        """
        some, by_person = (None if one is None else one.replace(ONLY, only) for one in (self.some, self.by_person))
        return replace(self, events=some or self.events, by_person=by_person)
