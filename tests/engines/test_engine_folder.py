"""Adding an engine is adding one folder."""

from contextlib import contextmanager
from importlib import invalidate_caches

import duckdb
import pytest
from pyroaring import BitMap

from cornicen.cohorts.query import Known
from cornicen.engines import declared
from cornicen.events.history import Happening, History
from cornicen.flows.engines import OverHistories, OverTables
from cornicen.testing.engines import agree
from cornicen.testing.loading import load
from cornicen.testing.queries import asked

ENGINE = '''
"""An engine that prints canonical SQL anew and asks it in one statement."""

from pyroaring import BitMap

from cornicen.flows.engines import OverTables
from cornicen.sql.canonical import sql
from cornicen.sql.printing import printed


class Reprinting:
    def __init__(self, connection, tables):
        self.connection, self.tables = connection, tables

    def members(self, queries, as_of, only=None):
        found = [BitMap() for _ in queries]
        if queries:
            statement = printed(sql(queries, self.tables, as_of), "duckdb", macros=lambda node: node)
            for query, person in self.connection.execute(statement).fetchall():
                found[query].add(person)
        return found if only is None else [people & only for people in found]


ENGINE = OverTables("{name}", Reprinting)
'''


@pytest.fixture
def add(tmp_path, monkeypatch):
    """Add a package that declares an engine, as pip would."""

    def added(package, name):
        folder = tmp_path / package
        folder.mkdir()
        (folder / "__init__.py").write_text(ENGINE.replace("{name}", name))
        info = tmp_path / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[cornicen.engines]\n{name} = {package}:ENGINE\n")
        monkeypatch.syspath_prepend(tmp_path)
        invalidate_caches()

    return added


def test_our_own_folders_declare_themselves():
    found = declared()
    assert isinstance(found["memory"], OverHistories)
    assert isinstance(found["duckdb"], OverTables)
    assert all(name == engine.name for name, engine in found.items())


def test_an_engine_in_a_package_of_its_own_is_found_and_fulfils_the_contract(add):
    add("reprinting_engine", "reprinting")
    engine = declared()["reprinting"]
    assert isinstance(engine, OverTables)
    with duckdb.connect(config={"threads": 1}) as connection:

        @contextmanager
        def over(histories):
            yield engine.make(connection, load(connection, histories))

        with over({3: History((Happening("e", 0),))}) as made:
            assert made.members([Known()], 1) == [BitMap([3])]
        agree(over, asked(), examples=10)


def test_two_engines_of_one_name_are_refused(add):
    add("another_duckdb", "duckdb")
    with pytest.raises(ValueError, match="duckdb"):
        declared()
