"""One row an edge: who is in it, by DuckDB, by one canonical statement, and by the meaning."""

import duckdb
import pytest

from cornicen.cohorts.condition import Compare, Every, Some, Test, Unless
from cornicen.cohorts.query import All, Any, Bound, Count, Days, Did, Given, Known, Not, Profile, Source, Sum, Window
from cornicen.engines.duckdb import DuckDBEngine
from cornicen.engines.memory import MemoryEngine
from cornicen.events.history import Happening, History
from cornicen.events.values import LARGEST, MILLIONTHS, Value
from cornicen.sql.canonical import sql
from cornicen.testing.loading import load

CONNECTION = duckdb.connect(config={"threads": 1})
DAY = 86_400_000_000
NOON = 1_509_278_400_000_000  # 2017-10-29T12:00Z, London's clock was put back at 01:00Z
MIDNIGHT = NOON - DAY // 2


def text(value):
    return Value(text=value, folded=value.casefold())


def number(value):
    return Value(number=value)


def lists(*items):
    return Value(items=items)


def event(time, name="e", **properties):
    return Happening(name, time, 0, properties)


def did(*events, profile=None):
    return History(events, profile)


def profile(**properties):
    return History((), properties)


def holding(*values):
    return dict(enumerate(profile(p=value) for value in values))


def compare(test, *operands, **options):
    return Compare("p", test, operands, **options)


def counts(measure, length=None, names=("e",)):
    return Did((Source(names),), Window(length), measure)


def at_least(n, kind=Count, **rest):
    return kind(bounds=(Bound("gte", n),), **rest)


ONCE = at_least(MILLIONTHS)
VIP = Given("vip")
PEOPLE = {
    1: History((event(0),), None, frozenset({"vip", "a"})),
    2: History((event(0),), None, frozenset({"a", "b"})),
    3: History((event(0),), None, frozenset({"b"})),
    4: History((event(0),)),
    5: History((event(NOON),), None, frozenset({"vip"})),
}
A, B = Given("a"), Given("b")
HALF = LARGEST // 2

EDGES = {
    "a union within an intersection": (PEOPLE, All((Any((VIP, B)), A)), {1, 2}),
    "an intersection within a union": (PEOPLE, Any((VIP, All((B, A)))), {1, 2}),
    "not a union": (PEOPLE, Not(Any((VIP, B))), {4}),
    "not within not": (PEOPLE, Not(Not(A)), {1, 2}),
    "all of nothing but negations": (PEOPLE, All((Not(A), Not(B))), {4}),
    "one part": (PEOPLE, All((Any((A,)),)), {1, 2}),
    "who has only later events is not known": (PEOPLE, Any((VIP, Known())), {1, 2, 3, 4}),
    "a list that nobody gave": (PEOPLE, Given("it's"), set()),
    "quotes": (holding(text("it's"), text('"'), text("''")), Profile(compare(Test.EQ, text("it's"))), {0}),
    "backslashes": (holding(text("a\\"), text("a\\\\")), Profile(compare(Test.EQ, text("a\\"))), {0}),
    "per cent and underscore are themselves": (
        holding(text("a%b"), text("axb")),
        Profile(compare(Test.CONTAINS, text("%"))),
        {0},
    ),
    "a star of a glob passes no slash": (holding(text("a/b"), text("a.b")), Profile(compare(Test.MATCHES, text("a*b"))), {1}),
    "two stars do, and new lines": (holding(text("a/\nb"), text("c")), Profile(compare(Test.MATCHES, text("a**b"))), {0}),
    "a glob ends at the end, not before a last new line": (
        holding(text("a\n"), text("a")),
        Profile(compare(Test.MATCHES, text("a"))),
        {1},
    ),
    "a dot of a glob is a dot": (holding(text("a.b"), text("axb")), Profile(compare(Test.MATCHES, text("a.b"))), {0}),
    "a text with a zero byte": (holding(text("a\0b"), text("a"), text("a\0")), Profile(compare(Test.EQ, text("a\0b"))), {0}),
    "texts are ordered by code point": (holding(text("\uffff"), text("😀")), Profile(compare(Test.GT, text("\uffff"))), {1}),
    "upper before lower": (holding(text("Z"), text("a")), Profile(compare(Test.LT, text("a"))), {0}),
    "folding is Unicode's": (
        holding(text("STRASSE"), text("x")),
        Profile(compare(Test.EQ, text("straße"), ignore_case=True)),
        {0},
    ),
    "the empty text is a value, and in every text": (
        holding(text(""), text("a"), number(1)),
        Profile(compare(Test.CONTAINS, text(""))),
        {0, 1},
    ),
    "the opposite of a test, for null, other types and nobody's profile": (
        {**holding(text("a"), number(1), lists(), Value()), 4: did(event(0)), 5: did()},
        Profile(Unless(compare(Test.EQ, text("a")))),
        {1, 2, 3, 4},
    ),
    "opposites inside and and or": (
        holding(text("a"), number(1)),
        Profile(Every((Some((compare(Test.GT, number(0)), compare(Test.IS_SET))), Unless(compare(Test.GT, number(0)))))),
        {0},
    ),
    "what is missing counts as what it is said to": (
        {**holding(number(5)), 1: profile(), 2: did(event(0)), 3: did()},
        Profile(compare(Test.LT, number(1), missing=number(0))),
        {1, 2},
    ),
    "a list passes when an element does": (
        holding(lists(number(1), text("a")), lists(), text("a")),
        Profile(compare(Test.EQ, text("a"))),
        {0, 2},
    ),
    "elements of no type are strange to a set": (
        holding(lists(text("a"), Value()), lists(text("a"), text("a"))),
        Profile(compare(Test.SET_IS, text("a"))),
        {1},
    ),
    "booleans are no numbers": (holding(Value(truth=True), number(MILLIONTHS)), Profile(compare(Test.GTE, number(0))), {1}),
    "in of several types": (
        holding(Value(truth=False), number(0), text("0"), Value(truth=True)),
        Profile(compare(Test.IN, Value(truth=False), text("0"))),
        {0, 2},
    ),
    "in of nothing": (holding(number(0)), Profile(compare(Test.IN)), set()),
    "numbers beyond doubles differ": (
        holding(number(LARGEST), number(LARGEST - 1)),
        Profile(compare(Test.EQ, number(LARGEST))),
        {0},
    ),
    "the first microsecond is in, as_of is out": (
        {1: did(event(NOON - DAY)), 2: did(event(NOON - DAY - 1)), 3: did(event(NOON)), 4: did(event(NOON - 1))},
        counts(ONCE, DAY),
        {1, 4},
    ),
    "times before 1970": ({1: did(event(-1)), 2: did(event(NOON))}, counts(ONCE), {1}),
    "an event that fits two sources counts once": (
        {1: did(event(0)), 2: did(event(0), event(1))},
        Did((Source(("e",)), Source(None)), Window(), at_least(2 * MILLIONTHS)),
        {2},
    ),
    "no name, no event": ({1: did(event(0))}, counts(ONCE, names=()), set()),
    "nobody without events passes": ({1: profile(), 2: did(event(0))}, counts(Count((Bound("lte", 0),))), set()),
    "two and a half": (
        {1: did(event(0), event(1)), 2: did(event(0), event(1), event(2))},
        counts(at_least(2 * MILLIONTHS + 500_000)),
        {2},
    ),
    "a sum beyond 64 bits": (
        {
            1: did(*(event(at, p=number(LARGEST)) for at in range(3))),
            2: did(*(event(at, p=number(LARGEST)) for at in range(2))),
        },
        counts(at_least(3 * LARGEST, Sum, of="p")),
        {1},
    ),
    "a sum that comes back": (
        {1: did(event(0, p=number(LARGEST)), event(1, p=number(-LARGEST)), event(2, p=number(LARGEST)))},
        counts(Sum("p", (Bound("eq", LARGEST),))),
        {1},
    ),
    "sums are exact": (
        {1: did(event(0, p=number(HALF)), event(1, p=number(HALF))), 2: did(event(0, p=number(2 * HALF + 1)))},
        counts(Sum("p", (Bound("eq", 2 * HALF),))),
        {1},
    ),
    "no number, no sum": (
        {1: did(event(0, p=text("0"))), 2: did(event(0, p=number(0))), 3: did(event(0, p=lists(number(0))))},
        counts(Sum("p", (Bound("lte", 10**40),))),
        {2},
    ),
    "a day with its clock put back is one day": (
        {1: did(event(MIDNIGHT - 3_600_000_000), event(NOON - 1)), 2: did(event(MIDNIGHT - 3_600_000_001), event(NOON - 1))},
        counts(at_least(2 * MILLIONTHS, Days, zone="Europe/London"), 7 * DAY),
        {2},
    ),
    "and so over all time": (
        {1: did(event(MIDNIGHT - 3_600_000_000), event(NOON - 1)), 2: did(event(MIDNIGHT - 3_600_000_001), event(NOON - 1))},
        counts(at_least(2 * MILLIONTHS, Days, zone="Europe/London")),
        {2},
    ),
    "days before 1970": (
        {1: did(event(-1), event(0)), 2: did(event(-DAY), event(-1))},
        counts(at_least(2 * MILLIONTHS, Days, zone="UTC")),
        {1},
    ),
    "a year of days": (
        {1: did(*(event(NOON - 1 - n * DAY) for n in range(360))), 2: did(*(event(NOON - 1 - n * DAY) for n in range(359)))},
        counts(at_least(360 * MILLIONTHS, Days, zone="Asia/Kathmandu"), 361 * DAY),
        {1},
    ),
    "three years of days": (
        {1: did(*(event(NOON - 1 - n * DAY) for n in range(1000))), 2: did(*(event(NOON - 1 - n * DAY) for n in range(999)))},
        counts(at_least(1000 * MILLIONTHS, Days, zone="America/New_York")),
        {1},
    ),
    "no property of that name": ({1: did(event(0))}, counts(at_least(0, Sum, of="nothing")), set()),
}


@pytest.mark.parametrize("edge", EDGES)
def test_everybody_of_an_edge_is_found_three_times(edge):
    histories, query, wanted = EDGES[edge]
    tables = load(CONNECTION, histories)
    assert set(MemoryEngine(histories).members([query], NOON)[0]) == wanted
    assert set(DuckDBEngine(CONNECTION, tables).members([query], NOON)[0]) == wanted
    rows = CONNECTION.execute(sql([query, Known()], tables, NOON)).fetchall()
    assert sorted(person for index, person in rows if index == 0) == sorted(wanted)
