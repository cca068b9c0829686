"""A PostgreSQL server for tests: started from the installed programs in a temporary folder, and gone with the process."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

DEBIAN = "/usr/lib/postgresql"
"""Where Debian keeps the servers' programs, a folder a version, outside of everybody's PATH."""

PATIENCE = 60.0
"""Seconds in which a server must answer after it was started."""

_FAST = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "max_connections=200")
_WATCHED = '"$@" & server=$!; cat >/dev/null; kill -INT $server; wait $server'  # its input ends with whoever started it


def programs() -> Path | None:
    """The folder with ``postgres`` and ``initdb``; None: they are not installed."""
    if shutil.which("postgres") and (found := shutil.which("initdb")):
        return Path(found).parent
    versions = sorted(Path(DEBIAN).glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    return versions[-1].parent if versions else None


class PostgreSQL:
    """A running server that only this machine's superuser and its own user reach, by a socket in its folder.

    Args:
        folder: Its folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._engine = sa.create_engine(_url(folder, "postgres"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)

    def database(self, like: str | None = None) -> str:
        """A new database, a copy of another's URL or empty; its URL. Twice: two databases."""
        name = f"d{uuid4().hex}"
        source = "template0" if like is None else str(sa.make_url(like).database)
        self.run(f"CREATE DATABASE {name} TEMPLATE {source}")
        return _url(self._folder, name)

    def drop(self, url: str) -> None:
        """Drop a database, whoever is connected. Twice: does nothing."""
        self.run(f"DROP DATABASE IF EXISTS {sa.make_url(url).database} WITH (FORCE)")

    def run(self, statement: str) -> None:
        """Run a statement outside of any transaction."""
        with self._engine.connect() as connection:
            connection.exec_driver_sql(statement)


@contextlib.contextmanager
def serving(found: Path) -> Iterator[PostgreSQL]:
    """A server for as long as the block lasts; it ends with the process too, however that ends.

    Args:
        found: As `programs` found it.

    Raises:
        RuntimeError: It does not start.
    """
    folder, user = Path(tempfile.mkdtemp(prefix="cornicen-pg-")), _user()
    try:
        if user is not None:
            os.chown(folder, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
        made = [str(found / "initdb"), "--no-sync", "-A", "trust", "-U", "cornicen", "-E", "UTF8", "--locale=C"]
        with (folder / "initdb.log").open("wb") as log:
            subprocess.run(  # noqa: S603 - the installed program
                [*made, "-D", str(folder / "data")], stdout=log, stderr=log, check=True, cwd=folder, user=user
            )
        where = [str(found / "postgres"), "-D", str(folder / "data"), "-k", str(folder), "-c", "listen_addresses=", *_FAST]
        with (folder / "server.log").open("wb") as log:
            server = subprocess.Popen(  # noqa: S603 - the installed program
                ["/bin/sh", "-c", _WATCHED, "sh", *where],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=folder,
                user=user,
            )
        try:
            yield _answering(folder, server)
        finally:
            if server.stdin is not None:
                server.stdin.close()
            server.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _answering(folder: Path, server: subprocess.Popen[bytes]) -> PostgreSQL:
    import time  # a test's own patience; nothing of ours reads this clock

    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and server.poll() is None:
        with contextlib.suppress(OperationalError):
            started = PostgreSQL(folder)
            started.run("SELECT 1")
            return started
        time.sleep(0.02)
    raise RuntimeError(f"PostgreSQL does not start: {(folder / 'server.log').read_text()[-2000:]}")


def _url(folder: Path, database: str) -> str:
    return f"postgresql+psycopg://cornicen@/{database}?host={folder}"


def _user() -> str | None:
    """Whose the server is: not root's, whom it refuses to serve. None: one's own."""
    if os.geteuid() != 0:
        return None
    known = {one.pw_name for one in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"
