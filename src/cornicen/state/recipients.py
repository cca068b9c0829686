"""The destination's users, numbered per connection. Numbers are dense, given once and never given again."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, cast

import sqlalchemy as sa

from cornicen.errors import NotFound
from cornicen.state import tables
from cornicen.state.database import Database
from cornicen.state.prepared import Prepared, PreparedList
from cornicen.state.syncs import account_of

if TYPE_CHECKING:
    import pyarrow as pa

PIECE = 100_000
"""Rows of a piece that `Recipients.all` yields."""

MOST_LOOKUPS = 20_000
"""So many identifiers are looked up one by one; for more, everything numbered is read once."""

_AT_ONCE = 900
"""Values in one statement."""


class Recipients:
    """`cornicen.flows.ports.Recipients` in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def number(self, connection: str, identifiers: pa.StringArray) -> pa.UInt32Array:
        """Numbers of these distinct identifiers, in order; new ones are kept.

        Args:
            connection: Its id.
            identifiers: Distinct, without nulls.

        Returns:
            uint32, as many.

        Raises:
            NotFound: There is no such connection.

        Twice: the same numbers.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        with self._database.read() as db:
            account = _account(db, connection)
            numbers, seen = _known(db, account, identifiers), _next(db, account)
        if not numbers.null_count:
            return numbers
        with self._database.write() as db:
            account = account_of(db, connection)
            missing, first = identifiers.filter(pc.is_null(numbers)), _next(db, account)
            # Somebody may have numbered some of them since.
            again = pa.nulls(len(missing), pa.uint32()) if first == seen else _known(db, account, missing)
            new = missing.filter(pc.is_null(again))
            # Numbered in the order of the identifiers: then both of the table's trees only ever grow at their ends.
            order = pc.sort_indices(new)
            _keep(db, account, first, new.take(order))
        given = pc.add(pc.sort_indices(order), first).cast(pa.uint32())  # sorting a permutation inverts it
        fresh = pc.replace_with_mask(again, pc.is_null(again), given)
        return cast("pa.UInt32Array", pc.replace_with_mask(numbers, pc.is_null(numbers), fresh))

    def all(self, connection: str) -> Iterator[pa.Table]:
        """Everything numbered so far, by number: ``identifier`` (string), ``number`` (uint32), at most `PIECE` rows a table.

        Raises:
            NotFound: There is no such connection.
        """
        with self._database.read() as db:
            yield from _all(db, _account(db, connection))

    def identifiers(self, connection: str, numbers: Iterable[int]) -> dict[int, str]:
        """The identifiers of some numbers; numbers never given are left out. Raises: NotFound."""
        with self._database.read() as db:
            return identifiers_of(db, _account(db, connection), numbers)


def identifiers_of(db: sa.Connection, account: int, numbers: Iterable[int]) -> dict[int, str]:
    """As `Recipients.identifiers`, inside a transaction and for a connection's number."""
    return dict(_IDENTIFIERS.rows(db, list(numbers), account=account))


def _by_number(numbers: list[sa.BindParameter[int]]) -> sa.Executable:
    recipient = tables.recipient
    chosen = sa.select(recipient.c.number, recipient.c.identifier)
    return chosen.where(recipient.c.connection == sa.bindparam("account"), recipient.c.number.in_(numbers))


_IDENTIFIERS = PreparedList(_by_number)


def _account(db: sa.Connection, connection: str) -> int:
    number = db.scalar(sa.select(tables.connection.c.number).where(tables.connection.c.id == connection))
    if number is None:
        raise NotFound(f"There is no connection with the id {connection}.", "Name one that exists.")
    return int(number)


def _known(db: sa.Connection, account: int, identifiers: pa.StringArray) -> pa.UInt32Array:
    """The numbers that were given; null where none was."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if len(identifiers) <= MOST_LOOKUPS:
        asked = cast("list[str]", identifiers.to_pylist())
        found = _looked_up(db, account, asked)
        return pa.array([found.get(identifier) for identifier in asked], pa.uint32())
    pieces = list(_all(db, account))
    if not pieces:
        return pa.nulls(len(identifiers), pa.uint32())
    known = pa.concat_tables(pieces)
    places = pc.index_in(identifiers, value_set=known["identifier"])
    return cast("pa.UInt32Array", known["number"].combine_chunks().take(places))


def _looked_up(db: sa.Connection, account: int, identifiers: list[str]) -> dict[str, int]:
    recipient, found = tables.recipient, {}
    for start in range(0, len(identifiers), _AT_ONCE):
        chosen = sa.select(recipient.c.identifier, recipient.c.number).where(
            recipient.c.connection == account, recipient.c.identifier.in_(identifiers[start : start + _AT_ONCE])
        )
        found.update({row.identifier: row.number for row in db.execute(chosen)})
    return found


def _all(db: sa.Connection, account: int) -> Iterator[pa.Table]:
    import pyarrow as pa

    recipient = tables.recipient
    chosen = sa.select(recipient.c.identifier, recipient.c.number).where(recipient.c.connection == account)
    for piece in Prepared(chosen.order_by(recipient.c.number)).pieces(db, PIECE):
        identifiers, numbers = zip(*piece, strict=True)
        yield pa.table({"identifier": pa.array(identifiers, pa.string()), "number": pa.array(array("I", numbers), pa.uint32())})


def _next(db: sa.Connection, account: int) -> int:
    last = db.scalar(sa.select(sa.func.max(tables.recipient.c.number)).where(tables.recipient.c.connection == account))
    return 0 if last is None else int(last) + 1


def _keep(db: sa.Connection, account: int, first: int, identifiers: pa.StringArray) -> None:
    constant: sa.ColumnElement[int] = sa.literal_column(str(account))  # one parameter less to bind for each of millions
    row = {"connection": constant, "number": sa.bindparam("n"), "identifier": sa.bindparam("i")}
    insert = Prepared(sa.insert(tables.recipient).values(row))
    for start in range(0, len(identifiers), PIECE):
        insert.bulk(db, ("n", "i"), list(enumerate(identifiers.slice(start, PIECE).to_pylist(), first + start)))
