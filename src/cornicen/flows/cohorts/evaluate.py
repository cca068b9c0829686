"""Who is in some cohorts at one instant: properties made ready, given lists read, equal parts computed once."""

from __future__ import annotations

from collections.abc import Sequence

from pyroaring import BitMap

from cornicen.cohorts.definition import Definition
from cornicen.cohorts.query import needs
from cornicen.flows.ports import Engine, GivenReader, Warehouse


def ready(definitions: Sequence[Definition], warehouse: Warehouse, lists: GivenReader) -> None:
    """Make ready what the definitions read: typed columns, and the persons of given lists, read anew.

    Raises:
        BadFile: A given list cannot be read.

    Twice: reads the lists again, nothing else.
    """
    queries = [definition.query for definition in definitions if definition.query is not None]
    warehouse.prepare(needs(*queries))
    sources = {key: source for definition in definitions for key, source in definition.given.items()}
    for key, source in sources.items():
        warehouse.give(key, lists.read(source))


def members(definitions: Sequence[Definition], engine: Engine, as_of: int, only: BitMap | None = None) -> list[BitMap]:
    """Persons in each definition, in order, of those in ``only``; what was made ready by `ready`.

    A definition of recipients (``as: external_id``) names no persons: its bitmap is empty.
    """
    queries = [definition.query for definition in definitions if definition.query is not None]
    found = iter(engine.members(queries, as_of, only)) if queries else iter(())
    return [BitMap() if definition.query is None else next(found) for definition in definitions]
