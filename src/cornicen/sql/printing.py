"""Canonical SQL printed for people and for other engines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

CANONICAL = "duckdb"
"""The dialect in which canonical SQL is written."""

Macros = Callable[[Any], Any]
"""An engine's own words: is given each node of sqlglot's tree, and returns what stands in its place (the node itself)."""


def printed(canonical: str, dialect: str = CANONICAL, *, macros: Macros | None = None, pretty: bool = False) -> str:
    """A canonical statement in an engine's dialect.

    sqlglot knows the words of most dialects, not of all: what it does not know it prints as it stands (for PostgreSQL for
    instance ``ends_with``), and an engine brings a macro. Only `cornicen.testing.engines` shows that nothing is missing.

    Args:
        canonical: As `cornicen.sql.canonical` writes it.
        dialect: sqlglot's name of it, e.g. ``postgres`` ``spark`` ``clickhouse``.
        macros: The engine's own.
        pretty: On several lines, to be read.

    Returns:
        The statement. For DuckDB without macros it is ``canonical`` itself unless it is to be pretty: nothing is parsed.

    Raises:
        ValueError: sqlglot knows no such dialect.
    """
    if dialect == CANONICAL and macros is None and not pretty:
        return canonical
    import sqlglot  # takes a third of a second, and DuckDB never needs it

    tree: Any = sqlglot.parse_one(canonical, read=CANONICAL)
    return str((tree if macros is None else tree.transform(macros)).sql(dialect, pretty=pretty))
