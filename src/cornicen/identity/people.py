"""What a rule knows of everybody, and what it learns: the same for all rules, and for the loader's one batch of names.

A rule reads and writes only the names that a record carries, and the persons behind them. So it cannot tell whether it was
given everybody, or only those whom the next records name: the loader does the latter.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from cornicen.events.shapes import Event, Ids, Link, ProfileChange

DEVICE = "$device:"
"""How the name of a device begins."""

IDENTITY_EVENTS = frozenset({"$identify", "$create_alias", "$merge"})
"""Events that only say who is who. They are kept; under rules that do not heed them they are nobody's."""

ALIAS_TAKEN = "alias_taken"
"""Why a property's value did not become another name: it is a name of somebody else."""

ALIAS_TOO_MANY = "alias_too_many"
"""Why a property's value did not become another name: its person has as many as the rule allows."""


class Seen(NamedTuple):
    """What a record meant for who is who.

    Args:
        person: The number it belongs to, as far as was known when it came; None: nobody's.
        failure: Why its identity could not be taken as it was meant, in the vendor's own word; "" it could.
        ended: The person whose own profile ends here, because it turned out to be somebody else (or was a device's).
    """

    person: int | None
    failure: str = ""
    ended: int | None = None


class Step(NamedTuple):
    """Something learnt, as `cornicen person show` tells it.

    Args:
        at: The sequence number of the record that said it.
        kind: ``link`` (a device to a user), ``takeover`` (a user met first on a device goes on as that device's person),
            ``merge`` (two persons turned out to be one), ``move`` (a device to its next user) or ``alias``.
        one: The name that stays in front.
        other: The other.
    """

    at: int
    kind: str
    one: str
    other: str


@dataclass
class People:
    """Everybody met so far, or as many of them as the next records name.

    Args:
        numbers: The person a name was given. Numbers are dense, from 1.
        linked: Names that are not their person's own. Each person has exactly one that is: its canonical name.
        merged: Number to number: who turned out to be somebody else; may be a chain.
        sizes: How many names a person has, where more than one (counted only where there is a ``most``).
        most: How many a person may have, as the rule says; None: any number.
        last: The highest number given.
        at: The sequence number of the record that is looked at.
        touched: Names that were met or changed, in order.
        joined: ``(number, number it was merged into, at)`` in order.
        steps: What was learnt, in order.
    """

    numbers: dict[str, int] = field(default_factory=dict)
    linked: set[str] = field(default_factory=set)
    merged: dict[int, int] = field(default_factory=dict)
    sizes: dict[int, int] = field(default_factory=dict)
    most: int | None = None
    last: int = 0
    at: int = 0
    touched: dict[str, None] = field(default_factory=dict)
    joined: list[tuple[int, int, int]] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    def canonical(self, number: int) -> int:
        """Whom a number stands for now."""
        while number in self.merged:
            number = self.merged[number]
        return number

    def number(self, name: str) -> int:
        """The person behind a name; a new one for a name not met before."""
        known = self.numbers.get(name)
        if known is not None:
            return self.canonical(known) if self.merged else known
        self.last += 1
        self.give(name, self.last)
        return self.last

    def known(self, name: str) -> int | None:
        """The person behind a name, if it was met."""
        known = self.numbers.get(name)
        return None if known is None else self.canonical(known)

    def give(self, name: str, number: int, *, linked: bool = False) -> None:
        """Let a name stand for a person."""
        self.numbers[name] = number
        (self.linked.add if linked else self.linked.discard)(name)
        self.touched[name] = None

    def own(self, name: str) -> bool:
        """Whether a name that was met is its person's own."""
        return name not in self.linked and self.numbers[name] not in self.merged

    def learn(self, kind: str, one: str, other: str) -> None:
        """Note a step."""
        self.steps.append(Step(self.at, kind, one, other))

    def join(self, number: int, into: int) -> None:
        """One person turned out to be another; both canonical."""
        self.merged[number] = into
        self.joined.append((number, into, self.at))

    def alias(self, person: int, value: str, name: str = "") -> str:
        """Make a value another name of a person, who is called ``name`` where that is said.

        Returns:
            "", `ALIAS_TAKEN`: it is a name of somebody else already, and stays that; or `ALIAS_TOO_MANY`: it stays unmet.

        Twice: nothing new.
        """
        owner = self.known(value)
        if owner is not None:
            return "" if owner == person else ALIAS_TAKEN
        if self.most is not None:
            size = self.size(person) + 1
            if size > self.most:
                return ALIAS_TOO_MANY
            self.sizes[person] = size
        self.give(value, person, linked=True)
        self.learn("alias", name or value, value)
        return ""

    def size(self, person: int | None) -> int:
        """How many names a person has, where they are counted; None: somebody not met before."""
        return 1 if person is None else self.sizes.get(person, 1)

    def names(self) -> dict[int, str]:
        """The canonical name of each person."""
        return {number: name for name, number in self.numbers.items() if self.own(name)}


class Rule(Protocol):
    """How names become persons."""

    carries: bool
    """Whether the profile of somebody who turned out to be somebody else fills the gaps of the other's; else it ends."""

    most: int | None
    """How many names a person may have, aliases among them; None: any number. `People.most` must be the same."""

    def named(self, ids: Ids) -> tuple[str, str]:
        """The names that a record carries: of a user, and of a device (with its prefix); "" for each that is not there."""

    def see(self, people: People, user: str, device: str, *, event: str | None, link: Link | None = None) -> Seen:
        """Take the next record, in the loader's order. Twice: the same person, and nothing new is learnt.

        Args:
            people: Knows at least the names given, and those of the link.
            user: As `named`.
            device: As `named`.
            event: The event's name; None: a profile change.
            link: What an identity event says.
        """


def see(rule: Rule, people: People, record: Event | ProfileChange) -> Seen:
    """`Rule.see` for a whole record."""
    user, device = rule.named(record.ids)
    if isinstance(record, Event):
        return rule.see(people, user, device, event=record.name, link=record.link)
    return rule.see(people, user, device, event=None)
