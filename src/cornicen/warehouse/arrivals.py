"""What came off the spool, sorted by kind and numbered: the loader's order is *the* order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pyarrow as pa

from cornicen.errors import Damaged
from cornicen.events.shapes import Batch, Event, GroupChange, Operation, ProfileChange, Record, Refusal, UserMapping
from cornicen.identity.people import IDENTITY_EVENTS, Rule
from cornicen.warehouse.properties import UNREADABLE, Chooser, Chosen
from cornicen.warehouse.reader import Reading
from cornicen.warehouse.retention import TOO_OLD, horizon

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


@dataclass
class Arrivals:
    """The records of some frames, each with its sequence number.

    Args:
        last: The latest sequence number.
        loads: Of the events.
        events: In order.
        times: Of the events.
        origins: The events' origins.
        whom: The events' users and devices, as their rule names them.
        chosen: Those properties of the events that have typed columns.
        telling: The places of the events that may say who is who beside their ids.
        changing: The places of the events that change a profile.
        changes: Profile changes with a name.
        groups: ``(sequence number, change)``.
        mappings: ``(sequence number, mapping)``.
        refusals: Rows of `REFUSALS`.
    """

    last: int
    loads: list[int] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    origins: list[Origin] = field(default_factory=list)
    whom: list[tuple[str, str]] = field(default_factory=list)
    chosen: list[Chosen] = field(default_factory=list)
    telling: list[int] = field(default_factory=list)
    changing: list[int] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    groups: list[tuple[int, GroupChange, Origin]] = field(default_factory=list)
    mappings: list[tuple[int, UserMapping]] = field(default_factory=list)
    refusals: list[tuple[object, ...]] = field(default_factory=list)

    def refuse(self, load: int, refusal: Refusal, origin: Origin) -> None:
        """Keep a record that was not taken."""
        record = refusal.record[:LARGEST_RECORD]
        self.refusals.append((load, refusal.reason, refusal.field, refusal.message, record, origin.arrived, origin.source))

    def arrived(self) -> dict[int, int]:
        """When events and profile changes came, by sequence number."""
        came = {load: origin.arrived for load, origin in zip(self.loads, self.origins, strict=True)}
        return came | {change.load: change.origin.arrived for change in self.changes}

    def refusal_table(self) -> pa.Table:
        """All refusals; see `REFUSALS`."""
        columns = list(zip(*self.refusals, strict=True)) or [()] * len(REFUSALS)
        arrays = [pa.array(column, kind.type) for column, kind in zip(columns, REFUSALS, strict=True)]
        return pa.table(arrays, schema=REFUSALS)


class Unpacker:
    """Numbers the records of frames and sorts them by kind.

    An event whose properties are no JSON object in UTF-8, or whose time no 64 bits hold, is refused here, as is a profile
    change that names nobody: doors let none of these through.

    Args:
        rule: Names users and devices.
        chooser: Takes those properties out of events that have typed columns.
        days: How many days of events are kept; see `cornicen.warehouse.retention.horizon`.
    """

    def __init__(self, rule: Rule, chooser: Chooser, days: int = 0) -> None:
        self._rule, self._chooser, self._days = rule, chooser, days

    def unpack(self, reading: Reading, last: int) -> Arrivals:
        """The records of some frames.

        Args:
            reading: From the spool.
            last: The latest sequence number so far.

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
            self._sort(batch, arrivals)
        return arrivals

    def _sort(self, batch: Batch, arrivals: Arrivals) -> None:
        origin, first = Origin(batch.arrived, batch.source), arrivals.last + 1
        events = [record for record in batch.records if type(record) is Event]
        if len(events) < len(batch.records) or not self._take(first, events, origin, arrivals):
            for load, record in enumerate(batch.records, first):
                self._sort_one(load, record, origin, arrivals)
        arrivals.last += len(batch.records)

    def _sort_one(self, load: int, record: Record, origin: Origin, arrivals: Arrivals) -> None:
        match record:
            case Refusal():
                arrivals.refuse(load, record, origin)
            case ProfileChange():
                self._change(load, record, origin, arrivals)
            case GroupChange():
                arrivals.groups.append((load, record, origin))
            case UserMapping():
                arrivals.mappings.append((load, record))
            case Event() if not -LONGEST <= record.time < LONGEST:
                what = "The time is out of all bounds."
                arrivals.refuse(load, Refusal("time_invalid", "time", what, record.properties), origin)
            case Event() if record.time < (horizon(self._days, origin.arrived) or -LONGEST):
                what = f"The event is older than the {self._days} days that are kept."
                arrivals.refuse(load, Refusal(TOO_OLD, "time", what, record.properties), origin)
            case Event() if not self._take(load, [record], origin, arrivals):
                what = "The properties are no JSON object."
                arrivals.refuse(load, Refusal("properties_invalid", "properties", what, record.properties), origin)

    def _change(self, load: int, change: ProfileChange, origin: Origin, arrivals: Arrivals) -> None:
        whom = self._rule.named(change.ids)
        if any(whom):
            arrivals.changes.append(Change(load, whom, change, origin))
        else:
            what = "The profile change names nobody."
            arrivals.refuse(load, Refusal("distinct_id_missing", "distinct_id", what, record_text(change)), origin)

    def _take(self, first: int, events: list[Event], origin: Origin, arrivals: Arrivals) -> bool:
        """Take a run of events whole, or, where any of them is not fit, none."""
        texts = [event.properties for event in events]
        times = [event.time for event in events]
        if events and not (horizon(self._days, origin.arrived) or -LONGEST) <= min(times) <= max(times) < LONGEST:
            return False
        try:
            chosen = self._chooser.choose(texts)
            for text in texts:
                if not text.isascii():
                    text.decode()
        except UNREADABLE:
            return False
        there = len(arrivals.events)
        for at, event in enumerate(events, there):
            if event.operations:
                arrivals.changing.append(at)
            if event.link is not None or event.name in IDENTITY_EVENTS:
                arrivals.telling.append(at)
        arrivals.times.extend(times)
        arrivals.loads.extend(range(first, first + len(events)))
        arrivals.events.extend(events)
        arrivals.origins.extend([origin] * len(events))
        named = self._rule.named
        arrivals.whom.extend([named(event.ids) for event in events])
        arrivals.chosen.extend(chosen)
        return True


def record_text(change: ProfileChange) -> bytes:
    """A profile change as people can read it."""
    ids = b", ".join(id_.encode() for id_ in (change.ids.user, change.ids.device, change.ids.distinct) if id_)
    return ids + b": " + operations_text(change.operations)


def operations_text(operations: Iterable[Operation]) -> bytes:
    """Operations as people can read them."""
    texts = b", ".join(operation.verb.encode() + b": " + operation.operand for operation in operations)
    return (b"{" + texts + b"}")[:LARGEST_RECORD]
