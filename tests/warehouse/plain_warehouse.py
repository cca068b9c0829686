"""The warehouse's meaning in plain Python, one record after the other, and what tests need to fill a real one."""

import asyncio
import json
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count

from cornicen.events.shapes import Event, Ids, Operation, ProfileChange, Refusal
from cornicen.flows.ports import Loaded
from cornicen.identity.simplified import IDENTITY_EVENTS, People, named, received
from cornicen.warehouse.spool import DoorSpool
from cornicen.warehouse.warehouse import spool_folder

SOURCE = "test:/import"


def event(user="", device="", *, distinct="", name="seen", time=0, insert_id="", properties="{}"):
    return Event(name, Ids(user, device, distinct), time, properties.encode(), insert_id)


def change(who, *operations):
    """``operations``: (verb, operand) pairs, the operand as JSON text."""
    return ProfileChange(Ids(distinct=who), tuple(Operation(verb, operand.encode()) for verb, operand in operations))


def fill(folder, batches, lane="live"):
    """Append batches as a door would."""

    async def append():
        for records in batches:
            await spool.append(lane, SOURCE, records)

    spool = DoorSpool(spool_folder(folder), "door", count(1_000_000).__next__, 1 << 30)
    asyncio.run(append())
    spool.close()


def drain(warehouse, limit=50_000):
    """Load all that waits; everything that was loaded, summed."""
    total = Loaded()
    while (loaded := warehouse.load(limit)).records:
        total = Loaded(*(a + b for a, b in zip(vars(total).values(), vars(loaded).values(), strict=True)))
    return total


def parsed(text):
    """JSON with exact numbers; null is missing."""
    found = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    return {name: value for name, value in found.items() if value is not None}


class Unfit(Exception):
    """A profile change that cannot be applied."""


@dataclass
class PlainWarehouse:
    """Everything loaded so far."""

    people: People = field(default_factory=People)
    events: dict = field(default_factory=dict)
    keys: dict = field(default_factory=dict)
    profiles: dict = field(default_factory=dict)
    load: int = 0
    loaded: Loaded = field(default_factory=Loaded)

    def take(self, records):
        for record in records:
            self.load += 1
            self._count(records=1)
            if isinstance(record, Event):
                self._event(record)
            elif isinstance(record, Refusal) or not any(named(record.ids)):
                self._count(refused=1)
            else:
                self._change(record)

    def _count(self, **more):
        self.loaded = Loaded(**{name: value + more.get(name, 0) for name, value in vars(self.loaded).items()})

    def _event(self, record):
        seen = self.people.see(record)
        if seen.ended is not None:
            self.profiles.pop(seen.ended, None)
        row = (seen.person, record.name, record.time, record.properties.decode(), seen.failure)
        if not record.insert_id:
            self.events[self.load] = row
            self._count(events=1)
            return
        key = (record.name, received(record.ids), record.time, record.insert_id)
        before = self.keys.get(key)
        if before is None:
            self._count(events=1)
        elif self.events[before][3] == row[3]:
            self._count(repeated=1)
            return
        else:
            del self.events[before]
            self._count(replaced=1)
        self.events[self.load], self.keys[key] = row, self.load

    def _change(self, record):
        person = self.people.canonical(self.people.see(record).person)
        try:
            after = self._applied(self.profiles.get(person), record.operations)
        except Unfit:
            self._count(refused=1)
            return
        self._count(profiles=1)
        if after is None:
            self.profiles.pop(person, None)
        else:
            self.profiles[person] = after

    @staticmethod
    def _applied(profile, operations):
        for operation in operations:
            operand = json.loads(operation.operand, parse_float=Decimal, parse_int=Decimal)
            match operation.verb:
                case "delete":
                    profile = None
                case "unset":
                    profile = None if profile is None else {n: v for n, v in profile.items() if n not in operand}
                case "set":
                    profile = {**(profile or {}), **operand}
                case "set_once":
                    profile = {**operand, **(profile or {})}
                case "add":
                    profile = dict(profile or {})
                    for name, more in operand.items():
                        if not isinstance(more, Decimal) or not isinstance(profile.get(name, Decimal()), Decimal):
                            raise Unfit
                        profile[name] = profile.get(name, Decimal()) + more
                case _:
                    raise Unfit
            if profile is not None:
                profile = {name: value for name, value in profile.items() if value is not None}
        return profile

    def rows(self):
        """Events as the warehouse should hold them: (load, canonical person, event, time, properties, failure)."""
        return [
            (load, None if person is None else self.people.canonical(person), name, time, text, failure or None)
            for load, (person, name, time, text, failure) in sorted(self.events.items())
        ]

    def first(self):
        """The time of each person's first event; None for those without one."""
        times = {self.people.canonical(number): [] for number in self.people.numbers.values()}
        for _, person, _, time, _, _ in self.rows():
            if person is not None:
                times[person].append(time)
        return {person: min(found, default=None) for person, found in times.items()}

    def check(self, warehouse):
        """Assert that a warehouse that loaded the same records holds exactly this."""
        database = warehouse._database
        numbers = dict(database.rows("SELECT name, person FROM names WHERE NOT linked"))
        assert numbers == {name: number for number, name in self.people.names().items()}
        linked = dict(
            database.rows(
                "SELECT n.name, coalesce(m.canonical, n.person) FROM names n LEFT JOIN merges m "
                "ON m.person = n.person WHERE n.linked"
            )
        )
        assert linked == {device: self.people.numbers[user] for device, user in self.people.links.items()}
        assert dict(database.rows("SELECT person, canonical FROM merges")) == self.people.merged
        assert (
            database.rows(
                "SELECT e.load, coalesce(m.canonical, e.person), e.event, e.time, e.properties, e.failure FROM events e "
                "LEFT JOIN merges m ON m.person = e.person ORDER BY e.load"
            )
            == self.rows()
        )
        assert dict(database.rows("SELECT person, first FROM persons")) == self.first()
        stored = {person: parsed(text) for person, text in database.rows("SELECT person, properties FROM profiles")}
        assert stored == self.profiles
        assert warehouse.last_load() == self.load


__all__ = ["IDENTITY_EVENTS", "PlainWarehouse", "change", "drain", "event", "fill", "parsed"]
