import multiprocessing
import sqlite3
import sys

import ledger_world
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from cornicen.errors import Damaged, Unavailable
from cornicen.state.database import Database
from cornicen.state.migrating import FOLDER, migrate
from cornicen.state.opening import open_state
from cornicen.state.tables import REVISION, metadata


@pytest.fixture
def empty(tmp_path):
    database = Database(tmp_path / "state.db")
    yield database
    database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def anywhere(request, tmp_path):
    """Where a new database is to be."""
    if request.param == "sqlite":
        yield str(tmp_path / "state.db")
        return
    server = request.getfixturevalue("postgres")
    url = server.database()
    yield url
    server.drop(url)


def test_migrating_an_empty_database_makes_exactly_the_tables(anywhere):
    database = Database(anywhere)
    migrate(database)
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    database.close()


ASKED = ("table_info", "foreign_key_list")


def _shape(database):
    """All that SQLite knows of the tables, but the text they were made with."""
    with database.read() as connection:
        objects = connection.execute(sa.text("SELECT type, name, tbl_name FROM sqlite_master WHERE name NOT LIKE '%alembic%'"))
        found = {tuple(row[:2]): row.tbl_name for row in objects if not row.name.startswith("sqlite_autoindex")}
        for kind, name in list(found):
            if kind == "table":
                columns, references = (connection.exec_driver_sql(f"PRAGMA {what}({name})") for what in ASKED)
                found[kind, name] = columns.all(), sorted(row[2:] for row in references)
        texts = connection.scalars(sa.text("SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"))
        return found, sorted(texts)


def test_the_tables_made_directly_are_those_the_migrations_make(empty, tmp_path):
    migrate(empty)
    direct = Database(tmp_path / "direct.db")
    metadata.create_all(direct.engine)
    assert _shape(empty) == _shape(direct)
    direct.close()


def test_the_newest_migration_is_the_schema_in_the_code():
    assert ScriptDirectory(str(FOLDER)).get_heads() == [REVISION]


def test_migrating_twice_changes_nothing(empty):
    migrate(empty)
    with empty.read() as connection:
        before = connection.scalar(sa.text("PRAGMA schema_version"))
    migrate(empty)
    with empty.read() as connection:
        assert connection.scalar(sa.text("PRAGMA schema_version")) == before


def test_every_constraint_has_a_name():
    unnamed = [
        (table.name, constraint)
        for table in metadata.tables.values()
        for constraint in table.constraints
        if not (constraint.name or metadata.naming_convention)
    ]
    assert not unnamed
    made = sa.schema.CreateTable(metadata.tables["sync"]).compile(dialect=sa.create_engine("sqlite://").dialect)
    assert "CONSTRAINT fk_sync_connection FOREIGN KEY" in str(made)


def test_the_tables_can_be_made_on_postgresql():
    from sqlalchemy.dialects import postgresql

    text = "".join(str(sa.schema.CreateTable(table).compile(dialect=postgresql.dialect())) for table in metadata.sorted_tables)
    assert "BYTEA" in text
    assert "BOOLEAN DEFAULT false NOT NULL" in text
    assert "WITHOUT ROWID" not in text


def _open(path, key, gate):
    gate.wait()
    state = open_state(path, key)
    sys.exit(state.syncs.all("nobody") != [])


def test_processes_that_open_a_new_database_at_once_all_find_it_made(anywhere):
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["cornicen.state.opening", "alembic.script"])
    gate = processes.Barrier(4)
    started = [processes.Process(target=_open, args=(anywhere, ledger_world.KEY, gate)) for _ in range(4)]
    for process in started:
        process.start()
    for process in started:
        process.join()
    assert [process.exitcode for process in started] == [0, 0, 0, 0]


def test_a_database_of_a_newer_version_is_refused(empty, tmp_path):
    migrate(empty)
    with empty.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Damaged, match="another version"):
        open_state(tmp_path / "state.db", ledger_world.KEY)


def test_a_file_that_is_no_database_is_called_so(tmp_path):
    (tmp_path / "state.db").write_bytes(b"these are not the pages you are looking for " * 100)
    with pytest.raises(Damaged, match="no sound database"):
        open_state(tmp_path / "state.db", ledger_world.KEY)


def test_a_folder_that_is_missing_is_unavailable(tmp_path):
    with pytest.raises(Unavailable, match="does not answer"):
        open_state(tmp_path / "nowhere" / "state.db", ledger_world.KEY)


def test_every_connection_waits_for_the_disk_and_keeps_foreign_keys(lite):
    with lite.database.write() as connection:
        assert connection.scalar(sa.text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(sa.text("PRAGMA synchronous")) == 2
        assert connection.scalar(sa.text("PRAGMA foreign_keys")) == 1
        assert connection.scalar(sa.text("PRAGMA busy_timeout")) == 60_000


def test_a_writer_holds_the_database_from_its_first_moment(lite, tmp_path):
    other = sqlite3.connect(tmp_path / "state.db", isolation_level=None, timeout=0)
    with lite.database.write(), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    other.close()


def test_what_fails_in_the_middle_leaves_nothing(state):
    def half():
        with state.database.write() as connection:
            connection.execute(sa.text("DELETE FROM cohort"))
            connection.execute(sa.text("UPDATE project SET name = 'x'"))
            raise KeyError

    with pytest.raises(KeyError):
        half()
    assert state.projects.get("shop").name == "shop"
