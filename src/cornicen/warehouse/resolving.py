"""Whose each record of a batch is: the project's identity rule, run over the names that the batch carries."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from cornicen.identity.people import People, Rule, Seen
from cornicen.warehouse.arrivals import Arrivals, Change
from cornicen.warehouse.calm import Calm, Places
from cornicen.warehouse.clusters import sizes
from cornicen.warehouse.database import Database
from cornicen.warehouse.names import Digests, NameIndex, Signed, digests
from cornicen.warehouse.persons import Numbers, Persons

Arrived = Callable[[Iterable[int]], Sequence[int | None]]


@dataclass
class Whose:
    """What a batch meant for who is who.

    Args:
        people: The rule's view of the batch's names, after all of it.
        persons: Of the events, in order; 0: nobody's.
        failures: Of the events whose identity could not be taken as it was meant, by place: why.
        changed: Of the profile changes, in order: whom they change.
        ended: ``(sequence number, person, who it turned out to be)``: whose own profile ended there, ascending.
        refused: ``(sequence number, property, value, reason)``: aliases that were not given.
    """

    people: People
    persons: Numbers = field(default_factory=lambda: np.empty(0, np.int32))
    failures: dict[int, str] = field(default_factory=dict)
    changed: list[int] = field(default_factory=list)
    ended: deque[tuple[int, int, int]] = field(default_factory=deque)
    refused: list[tuple[int, str, str, str]] = field(default_factory=list)

    def person_at(self, index: int, load: int) -> int:
        """Whose an event was right after it came; its person may have turned out to be somebody else before it in the batch."""
        person = int(self.persons[index])
        if person in self.people.merged:
            for number, into, at in self.people.joined:
                person = into if number == person and at <= load else person
        return person


@dataclass(frozen=True)
class _Known:
    """What the warehouse knew of some names, each with its digest, before a rule went on with them."""

    at: dict[str, int]
    high: Digests
    low: Digests
    signed: Signed

    def met(self, name: str) -> bool:
        return bool(self.signed[self.at[name]])

    def digests(self, names: Sequence[str]) -> tuple[Digests, Digests]:
        places = [self.at[name] for name in names]
        return self.high[places], self.low[places]


class Resolver:
    """Runs a rule over batches and keeps what was learnt.

    Args:
        database: Open, with its schema.
        rule: The project's.
    """

    def __init__(self, database: Database, rule: Rule) -> None:
        self._database, self._rule = database, rule
        self._names = NameIndex(database)
        self.persons = Persons(database)

    @property
    def salt(self) -> bytes:
        """The key of the names' digests."""
        return self._names.salt

    def resolve(self, arrivals: Arrivals) -> Whose:
        """Say whose each record is; nothing is kept yet."""
        names = arrivals.names
        signed = self._names.find(names.high, names.low)
        calm = Calm(names, signed, self.persons)
        people = self._people(names.texts, names.high, names.low, signed, np.flatnonzero(calm.stirred))
        if people.most is not None and (arrivals.telling or any(arrivals.said.values())):
            people.sizes = sizes(self._database, map(people.canonical, people.numbers.values()))
        whose = Whose(people)
        told = self._take_turns(arrivals, calm.turns(arrivals.telling), whose)
        places, persons = np.fromiter(told, np.int64, len(told)), np.fromiter(told.values(), np.int32, len(told))
        whose.persons = calm.persons_with(places, persons)
        return whose

    def knowing(self, names: Iterable[str]) -> People:
        """Those of some distinct names that were met, and the persons behind them."""
        texts = list(names)
        high, low = digests(texts, self.salt)
        found = pa.array(texts, pa.string())
        return self._people(found, high, low, self._names.find(high, low), np.arange(len(texts)))

    def _people(self, texts: pa.StringArray, high: Digests, low: Digests, signed: Signed, places: Places) -> People:
        """A rule's view of the names at some places."""
        names: list[str] = texts.take(pa.array(places, pa.int64())).to_pylist()  # type: ignore[assignment] # there are no nulls
        signed = signed[places]
        at = dict(zip(names, range(len(names)), strict=True))
        self._known = _Known(at, high[places], low[places], signed)
        numbers = dict(zip(names, np.abs(signed).tolist(), strict=True))
        if not signed.all():
            numbers = {name: number for name, number in numbers.items() if number}
        linked = {names[place] for place in np.flatnonzero(signed < 0).tolist()}
        people = People(numbers, linked, last=self.persons.last, most=self._rule.most)
        people.merged = self.persons.merged(list(numbers.values()))
        return people

    def _take_turns(self, arrivals: Arrivals, turns: Places, whose: Whose) -> dict[int, int]:
        """Run the rule over these events and all profile changes, in order; whose each of these events is."""
        told: dict[int, int] = {}
        people, next_change = whose.people, 0
        for index, load, event, user, device in _records(arrivals, turns):
            while next_change < len(arrivals.changes) and arrivals.changes[next_change].load < load:
                self._change(arrivals.changes[next_change], whose, arrivals.said)
                next_change += 1
            people.at = load
            seen = self._rule.see(people, user, device, event=event, link=arrivals.telling.get(index))
            told[index] = seen.person or 0
            if seen.failure:
                whose.failures[index] = seen.failure
            self._ended(seen, whose)
        for change in arrivals.changes[next_change:]:
            self._change(change, whose, arrivals.said)
        return told

    def _change(self, change: Change, whose: Whose, said: Mapping[int, Sequence[tuple[str, str]]]) -> None:
        people = whose.people
        people.at = change.load
        seen = self._rule.see(people, *change.whom, event=None)
        person = seen.person if seen.person is not None else people.number(change.whom[0] or change.whom[1])
        self._ended(seen, whose)
        whose.changed.append(person)
        called = change.whom[0] or change.whom[1]
        for name, value in said.get(change.load, ()):
            if reason := people.alias(person, value, called):
                whose.refused.append((change.load, name, value, reason))

    @staticmethod
    def _ended(seen: Seen, whose: Whose) -> None:
        if seen.ended is not None:
            whose.ended.append((whose.people.at, seen.ended, whose.people.canonical(seen.ended)))

    def where(self, name: str) -> tuple[int, int]:
        """A name's digest, as the columns ``high`` and ``low`` of the table ``names`` have it."""
        high, low = digests([name], self.salt)
        return int(high[0]), int(low[0])

    def keep(self, people: People, arrived: Arrived) -> None:
        """Write what a batch taught; inside its transaction.

        Args:
            people: After the batch.
            arrived: When the records of some sequence numbers came; None where that is not known.
        """
        self._keep_names(people)
        self._keep_merges(people)
        self._keep_steps(people, arrived)

    def committed(self, people: People) -> None:
        """Let the memory follow, after the transaction. Twice: the same."""
        touched = list(people.touched)
        if touched:
            numbers = [people.numbers[name] for name in touched]
            high, low = self._known.digests(touched)
            self._names.put(high, low, numbers, [name in people.linked for name in touched])
        self.persons.grow(people.last)
        for number, into, _ in people.joined:
            self.persons.join(number, into)

    def _keep_names(self, people: People) -> None:
        met = self._known.met
        new, changed = [name for name in people.touched if not met(name)], [name for name in people.touched if met(name)]
        if new:
            with self._database.lent(touched=self._table(people, new)):
                self._database.rows(
                    "INSERT INTO names (name, person, load, linked, high, low) "
                    "SELECT name, person, $at, linked, high, low FROM touched",
                    {"at": people.at},
                )
        if changed:
            with self._database.lent(touched=self._table(people, changed)):
                self._database.rows(
                    "UPDATE names SET person = t.person, linked = t.linked FROM touched t "
                    "WHERE names.high = t.high AND names.low = t.low"
                )

    def _table(self, people: People, names: list[str]) -> pa.Table:
        high, low = self._known.digests(names)
        return pa.table(
            {
                "name": pa.array(names, pa.string()),
                "person": pa.array([people.numbers[name] for name in names], pa.int32()),
                "linked": pa.array([name in people.linked for name in names], pa.bool_()),
                "high": high,
                "low": low,
            }
        )

    def _keep_merges(self, people: People) -> None:
        """One row for each number that stands for another; the row of what it stood for before gets its end."""
        if not people.joined:
            return
        now: dict[int, list[int]] = {}  # who stands for whom since this batch
        rows: dict[int, tuple[int, int]] = {}
        ended: list[tuple[int, int]] = []
        done: list[tuple[int, int, int, int | None]] = []
        for number, into, at in people.joined:
            for one in (number, *self.persons.standing_for(number), *now.pop(number, ())):
                if one in rows:
                    done.append((one, *rows[one], at))
                elif one != number:
                    ended.append((one, at))
                rows[one] = (into, at)
                now.setdefault(into, []).append(one)
        done.extend((one, into, at, None) for one, (into, at) in rows.items())
        database = self._database
        if ended:
            with database.lent(ended=_numbers(ended, "person", "until")):
                database.rows(
                    "UPDATE merges SET until = e.until FROM ended e WHERE merges.person = e.person AND merges.until IS NULL"
                )
        with database.lent(joined=_numbers(done, "person", "canonical", "load", "until")):
            database.rows("INSERT INTO merges (person, canonical, load, until) SELECT * FROM joined")

    def _keep_steps(self, people: People, arrived: Arrived) -> None:
        if people.steps:
            at, kind, one, other = zip(*people.steps, strict=True)
            came = pa.array(arrived(at), pa.int64())
            with self._database.lent(learnt=pa.table({"load": at, "kind": kind, "one": one, "other": other, "came": came})):
                self._database.rows("INSERT INTO steps SELECT * FROM learnt")
        if people.sizes:
            with self._database.lent(sizes=_numbers(people.sizes.items(), "person", "size")):
                self._database.rows("DELETE FROM clusters WHERE person IN (SELECT person FROM sizes)")
                self._database.rows("INSERT INTO clusters SELECT person, size FROM sizes")


def _numbers(rows: Iterable[tuple[int | None, ...]], *names: str) -> pa.Table:
    columns = zip(*rows, strict=True)
    return pa.table({name: pa.array(column, pa.int64()) for name, column in zip(names, columns, strict=True)})


def _records(arrivals: Arrivals, places: Places) -> Iterator[tuple[int, int, str, str, str]]:
    """``(place, sequence number, event, user, device)`` of the events at some places."""
    names, at = arrivals.names, pa.array(places, pa.int64())
    user, device = (pa.array(names.pairs[names.whom[places], side], pa.int32()) for side in (0, 1))
    columns = (
        arrivals.events["load"].take(at),
        arrivals.events["event"].take(at),
        names.texts.take(user),
        names.texts.take(device),
    )
    return zip(places.tolist(), *(column.to_pylist() for column in columns), strict=True)
