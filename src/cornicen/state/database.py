"""The state database: one engine, how its transactions begin, and what its errors mean to us."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from cornicen.errors import BadSetting, Damaged, Unavailable

AnyRow: TypeAlias = "sa.Row[*tuple[Any, ...]]"
"""A row whose columns are known by name."""

BUSY_SECONDS = 60.0
"""How long a writer waits for another; a tick over millions of changes holds the database for a part of a minute."""

CACHE_KIB = 16_384

EXAMPLE = "postgresql://USER:PASSWORD@HOST/DATABASE"

CHANGE_OVER = 200
"""Tries, a twentieth of a second apart, to change a new file over to write-ahead logging."""

_WAIT = {"SQLITE_BUSY", "SQLITE_BUSY_SNAPSHOT", "SQLITE_LOCKED", "SQLITE_FULL", "SQLITE_CANTOPEN", "SQLITE_READONLY"}
"""What SQLite says when another writes, the disk is full, or the file may not be opened or written."""

ABANDONED = 60
"""Seconds after which PostgreSQL ends a transaction whose process does nothing: it may be stopped, or its machine gone."""

_LATER = ("08", "40", "53", "57", "25P")
"""How SQLSTATEs begin that do not last: of connections, deadlocks, resources, operators, abandoned transactions."""

_PRAGMAS = (
    "PRAGMA synchronous = FULL",  # a commit is on disk when it returns, in WAL mode too
    "PRAGMA foreign_keys = ON",
    f"PRAGMA cache_size = -{CACHE_KIB}",
)


class Database:
    """An open database.

    Args:
        where: A path of an SQLite file, made when missing, or a PostgreSQL or SQLAlchemy URL.

    Raises:
        BadSetting: The URL is none, or its driver is not installed.
    """

    def __init__(self, where: Path | str) -> None:
        url = _url(str(where))
        self.name = url.database or "" if url.get_backend_name() == "sqlite" else _named(url)
        if url.get_backend_name() == "sqlite":
            self.engine = sa.create_engine(url, connect_args={"timeout": BUSY_SECONDS})
            sa.event.listen(self.engine, "connect", _prepare)
            sa.event.listen(self.engine, "begin", _begin)
            self._reading = self.engine
        else:
            self.engine = _served(url)
            self._reading = self.engine.execution_options(isolation_level="REPEATABLE READ")
        driver: Any = self.engine.dialect.loaded_dbapi  # statements of the hot path raise its errors as they are
        self._errors, self._unavailable = driver.Error, driver.OperationalError
        self._writing = self.engine.execution_options(writing=True)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A transaction that sees one snapshot and writes nothing.

        Raises:
            Unavailable: The database does not answer now.
            Damaged: The file is no database of ours.
        """
        with self.translated(), self._reading.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that writes: all of it or nothing, on disk when it ends. Raises: as `read`.

        On SQLite it takes the only write lock at once, so what it reads cannot change before it writes.
        """
        with self.translated(), self._writing.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close all its connections. Twice: does nothing."""
        self.engine.dispose()

    @contextmanager
    def translated(self) -> Iterator[None]:
        """What the driver raises inside becomes one of our errors, where we have a word for it. Raises: as `read`."""
        try:
            yield
        except (DBAPIError, self._errors) as error:
            raised = error.orig if isinstance(error, DBAPIError) else error
            if getattr(raised, "sqlite_errorname", "") in {"SQLITE_NOTADB", "SQLITE_CORRUPT"}:
                raise Damaged(f"{self.name} is no sound database: {raised}.", "Restore it from a backup.") from error
            if self._may_pass(raised):
                what = f"The state database {self.name} does not answer: {str(raised).strip()}."
                raise Unavailable(what, "Try again; if that does not help, look at the database's rights and disk.") from error
            raise

    def _may_pass(self, raised: BaseException | None) -> bool:
        """Whether the same again may succeed later."""
        if str(getattr(raised, "sqlstate", None) or "").startswith(_LATER):
            return True
        return isinstance(raised, self._unavailable) and getattr(raised, "sqlite_errorname", "SQLITE_BUSY") in _WAIT


def _url(where: str) -> sa.URL:
    if "://" not in where:
        return sa.URL.create("sqlite+pysqlite", database=where)
    try:
        url = sa.make_url(where)
    except sa.exc.ArgumentError:
        raise BadSetting("The state database's address is no URL.", f"Write {EXAMPLE}.") from None  # it may hold a password
    return url.set(drivername="postgresql+psycopg") if url.drivername in {"postgresql", "postgres"} else url


def _named(url: sa.URL) -> str:
    """What people are told of a database: never its user, password or options."""
    return f"{url.get_backend_name()}://{url.host or ''}/{url.database or ''}"


def _served(url: sa.URL) -> sa.Engine:
    """A database behind a server: its connections are looked at before use, and abandoned transactions do not hold others."""
    try:
        engine = sa.create_engine(url, pool_pre_ping=True)
    except (sa.exc.NoSuchModuleError, ImportError):
        what = f"The driver for {url.drivername} is not installed."
        raise BadSetting(what, "Install it: `pip install 'cornicen[postgresql]'`.") from None
    if url.get_backend_name() == "postgresql":
        sa.event.listen(engine, "connect", _limit)
    return engine


def _limit(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's own
    """A new connection to PostgreSQL."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET idle_in_transaction_session_timeout = '{ABANDONED}s'")
    connection.commit()


def _prepare(connection: object, _record: object) -> None:
    """A new SQLite connection: SQLAlchemy and we begin transactions ourselves, Python's driver never does."""
    connection.isolation_level = None  # type: ignore[attr-defined]
    _log_ahead(connection)
    for pragma in _PRAGMAS:
        connection.execute(pragma)  # type: ignore[attr-defined]


def _log_ahead(connection: object) -> None:
    """Write-ahead logging: readers never wait for a writer.

    A new file is changed over once; SQLite does not wait for others who do the same at that moment, so we do.
    """
    for _ in range(CHANGE_OVER):
        try:
            connection.execute("PRAGMA journal_mode = WAL")  # type: ignore[attr-defined]
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorname", "") not in {"SQLITE_BUSY", "SQLITE_LOCKED"}:
                raise
            time.sleep(0.05)
        else:
            return
    connection.execute("PRAGMA journal_mode = WAL")  # type: ignore[attr-defined]


def _begin(connection: sa.Connection) -> None:
    # A writer that began as a reader could not go on once another has written in between.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writing") else "BEGIN")
