"""What is known of each person by number: for whom a number stands, and when the first event was. Twelve bytes a person."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyroaring import BitMap

from cornicen.warehouse.database import Database

Numbers = npt.NDArray[np.int32]

NEVER = np.iinfo(np.int64).max
"""No event yet."""


class Persons:
    """Every person of a warehouse, in arrays that are indexed by number.

    Args:
        database: Open, with its schema.
    """

    def __init__(self, database: Database) -> None:
        [self.last] = database.one("SELECT person FROM totals")
        self._canonical = np.arange(self.last + 1, dtype=np.int32)
        self._first = np.full(self.last + 1, NEVER, np.int64)
        merged = database.arrow("SELECT person, canonical FROM merges WHERE until IS NULL")
        self._canonical[merged["person"].to_numpy()] = merged["canonical"].to_numpy()
        self._stood_for = BitMap(np.unique(merged["canonical"].to_numpy()).tolist())
        seen = database.arrow("SELECT person, first FROM persons WHERE first IS NOT NULL")
        self._first[seen["person"].to_numpy()] = seen["first"].to_numpy()

    def merged(self, numbers: list[int]) -> dict[int, int]:
        """Of some numbers those that stand for another, and for which."""
        if not numbers:
            return {}
        asked = np.asarray(numbers, np.int32)
        now = self._canonical[asked]
        other = now != asked
        return dict(zip(asked[other].tolist(), now[other].tolist(), strict=True)) if other.any() else {}

    def canonicals(self, numbers: Numbers) -> Numbers:
        """Whom each number stands for; 0 for 0."""
        return self._canonical[numbers]

    def canonical(self, number: int) -> int:
        """Whom a number stands for."""
        return int(self._canonical[number])

    def standing_for(self, person: int) -> list[int]:
        """The numbers that stand for a person, without its own."""
        if person not in self._stood_for:
            return []
        found = np.flatnonzero(self._canonical[: self.last + 1] == person)
        return [number for number in found.tolist() if number != person]

    def grow(self, last: int) -> None:
        """Know the numbers up to ``last``; new ones stand for themselves and have no event. Twice: does nothing."""
        if last >= len(self._canonical):
            room = max(last + 1, 2 * len(self._canonical))
            self._canonical = np.concatenate([self._canonical, np.arange(len(self._canonical), room, dtype=np.int32)])
            self._first = np.concatenate([self._first, np.full(room - len(self._first), NEVER, np.int64)])
        self.last = max(self.last, last)

    def join(self, person: int, into: int) -> None:
        """A number, and all that stand for it, stand for another from now on. Twice: the same."""
        if person in self._stood_for:
            self._canonical[self._canonical == person] = into
        self._canonical[person] = into
        self._stood_for.add(into)

    def earlier(self, persons: npt.NDArray[np.int32], times: npt.NDArray[np.int64]) -> pa.Table:
        """Those persons whose first event turns out to be earlier: ``person``, ``first``, each person once.

        Args:
            persons: Of some events, canonical after them; some may have been met only with them.
            times: Of the same events.
        """
        known = persons <= self.last
        before = np.where(known, self._first[np.where(known, persons, 0)], NEVER)
        better = times < before
        whose, at = persons[better], times[better]
        order = np.lexsort((at, whose))
        whose, at = whose[order], at[order]
        once = np.ones(len(whose), bool)
        once[1:] = whose[1:] != whose[:-1]
        return pa.table({"person": whose[once], "first": at[once]})

    def first(self, person: int) -> int | None:
        """When a person's first event was; None: there is none, or the person was not met yet."""
        found = int(self._first[person]) if person <= self.last else NEVER
        return None if found == NEVER else found

    def began(self, table: pa.Table) -> None:
        """Take what `earlier` gave, after the warehouse has committed it. Twice: the same."""
        persons = table["person"].to_numpy()
        self._first[persons] = np.minimum(self._first[persons], table["first"].to_numpy())

    def again(self, table: pa.Table) -> None:
        """Take what `cornicen.warehouse.firsts.first_again` gave, after `began` and the commit. Twice: the same."""
        self._first[table["person"].to_numpy()] = table["first"].fill_null(pa.scalar(NEVER, pa.int64())).to_numpy()
