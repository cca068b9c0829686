"""Whose each record of a batch is: the project's identity rule, run over the names that the batch carries."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from cornicen.identity.people import ALIAS_TAKEN, DEVICE, People, Rule, Seen
from cornicen.warehouse.aliases import alias_values
from cornicen.warehouse.arrivals import Arrivals, Change
from cornicen.warehouse.database import Database
from cornicen.warehouse.names import NameIndex
from cornicen.warehouse.persons import Numbers, Persons


@dataclass
class Whose:
    """What a batch meant for who is who.

    Args:
        people: The rule's view of the batch's names, after all of it.
        persons: Of the events, in order; 0: nobody's.
        failures: Of the events whose identity could not be taken as it was meant, by place: why.
        changed: Of the profile changes, in order: whom they change.
        ended: ``(sequence number, person, who it turned out to be)``: whose own profile ended there, ascending.
        taken: ``(sequence number, property, value)``: aliases that somebody else has.
    """

    people: People
    persons: Numbers = field(default_factory=lambda: np.empty(0, np.int32))
    failures: dict[int, str] = field(default_factory=dict)
    changed: list[int] = field(default_factory=list)
    ended: deque[tuple[int, int, int]] = field(default_factory=deque)
    taken: list[tuple[int, str, str]] = field(default_factory=list)

    def person_at(self, index: int, load: int) -> int:
        """Whose an event was right after it came; its person may have turned out to be somebody else before it in the batch."""
        person = int(self.persons[index])
        if person in self.people.merged:
            for number, into, at in self.people.joined:
                person = into if number == person and at <= load else person
        return person


Said = Mapping[int, Sequence[tuple[str, str]]]
"""Aliases that profile changes set, by sequence number."""


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

    def resolve(self, arrivals: Arrivals, aliases: frozenset[str]) -> Whose:
        """Say whose each record is; nothing is kept yet.

        Args:
            arrivals: The batch.
            aliases: Profile properties whose values become further names.
        """
        said = {one.load: list(alias_values(one.change.operations, aliases)) for one in arrivals.changes} if aliases else {}
        pairs = dict(zip(reversed(arrivals.whom), range(len(arrivals.whom) - 1, -1, -1), strict=True))
        whose = Whose(self._people(arrivals, pairs, said))
        calm, turns = _sorted_out(arrivals, pairs, said, whose.people)
        told = self._take_turns(arrivals, turns, said, whose)
        for index in told:
            calm.setdefault(arrivals.whom[index], told[index])
        persons = [calm[whom] for whom in arrivals.whom]
        for index, person in told.items():
            persons[index] = person
        whose.persons = np.asarray(persons, np.int32)
        return whose

    def _people(self, arrivals: Arrivals, pairs: Iterable[tuple[str, str]], said: Said) -> People:
        """Everybody whom the batch names, as far as they were met."""
        wanted: dict[str, None] = {}
        for user, device in pairs:
            wanted[user] = wanted[device] = None
        for change in arrivals.changes:
            wanted[change.whom[0]] = wanted[change.whom[1]] = None
        for values in said.values():
            wanted.update(dict.fromkeys(value for _, value in values))
        links = [link for index in arrivals.telling if (link := arrivals.events[index].link) is not None]
        for link in links:
            wanted[link.one.removeprefix(DEVICE)] = wanted[link.other.removeprefix(DEVICE)] = None
        wanted.pop("", None)
        people = self.knowing(wanted)
        if links:
            people.sizes = self._sizes(people)
        return people

    def _take_turns(self, arrivals: Arrivals, turns: Iterable[int], said: Said, whose: Whose) -> dict[int, int]:
        """Run the rule over these events and all profile changes, in order; whose each of these events is."""
        told: dict[int, int] = {}
        people, loads, next_change = whose.people, arrivals.loads, 0
        for index in turns:
            while next_change < len(arrivals.changes) and arrivals.changes[next_change].load < loads[index]:
                self._change(arrivals.changes[next_change], whose, said)
                next_change += 1
            event = arrivals.events[index]
            people.at = loads[index]
            seen = self._rule.see(people, *arrivals.whom[index], event=event.name, link=event.link)
            told[index] = seen.person or 0
            if seen.failure:
                whose.failures[index] = seen.failure
            self._ended(seen, whose)
        for change in arrivals.changes[next_change:]:
            self._change(change, whose, said)
        return told

    def _change(self, change: Change, whose: Whose, said: Said) -> None:
        people = whose.people
        people.at = change.load
        seen = self._rule.see(people, *change.whom, event=None)
        person = seen.person if seen.person is not None else people.number(change.whom[0] or change.whom[1])
        self._ended(seen, whose)
        whose.changed.append(person)
        called = change.whom[0] or change.whom[1]
        for name, value in said.get(change.load, ()):
            if people.alias(person, value, called) == ALIAS_TAKEN:
                whose.taken.append((change.load, name, value))

    @staticmethod
    def _ended(seen: Seen, whose: Whose) -> None:
        if seen.ended is not None:
            whose.ended.append((whose.people.at, seen.ended, whose.people.canonical(seen.ended)))

    def knowing(self, names: Iterable[str]) -> People:
        """Those of some distinct names that were met, and the persons behind them."""
        self._found = found = self._names.find(list(names))
        people = People(found.persons, found.linked, last=self.persons.last)
        people.merged = self.persons.merged(list(found.persons.values()))
        return people

    def where(self, name: str) -> tuple[int, int]:
        """A name's digest, as the columns ``high`` and ``low`` of the table ``names`` have it."""
        high, low = self._names.digests([name])
        return int(high[0]), int(low[0])

    def _sizes(self, people: People) -> dict[int, int]:
        asked = {people.canonical(number) for number in people.numbers.values()}
        with self._database.lent(asked=pa.table({"person": pa.array(asked, pa.int32())})):
            return dict(self._database.rows("SELECT c.person, c.size FROM clusters c SEMI JOIN asked a ON a.person = c.person"))

    def keep(self, people: People, arrived: Mapping[int, int]) -> None:
        """Write what a batch taught; inside its transaction.

        Args:
            people: After the batch.
            arrived: When the records came, by sequence number.
        """
        self._keep_names(people)
        self._keep_merges(people)
        self._keep_steps(people, arrived)

    def committed(self, people: People) -> None:
        """Let the memory follow, after the transaction. Twice: the same."""
        touched = list(people.touched)
        if touched:
            numbers = [people.numbers[name] for name in touched]
            high, low = self._found.digests(touched)
            self._names.put(high, low, numbers, [name in people.linked for name in touched])
        self.persons.grow(people.last)
        for number, into, _ in people.joined:
            self.persons.join(number, into)

    def _keep_names(self, people: People) -> None:
        met = self._found.met
        new, changed = [name for name in people.touched if name not in met], [name for name in people.touched if name in met]
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
        high, low = self._found.digests(names)
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

    def _keep_steps(self, people: People, arrived: Mapping[int, int]) -> None:
        if people.steps:
            at, kind, one, other = zip(*people.steps, strict=True)
            came = pa.array([arrived.get(load) for load in at], pa.int64())
            with self._database.lent(learnt=pa.table({"load": at, "kind": kind, "one": one, "other": other, "came": came})):
                self._database.rows("INSERT INTO steps SELECT * FROM learnt")
        if people.sizes:
            with self._database.lent(sizes=_numbers(people.sizes.items(), "person", "size")):
                self._database.rows("DELETE FROM clusters WHERE person IN (SELECT person FROM sizes)")
                self._database.rows("INSERT INTO clusters SELECT person, size FROM sizes")


def _numbers(rows: Iterable[tuple[int | None, ...]], *names: str) -> pa.Table:
    columns = zip(*rows, strict=True)
    return pa.table({name: pa.array(column, pa.int64()) for name, column in zip(names, columns, strict=True)})


def _sorted_out(
    arrivals: Arrivals, pairs: Mapping[tuple[str, str], int], said: Said, people: People
) -> tuple[dict[tuple[str, str], int], list[int]]:
    """Which events need no rule, and which have to take their turn.

    Under every rule a record teaches nothing that carries one name, or two that stand for the same person already; its person
    is looked up. All others take their turns, and so does everything that carries one of their names, and each new name once.

    Args:
        arrivals: The batch.
        pairs: Its users and devices, and where each first comes.
        said: Aliases, by sequence number.
        people: Everybody whom the batch names.

    Returns:
        Persons by user and device, 0 nobody's; and the places of the events that take their turn, ascending.
    """
    busy = {name for change in arrivals.changes for name in change.whom}
    busy.update(value for values in said.values() for _, value in values)
    for index in arrivals.telling:
        busy.update(arrivals.whom[index])
        if (link := arrivals.events[index].link) is not None:
            busy |= {link.one.removeprefix(DEVICE), link.other.removeprefix(DEVICE)}
    calm: dict[tuple[str, str], int] = {}
    new: list[int] = []
    numbers, merged, linked = people.numbers, people.merged, people.linked
    for pair, index in pairs.items():
        user, device = pair
        known = numbers.get(user or device)
        if known is None:
            if user and device:
                busy.update(pair)
            elif user or device:
                new.append(index)
            else:
                calm[pair] = 0
        elif not (user and device) or (device in linked and people.known(device) == merged.get(known, known)):
            calm[pair] = merged.get(known, known)
        else:
            busy.update(pair)
    busy.discard("")
    if not busy:
        return calm, sorted(new)
    uncalm = {pair for pair in pairs if pair[0] in busy or pair[1] in busy}
    turns = {index for index, pair in enumerate(arrivals.whom) if pair in uncalm}
    return {pair: person for pair, person in calm.items() if pair not in uncalm}, sorted(turns.union(new, arrivals.telling))
