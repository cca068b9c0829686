"""Names to persons, for whole batches at once: an index in memory of what the table ``names`` holds.

A name is looked up by 128 bits of a keyed digest of it: twenty bytes a name instead of the hundred and sixty of a Python
dictionary. Two of ten million names share a digest with a probability of 10⁻²⁵, less than that of a disk that errs; and since
the key is random and secret, nobody can make two that do. The index is sorted runs, each at least twice as long as the next, so
that a new name costs a little now and then instead of much at once.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from cornicen.warehouse.database import Database
from cornicen.warehouse.schema import meta, set_meta

Digests = npt.NDArray[np.uint64]
Signed = npt.NDArray[np.int32]

DIGEST_BYTES = 16
SALT = "names_salt"
STEP = 200_000
"""Names read at a time where digests are missing."""


def digests(names: Iterable[str], salt: bytes) -> tuple[Digests, Digests]:
    """The two halves of each name's digest under a warehouse's key."""
    digest = hashlib.blake2b
    joined = b"".join([digest(name.encode(), digest_size=DIGEST_BYTES, key=salt).digest() for name in names])
    halves = np.frombuffer(joined, np.uint64).reshape(-1, 2)
    return halves[:, 0], halves[:, 1]


class _Run(NamedTuple):
    """Names sorted by the upper half of their digests; ``signed`` is the person, negative where the name is linked."""

    high: Digests
    low: Digests
    signed: Signed


class NameIndex:
    """Every name of a warehouse.

    Args:
        database: Open, with its schema.

    Attributes:
        salt: The key of its digests.
    """

    def __init__(self, database: Database) -> None:
        self.salt = _salt(database)
        self._runs: list[_Run] = []
        _fill_digests(database, self.salt)
        found = database.arrow("SELECT high, low, CASE WHEN linked THEN -person ELSE person END AS signed FROM names")
        high, low, signed = (found[name].to_numpy() for name in ("high", "low", "signed"))
        if len(high):
            self._runs.append(_sorted(high, low, signed.astype(np.int32)))

    def find(self, high: Digests, low: Digests) -> Signed:
        """The persons behind some digests, in their order: negative where the name is linked, 0 where it was not met."""
        order = np.argsort(high)
        sorted_high, sorted_low = high[order], low[order]
        signed = np.zeros(len(order), np.int32)
        for run in self._runs:
            at = _positions(run, sorted_high, sorted_low)
            hit = at >= 0
            signed[hit] = run.signed[at[hit]]
        found = np.empty(len(order), np.int32)
        found[order] = signed
        return found

    def put(self, high: Digests, low: Digests, persons: Sequence[int], linked: Sequence[bool]) -> None:
        """Take names that were met or changed; call it after the warehouse has committed the same. Twice: the same."""
        signed = np.where(np.asarray(linked, bool), -1, 1).astype(np.int32) * np.asarray(persons, np.int32)
        new = np.ones(len(high), bool)
        for run in self._runs:
            at = _positions(run, high, low)
            hit = at >= 0
            run.signed[at[hit]] = signed[hit]
            new &= ~hit
        if new.any():
            self._runs.append(_sorted(high[new], low[new], signed[new]))
            self._settle()

    def _settle(self) -> None:
        """Merge runs until each is at least twice as long as the next."""
        while len(self._runs) > 1 and len(self._runs[-2].high) < 2 * len(self._runs[-1].high):
            short, long = self._runs.pop(), self._runs.pop()
            high, low = np.concatenate([long.high, short.high]), np.concatenate([long.low, short.low])
            self._runs.append(_sorted(high, low, np.concatenate([long.signed, short.signed])))


def _sorted(high: Digests, low: Digests, signed: Signed) -> _Run:
    order = np.argsort(high, kind="stable")
    return _Run(high[order], low[order], signed[order])


def _positions(run: _Run, high: Digests, low: Digests) -> npt.NDArray[np.int64]:
    """Where each digest lies in a run; -1 where it does not."""
    last = len(run.high) - 1
    at = np.searchsorted(run.high, high)
    np.minimum(at, last, out=at)
    same = run.high[at] == high
    hit = same & (run.low[at] == low)
    for index in np.flatnonzero(same & ~hit):  # two names whose upper halves are equal; hardly ever
        while at[index] < last and run.high[at[index] + 1] == high[index] and not hit[index]:
            at[index] += 1
            hit[index] = run.low[at[index]] == low[index]
    at[~hit] = -1
    return at


def _salt(database: Database) -> bytes:
    """The warehouse's key for digests, made once."""
    known = meta(database, SALT)
    if known is None:
        known = secrets.token_hex(32)
        set_meta(database, SALT, known)
    return bytes.fromhex(known)


def _fill_digests(database: Database, salt: bytes) -> None:
    """Names that an older version kept have no digest yet. Twice: does nothing."""
    while names := [name for (name,) in database.rows(f"SELECT name FROM names WHERE high IS NULL LIMIT {STEP}")]:
        high, low = digests(names, salt)
        with database.lent(filled=pa.table({"name": names, "high": high, "low": low})):
            database.rows("UPDATE names SET high = filled.high, low = filled.low FROM filled WHERE names.name = filled.name")
