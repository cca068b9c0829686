"""Which de-duplication keys may have been seen: an index by event day, beside the tables that hold the truth.

It never overlooks a key. Where it says *maybe*, `cornicen.warehouse.keys` compares in full; hardly any *maybe* is wrong, since
keys are 64 bits of a hash. Each day's keys lie in sorted runs that are merged as they grow, so that a batch, sorted once, is
looked up in a few of them. Days that were not touched lately lie in files, and are read by mapping those.

What is in the files is said in `cornicen.warehouse.key_files`; what was loaded after they were written is read from the tables
when the warehouse is opened, so a crash at any moment costs time and no key.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cornicen.warehouse import key_files
from cornicen.warehouse.database import Database
from cornicen.warehouse.key_files import Complete, KeyFile, Keys
from cornicen.warehouse.schema import meta
from cornicen.warehouse.stored import DAY, TABLES

Times = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

REACH = 7
"""Days, either way, within which a key whose first arrival stays is looked for."""

FIRST_DAY, LAST_DAY = -25_567, 84_006
"""1900 and 2200: what lies before or after is counted to these days, so that wild clocks cannot make a file for each event."""

STEP = 4_000_000
"""Sequence numbers whose keys are read from the tables at a time."""

PIECE = 500_000
"""Keys of a day's longest run that are merged with the others' at a time."""

WIDEST = 4
"""A run is merged with the one before it unless that is so many times as long."""


@dataclass
class _Day:
    """One day's keys: those of its file, and runs of keys in memory, the longest first. A key may be in several."""

    file: KeyFile | None = None
    checked: bool = False
    runs: list[Keys] = field(default_factory=list)
    touched: int = 0

    def bytes(self) -> int:
        return sum(run.nbytes for run in self.runs)

    def put(self, keys: Keys) -> None:
        while self.runs and len(self.runs[-1]) < WIDEST * len(keys):
            keys = _merged(self.runs.pop(), keys)
        self.runs.append(keys)

    def holds(self, keys: Keys) -> Mask:
        """Which of some ascending keys are there."""
        found = np.zeros(len(keys), np.bool_)
        for run in self.runs if self.file is None else [self.file.keys, *self.runs]:
            if len(run):
                at = np.minimum(np.searchsorted(run, keys), len(run) - 1)
                found |= run[at] == keys
        return found

    def all(self) -> Iterator[Keys]:
        """All keys, ascending, each once, in pieces: together they may be larger than what memory is meant for them."""
        runs = sorted(self.runs if self.file is None else [self.file.keys, *self.runs], key=len)
        if not runs:
            return
        borders = runs[-1][PIECE::PIECE]
        cuts = [[0, *np.searchsorted(run, borders).tolist(), len(run)] for run in runs]
        for piece in range(len(borders) + 1):
            slices = [run[at[piece] : at[piece + 1]] for run, at in zip(runs, cuts, strict=True)]
            yield np.unique(np.concatenate(slices))


class KeyDays:
    """The index of one warehouse.

    Args:
        folder: Of the key files; made where it does not exist.
        memory: Bytes of keys to hold. When there are more, the days that were not touched for longest are written to their
            files and mapped; only then does a batch cost a write, of a day's keys at most for each day it touches. What is
            mapped the system may hold in memory as long as there is any.
    """

    def __init__(self, folder: Path, memory: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._memory = folder, memory
        self._days: dict[int, _Day] = {}
        self._probe, self._turn = 0, 0
        self._database: Database | None = None
        self.load, self._saved = 0, 0

    @property
    def unsaved(self) -> int:
        """How many sequence numbers a start would have to read from the tables, were it now."""
        return self.load - self._saved

    def catch_up(self, database: Database) -> None:
        """Take what the files hold, and read from the tables what is missing.

        Call it once the warehouse is open, and again before a batch: where a batch was committed and `add` was not reached, its
        keys are read now.

        Twice: reads what came since; where nothing did, it asks for one row.
        """
        known, self._database = self._database, database
        [last] = database.one("SELECT load FROM totals")
        probe = self._probe if database is known else _probe(database)
        if probe != self._probe or self.load > last:
            self._probe, self.load, self._saved, self._days = probe, 0, 0, {}
            self._open(last)
        while self.load < last:
            upto = min(self.load + STEP, last)
            self.add(*_read(database, f"load > {self.load} AND load <= {upto}"), upto)

    def _open(self, last: int) -> None:
        """Take the files where they are copies of these tables; else begin anew."""
        complete = key_files.read_complete(self._folder)
        if complete is None or complete.probe != self._probe or complete.load > last:
            key_files.remove(self._folder, {})
            return
        key_files.remove(self._folder, complete.days)
        self.load = self._saved = complete.load
        for day, load in complete.days.items():
            file = key_files.read(self._folder, day, self._probe)
            sound = file is not None and load <= file.load <= last
            self._days[day] = _Day(file) if sound else self._anew(day)

    def _anew(self, day: int) -> _Day:
        """A day as the tables have it."""
        if self._database is None:
            raise ValueError("catch_up comes first")
        _, keys = _read(self._database, _within(day))
        return _Day(runs=[np.unique(keys)], touched=self._turn)

    def suspects(self, times: Times, keys: Keys, first_stays: Mask) -> Mask:
        """Which of some keys may be in the index within reach: on their own UTC day, or within `REACH` days of it.

        What is equal within the batch is not told; see `repeated`.

        Args:
            times: Microseconds since 1970 UTC.
            keys: As `key_of` gives them.
            first_stays: For which of them the first arrival stays.
        """
        found = np.zeros(len(keys), np.bool_)
        for chosen, reach in ((np.flatnonzero(~first_stays), 0), (np.flatnonzero(first_stays), REACH)):
            for day, at in _by_day(days_of(times[chosen]), keys[chosen]):
                rows, asked = chosen[at], keys[chosen[at]]
                for near in range(day - reach, day + reach + 1):
                    if near in self._days:
                        found[rows] |= self._sound(near).holds(asked)
        return found

    def _sound(self, day: int) -> _Day:
        """A day whose file has been read once and is what was written."""
        held = self._days[day]
        if held.file is not None and not held.checked:
            held.checked = held.file.sound()
            if not held.checked:
                held = self._days[day] = self._anew(day)
        return held

    def add(self, times: Times, keys: Keys, load: int) -> None:
        """Take the keys of a batch, after it is committed.

        Args:
            times: Microseconds.
            keys: Of all its events that have one.
            load: The batch's latest sequence number.

        Twice: the same.
        """
        self._turn += 1
        for day, at in _by_day(days_of(times), keys):
            held = self._days.setdefault(day, _Day())
            held.put(keys[at])
            held.touched = self._turn
        self.load = max(self.load, load)
        self._spill()

    def _spill(self) -> None:
        sizes = {day: size for day, held in self._days.items() if (size := held.bytes())}
        total = sum(sizes.values())
        for day in sorted(sizes, key=lambda day: self._days[day].touched):
            if total <= self._memory:
                return
            self._write(day)
            total -= sizes[day]

    def _write(self, day: int) -> None:
        key_files.write(self._folder, day, self._sound(day).all(), self._probe, self.load)
        self._days[day] = _Day(key_files.read(self._folder, day, self._probe), checked=True, touched=self._days[day].touched)

    def save(self) -> None:
        """Write everything to files, so that the next start need not read the tables. Twice: writes nothing but the summary."""
        for day, held in list(self._days.items()):
            if held.runs or held.file is None:
                self._write(day)
        loads = {day: held.file.load for day, held in self._days.items() if held.file is not None}
        key_files.write_complete(self._folder, Complete(self._probe, self.load, loads))
        self._saved = self.load

    def forget(self, before: int) -> None:
        """Drop whole days, after the tables have dropped them.

        Args:
            before: The first microsecond that is kept; a day that it lies in is kept whole.

        Twice: does nothing.
        """
        kept = min(max(before // DAY, FIRST_DAY), LAST_DAY)
        gone = [day for day in self._days if day < kept]
        for day in gone:
            del self._days[day]
        if gone:
            self.save()
            key_files.remove(self._folder, self._days)


def days_of(times: Times) -> npt.NDArray[np.int64]:
    """The UTC days that times lie in, as the index counts them."""
    return np.clip(times // DAY, FIRST_DAY, LAST_DAY)


def repeated(keys: Keys) -> Mask:
    """Which of some keys are there more than once."""
    _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    found: Mask = counts[inverse] > 1
    return found


def _by_day(days: npt.NDArray[np.int64], keys: Keys) -> Iterator[tuple[int, npt.NDArray[np.intp]]]:
    """Each day, and where its keys are, in the order of the keys."""
    if not len(keys):
        return
    order = np.argsort(keys)
    if days.min() != days.max():
        order = order[np.argsort(days[order], kind="stable")]
    ordered = days[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1))
    for start, end in zip(starts, [*starts[1:], len(ordered)], strict=True):
        yield int(ordered[start]), order[start:end]


def _merged(one: Keys, other: Keys) -> Keys:
    both = np.concatenate([one, other])
    both.sort(kind="stable")  # finds the two runs, and merges them
    return both


def _probe(database: Database) -> int:
    """A number that changes when DuckDB's hash does, or when the keys were made anew."""
    [probe] = database.one("SELECT hash($probe)", {"probe": meta(database, "hash")})
    return int(probe)


def _within(day: int) -> str:
    low = f"time >= {day * DAY}" if day > FIRST_DAY else "true"
    return f"{low} AND time < {(day + 1) * DAY}" if day < LAST_DAY else low


def _read(database: Database, where: str, tables: Sequence[str] = TABLES) -> tuple[Times, Keys]:
    """Times and keys of those events in the tables that have a key."""
    parts = [f"SELECT time, key FROM {table} WHERE key IS NOT NULL AND {where}" for table in tables]
    found = database.connection.execute(" UNION ALL ".join(parts)).fetchnumpy()
    return found["time"].astype(np.int64), found["key"].astype(np.uint64)
