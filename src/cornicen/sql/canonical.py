"""Queries as canonical SQL: a small subset of DuckDB's dialect, that `cornicen.sql.printing` prints for other engines.

Each distinct node is a CTE of its own and is written once, however often it occurs. So no set operation ever stands beside
another one and leans on precedence, which printers lose. Statements see integers, texts and booleans only: windows, days and
zones are integer bounds and offsets before they get here.
"""

from __future__ import annotations

from collections.abc import Sequence

from cornicen.cohorts.condition import Unless
from cornicen.cohorts.meaning import holds
from cornicen.cohorts.query import All, Any, Count, Days, Did, Given, Known, Not, Profile, Query, Source, Sum
from cornicen.sql import measures
from cornicen.sql.conditions import FALSE, TRUE, condition, every, some
from cornicen.sql.quoting import identifier, integer, text
from cornicen.sql.tables import Tables
from cornicen.sql.zones import DAY

_LEAST = -(2**63)
"""No time lies before it."""

LONG = 14 * DAY
"""From this length of a window on, some persons' events of any name are read where they are ordered by person."""


def sql(queries: Sequence[Query], tables: Tables, as_of: int, only: str | None = None) -> str:
    """One statement for all queries.

    Args:
        queries: At least one; equal parts, within and among them, are written once.
        tables: Where the data is.
        as_of: Microseconds since 1970 UTC; an event at or after it does not count.
        only: A relation with a column ``person`` (a table's name, or a sub-select in parentheses); nobody else is looked at.

    Returns:
        A statement that gives rows ``query`` (the index in ``queries``) and ``person``, each row once, in no order.
    """
    writer = _Writer(tables, as_of, only)
    names = [writer.node(settled(query, as_of)) for query in queries]
    rows = [f'select {index} as "query", person from {name}' for index, name in enumerate(names)]
    return writer.statement(" union all ".join(rows))


def persons(query: Query, tables: Tables, as_of: int, only: str | None = None) -> str:
    """One statement for one query, as `sql`, that gives only ``person``; of `Known` alone a person may come twice.

    Who makes a set of the rows anyway is spared a fifth of a second a million persons.
    """
    writer = _Writer(tables, as_of, only)
    if isinstance(query, Known):
        return writer.known("union all")
    return writer.statement(f"select person from {writer.node(settled(query, as_of))}")


def settled(query: Query, as_of: int) -> Query:
    """The same query, its `Profile` nodes such that no person without a profile passes them.

    A condition that holds when everything is missing holds for all those without a profile too; it is the opposite of its
    negation, which profiles alone decide.
    """
    match query:
        case Profile(where=where) if holds(where, {}, as_of):
            return Not(Profile(where.part if isinstance(where, Unless) else Unless(where)))
        case All(parts=parts):
            return All(tuple(settled(part, as_of) for part in parts))
        case Any(parts=parts):
            return Any(tuple(settled(part, as_of) for part in parts))
        case Not(part=part):
            return Not(settled(part, as_of))
        case _:
            return query


class _Writer:
    """Names each node's CTE and keeps them in the order in which they may be written."""

    def __init__(self, tables: Tables, as_of: int, only: str | None) -> None:
        self._tables = tables if only is None else tables.restricted(only)
        self._as_of = as_of
        self._only = only
        self._names: dict[Query, str] = {}
        self._written: list[str] = []

    def statement(self, last: str) -> str:
        return f"with {', '.join(self._written)} {last}"

    def node(self, query: Query) -> str:
        """The name of the node's CTE, which gives each of its persons once."""
        if query not in self._names:
            body = self._body(query)
            name = f"n{len(self._written)}"
            self._written.append(f"{name} as ({body})")
            self._names[query] = name
        return self._names[query]

    def _body(self, query: Query) -> str:  # noqa: PLR0911 - one answer a node
        match query:
            case Known():
                return self.known("union")
            case Did():
                return self._did(query)
            case Profile(where=where):
                passes = condition(where, self._tables.profile_properties, self._as_of)
                return self._select(self._tables.profiles, [passes])
            case Given(key=key):
                return self._given(key)
            case All(parts=parts):
                return self._combined("intersect", parts)
            case Any(parts=parts):
                return self._combined("union", parts)
            case Not(part=part):
                return self._combined("except", (Known(), part))

    def _combined(self, operation: str, parts: Sequence[Query]) -> str:
        names = list(map(self.node, parts))
        return f" {operation} ".join(f"select person from {name}" for name in names)

    def _select(self, relation: str, filters: Sequence[str], columns: str = "person") -> str:
        """Persons, or events of theirs, of a relation."""
        restricted = [] if self._only is None else [f"person in (select person from {self._only} as o)"]
        where = every([*filters, *restricted])
        clause = "" if where == TRUE else f" where {where}"
        return f"select {columns} from {relation} as r{clause}"

    def known(self, union: str) -> str:
        """Every known person; with ``union all`` instead of ``union`` some of them twice."""
        before = integer(self._as_of)
        if self._tables.persons is None:
            seen = self._select(self._tables.events, ["person is not null", f'"time" < {before}']) + " group by person"
        else:
            seen = self._select(self._tables.persons, [f'"first" < {before}'])
        return f"{seen} {union} {self._select(self._tables.profiles, [])}"

    def _given(self, key: str) -> str:
        if self._tables.given is None:
            return f"select person from {self.node(Known())} where false"
        listed = self._select(self._tables.given, [f'"key" = {text(key)}'])
        return f"{listed} intersect select person from {self.node(Known())}"

    def _did(self, did: Did) -> str:
        first, after = did.window.bounds(self._as_of)
        first = None if first is None or first <= _LEAST else first
        filters = [
            "person is not null",
            *([] if first is None else [f'"time" >= {integer(first)}']),
            f'"time" < {integer(after)}',
            *self._sources(did.sources),
        ]
        events = self._events(did)
        match did.measure:
            case Count(bounds=bounds):
                return self._passing(events, filters, measures.counted(bounds))
            case Sum(of=of, bounds=bounds):
                columns = self._tables.event_properties.get(of)
                if columns is None or "n" not in columns.letters:
                    return self._select(events, [FALSE])
                number = identifier(columns.of("n"))
                passes = measures.bounded(f"sum({number})", bounds, measures.HUGE)
                return self._passing(events, [*filters, f"{number} is not null"], passes)
            case Days(bounds=bounds, zone=zone):
                if measures.counted(bounds) in {None, FALSE}:
                    return self._passing(events, filters, measures.counted(bounds))
                return measures.days(self._select(events, filters, columns='person, "time"'), bounds, zone, first, after)

    def _events(self, did: Did) -> str:
        """Where its events are read fastest."""
        by_person, length = self._tables.by_person, did.window.length
        any_name = any(source.names is None for source in did.sources)
        if self._only is None or by_person is None or not any_name or (length is not None and length < LONG):
            return self._tables.events
        return by_person

    def _passing(self, events: str, filters: list[str], passes: str | None) -> str:
        """Persons whose matching events, together, pass; no event, no person."""
        if passes == FALSE:
            return self._select(events, [FALSE])
        having = "" if passes is None else f" having {passes}"
        return f"{self._select(events, filters)} group by person{having}"

    def _sources(self, sources: Sequence[Source]) -> list[str]:
        """Filters that an event passes when it fits any source; the names stand alone too, where a scan can prune by them."""
        fits = some(every([self._names_of([source]), self._where(source)]) for source in sources)
        return [self._names_of(sources), fits] if len(sources) > 1 else [fits]

    def _names_of(self, sources: Sequence[Source]) -> str:
        names: dict[str, None] = {}
        for source in sources:
            if source.names is None:
                return TRUE
            names |= dict.fromkeys(source.names)
        literals = list(map(text, names))
        if not literals:
            return FALSE
        return f'"event" = {literals[0]}' if len(literals) == 1 else f'"event" in ({", ".join(literals)})'

    def _where(self, source: Source) -> str:
        if source.where is None:
            return TRUE
        return condition(source.where, self._tables.event_properties, self._as_of)
