"""What a definition lowers to: about ten frozen nodes, each a set of persons.

Operators lower to these and to nothing else; the meaning and the SQL know these and nothing else. So operators and
engines never meet. Equal parts are equal values: an engine computes each once. A nested cohort is the query of its own
definition, in place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cornicen.cohorts.condition import Condition, properties


@dataclass(frozen=True)
class Window:
    """A stretch of time that ends at ``as_of``; as plain bounds before anything else sees it.

    Args:
        length: Microseconds; the window is ``[as_of - length, as_of)``. None: everything before ``as_of``.
    """

    length: int | None = None

    def bounds(self, as_of: int) -> tuple[int | None, int]:
        """First moment inside (None: no lower bound) and first moment after, in microseconds."""
        return (None if self.length is None else as_of - self.length, as_of)


@dataclass(frozen=True)
class Bound:
    """One comparison of a measure with a number, both in the measure's unit.

    Args:
        test: ``eq`` ``ne`` ``gt`` ``gte`` ``lt`` ``lte``; ``between`` is lowered to ``gte`` and ``lte``.
        limit: For counts and days the number times `MILLIONTHS` too, so that ``gt: 2.5`` is exact.
    """

    test: str
    limit: int


@dataclass(frozen=True)
class Count:
    """How many events match; all bounds must hold."""

    bounds: tuple[Bound, ...]


@dataclass(frozen=True)
class Days:
    """On how many distinct local days at least one event matches; all bounds must hold.

    Args:
        bounds: As for `Count`.
        zone: The project's time zone, an IANA name.
    """

    bounds: tuple[Bound, ...]
    zone: str


@dataclass(frozen=True)
class Sum:
    """The sum of a property over those matching events where it is a number; with none, no bound holds.

    Args:
        of: The property.
        bounds: As for `Count`, in millionths. Sums are 128-bit.
    """

    of: str
    bounds: tuple[Bound, ...]


Measure = Count | Days | Sum


@dataclass(frozen=True)
class Source:
    """Events by name and condition.

    Args:
        names: Any of these; None: any name.
        where: None: no condition.
    """

    names: tuple[str, ...] | None
    where: Condition | None = None


@dataclass(frozen=True)
class Known:
    """Every known person: with an event before ``as_of``, or a profile."""


@dataclass(frozen=True)
class Did:
    """Known persons with at least one matching event in the window whose measure passes.

    Args:
        sources: An event matches when it fits any of them (it counts once).
        window: Where it must lie.
        measure: What must pass; nobody without a matching event passes, whatever the bounds.
    """

    sources: tuple[Source, ...]
    window: Window
    measure: Measure


@dataclass(frozen=True)
class Profile:
    """Known persons whose profile passes; a known person without a profile has every property missing."""

    where: Condition


@dataclass(frozen=True)
class Given:
    """Known persons named by a given list.

    Args:
        key: The list's name: a digest of where its values come from; whoever evaluates was handed its persons.
    """

    key: str


@dataclass(frozen=True)
class All:
    """Persons in all parts. At least one part."""

    parts: tuple[Query, ...]


@dataclass(frozen=True)
class Any:
    """Persons in any part. At least one part."""

    parts: tuple[Query, ...]


@dataclass(frozen=True)
class Not:
    """Known persons who are not in the part."""

    part: Query


Query = Known | Did | Profile | Given | All | Any | Not


def walk(query: Query) -> Iterator[Query]:
    """The query and all its parts, parts first."""
    match query:
        case All(parts=parts) | Any(parts=parts):
            for part in parts:
                yield from walk(part)
        case Not(part=part):
            yield from walk(part)
        case Known() | Did() | Profile() | Given():
            pass
    yield query


@dataclass(frozen=True)
class Needs:
    """What a query reads.

    Args:
        events: Property names read on events.
        profile: Property names read on profiles.
        names: Event names it looks at; None: any.
        given: Keys of given lists.
    """

    events: frozenset[str]
    profile: frozenset[str]
    names: frozenset[str] | None
    given: frozenset[str]


def needs(*queries: Query) -> Needs:
    """What these queries read, together."""
    events: set[str] = set()
    profile: set[str] = set()
    names: set[str] | None = set()
    given: set[str] = set()
    for query in queries:
        for node in walk(query):
            match node:
                case Did(sources=sources, measure=measure):
                    for source in sources:
                        events |= properties(source.where)
                        names = None if names is None or source.names is None else names | set(source.names)
                    if isinstance(measure, Sum):
                        events.add(measure.of)
                case Profile(where=where):
                    profile |= properties(where)
                case Given(key=key):
                    given.add(key)
                case _:
                    pass
    return Needs(frozenset(events), frozenset(profile), None if names is None else frozenset(names), frozenset(given))
