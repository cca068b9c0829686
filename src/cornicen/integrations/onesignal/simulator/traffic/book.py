"""The book of requests: how many, of what kind, with what end, and how many at once."""

from __future__ import annotations

from collections import Counter, deque
from typing import Any, NamedTuple

LOGGED = 1000
"""Requests of which the book keeps every detail, the latest ones."""


class Entry(NamedTuple):
    """One request while it is under way.

    Args:
        route: The route's name.
        subject: Whom it is about, "" if nobody: an External ID, ``label:alias``, a subscription or a segment.
        at: When it came in, Unix seconds of the simulator's clock.
        arrived: Seconds of the machine's monotonic clock.
        path: As asked.
    """

    route: str
    subject: str
    at: float
    arrived: float
    path: str


class Book:
    """Counts and the latest requests. Control routes are not in it."""

    def __init__(self) -> None:
        self.in_flight = 0
        self._subjects: Counter[str] = Counter()
        self.reset()

    def reset(self) -> None:
        """Begin again at zero; requests that are under way stay counted as such.

        Twice: changes nothing.
        """
        self.total = 0
        self.ends: Counter[tuple[str, str]] = Counter()
        self.patches: Counter[str] = Counter()
        self.log: deque[dict[str, Any]] = deque(maxlen=LOGGED)
        self.in_flight_max = self.in_flight
        self.in_flight_max_per_user = max(self._subjects.values(), default=0)

    def begin(self, entry: Entry) -> None:
        """A request came in."""
        self.total += 1
        self.in_flight += 1
        self.in_flight_max = max(self.in_flight_max, self.in_flight)
        if entry.route == "update_user":
            self.patches[entry.subject] += 1
            self._subjects[entry.subject] += 1
            self.in_flight_max_per_user = max(self.in_flight_max_per_user, self._subjects[entry.subject])

    def end(self, entry: Entry, how: str, now: float) -> None:
        """A request is over.

        Args:
            entry: As it was begun.
            how: The status, or the kind of fault that took the answer away.
            now: Seconds of the machine's monotonic clock.
        """
        self.in_flight -= 1
        if entry.route == "update_user":
            self._subjects[entry.subject] -= 1
            if not self._subjects[entry.subject]:
                del self._subjects[entry.subject]
        self.ends[entry.route, how] += 1
        self.log.append(
            {
                "at": entry.at,
                "route": entry.route,
                "subject": entry.subject,
                "path": entry.path,
                "end": how,
                "seconds": round(now - entry.arrived, 6),
            }
        )

    def shown(self, logged: int) -> dict[str, Any]:
        """The book for people and tests, with the last ``logged`` requests, the latest last."""
        routes: dict[str, dict[str, int]] = {}
        for (route, how), count in sorted(self.ends.items()):
            routes.setdefault(route, {})[how] = count
        return {
            "total": self.total,
            "routes": routes,
            "in_flight": self.in_flight,
            "in_flight_max": self.in_flight_max,
            "in_flight_max_per_user": self.in_flight_max_per_user,
            "patches": {"total": self.patches.total(), "by_user": dict(self.patches)},
            "log": list(self.log)[-logged:] if logged else [],
        }
