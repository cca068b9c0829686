"""Statements of the hot and the long paths: written in SQLAlchemy once, then run on the driver's own cursor.

An exchange runs a dozen statements for each handful of requests. Going through SQLAlchemy's execution each costs ten times
what the statement itself does, and the courier would spend its time there. So would a tick over millions of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

SIZES = (1, 8, 64, 512)
"""How many values a prepared list may hold: shorter lists are filled up with their last value, longer ones are cut."""


class Prepared:
    """One statement; its parameters are `sa.bindparam` names.

    Results come as the driver gives them: on SQLite truth is 0 or 1, and JSON is text.
    """

    def __init__(self, statement: sa.Executable) -> None:
        self._statement = statement
        self._compiled: dict[str, tuple[str, Sequence[str] | None, dict[str, Any]]] = {}

    def rows(self, db: sa.Connection, **values: object) -> list[Any]:
        """Run it and return all rows, as tuples."""
        text, order, constants = self._text(db)
        with closing(db.connection.cursor()) as cursor:
            cursor.execute(text, _parameters(order, constants | values))
            return list(cursor.fetchall())

    def pieces(self, db: sa.Connection, size: int, **values: object) -> Iterator[list[Any]]:
        """Run it and yield its rows, so many at a time."""
        text, order, constants = self._text(db)
        with closing(db.connection.cursor()) as cursor:
            cursor.execute(text, _parameters(order, constants | values))
            while piece := cursor.fetchmany(size):
                yield list(piece)

    def each(self, db: sa.Connection, rows: Sequence[Mapping[str, object]]) -> None:
        """Run it once for each of these parameters. No row: does nothing."""
        if not rows:
            return
        text, order, constants = self._text(db)
        with closing(db.connection.cursor()) as cursor:
            cursor.executemany(text, [_parameters(order, {**constants, **row}) for row in rows])

    def bulk(self, db: sa.Connection, names: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> None:
        """Run it once for each row, where it has these parameters alone, in this order. No row: does nothing."""
        if not rows:
            return
        text, order, _ = self._text(db)
        if order is not None and tuple(order) != names:
            raise ValueError(f"the statement's parameters are {order}, not {names}")
        with closing(db.connection.cursor()) as cursor:
            cursor.executemany(text, rows if order is not None else [dict(zip(names, row, strict=True)) for row in rows])

    def _text(self, db: sa.Connection) -> tuple[str, Sequence[str] | None, dict[str, Any]]:
        found = self._compiled.get(db.dialect.name)
        if found is None:
            compiled: Any = self._statement.compile(dialect=db.dialect)  # type: ignore[attr-defined]
            found = self._compiled[db.dialect.name] = (str(compiled), compiled.positiontup, dict(compiled.params))
        return found


class PreparedList:
    """A statement over a list of whole numbers.

    Args:
        statement: Makes the statement, given the parameters that stand for the list.
    """

    def __init__(self, statement: Callable[[list[sa.BindParameter[int]]], sa.Executable]) -> None:
        @lru_cache(len(SIZES))
        def sized(size: int) -> Prepared:
            return Prepared(statement([sa.bindparam(f"n{place}", type_=sa.BigInteger()) for place in range(size)]))

        self._sized = sized

    def rows(self, db: sa.Connection, numbers: Sequence[int], **values: object) -> list[Any]:
        """Run it for as many numbers as it takes, several times for many; returns all rows. No number: none."""
        found: list[Any] = []
        for start in range(0, len(numbers), SIZES[-1]):
            some = numbers[start : start + SIZES[-1]]
            size = next(size for size in SIZES if size >= len(some))
            filled = {f"n{place}": some[min(place, len(some) - 1)] for place in range(size)}
            found += self._sized(size).rows(db, **filled, **values)
        return found


def _parameters(order: Sequence[str] | None, values: Mapping[str, object]) -> Any:  # noqa: ANN401 - the driver's own
    return values if order is None else [values[name] for name in order]
