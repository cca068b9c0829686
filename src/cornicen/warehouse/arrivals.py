"""What came off the spool, sorted by kind and numbered: the loader's order is *the* order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
import pyarrow as pa

from cornicen.errors import Damaged
from cornicen.events.shapes import Batch, Event, ProfileChange, Record, Refusal
from cornicen.identity.simplified import IDENTITY_EVENTS, named
from cornicen.warehouse.names import SIGHTING
from cornicen.warehouse.properties import UNREADABLE, Chooser, Chosen
from cornicen.warehouse.reader import Reading

LARGEST_RECORD = 4_096
LONGEST = 2**63

_REFUSAL: list[pa.Field[Any]] = [
    pa.field("load", pa.int64()),
    pa.field("reason", pa.string()),
    pa.field("field", pa.string()),
    pa.field("message", pa.string()),
    pa.field("record", pa.binary()),
    pa.field("arrived", pa.int64()),
    pa.field("source", pa.string()),
]
REFUSALS = pa.schema(_REFUSAL)

_batches = msgspec.msgpack.Decoder(Batch)


@dataclass(frozen=True)
class Origin:
    """Where a record came from and when."""

    arrived: int
    source: str


@dataclass
class Arrivals:
    """The records of some frames, each with its sequence number.

    Args:
        last: The latest sequence number.
        loads: Of the events.
        events: In order.
        arrived: The events' stamps.
        whom: The events' users and devices, as `cornicen.identity.simplified.named`.
        chosen: Those properties of the events that have typed columns.
        changes: Profile changes with a name.
        refusals: Rows of `REFUSALS`.
    """

    last: int
    loads: list[int] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    arrived: list[int] = field(default_factory=list)
    whom: list[tuple[str, str]] = field(default_factory=list)
    chosen: list[Chosen] = field(default_factory=list)
    changes: list[tuple[int, ProfileChange, Origin]] = field(default_factory=list)
    refusals: list[tuple[object, ...]] = field(default_factory=list)

    def refuse(self, load: int, refusal: Refusal, origin: Origin) -> None:
        """Keep a record that was not taken."""
        record = refusal.record[:LARGEST_RECORD]
        self.refusals.append((load, refusal.reason, refusal.field, refusal.message, record, origin.arrived, origin.source))

    def sightings(self) -> pa.Table:
        """Who was named, by record; see `SIGHTING`. A profile change that names a user says nothing of its device."""
        named_by = zip(self.loads, self.events, self.whom, strict=True)
        seen = [(load, whom) for load, event, whom in named_by if event.name not in IDENTITY_EVENTS and (whom[0] or whom[1])]
        for load, change, _ in self.changes:
            user, device = named(change.ids)
            seen.append((load, (user, "" if user else device)))
        loads = pa.array([load for load, _ in seen], pa.int64())
        users = pa.array([user for _, (user, _) in seen], pa.string())
        devices = pa.array([device for _, (_, device) in seen], pa.string())
        return pa.table([loads, users, devices], schema=SIGHTING)

    def refusal_table(self) -> pa.Table:
        """All refusals; see `REFUSALS`."""
        columns = list(zip(*self.refusals, strict=True)) or [()] * len(REFUSALS)
        arrays = [pa.array(column, kind.type) for column, kind in zip(columns, REFUSALS, strict=True)]
        return pa.table(arrays, schema=REFUSALS)


def unpack(reading: Reading, last: int, chooser: Chooser) -> Arrivals:
    """Number the records of some frames and sort them by kind.

    An event whose properties are no JSON object in UTF-8, or whose time no 64 bits hold, is refused here, as is a profile
    change that names nobody: doors let none of these through.

    Args:
        reading: From the spool.
        last: The latest sequence number so far.
        chooser: Takes those properties out of events that have typed columns.

    Raises:
        Damaged: A frame holds what this version cannot read.
    """
    arrivals = Arrivals(last)
    for taken in reading.taken:
        try:
            batch = _batches.decode(taken.frame.payload)
        except UNREADABLE as error:
            what = f"A batch in {taken.lane}/{taken.door}/{taken.file}.spool cannot be read: {error}."
            raise Damaged(what, "Load it with the version of Cornicen that wrote it.") from error
        _sort(batch, arrivals, chooser)
    return arrivals


def _sort(batch: Batch, arrivals: Arrivals, chooser: Chooser) -> None:
    origin, first = Origin(batch.arrived, batch.source), arrivals.last + 1
    events = [record for record in batch.records if isinstance(record, Event)]
    if len(events) < len(batch.records) or not _take(first, events, origin, arrivals, chooser):
        for load, record in enumerate(batch.records, first):
            _sort_one(load, record, origin, arrivals, chooser)
    arrivals.last += len(batch.records)


def _sort_one(load: int, record: Record, origin: Origin, arrivals: Arrivals, chooser: Chooser) -> None:
    if isinstance(record, Refusal):
        arrivals.refuse(load, record, origin)
    elif isinstance(record, ProfileChange):
        if any(named(record.ids)):
            arrivals.changes.append((load, record, origin))
        else:
            what = "The profile change names nobody."
            arrivals.refuse(load, Refusal("distinct_id_missing", "distinct_id", what, record_text(record)), origin)
    elif not -LONGEST <= record.time < LONGEST:
        arrivals.refuse(load, Refusal("time_invalid", "time", "The time is out of all bounds.", record.properties), origin)
    elif not _take(load, [record], origin, arrivals, chooser):
        what = "The properties are no JSON object."
        arrivals.refuse(load, Refusal("properties_invalid", "properties", what, record.properties), origin)


def _take(first: int, events: list[Event], origin: Origin, arrivals: Arrivals, chooser: Chooser) -> bool:
    """Take a run of events whole, or, where any of them is not fit, none."""
    texts = [event.properties for event in events]
    if not all(-LONGEST <= event.time < LONGEST for event in events):
        return False
    try:
        chosen = chooser.choose(texts)
        for text in texts:
            if not text.isascii():
                text.decode()
    except UNREADABLE:
        return False
    arrivals.loads.extend(range(first, first + len(events)))
    arrivals.events.extend(events)
    arrivals.arrived.extend([origin.arrived] * len(events))
    arrivals.whom.extend([named(event.ids) for event in events])
    arrivals.chosen.extend(chosen)
    return True


def record_text(change: ProfileChange) -> bytes:
    """A profile change as people can read it."""
    operations = b", ".join(op.verb.encode() + b": " + op.operand for op in change.operations)
    return (
        b", ".join(id_.encode() for id_ in (change.ids.user, change.ids.device, change.ids.distinct) if id_)
        + b": {"
        + operations
        + b"}"
    )[:LARGEST_RECORD]
