"""Brings a database to the present schema: Alembic, from code, its migrations inside the package."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from cornicen.errors import Damaged
from cornicen.state.database import Database
from cornicen.state.tables import REVISION, metadata

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext, RevisionStep

FOLDER = Path(__file__).parent / "migrations"

LOCK = 0x636F726E6963656E
"""Whoever migrates on PostgreSQL holds this advisory lock until the end of the transaction; others wait and find it done."""


def migrate(database: Database) -> None:
    """Bring it to `REVISION`, in one transaction; several processes may try at once.

    Raises:
        Damaged: A newer Cornicen made it.

    Twice: does nothing.
    """
    with database.read() as connection:
        if revision_of(connection) == REVISION:
            return
    with _unconstrained(database) as connection:
        upgrade(connection, database.name)
        if connection.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
            raise Damaged(f"{database.name} has rows that refer to nothing.", "Restore it from a backup.")


def revision_of(connection: sa.Connection) -> str | None:
    """The migration a database stands at; None: it is empty."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return found


def upgrade(connection: sa.Connection, name: str = "the database") -> None:
    """Run the migrations that a database lacks, on a connection that is in a transaction."""
    from alembic.config import Config  # a fifth of a second, and only a new or an old database needs it
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    script = ScriptDirectory(str(FOLDER))

    def steps(revision: tuple[str, ...], _context: MigrationContext) -> list[RevisionStep]:
        return script._upgrade_revs(REVISION, revision)  # type: ignore[arg-type]  # noqa: SLF001 - as Alembic's own command does

    with EnvironmentContext(Config(), script, fn=steps) as environment:
        environment.configure(connection=connection, target_metadata=metadata, render_as_batch=True, transactional_ddl=True)
        try:
            environment.run_migrations()
        except CommandError as error:
            raise Damaged(
                f"{name} was made by another version of Cornicen: {error}.", "Use that version, or a newer one."
            ) from error


@contextmanager
def _unconstrained(database: Database) -> Iterator[sa.Connection]:
    """A writing transaction in which tables can be rebuilt: SQLite would delete what refers to a table that is dropped."""
    with database.translated(), database.engine.connect().execution_options(writing=True) as connection:
        lite = connection.dialect.name == "sqlite"
        driver: Any = connection.connection.driver_connection
        if lite:
            driver.execute("PRAGMA foreign_keys = OFF")
        try:
            with connection.begin():
                if not lite:
                    connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
                yield connection
        finally:
            if lite:
                driver.execute("PRAGMA foreign_keys = ON")
