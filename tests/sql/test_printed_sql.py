import subprocess
import sys

import pytest
import sqlglot
from hypothesis import HealthCheck, given, settings
from sqlglot import exp

from cornicen.cohorts.condition import Compare, Every, Test
from cornicen.cohorts.query import All, Any, Bound, Count, Did, Given, Known, Not, Profile, Source, Window
from cornicen.events.values import Value
from cornicen.sql.canonical import sql
from cornicen.sql.printing import printed
from cornicen.sql.tables import Columns, Tables
from cornicen.testing.queries import asked

DIALECTS = ["duckdb", "postgres", "spark", "clickhouse"]
TABLES = Tables("events", "profiles", "persons", "given", {"amount": Columns("amount")}, {"amount": Columns("amount")})
ONCE = Count((Bound("gte", 1_000_000),))
BOUGHT = Did((Source(("purchase",)),), Window(30), ONCE)


def statement(*queries, as_of=1000):
    return sql(queries, TABLES, as_of)


def test_duckdb_gets_the_statement_as_it_is():
    assert printed(statement(BOUGHT), "duckdb") == statement(BOUGHT)


def test_duckdb_needs_no_parser():
    code = "import sys, cornicen.engines.duckdb, cornicen.sql.printing as p; p.printed('x'); sys.exit('sqlglot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_pretty_is_for_people_and_the_same_statement():
    pretty = printed(statement(BOUGHT), pretty=True)
    assert pretty.count("\n") > 5
    assert sqlglot.parse_one(pretty, read="duckdb") == sqlglot.parse_one(statement(BOUGHT), read="duckdb")


def test_an_unknown_dialect_is_refused():
    with pytest.raises(ValueError, match="klingon"):
        printed(statement(BOUGHT), "klingon")


def test_an_engine_brings_its_own_words():
    def macros(node):
        if isinstance(node, exp.EndsWith):
            return exp.EQ(
                this=exp.func("right", node.this, exp.func("length", node.expression.copy())), expression=node.expression
            )
        return node

    query = Profile(Compare("amount", Test.ENDS_WITH, (Value(text="x"),)))
    text = printed(statement(query), "postgres", macros=macros)
    assert "ENDS_WITH" not in text
    assert "RIGHT(\"amount_t\", LENGTH('x')) = 'x'" in text


def test_grouping_of_set_operations_survives_every_dialect():
    union, difference = Any((Given("a"), BOUGHT)), Not(Given("b"))
    for dialect in DIALECTS:
        tree = sqlglot.parse_one(printed(statement(All((union, difference, Known()))), dialect), read=dialect)
        for operation in tree.find_all(exp.SetOperation):
            mixed = [node for node in operation.find_all(exp.SetOperation) if type(node) is not type(operation)]
            assert not mixed, dialect


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(asked())
def test_no_statement_mixes_set_operations_or_sees_time_types(case):
    world, queries = case
    text = sql(queries, TABLES, world.as_of)
    tree = sqlglot.parse_one(text, read="duckdb")
    for cte in tree.find_all(exp.CTE):
        assert len({type(node) for node in cte.this.find_all(exp.SetOperation)}) <= 1
    kinds = {cast.to.this for cast in tree.find_all(exp.Cast)}
    assert kinds <= {exp.DataType.Type.BIGINT}
    assert not [*tree.find_all(exp.Interval), *tree.find_all(exp.AtTimeZone), *tree.find_all(exp.JSONExtract)]


TEXTS = [
    "it's",
    "a\\b",
    'say "hi"',
    "a`b",
    "-- no comment",
    "/* nor */ this",
    "a\nb",
    "{{x}}",
    "%s ?",
    "𝄞 é",
    "'; drop table events; --",
]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("text", TEXTS)
def test_texts_come_out_of_every_dialect_as_they_went_in(dialect, text):
    query = Did((Source((text,), Compare("amount", Test.EQ, (Value(text=text),))),), Window(), ONCE)
    again = sqlglot.parse_one(printed(statement(query), dialect), read=dialect)
    assert [literal.this for literal in again.find_all(exp.Literal) if literal.is_string].count(text) == 3


@pytest.mark.parametrize("dialect", DIALECTS)
def test_columns_of_any_name_come_out_of_every_dialect_as_they_went_in(dialect):
    name = 'we"ird `x` [y] \\ name'
    tables = Tables("events", "profiles", profile_properties={"p": Columns(name)})
    text = sql([Profile(Compare("p", Test.IS_SET))], tables, 0)
    again = sqlglot.parse_one(printed(text, dialect), read=dialect)
    assert f"{name}_s" in {column.name for column in again.find_all(exp.Column)}


def test_equal_parts_are_written_once_within_and_among_queries():
    text = statement(All((BOUGHT, Not(Given("a")))), Any((BOUGHT, Not(Given("a")))), BOUGHT)
    assert text.count("'purchase'") == 1
    assert text.count("'a'") == 1
    assert text.count("from persons") == 1


def test_names_and_window_stand_alone_where_a_scan_can_prune_by_them():
    cheap, dear = (Compare("amount", test, (Value(number=20),)) for test in (Test.LT, Test.GTE))
    query = Did((Source(("view",), cheap), Source(("purchase",), Every((dear,)))), Window(30), ONCE)
    where = sqlglot.parse_one(statement(query), read="duckdb").find(exp.Where)
    parts = {part.sql("duckdb") for part in where.this.unnest().flatten()}
    assert {"\"event\" IN ('view', 'purchase')", '"time" >= 970', '"time" < 1000'} <= parts


def test_a_type_that_never_occurs_is_not_read():
    tables = Tables("events", "profiles", profile_properties={"amount": Columns("amount", "n")})
    text = sql([Profile(Compare("amount", Test.EQ, (Value(number=20), Value(text="20"))))], tables, 0)
    assert '"amount_n" = 20' in text
    assert '"amount_t"' not in text
    assert '"amount_l"' not in text
