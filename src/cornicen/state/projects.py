"""Projects and who may send to them."""

from __future__ import annotations

import hashlib
from difflib import get_close_matches
from hmac import compare_digest

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from cornicen.errors import BadInput, NotFound
from cornicen.flows.records import Project
from cornicen.state import tables
from cornicen.state.database import AnyRow, Database


class Projects:
    """`cornicen.flows.ports.Projects` in a database.

    A project token is what senders show in public; it is stored as it is. Of a service account's secret only the SHA-256 is:
    the secrets are long and random, made by `cornicen init`, so a slow hash would add nothing.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Project]:
        """By name."""
        with self._database.read() as db:
            return [_project(row) for row in db.execute(sa.select(tables.project).order_by(tables.project.c.name))]

    def get(self, name_or_id: str) -> Project:
        """By id, else by name. Raises: NotFound."""
        named = self.all()
        for one in [*(one for one in named if one.id == name_or_id), *(one for one in named if one.name == name_or_id)]:
            return one
        raise NotFound(f"There is no project {name_or_id!r}.", suggestion(name_or_id, [one.name for one in named]))

    def add(self, project: Project) -> None:
        """Raises: BadInput where the name, id or token is taken. Twice: refuses."""
        try:
            with self._database.write() as db:
                db.execute(sa.insert(tables.project).values(vars(project)))
        except IntegrityError as error:
            what = f"A project with the name {project.name!r}, its id or its token exists already."
            raise BadInput(what, "Choose another name.") from error

    def by_token(self, token: str) -> Project | None:
        """The project whose token it is."""
        with self._database.read() as db:
            row = db.execute(sa.select(tables.project).where(tables.project.c.token == token)).first()
        return None if row is None else _project(row)

    def by_secret(self, secret: str, token: str = "") -> Project | None:
        """The project one of whose service accounts has this secret, if ``token`` is its token or empty."""
        chosen = (
            sa.select(tables.project)
            .join(tables.service_account)
            .where(tables.service_account.c.digest == _digest(secret))
            .order_by(tables.project.c.id)
        )
        with self._database.read() as db:
            rows = db.execute(chosen).all()
        return next((_project(row) for row in rows if token in {"", row.token}), None)

    def add_account(self, project: str, username: str, secret: str) -> None:
        """Keep a service account; of the secret only its digest. Raises: BadInput where the name is taken. Twice: refuses."""
        account = {"username": username, "project": project, "digest": _digest(secret)}
        try:
            with self._database.write() as db:
                db.execute(sa.insert(tables.service_account).values(account))
        except IntegrityError as error:
            raise BadInput(f"The service account {username!r} cannot be added.", "Choose another name.") from error

    def by_account(self, username: str, secret: str) -> Project | None:
        """The project of the account, where the secret is right."""
        chosen = (
            sa.select(tables.service_account.c.digest, tables.project)
            .join(tables.project)
            .where(tables.service_account.c.username == username)
        )
        with self._database.read() as db:
            row = db.execute(chosen).first()
        if row is None or not compare_digest(row.digest, _digest(secret)):
            return None
        return _project(row)


def suggestion(word: str, known: list[str]) -> str:
    """What to write instead: the known word that is near, else all of them where they are few."""
    if near := get_close_matches(word, known, 1):
        return f"Did you mean {near[0]!r}?"
    if not known:
        return "There is none yet."
    return f"There are: {', '.join(sorted(known))}." if len(known) <= 12 else "List them to see their names."


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _project(row: AnyRow) -> Project:
    return Project(id=row.id, name=row.name, token=row.token, zone=row.zone, managed=row.managed, identity=row.identity)
