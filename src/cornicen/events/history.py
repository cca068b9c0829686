"""One person's past, as the executable meanings see it: plain, complete and slow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cornicen.events.values import Value


@dataclass(frozen=True)
class Happening:
    """One event of one person.

    Args:
        name: The event's name.
        time: Microseconds since 1970 UTC.
        load: The loader's sequence number; it orders equal times.
        properties: Those that are set; null is missing.
    """

    name: str
    time: int
    load: int = 0
    properties: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class History:
    """One person.

    Args:
        happenings: In any order.
        profile: None: no profile. Empty: a profile without properties.
        given: Names of the given lists (`cohorts.query.Given.key`) that hold this person.
    """

    happenings: tuple[Happening, ...] = ()
    profile: Mapping[str, Value] | None = None
    given: frozenset[str] = frozenset()
