"""What came off the spool, sorted by kind and numbered: the loader's order is *the* order.

Events are columns from here on, and whose they are is numbers into the batch's names; so a batch of ordinary events costs no
Python for each. What says or changes something beside being an event is listed apart, one by one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cornicen.events.shapes import GroupChange, Link, Operation, ProfileChange, Refusal, UserMapping

LARGEST_RECORD = 4_096

_REFUSAL: list[pa.Field[Any]] = [
    pa.field("load", pa.int64()),
    pa.field("reason", pa.string()),
    pa.field("field", pa.string()),
    pa.field("message", pa.string()),
    pa.field("record", pa.binary()),
    pa.field("arrived", pa.int64()),
    pa.field("source", pa.string()),
]
_REFUSALS = pa.schema(_REFUSAL)


@dataclass(frozen=True)
class Origin:
    """Where a record came from and when."""

    arrived: int
    source: str


@dataclass(frozen=True)
class Change:
    """A profile change and what the loader knows of it.

    Args:
        load: Its sequence number.
        whom: User and device, as its rule names them.
        change: As it came.
        origin: Where from.
    """

    load: int
    whom: tuple[str, str]
    change: ProfileChange
    origin: Origin


@dataclass(frozen=True)
class Travelling:
    """Profile operations that came with an event.

    Args:
        index: The event's place.
        load: Its sequence number.
        time: When it was, microseconds.
        operations: In the order to apply them.
        origin: Where from.
    """

    index: int
    load: int
    time: int
    operations: tuple[Operation, ...]
    origin: Origin


class Refusals:
    """Records that were not taken."""

    def __init__(self) -> None:
        self._rows: list[tuple[object, ...]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, load: int, refusal: Refusal, origin: Origin) -> None:
        """Keep one, with its sequence number."""
        record = refusal.record[:LARGEST_RECORD]
        row = load, refusal.reason, refusal.field, refusal.message, record, origin.arrived, origin.source
        self._rows.append(row)

    def table(self) -> pa.Table:
        """Rows of the table ``refusals``."""
        columns = list(zip(*self._rows, strict=True)) or [()] * len(_REFUSALS)
        arrays = [pa.array(column, kind.type) for column, kind in zip(columns, _REFUSALS, strict=True)]
        return pa.table(arrays, schema=_REFUSALS)


@dataclass(frozen=True)
class Named:
    """The names that a batch carries, each once; at place 0 stands "", which is no name.

    Args:
        texts: The names.
        high: The upper halves of their digests; see `cornicen.warehouse.names`.
        low: The lower halves.
        pairs: Pairs of a user and a device, as places of names; each pair that an event carries once.
        whom: Of each event: which pair.
        first: Of each pair: the place of the first event that carries it.
        telling: Of each name: whether a record that carries it may say who is who beside carrying it.
    """

    texts: pa.StringArray
    high: npt.NDArray[np.uint64]
    low: npt.NDArray[np.uint64]
    pairs: npt.NDArray[np.int32]
    whom: npt.NDArray[np.int64]
    first: npt.NDArray[np.int64]
    telling: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Arrivals:
    """The records of some frames, each with its sequence number.

    Args:
        last: The latest sequence number.
        events: Columns of the table ``events``, in order: without ``person`` and ``failure``.
        names: Whose the events are, and all names that other records carry.
        telling: Places of the events that may say who is who beside their ids, and what they link.
        travelling: Profile operations that came with events.
        changes: Profile changes with a name.
        said: Aliases that profile changes set, ``(property, value)``, by sequence number.
        groups: ``(sequence number, change, origin)``.
        mappings: ``(sequence number, mapping)``.
        refusals: The loader adds to them.
    """

    last: int
    events: pa.Table
    names: Named
    telling: dict[int, Link | None] = field(default_factory=dict)
    travelling: list[Travelling] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    said: dict[int, list[tuple[str, str]]] = field(default_factory=dict)
    groups: list[tuple[int, GroupChange, Origin]] = field(default_factory=list)
    mappings: list[tuple[int, UserMapping]] = field(default_factory=list)
    refusals: Refusals = field(default_factory=Refusals)

    @property
    def loads(self) -> npt.NDArray[np.int64]:
        """Of the events."""
        return self.events["load"].to_numpy()

    @property
    def times(self) -> npt.NDArray[np.int64]:
        """Of the events."""
        return self.events["time"].to_numpy()

    def arrived(self, loads: Iterable[int]) -> list[int | None]:
        """When some events and profile changes came; None for what is neither."""
        events = dict(zip(self.loads.tolist(), self.events["arrived"].to_pylist(), strict=True))
        came: dict[int, int | None] = events | {change.load: change.origin.arrived for change in self.changes}
        return [came.get(load) for load in loads]


def record_text(change: ProfileChange) -> bytes:
    """A profile change as people can read it."""
    ids = b", ".join(id_.encode() for id_ in (change.ids.user, change.ids.device, change.ids.distinct) if id_)
    return ids + b": " + operations_text(change.operations)


def operations_text(operations: Iterable[Operation]) -> bytes:
    """Operations as people can read them."""
    texts = b", ".join(operation.verb.encode() + b": " + operation.operand for operation in operations)
    return (b"{" + texts + b"}")[:LARGEST_RECORD]
