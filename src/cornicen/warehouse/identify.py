"""Persons to recipients, in bulk: nothing is done person by person in Python."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

import pyarrow as pa
from pyroaring import BitMap

from cornicen.flows.bitmaps import bitmap
from cornicen.flows.ports import Form, Identified, Numbering
from cornicen.flows.ports.events import ANY_FORM
from cornicen.identity.people import DEVICE
from cornicen.warehouse.catalogue import Catalogue
from cornicen.warehouse.database import SCRATCH, Database
from cornicen.warehouse.properties import PROFILE, WRITTEN, prefix

RECIPIENTS = f"{SCRATCH}.main.recipients"
USER_NAMES = ("$user_id", "amplitude_user_id")
DISTINCT_ID = "distinct_id"
CHUNK = 100_000


def person_table(members: BitMap) -> pa.Table:
    """A bitmap as a table with the column ``person``, ascending."""
    numbers = pa.Array.from_buffers(pa.uint32(), len(members), [None, pa.py_buffer(members.to_array())])
    return pa.table({"person": numbers.cast(pa.int32())})


UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
USER_RULE = "amplitude"
"""The rule under which a user id makes a person identified; under the others a profile does."""

EVERYBODY = "(SELECT person FROM names WHERE NOT linked)"
"""Instead of ``members``: all persons there are."""


class Identifiers:
    """Who is whom at destinations.

    Under the rules of Mixpanel a person is identified who has a profile with at least one property; under Amplitude's, one with
    a user id: a name of its own that is no device's. A usable identifier is a text that is not empty, or a number;
    ``$user_id``, ``amplitude_user_id`` and ``distinct_id`` are names of the person, whatever its profile says.

    Args:
        database: Open.
        catalogue: Gives a property typed columns when it is an identifier.
        identity: The project's rule, a key of `cornicen.identity.RULES`.
    """

    def __init__(self, database: Database, catalogue: Catalogue, identity: str = "simplified") -> None:
        self._database = database
        self._catalogue = catalogue
        self.identity = identity

    def identify(
        self, members: BitMap, identifier: str, connection: str, numbering: Numbering, form: Form = ANY_FORM
    ) -> Identified:
        """See `cornicen.flows.ports.Warehouse.identify`."""
        database = self._database
        chosen = self.chosen(identifier, form)
        with database.lent(members=person_table(members)):
            database.rows(f"CREATE OR REPLACE TEMP TABLE chosen AS {chosen}")
        try:
            identified, usable = database.one("SELECT count(*), count(value) FROM chosen")
            differing = self._differing("chosen", form)
            self._number(connection, numbering)
            numbers = database.arrow(
                f"SELECT r.number FROM {RECIPIENTS} r SEMI JOIN chosen c ON c.value = r.identifier "
                "WHERE r.connection = $connection",
                {"connection": connection},
            )
        finally:
            database.rows("DROP TABLE chosen")
        recipients = bitmap(numbers["number"])
        return Identified(
            recipients,
            no_profile=len(members) - identified,
            no_id=identified - usable,
            shared=usable - len(recipients),
            differing=differing,
        )

    def differing(self, identifier: str, form: Form = ANY_FORM) -> tuple[int, int]:
        """See `cornicen.flows.ports.Warehouse.differing`."""
        chosen = f"({self.chosen(identifier, form, EVERYBODY)})"
        [usable] = self._database.one(f"SELECT count(value) FROM {chosen} AS c")
        return self._differing(chosen, form), usable

    def _differing(self, chosen: str, form: Form) -> int:
        """How many of these have a user id that is not their identifier."""
        user = "lower(n.name)" if form.uuid else "n.name"
        [found] = self._database.one(
            f"""
            SELECT count(*) FROM {chosen} AS c JOIN names n ON n.person = c.person
            WHERE NOT n.linked AND NOT starts_with(n.name, '{DEVICE}') AND c.value <> $prefix || {user}
            """,
            {"prefix": form.prefix},
        )
        return int(found)

    def _number(self, connection: str, numbering: Numbering) -> None:
        """Have those identifiers numbered that this connection has not met in this process."""
        database = self._database
        new = database.arrow(
            f"""
            SELECT DISTINCT c.value AS identifier FROM chosen c
            ANTI JOIN (SELECT identifier FROM {RECIPIENTS} WHERE connection = $connection) r ON r.identifier = c.value
            WHERE c.value IS NOT NULL
            """,
            {"connection": connection},
        )["identifier"].combine_chunks()
        if not len(new):
            return
        with database.lent(numbering=pa.table({"identifier": new, "number": numbering(cast("pa.StringArray", new))})):
            database.rows(
                f"INSERT INTO {RECIPIENTS} SELECT $connection, identifier, number FROM numbering", {"connection": connection}
            )

    def matched(self, members: BitMap, identifiers: Sequence[str]) -> dict[str, int]:
        """See `cornicen.flows.ports.Warehouse.matched`."""
        found = {}
        for identifier in identifiers:
            chosen = self.chosen(identifier)
            with self._database.lent(members=person_table(members)):
                [found[identifier]] = self._database.one(f"SELECT count(value) FROM ({chosen}) AS c")
        return found

    def chosen(self, identifier: str, form: Form = ANY_FORM, members: str = "members") -> str:
        """SQL: one row an identified member: ``person``, and ``value``, its identifier as the connection keeps it, or null."""
        values = self._values(identifier, self._identified(members))
        if form.uuid:
            fits = f"CASE WHEN regexp_full_match(lower(value), '{UUID}') THEN lower(value) END"
            values = f"SELECT person, {fits} AS value FROM ({values})"
        if form.prefix:
            values = f"SELECT person, {_text(form.prefix)} || value AS value FROM ({values})"
        return values

    def _identified(self, members: str) -> str:
        """SQL: the ``person`` of those members who may leave the house."""
        if self.identity == USER_RULE:
            return (
                f"SELECT n.person FROM names n SEMI JOIN {members} m ON m.person = n.person "
                f"WHERE NOT n.linked AND NOT starts_with(n.name, '{DEVICE}')"
            )
        return f"SELECT p.person FROM profiles p SEMI JOIN {members} m ON m.person = p.person WHERE p.properties <> '{{}}'"

    def _values(self, identifier: str, identified: str) -> str:
        """SQL: one row for each of these persons, ``value`` its identifier as it was written, or null."""
        if identifier == DISTINCT_ID or identifier in USER_NAMES:
            users = "" if identifier == DISTINCT_ID else f"AND NOT starts_with(n.name, '{DEVICE}')"
            return (
                f"SELECT i.person, n.name AS value FROM ({identified}) AS i "
                f"LEFT JOIN names n ON n.person = i.person AND NOT n.linked {users}"
            )
        self._catalogue.add(PROFILE, [identifier])
        column = f"{prefix(self._catalogue.ids[PROFILE][identifier])}_{WRITTEN}"
        return f"SELECT i.person, p.{column} AS value FROM ({identified}) AS i LEFT JOIN profiles p ON p.person = i.person"

    def names(self, members: BitMap) -> Iterator[str]:
        """Canonical names of these persons, by number."""
        cursor = self._database.cursor()
        try:
            cursor.register("members", person_table(members))
            reader = cursor.sql(
                "SELECT n.name FROM names n SEMI JOIN members m ON m.person = n.person WHERE NOT n.linked ORDER BY n.person"
            ).to_arrow_reader(CHUNK)
            for batch in reader:
                yield from batch.column("name").to_pylist()
        finally:
            cursor.close()


def _text(value: str) -> str:
    """A text as SQL writes it."""
    return "'" + value.replace("'", "''") + "'"
