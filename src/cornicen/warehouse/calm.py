"""Which events of a batch need no rule: found for all of them at once, by the numbers of their names."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from cornicen.warehouse.arrivals import Named
from cornicen.warehouse.names import Signed
from cornicen.warehouse.persons import Numbers, Persons

Places = npt.NDArray[np.int64]
"""Of events of a batch, or of its names."""


class Calm:
    """Which events need no rule, and which have to take their turn.

    Under every rule a record teaches nothing that carries one name, or two that stand for the same person already; its person
    is looked up. All others take their turns, and so does everything that carries one of their names, and each new name once.

    Args:
        names: Of the batch.
        signed: What is known of each name; see `NameIndex.find`.
        persons: Who stands for whom.

    Attributes:
        stirred: Of each name, whether a turn needs it.
    """

    def __init__(self, names: Named, signed: Signed, persons: Persons) -> None:
        self._names = names
        user, device = names.pairs[:, 0], names.pairs[:, 1]
        canonical = persons.canonicals(np.abs(signed))
        both = (user > 0) & (device > 0)
        self._person = canonical[np.where(user > 0, user, device)]
        same = (signed[device] < 0) & (canonical[device] == self._person)
        fresh = (self._person == 0) & ((user > 0) ^ (device > 0))
        busy = names.telling.copy()
        unlike = both & ((self._person == 0) | ~same)
        busy[user[unlike]] = busy[device[unlike]] = True
        busy[0] = False
        self._restless = busy[user] | busy[device]
        self._new = fresh & ~self._restless
        self.stirred = busy
        called = self._restless | self._new
        self.stirred[user[called]] = self.stirred[device[called]] = True
        self.stirred[0] = False

    def turns(self, telling: Iterable[int]) -> Places:
        """The places of the events that take their turn, ascending."""
        restless = np.flatnonzero(self._restless[self._names.whom]) if self._restless.any() else np.empty(0, np.int64)
        return np.unique(np.concatenate([restless, self._names.first[self._new], np.fromiter(telling, np.int64)]))

    def persons_with(self, places: Places, persons: Numbers) -> Numbers:
        """Whose each event is, after the events at some places took their turns; 0: nobody's."""
        whom = self._names.whom
        self._person[whom[places]] = persons  # for the other events of a name that is new
        found = self._person[whom]
        found[places] = persons
        return found
