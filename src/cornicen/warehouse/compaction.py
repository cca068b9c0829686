"""Compaction: the events of closed days, moved from the loader's order into two others, a day's work at a time.

A day is closed when it ended `GRACE` before everything that arrived was loaded. Its events leave ``events``; they go to
``settled``, ordered by event and time ("who did this"), and to ``by_person`` ("what did these people do"). What comes late for
it waits in ``events`` until it is worth to write the day anew.

Who turned out to be somebody else by a given sequence number is written under the other's number. Later merges are resolved by
`cornicen.warehouse.relations`, and written in when they touch enough of a day.

``by_person`` is ordered by person within stretches of days: `FAN` stretches of a size become one, as long as it is not longer
than `LONGEST`, so that a person's events lie in few places, and each is moved a few times at most.
"""

from __future__ import annotations

from collections.abc import Iterable

from cornicen.warehouse.database import Database
from cornicen.warehouse.relations import merges
from cornicen.warehouse.stored import COPY, DAY, columns, copy, day_of, on, union

GRACE = 3_600_000_000
"""Microseconds after a UTC day's end in which late events are still usual."""

SHARE = 20
"""A day is written anew when what waits for it is a twentieth of it, or when it was last written a day ago."""

TOGETHER = 200_000
"""Small days are written together, up to so many events."""

FAN = 8
LONGEST = 4_000_000
"""Events that a stretch has at most, unless one day has more."""

REST = 60_000_000
"""Microseconds after which it is looked again, where there was nothing to do: a look reads all of ``events``' times."""

MERGES_REST = 600_000_000
"""Likewise for what newer merges touch: that look reads all persons of ``by_person``."""


class Compaction:
    """The compaction of one warehouse.

    Args:
        database: Open, with its schema; used between batches, in the same thread.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._looked: int | None = None
        self._merges_looked: int | None = None

    def one(self, before: int, as_of: int) -> bool:
        """Do at most one day's work, in one transaction.

        Questions about any instant and any sequence number from ``before`` on have the same answers after it.

        Args:
            before: A sequence number: the earliest that anybody may still ask `relations.tables` about. Merges up to it are
                written in.
            as_of: The warehouse's watermark, microseconds: every live event that arrived before it is loaded.

        Returns:
            Whether there was any work.

        Twice: does the next day's work; without any, it looks again only after a while.
        """
        if self._looked is not None and self._looked <= as_of < self._looked + REST:
            return False
        [last] = self._database.one("SELECT load FROM totals")
        before = min(before, last)
        self._look_at_merges(before, as_of)
        if due := self._due(as_of):
            self._write(due, before, as_of)
            return True
        if days := self._stretches():
            self._join(days)
            return True
        self._looked = as_of
        return False

    def _look_at_merges(self, before: int, as_of: int) -> None:
        """Learn which days newer merges touch; days that none touches count as written up to the latest."""
        if self._merges_looked is not None and self._merges_looked <= as_of < self._merges_looked + MERGES_REST:
            return
        self._merges_looked = as_of
        database = self._database
        [top] = database.one("SELECT coalesce(max(load), 0) FROM merges")
        [low] = database.one("SELECT min(canonical) FROM days")
        if low is None or low >= top:
            return
        touched = database.rows(
            f"""
            WITH newer AS (SELECT person, load FROM merges WHERE load > $low),
            met AS (SELECT {day_of("b.time")} AS day, n.load FROM {COPY} b JOIN newer n ON n.person = b.person)
            SELECT d.day, min(m.load), count(*) FILTER (m.load <= $before)
            FROM met m JOIN days d ON d.day = m.day WHERE m.load > d.canonical GROUP BY d.day
            """,
            {"low": low, "before": before},
        )
        with database.transaction():
            database.rows("UPDATE days SET touched = -1")
            for day, first, rows in touched:
                database.rows("UPDATE days SET canonical = ?, touched = ? WHERE day = ?", [first - 1, rows, day])
            database.rows("UPDATE days SET canonical = greatest(canonical, $top), touched = 0 WHERE touched = -1", {"top": top})

    def _due(self, as_of: int) -> list[int]:
        """Closed days that are worth to be written, oldest first, as many as are written together."""
        closed = (as_of - GRACE) // DAY
        waiting = self._database.rows(
            f"""
            WITH late AS (
              SELECT {day_of("time")} AS day, count(*) AS events FROM events WHERE time < $closed GROUP BY 1)
            SELECT coalesce(d.day, l.day), coalesce(d.events, 0), coalesce(l.events, 0) + coalesce(d.touched, 0), d.written
            FROM days d FULL JOIN late l ON l.day = d.day ORDER BY 1
            """,
            {"closed": closed * DAY},
        )
        due: list[int] = []
        total = 0
        for day, events, more, written in waiting:
            worth = written is None or more * SHARE >= events or as_of - written >= DAY
            if more and worth and (not due or total + events + more <= TOGETHER):
                due.append(day)
                total += events + more
        return due

    def _write(self, days: list[int], before: int, as_of: int) -> None:
        """Write some days whole, from wherever their events lie."""
        database = self._database
        listed = columns(database)
        resolved = ", ".join(
            "coalesce(m.canonical, e.person) AS person" if name == "person" else f"e.{name}" for name in listed
        )
        with database.transaction():
            database.rows(
                f"CREATE OR REPLACE TEMP TABLE rewritten AS SELECT {resolved} FROM ({union(listed, on(days))}) AS e "
                f"LEFT JOIN {merges(before)} AS m ON m.person = e.person"
            )
            for table in ("events", "settled", COPY):
                database.rows(f"DELETE FROM {table} WHERE {on(days)}")
            names = ", ".join(listed)
            database.rows(
                f"INSERT INTO settled ({names}) SELECT {names} FROM rewritten ORDER BY {day_of('time')}, event, time, load"
            )
            copy(database, days, "rewritten")
            [stretch] = database.one("SELECT coalesce(max(stretch), 0) + 1 FROM days")
            database.rows(f"DELETE FROM days WHERE {_among(days)}")
            database.rows(
                f"INSERT INTO days SELECT {day_of('time')}, count(*), $before, 0, $as_of, $stretch FROM rewritten GROUP BY 1",
                {"before": before, "as_of": as_of, "stretch": stretch},
            )
            database.rows("DROP TABLE rewritten")

    def _stretches(self) -> list[int]:
        """The days of stretches of one size that are to become one; none: there are no such."""
        sizes: dict[int, list[int]] = {}
        for stretch, events in self._database.rows("SELECT stretch, sum(events) FROM days GROUP BY 1 ORDER BY 1"):
            if events * FAN <= LONGEST:
                sizes.setdefault(_magnitude(int(events)), []).append(stretch)
        for _, alike in sorted(sizes.items()):
            if len(alike) >= FAN:
                among = ", ".join(map(str, alike[:FAN]))
                return [day for (day,) in self._database.rows(f"SELECT day FROM days WHERE stretch IN ({among}) ORDER BY day")]
        return []

    def _join(self, days: list[int]) -> None:
        """Make one stretch of some days."""
        database = self._database
        with database.transaction():
            database.rows(f"DELETE FROM {COPY} WHERE {on(days)}")
            copy(database, days)
            database.rows(f"UPDATE days SET stretch = (SELECT max(stretch) + 1 FROM days) WHERE {_among(days)}")


def _magnitude(events: int) -> int:
    """Sizes of one magnitude differ by less than `FAN` times."""
    found = 0
    while events >= FAN:
        events, found = events // FAN, found + 1
    return found


def _among(days: Iterable[int]) -> str:
    return f"day IN ({', '.join(map(str, days))})"
