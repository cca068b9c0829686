from concurrent.futures import ThreadPoolExecutor

import duckdb
import pytest
from pyroaring import BitMap

from cornicen.cohorts.query import All, Any, Bound, Count, Did, Known, Not, Source, Window
from cornicen.engines.duckdb import DuckDBEngine
from cornicen.events.history import Happening, History
from cornicen.sql.tables import Tables
from cornicen.testing.loading import load

ONCE = Count((Bound("gte", 1_000_000),))


def did(name, length=None):
    return Did((Source((name,)),), Window(length), ONCE)


@pytest.fixture
def connection():
    with duckdb.connect(config={"threads": 2}) as opened:
        yield opened


@pytest.fixture
def tables(connection):
    histories = {person: History((Happening("even" if person % 2 == 0 else "odd", person),)) for person in range(100)}
    return load(connection, histories)


class Interrupted(DuckDBEngine):
    """Somebody commits an event between two statements."""

    statements = 0

    def _ask(self, cursor, as_of, only, query):
        if self.statements:
            event = "(1, 'even', 0, 0)"
            self._connection.cursor().execute(f"insert into contract_events (person, event, time, load) values {event}")
        self.statements += 1
        return super()._ask(cursor, as_of, only, query)


def test_all_statements_of_a_question_see_one_moment(connection, tables):
    engine = Interrupted(connection, tables)
    one, other = engine.members([did("even"), did("even", 1_000)], 1_000)
    assert one == other
    assert 1 not in one
    assert 1 in engine.members([did("even")], 1_000)[0]


def test_several_threads_may_ask_at_once(connection, tables):
    engine = DuckDBEngine(connection, tables)

    def ask(person):
        return engine.members([did("even"), did("odd")], 1_000, BitMap([person, person + 1]))

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, range(40)))
    for person, (even, odd) in enumerate(answers):
        assert even | odd == BitMap([person, person + 1])
        assert all(member % 2 == 0 for member in even)


def test_asked_about_nobody_nobody_is_found(connection, tables):
    queries = [Known(), did("even"), Not(did("even")), Any((did("odd"), Known()))]
    assert DuckDBEngine(connection, tables).members(queries, 1_000, BitMap()) == [BitMap()] * 4


def test_people_asked_about_who_do_not_exist_are_not_found(connection, tables):
    engine = DuckDBEngine(connection, tables)
    assert engine.members([Not(did("even"))], 1_000, BitMap([1, 2, 4_000_000_000])) == [BitMap([1])]


def test_a_question_leaves_the_connection_free(connection, tables):
    engine = DuckDBEngine(connection, tables)
    engine.members([Known()], 1_000, BitMap([1]))
    connection.execute("drop table contract_events")
    with pytest.raises(duckdb.CatalogException):
        engine.members([did("even")], 1_000)
    connection.execute("create table contract_events (person integer, event varchar, time bigint, load bigint)")
    assert engine.members([did("even")], 1_000) == [BitMap()]


def test_relations_may_be_sub_selects_and_persons_wide_integers(connection):
    tables = Tables(
        events="(select (range + 1)::bigint as person, 'e' as event, range as time, range as load from range(5))",
        profiles="(select 9::bigint as person where false)",
    )
    found = DuckDBEngine(connection, tables).members([All((Known(), Not(did("e", 2))))], 4)
    assert found == [BitMap([1, 2])]
