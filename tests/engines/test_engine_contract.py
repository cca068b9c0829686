"""Memory and DuckDB under the one suite, and the suite under engines that are wrong on purpose."""

import re
from contextlib import contextmanager

import duckdb
import pytest
from pyroaring import BitMap

from cornicen.engines.duckdb import DuckDBEngine
from cornicen.engines.memory import MemoryEngine
from cornicen.sql.canonical import sql
from cornicen.sql.printing import printed
from cornicen.testing.engines import EngineContract, agree
from cornicen.testing.loading import load
from cornicen.testing.queries import asked, compared, measured

CONNECTION = duckdb.connect(config={"threads": 1})


class Canonical:
    """Asks canonical SQL as it stands, with everything in one statement or query by query, rewritten on its way to DuckDB."""

    def __init__(self, histories, *, whole, rewrite, persons=True):
        self.tables = load(CONNECTION, histories, persons=persons)
        self.whole, self.rewrite = whole, rewrite

    def members(self, queries, as_of, only=None):
        some = None if only is None else f"(select unnest([{', '.join(map(str, only))}]::integer[]) as person)"
        found = [set() for _ in queries]
        for query, person in self.rows(queries, as_of, some):
            assert person not in found[query], "a row came twice"
            found[query].add(person)
        return [BitMap(people) for people in found]

    def rows(self, queries, as_of, only):
        if self.whole and queries:
            return self.ask(sql(queries, self.tables, as_of, only))
        answers = [self.ask(sql([query], self.tables, as_of, only)) for query in queries]
        return [(index, person) for index, rows in enumerate(answers) for _, person in rows]

    def ask(self, statement):
        return CONNECTION.execute(self.rewrite(statement)).fetchall()


class TestMemory(EngineContract):
    @contextmanager
    def engine(self, histories):
        yield MemoryEngine(histories)


class TestDuckDB(EngineContract):
    @contextmanager
    def engine(self, histories):
        yield DuckDBEngine(CONNECTION, load(CONNECTION, histories))


class TestDuckDBWithoutPersons(EngineContract):
    examples = 15

    @contextmanager
    def engine(self, histories):
        yield DuckDBEngine(CONNECTION, load(CONNECTION, histories, persons=False))


class TestCanonicalStatement(EngineContract):
    """What engines without bitmaps ask."""

    examples = 15

    @contextmanager
    def engine(self, histories):
        yield Canonical(histories, whole=True, rewrite=str)


class TestCanonicalStatementParsedAndPrintedAgain(EngineContract):
    examples = 15

    @contextmanager
    def engine(self, histories):
        yield Canonical(histories, whole=False, rewrite=lambda statement: printed(statement, pretty=True), persons=False)


def replaced(old, new):
    return lambda statement: statement.replace(old, new)


FAULTS = {
    asked: {
        "what is to be taken away is kept": replaced(" except ", " intersect "),
        "any is all": replaced(" union select person from n", " intersect select person from n"),
        "given persons need not be known": replaced("' intersect select person from n", "' union select person from n"),
        "who has only a profile is not known": replaced(
            "union select person from (select * from contract_profiles)",
            "union select person from (select * from contract_profiles where false)",
        ),
        "nobody is somebody": replaced(
            "select person from contract_events as r where (person is not null",
            "select coalesce(person, 3) as person from contract_events as r where (true",
        ),
    },
    compared: {
        "not is three-valued": replaced(", false)", ", null)"),
        "lists are not looked into": replaced("array_length(list_filter(", "0 * array_length(list_filter("),
        "texts are ordered without case": lambda statement: re.sub(r'(_t"|item\.t) ([<>])', r"\1 collate nocase \2", statement),
        "a glob's end is open": replaced(")$'", ")'"),
        "a prefix may be anywhere": replaced("starts_with(", "contains("),
    },
    measured: {
        "an event at as_of counts": replaced('"time" <', '"time" <='),
        "a window lacks its first microsecond": replaced('"time" >=', '"time" >'),
        "sums are doubles": replaced("sum(", "sum(1.0::double * "),
        "counts are off by one": replaced("count(*)", "(count(*) + 1)"),
        "days are UTC days": replaced('("time" + ', '("time" + 0 * '),
        "words of days are counted, not their bits": replaced("sum(days)", "count(days)"),
    },
}


@pytest.mark.parametrize(("cases", "fault"), [(cases, fault) for cases, faults in FAULTS.items() for fault in faults])
def test_a_wrong_engine_is_caught(cases, fault):
    @contextmanager
    def over(histories):
        yield Canonical(histories, whole=False, rewrite=FAULTS[cases][fault])

    with pytest.raises(AssertionError):
        agree(over, cases(), examples=300, fixed=True)
