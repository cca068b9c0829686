"""Where reading a definition stands, and what is shared by all its places: the faults found so far above all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import tzinfo
from difflib import get_close_matches

from cornicen.cohorts.context import Context
from cornicen.cohorts.given import GivenSource, Recipients
from cornicen.cohorts.query import Query
from cornicen.errors import Fault

Lowered = Query | Recipients
"""What a clause becomes."""


@dataclass
class Reading:
    """One definition being read, those it names included.

    Args:
        context: The project around it.
        zone: Of the context.
        folder: Where relative file names start right now; a nested cohort may have another than the definition itself.
        clause: Reads one clause, whatever its operator; None after a fault.
        cohort: Reads a nested cohort by slug; None after a fault, or where the same was found before.
        faults: In the order of reading.
        given: The lists named so far, by key.
    """

    context: Context
    zone: tzinfo
    folder: str
    clause: Callable[[object, Place], Lowered | None]
    cohort: Callable[[str, Place], Query | None]
    faults: list[Fault] = field(default_factory=list)
    given: dict[str, GivenSource] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """One place in a definition.

    Args:
        path: As people read it: ``who[0].where.amount``.
        reading: What all places share.
    """

    path: str
    reading: Reading

    def key(self, name: str) -> Place:
        """A key of the mapping here."""
        return Place(f"{self.path}.{name}" if self.path else name, self.reading)

    def item(self, number: int) -> Place:
        """An item of the list here, from 0."""
        return Place(f"{self.path}[{number}]", self.reading)

    def fault(self, what: str, fix: str = "") -> None:
        """Note that something is wrong here; reading goes on.

        Twice: noted twice.
        """
        self.reading.faults.append(Fault(self.path or "definition", what, fix))

    def sound_since(self, faults: int) -> bool:
        """Whether nothing was found since there were so many faults."""
        return len(self.reading.faults) == faults


def nearest(word: str, known: Iterable[str]) -> str:
    """A suggestion: the known word that is near, else all of them where they are few, else nothing."""
    words = sorted(known)
    if near := get_close_matches(word, words, 1):
        return f"Did you mean `{near[0]}`?"
    return f"There are: {', '.join(words)}." if 0 < len(words) <= 20 else ""
