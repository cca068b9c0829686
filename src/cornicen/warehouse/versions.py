"""The profiles that a batch touches: as they are, as they become, and what they were kept for."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from cornicen.events.shapes import Operation
from cornicen.warehouse.catalogue import Catalogue
from cornicen.warehouse.database import Database
from cornicen.warehouse.profiles import ENDED, Profile, Unfit, applied, decoded, encoded
from cornicen.warehouse.properties import PROFILE

MANY = 10_000
"""Ended versions that are worth a deletion."""


def forget_versions(database: Database, before: int) -> int:
    """Delete the versions of profiles that no answer can hold any more.

    A version is in the answers about the sequence numbers at which it held; one that had ended by the earliest that may still
    be asked about is in none. Keeping fewer of the others would not be exact: an update that changes nothing but when somebody
    was last seen (``$last_seen``) makes a version too, and a cohort may ask for that.

    Args:
        database: Not inside a transaction.
        before: The earliest sequence number that anybody may still ask `cornicen.warehouse.relations.tables` about.

    Returns:
        How many: 0, or at least `MANY`.

    Twice: deletes nothing more.
    """
    [ended] = database.one("SELECT count(*) FROM profile_history WHERE until_load <= ?", [before])
    if ended < MANY:
        return 0
    database.rows("DELETE FROM profile_history WHERE until_load <= ?", [before])
    return int(ended)


class Versions:
    """Profiles of some persons, changed in memory and then written: one version a person and batch.

    Args:
        database: Inside a transaction.
        catalogue: Which properties have typed columns.
        persons: Whom the batch can touch.
    """

    def __init__(self, database: Database, catalogue: Catalogue, persons: Iterable[int]) -> None:
        self._database = database
        self._catalogue = catalogue
        with database.lent(asked=pa.table({"person": pa.array(list(persons), pa.int32())})):
            rows = database.rows("SELECT p.person, p.properties FROM profiles p SEMI JOIN asked a ON a.person = p.person")
        self._before: dict[int, str] = dict(rows)
        self._now: dict[int, Profile | None] = {person: decoded(text) for person, text in rows}
        self._since: dict[int, int] = {}

    def apply(self, load: int, person: int, operations: Iterable[Operation]) -> tuple[bool, list[Unfit]]:
        """Change one profile; sequence numbers must ascend.

        Returns:
            Whether it is another than before, and what could not be applied.
        """
        now = self._now.get(person)
        after, faults = applied(now, operations)
        if after == now:
            return False, faults
        self._now[person] = after
        self._since[person] = load
        return True, faults

    def value(self, person: int, name: str) -> bytes | None:
        """A property's JSON text as it is now."""
        return (self._now.get(person) or {}).get(name)

    def carry(self, load: int, person: int, into: int) -> None:
        """Who turned out to be somebody else gives that somebody what is missing there, and ends."""
        gone = self._now.get(person)
        if gone is not None:
            self._now[into] = {**gone, **(self._now.get(into) or {})}
            self._since[into] = load
            self.apply(load, person, ENDED)

    def write(self) -> None:
        """Write every profile that is another than before; what it was goes to the history."""
        texts = {person: None if (now := self._now[person]) is None else encoded(now) for person in self._since}
        changed = {person: text for person, text in texts.items() if text != self._before.get(person)}
        if not changed:
            return
        until = {"person": pa.array(changed, pa.int32()), "until_load": pa.array([self._since[p] for p in changed], pa.int64())}
        columns = ["person", "from_load", "properties", *self._catalogue.columns(PROFILE)]
        listed = ", ".join(columns)
        with self._database.lent(changed=pa.table(until), fresh=self._fresh(changed)):
            self._database.rows(
                f"INSERT INTO profile_history ({listed}, until_load) "
                f"SELECT {', '.join(f'p.{column}' for column in columns)}, c.until_load "
                "FROM profiles p JOIN changed c ON c.person = p.person"
            )
            self._database.rows("DELETE FROM profiles WHERE person IN (SELECT person FROM changed)")
            self._database.rows(f"INSERT INTO profiles ({listed}) SELECT {listed} FROM fresh")

    def _fresh(self, changed: dict[int, str | None]) -> pa.Table:
        there = {person: text for person, text in changed.items() if text is not None}
        chooser = self._catalogue.choosers[PROFILE]
        return pa.table(
            {
                "person": pa.array(there, pa.int32()),
                "from_load": pa.array([self._since[person] for person in there], pa.int64()),
                "properties": pa.array(there.values(), pa.string()),
                **self._catalogue.typed(PROFILE, chooser.choose(there.values())),
            }
        )
