"""The warehouse's meaning in plain Python, one record after the other, and what tests need to fill a real one."""

import asyncio
import json
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count

from pyroaring import BitMap

from cornicen.events.shapes import Event, GroupChange, Ids, Operation, ProfileChange, UserMapping
from cornicen.flows.ports import Loaded
from cornicen.identity import RULES
from cornicen.identity.people import IDENTITY_EVENTS, People, see
from cornicen.warehouse.spool import DoorSpool
from cornicen.warehouse.warehouse import spool_folder

SOURCE = "test:/import"


def event(user="", device="", *, distinct="", name="seen", time=0, insert_id="", properties="{}", **more):
    return Event(name, Ids(user, device, distinct), time, properties.encode(), insert_id, **more)


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


WEEK = 7 * 86_400_000_000


@dataclass
class PlainWarehouse:
    """Everything loaded so far."""

    identity: str = "simplified"
    aliases: frozenset = frozenset()
    people: People = field(default_factory=People)
    events: dict = field(default_factory=dict)
    keys: dict = field(default_factory=dict)
    firsts: dict = field(default_factory=dict)
    profiles: dict = field(default_factory=dict)
    groups: dict = field(default_factory=dict)
    load: int = 0
    loaded: Loaded = field(default_factory=Loaded)

    def __post_init__(self):
        self.people.most = self.rule.most

    @property
    def rule(self):
        return RULES[self.identity]

    def take(self, records):
        for record in records:
            self.load += 1
            self.people.at = self.load
            self._count(records=1)
            match record:
                case Event():
                    self._event(record)
                case GroupChange():
                    self._group(record)
                case UserMapping():
                    pass
                case ProfileChange() if any(self.rule.named(record.ids)):
                    self._change(record)
                case _:
                    self._count(refused=1)

    def _count(self, **more):
        self.loaded = Loaded(**{name: value + more.get(name, 0) for name, value in vars(self.loaded).items()})

    def _see(self, record):
        seen = see(self.rule, self.people, record)
        if seen.ended is not None:
            gone = self.profiles.pop(seen.ended, None)
            into = self.people.canonical(seen.ended)
            if self.rule.carries and gone is not None:
                self.profiles[into] = {**gone, **self.profiles.get(into, {})}
        return seen

    def _is_first(self, ids, insert_id, time):
        user, device = self.rule.named(ids)
        times = self.firsts.setdefault((device or user, insert_id), [])
        if any(abs(time - one) < WEEK for one in times):
            return False
        times.append(time)
        return True

    def _event(self, record):
        seen = self._see(record)
        row = (seen.person, record.name, record.time, record.properties.decode(), seen.failure)
        if record.insert_id and record.first_stays:
            if not self._is_first(record.ids, record.insert_id, record.time):
                self._count(repeated=1)
                return
        elif record.insert_id:
            user, device = self.rule.named(record.ids)
            key = (record.name, user or device, record.time, record.insert_id)
            before = self.keys.get(key)
            if before is not None and self.events[before][3] == row[3]:
                self._count(repeated=1)
                return
            self.keys[key] = self.load
            if before is not None:
                del self.events[before]
                self._count(replaced=1)
                self.events[self.load] = row
                return
        self._count(events=1)
        self.events[self.load] = row
        if seen.person is not None and record.operations:
            self._apply(self.profiles, seen.person, record.operations)

    def _change(self, record):
        person = self._see(record).person
        taken = [
            (name, value)
            for verb, operand in ((one.verb, one.operand) for one in record.operations)
            if verb in {"set", "set_once"}
            for name, value in json.loads(operand).items()
            if name in self.aliases and isinstance(value, str) and self.people.alias(person, value)
        ]
        if record.insert_id:
            self.firsts.setdefault("changes", {})
            user, device = self.rule.named(record.ids)
            times = self.firsts["changes"].setdefault((device or user, record.insert_id), [])
            if any(not record.time or abs(record.time - one) < WEEK for one in times):
                self._count(repeated=1)
                return
            times.append(record.time)
        before = self.profiles.get(person)
        failed = self._apply(self.profiles, person, record.operations)
        after = self.profiles.get(person)
        self._count(profiles=int(not failed or after != before))
        after, before = after or {}, before or {}
        self._count(refused=sum(1 for name, _ in taken if after.get(name) != before.get(name)))

    def _group(self, record):
        self._apply(self.groups, (record.key, record.id), record.operations)

    def _apply(self, profiles, of, operations):
        profile, failed = profiles.get(of), 0
        for operation in operations:
            profile, more = applied(profile, operation)
            failed += more
        self._count(refused=failed)
        if profile is None:
            profiles.pop(of, None)
        else:
            profiles[of] = profile
        return failed

    def rows(self):
        """Events as the warehouse should hold them: (load, canonical person, event, time, properties, failure)."""
        return [
            (load, None if person is None else self.people.canonical(person), name, time, text, failure or None)
            for load, (person, name, time, text, failure) in sorted(self.events.items())
        ]

    def first(self):
        """The time of each person's first event; None for those without one."""
        times = {number: [] for number in self.people.names()}
        for _, person, _, time, _, _ in self.rows():
            if person is not None:
                times[person].append(time)
        return {person: min(found, default=None) for person, found in times.items()}

    def check(self, warehouse):
        """Assert that a warehouse that loaded the same records holds exactly this."""
        database = warehouse._database
        persons = [number for (number,) in database.rows("SELECT person FROM persons ORDER BY person")]
        assert dict(zip(persons, warehouse.names(BitMap(persons)), strict=True)) == self.people.names()
        merged = dict(database.rows("SELECT person, canonical FROM merges WHERE until IS NULL"))
        assert merged == {number: self.people.canonical(number) for number in self.people.merged}
        rows = database.rows("SELECT name, person, linked FROM names")
        met = {name: (merged.get(person, person), linked) for name, person, linked in rows}
        assert met == {name: (self.people.known(name), name in self.people.linked) for name in self.people.numbers}
        sizes = dict(database.rows("SELECT person, size FROM clusters"))
        assert {number: sizes.get(number, 1) for number in persons} == {number: self.people.size(number) for number in persons}
        assert (
            database.rows(
                "SELECT e.load, coalesce(m.canonical, e.person), e.event, e.time, e.properties, e.failure FROM events e "
                "LEFT JOIN (SELECT * FROM merges WHERE until IS NULL) m ON m.person = e.person ORDER BY e.load"
            )
            == self.rows()
        )
        assert dict(database.rows("SELECT person, first FROM persons")) == self.first()
        stored = {person: parsed(text) for person, text in database.rows("SELECT person, properties FROM profiles")}
        assert stored == self.profiles
        kept = {(key, id_): parsed(text) for key, id_, text in database.rows("SELECT key, id, properties FROM groups")}
        assert kept == self.groups
        assert warehouse.last_load() == self.load


def applied(profile, operation):
    """A profile after one operation, in plain values; and how many of its properties it could not be applied to."""
    operand = json.loads(operation.operand, parse_float=Decimal, parse_int=Decimal)
    verb = operation.verb
    if verb == "delete":
        return None, 0
    if verb == "clear":
        return None if profile is None else {}, 0
    if verb == "unset":
        return None if profile is None else {name: value for name, value in profile.items() if name not in operand}, 0
    if verb in {"touch", "remove"} and profile is None:
        return None, 0
    after, failed = dict(profile or {}), 0
    for name, given in operand.items():
        there = after.get(name)
        if verb in {"set", "touch"}:
            after[name] = given
        elif verb == "set_once":
            after.setdefault(name, given)
        elif verb == "add":
            if isinstance(given, Decimal) and isinstance(there, Decimal | None):
                after[name] = (there or Decimal()) + given
            else:
                failed += 1
        else:
            _list(verb, after, name, given)
    if failed == len(operand) and failed:
        return profile, failed
    return {name: value for name, value in after.items() if value is not None}, failed


def _list(verb, profile, name, given):
    there = profile.get(name)
    given = given if isinstance(given, list) else [given]
    if verb == "remove":
        if isinstance(there, list):
            profile[name] = [one for one in there if one not in given]
        return
    items = there if isinstance(there, list) else [] if there is None else [there]
    fresh = [one for at, one in enumerate(given) if one not in items and one not in given[:at]]
    profile[name] = {
        "append": items + given,
        "prepend": given + items,
        "union": items + fresh,
        "pre_insert": fresh + items,
    }[verb]


__all__ = ["IDENTITY_EVENTS", "PlainWarehouse", "change", "drain", "event", "fill", "parsed"]
