"""Cohorts as written."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from cornicen.errors import BadInput, NotFound
from cornicen.flows.records import Cohort
from cornicen.state import tables
from cornicen.state.database import Database
from cornicen.state.projects import suggestion


class Cohorts:
    """`cornicen.flows.ports.Cohorts` in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, project: str) -> list[Cohort]:
        """By slug."""
        chosen = sa.select(tables.cohort).where(tables.cohort.c.project == project).order_by(tables.cohort.c.slug)
        with self._database.read() as db:
            return [Cohort(**row) for row in db.execute(chosen).mappings()]

    def get(self, project: str, slug: str) -> Cohort:
        """Raises: NotFound, with the nearest slug."""
        there = {one.slug: one for one in self.all(project)}
        if slug not in there:
            raise NotFound(f"There is no cohort {slug!r}.", suggestion(slug, list(there)))
        return there[slug]

    def put(self, cohort: Cohort) -> None:
        """Add, or replace the one with its slug. Raises: BadInput where the project is missing. Twice: the same."""
        values = {**vars(cohort), "definition": dict(cohort.definition)}
        same = sa.and_(tables.cohort.c.project == cohort.project, tables.cohort.c.slug == cohort.slug)
        try:
            with self._database.write() as db:
                if not db.execute(sa.update(tables.cohort).where(same).values(values)).rowcount:
                    db.execute(sa.insert(tables.cohort).values(values))
        except IntegrityError as error:
            raise BadInput(f"There is no project {cohort.project!r}.", "Name one that exists.") from error

    def remove(self, project: str, slug: str) -> None:
        """Twice: does nothing."""
        with self._database.write() as db:
            db.execute(sa.delete(tables.cohort).where(tables.cohort.c.project == project, tables.cohort.c.slug == slug))
