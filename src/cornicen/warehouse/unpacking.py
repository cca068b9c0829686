"""From frames to `cornicen.warehouse.arrivals.Arrivals`: decoded, numbered, sorted by kind, events as columns.

Nothing here needs the warehouse's file: a process of its own can do it for the next batch while one is written
(`cornicen.warehouse.ahead`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import tzinfo
from functools import cached_property
from typing import Any

import duckdb
import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cornicen.errors import Damaged
from cornicen.events.shapes import Batch, Event, GroupChange, Link, ProfileChange, Record, Refusal, UserMapping
from cornicen.identity import RULES
from cornicen.identity.people import DEVICE, IDENTITY_EVENTS
from cornicen.warehouse.aliases import alias_values
from cornicen.warehouse.arrivals import Arrivals, Change, Named, Origin, Refusals, Travelling, record_text
from cornicen.warehouse.names import digests
from cornicen.warehouse.properties import EVENT, UNREADABLE, Chooser, Chosen, typed_columns
from cornicen.warehouse.reader import Reading
from cornicen.warehouse.retention import TOO_OLD, horizon
from cornicen.warehouse.schema import KEY

LONGEST = 2**63
KEYED_BY = ("event", "distinct_id", "time", "insert_id", "device")
Columns = dict[str, "pa.Array[Any]"]
_batches = msgspec.msgpack.Decoder(Batch)


@dataclass(frozen=True)
class Manner:
    """What unpacking depends on beside the frames.

    Args:
        identity: The project's rule, a key of `cornicen.identity.RULES`.
        zone: The project's, for properties that are local times.
        days: How many days of events are kept; see `cornicen.warehouse.retention.horizon`.
        salt: The key of the names' digests.
        columns: Event properties that have typed columns, and their ids.
        aliases: Profile properties whose values become further names.
    """

    identity: str
    zone: tzinfo
    days: int
    salt: bytes
    columns: dict[str, int]
    aliases: frozenset[str]


class Unpacker:
    """Turns frames into arrivals; use it from one thread at a time."""

    def __init__(self) -> None:
        self._hashing = duckdb.connect(":memory:", config={"threads": 1})  # for nothing but `key_of`
        self._hashing.execute(KEY)

    def unpack(self, reading: Reading, last: int, manner: Manner) -> Arrivals:
        """The records of some frames.

        An event whose properties are no JSON object in UTF-8, or whose time no 64 bits hold, is refused here, as is a profile
        change that names nobody: doors let none of these through.

        Args:
            reading: From the spool.
            last: The latest sequence number so far.
            manner: How.

        Raises:
            Damaged: A frame holds what this version cannot read.
        """
        unpacking = _Unpacking(last, manner)
        for taken in reading.taken:
            try:
                batch = _batches.decode(taken.frame.payload)
            except UNREADABLE as error:
                what = f"A batch in {taken.lane}/{taken.door}/{taken.file}.spool cannot be read: {error}."
                raise Damaged(what, "Load it with the version of Cornicen that wrote it.") from error
            unpacking.sort(batch)
        columns = unpacking.columns()
        return unpacking.arrivals(pa.table({**columns, "key": self._keys(columns)}))

    def _keys(self, columns: Columns) -> pa.ChunkedArray[Any]:
        """What stands in ``key``, of each event."""
        self._hashing.register("unkeyed", pa.table({name: columns[name] for name in KEYED_BY}))
        found: pa.Table = self._hashing.sql(f"SELECT key_of({', '.join(KEYED_BY)}) AS key FROM unkeyed").to_arrow_table()
        self._hashing.unregister("unkeyed")
        return found["key"]


class _Unpacking:
    """A batch of the loader in the making."""

    def __init__(self, last: int, manner: Manner) -> None:
        self._manner = manner
        self._named = RULES[manner.identity].named
        self._chooser = Chooser(list(manner.columns))
        self._last = last
        self._events: list[Event] = []
        self._loads: list[int] = []
        self._arrived: list[int] = []
        self._whom: list[tuple[str, str]] = []
        self._chosen: list[Chosen] = []
        self._telling: dict[int, Link | None] = {}
        self._travelling: list[Travelling] = []
        self._changes: list[Change] = []
        self._groups: list[tuple[int, GroupChange, Origin]] = []
        self._mappings: list[tuple[int, UserMapping]] = []
        self._refusals = Refusals()

    def sort(self, batch: Batch) -> None:
        """Take the records of a request."""
        origin, first = Origin(batch.arrived, batch.source), self._last + 1
        events = [record for record in batch.records if type(record) is Event]
        if len(events) < len(batch.records) or not self._take(first, events, origin):
            for load, record in enumerate(batch.records, first):
                self._sort_one(load, record, origin)
        self._last += len(batch.records)

    def _sort_one(self, load: int, record: Record, origin: Origin) -> None:
        match record:
            case Refusal():
                self._refusals.add(load, record, origin)
            case ProfileChange():
                self._change(load, record, origin)
            case GroupChange():
                self._groups.append((load, record, origin))
            case UserMapping():
                self._mappings.append((load, record))
            case Event() if not -LONGEST <= record.time < LONGEST:
                what = "The time is out of all bounds."
                self._refusals.add(load, Refusal("time_invalid", "time", what, record.properties), origin)
            case Event() if record.time < (horizon(self._manner.days, origin.arrived) or -LONGEST):
                what = f"The event is older than the {self._manner.days} days that are kept."
                self._refusals.add(load, Refusal(TOO_OLD, "time", what, record.properties), origin)
            case Event() if not self._take(load, [record], origin):
                what = "The properties are no JSON object."
                self._refusals.add(load, Refusal("properties_invalid", "properties", what, record.properties), origin)

    def _change(self, load: int, change: ProfileChange, origin: Origin) -> None:
        whom = self._named(change.ids)
        if any(whom):
            self._changes.append(Change(load, whom, change, origin))
        else:
            what = "The profile change names nobody."
            self._refusals.add(load, Refusal("distinct_id_missing", "distinct_id", what, record_text(change)), origin)

    def _take(self, first: int, events: list[Event], origin: Origin) -> bool:
        """Take a run of events whole, or, where any of them is not fit, none."""
        times = [event.time for event in events]
        if events and not (horizon(self._manner.days, origin.arrived) or -LONGEST) <= min(times) <= max(times) < LONGEST:
            return False
        try:
            chosen = self._chooser.choose([event.properties for event in events])
            for event in events:
                if not event.properties.isascii():
                    event.properties.decode()
        except UNREADABLE:
            return False
        for at in [at for at, event in enumerate(events) if event.operations or event.link or event.name in IDENTITY_EVENTS]:
            event, place = events[at], len(self._events) + at
            if event.operations:
                self._travelling.append(Travelling(place, first + at, event.time, event.operations, origin))
            if event.link is not None or event.name in IDENTITY_EVENTS:
                self._telling[place] = event.link
        self._loads.extend(range(first, first + len(events)))
        self._events.extend(events)
        self._arrived.extend([origin.arrived] * len(events))
        self._whom.extend([self._named(event.ids) for event in events])
        self._chosen.extend(chosen)
        return True

    def arrivals(self, events: pa.Table) -> Arrivals:
        """All that was taken, with the events as columns."""
        return Arrivals(
            last=self._last,
            events=events,
            names=self._names,
            telling=self._telling,
            travelling=self._travelling,
            changes=self._changes,
            said=self._said,
            groups=self._groups,
            mappings=self._mappings,
            refusals=self._refusals,
        )

    def columns(self) -> Columns:
        """The events, without their key."""
        events, names = self._events, self._names
        user, device = names.pairs[names.whom].T
        either, unique = pa.array(np.where(user > 0, user, device)), pa.array(np.where(device > 0, device, user))
        newest = pa.array([not event.first_stays for event in events], pa.bool_())
        return {
            "load": pa.array(self._loads, pa.int64()),
            "event": pa.array([event.name for event in events], pa.string()),
            "time": pa.array([event.time for event in events], pa.int64()),
            "distinct_id": names.texts.take(either),
            "insert_id": pa.array([event.insert_id or None for event in events], pa.string()),
            "device": names.texts.take(pc.if_else(newest, None, unique)),
            "arrived": pa.array(self._arrived, pa.int64()),
            "properties": pa.array([event.properties for event in events], pa.binary()).cast(pa.string()),
            **typed_columns(self._chooser, self._chosen, self._manner.columns, EVENT, self._manner.zone),
        }

    @cached_property
    def _said(self) -> dict[int, list[tuple[str, str]]]:
        aliases = self._manner.aliases
        return {one.load: list(alias_values(one.change.operations, aliases)) for one in self._changes} if aliases else {}

    @cached_property
    def _names(self) -> Named:
        rows = len(self._events)
        told = list(self._told())
        names = ["", *[user for user, _ in self._whom], *[device for _, device in self._whom], *told]
        encoded = pa.array(names, pa.string()).dictionary_encode()
        texts: Any = encoded.dictionary  # strings, as `names` are
        at = encoded.indices.to_numpy()
        user, device = at[1 : rows + 1], at[rows + 1 : 2 * rows + 1]
        _, first, whom = np.unique(user * np.int64(len(texts)) + device, return_index=True, return_inverse=True)
        telling = np.zeros(len(texts), np.bool_)
        telling[at[2 * rows + 1 :]] = True
        telling[0] = False
        high, low = digests(texts.to_pylist(), self._manner.salt)
        return Named(texts, high, low, np.stack([user[first], device[first]], axis=1), whom, first, telling)

    def _told(self) -> Iterable[str]:
        """Names that records carry which may say who is who."""
        for one in self._changes:
            yield from one.whom
        for values in self._said.values():
            yield from (value for _, value in values)
        for index, link in self._telling.items():
            yield from self._whom[index]
            if link is not None:
                yield from (link.one.removeprefix(DEVICE), link.other.removeprefix(DEVICE))
