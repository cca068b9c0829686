"""What is refused: each with its exact path, and what to write instead."""

import datetime as dt
import operator
from decimal import Decimal

import pytest
from cohort_writing import OPERATORS, context, define, faults, faults_of, lowered
from hypothesis import given, settings
from hypothesis import strategies as st

from cornicen.cohorts.definition import parse
from cornicen.cohorts.document import DEEPEST_CLAUSE, MOST_CLAUSES
from cornicen.errors import BadDefinition, BadSetting

DID = {"did": "x"}

DOCUMENTS = [
    ([], "definition", "Write a mapping"),
    (None, "definition", "is nothing (null)"),
    ("x", "definition", "is the text `x`"),
    ({"who": [DID]}, "cohort", "is missing. Give the cohort a slug"),
    ({"cohort": "x"}, "who", "is missing."),
    ({"cohort": "x", "who": []}, "who", "is an empty list"),
    ({"cohort": "x", "who": {}}, "who", "is an empty mapping"),
    ({"cohort": "x", "who": None}, "who", "is nothing (null)"),
    ({"cohort": "x", "who": "did"}, "who", "is the text `did`"),
    ({"cohort": "x", "who": [DID], "nme": "X"}, "nme", "is unknown. Did you mean `name`?"),
    ({"cohort": "x", "who": [DID], "zzz": "X"}, "zzz", "There are: cohort, description, name, who."),
    ({"cohort": "Big Spenders", "who": [DID]}, "cohort", "Write `big-spenders`."),
    ({"cohort": "big_spenders", "who": [DID]}, "cohort", "Write `big-spenders`."),
    ({"cohort": "-x", "who": [DID]}, "cohort", "Write `x`."),
    ({"cohort": "a--b", "who": [DID]}, "cohort", "Write `a-b`."),
    ({"cohort": "é", "who": [DID]}, "cohort", "no slug"),
    ({"cohort": "x\n", "who": [DID]}, "cohort", "Write `x`."),
    ({"cohort": "x" * 101, "who": [DID]}, "cohort", "at most 100"),
    ({"cohort": 7, "who": [DID]}, "cohort", 'Quote it: "7".'),
    ({"cohort": False, "who": [DID]}, "cohort", "Quote it if you mean the word"),
    ({"cohort": "x", "who": [DID], "name": " "}, "name", "is blank."),
    ({"cohort": "x", "who": [DID], "name": 5}, "name", 'Quote it: "5".'),
    ({"cohort": "x", "who": [DID], "description": 5}, "description", "not a text"),
    ({"cohort": "x", "who": [DID], False: "X"}, "definition", "has the boolean `false` as a key. Quote the key."),
    ({"cohort": "x", "who": [{"profile": {330: 1}}]}, "who[0].profile", "has the number `330` as a key."),
    ({"cohort": "x", "who": {"did": "x", "wihtin": "1d"}}, "who.wihtin", "Did you mean `within`?"),
]


@pytest.mark.parametrize(("document", "path", "said"), DOCUMENTS)
def test_a_document_is_refused(document, path, said):
    [(where, what)] = [fault for fault in faults_of(document) if fault[0] == path]
    assert said in what, where


CLAUSES = [
    # operators
    ({}, "who[0]", "is an empty mapping, not a clause."),
    ("did", "who[0]", "Write a mapping with one operator"),
    ([DID], "who[0]", "is a list, not a clause."),
    ({"didd": "x"}, "who[0].didd", "is no operator. Did you mean `did`?"),
    ({"did-not": "x"}, "who[0].did-not", "Did you mean `did_not`?"),
    ({"in_cohrt": "vip"}, "who[0].in_cohrt", "Did you mean `in_cohort`?"),
    ({"within": "3d"}, "who[0]", "has no operator. Add one of: all, any, did"),
    ({"zzzz": 1}, "who[0]", "has no operator."),
    ({"did": "x", "did_not": "y"}, "who[0]", "has several operators: `did` and `did_not`."),
    ({"did": "x", "any": [DID]}, "who[0]", "has several operators"),
    ({"first_time": "x"}, "who[0].first_time", "is not understood yet."),
    ({"sequence": [DID]}, "who[0].sequence", "is not understood yet."),
    ({"at_least": {"n": 1, "of": [DID]}}, "who[0].at_least", "is not understood yet."),
    ({"did_not": "x", "count": {"gte": 1}}, "who[0].count", "is unknown in `did_not`."),
    ({"profile": {"a": 1}, "within": "1d"}, "who[0].within", "is unknown in `profile`."),
    # events
    ({"did": ""}, "who[0].did", "is blank."),
    ({"did": " "}, "who[0].did", "is blank."),
    ({"did": None}, "who[0].did", "not an event's name"),
    ({"did": False}, "who[0].did", "many YAML readers take an unquoted `no`"),
    ({"did": 330}, "who[0].did", 'Quote it: "330".'),
    ({"did": "*active"}, "who[0].did", "is not understood yet."),
    ({"did": []}, "who[0].did", "is an empty list."),
    ({"did": {"event": "x"}}, "who[0].did", "with `where` beside the operator"),
    ({"did": ["x", 3]}, "who[0].did[1]", 'Quote it: "3".'),
    ({"did": ["x", ["y"]]}, "who[0].did[1]", "is a list, not an event's name."),
    ({"did": [{"event": "x", "were": {"a": 1}}]}, "who[0].did[0].were", "Did you mean `where`?"),
    ({"did": [{"where": {"a": 1}}]}, "who[0].did[0]", "does not say which event."),
    ({"did": [{"event": "x", "where": {}}]}, "who[0].did[0].where", "is empty."),
    ({"did": [{"event": ["x", "y"]}]}, "who[0].did[0].event", "Write one item for each event."),
    ({"did": [{"event": "*active"}]}, "who[0].did[0].event", "is not understood yet."),
    # windows
    ({"did": "x", "within": 30}, "who[0].within", "Give it a unit: `30d` for days."),
    ({"did": "x", "within": "30"}, "who[0].within", "Write a whole number and a unit"),
    ({"did": "x", "within": "30 days"}, "who[0].within", "Did you mean `30d`?"),
    ({"did": "x", "within": "30D"}, "who[0].within", "Did you mean `30d`?"),
    ({"did": "x", "within": "2 months"}, "who[0].within", "Did you mean `2mo`?"),
    ({"did": "x", "within": "030d"}, "who[0].within", "Did you mean `30d`?"),
    ({"did": "x", "within": "1.5d"}, "who[0].within", "Write a whole number"),
    ({"did": "x", "within": "0d"}, "who[0].within", "no length of time"),
    ({"did": "x", "within": "-1d"}, "who[0].within", "no length of time"),
    ({"did": "x", "within": "30s"}, "who[0].within", "no length of time"),
    ({"did": "x", "within": "٣d"}, "who[0].within", "no length of time"),
    ({"did": "x", "within": "99999999d"}, "who[0].within", "is longer than 200 years."),
    ({"did": "x", "within": "9" * 5000 + "d"}, "who[0].within", "is longer than 200 years."),
    ({"did": "x", "within": None}, "who[0].within", "is nothing (null)"),
    ({"did": "x", "within": True}, "who[0].within", "is the boolean `true`"),
    ({"did": "x", "within": {"days": 30}}, "who[0].within", "is not understood yet. Write a rolling window"),
    ({"did": "x", "since": "2017-01-01"}, "who[0].since", "is not understood yet."),
    ({"did": "x", "between": ["2017-01-01", "2017-02-01"]}, "who[0].between", "is not understood yet."),
    ({"did": "x", "on": "2017-01-01"}, "who[0].on", "is not understood yet."),
    ({"did": "x", "within_of_first": "7d"}, "who[0].within_of_first", "is not understood yet."),
    # measures
    ({"did": "x", "count": 3}, "who[0].count", "Write `{gte: 3}` for at least, `{eq: 3}` for exactly."),
    ({"did": "x", "count": {}}, "who[0].count", "compares with nothing."),
    ({"did": "x", "count": {"gte": "3"}}, "who[0].count.gte", "Remove the quotes."),
    ({"did": "x", "count": {"gte": "many"}}, "who[0].count.gte", "not a number"),
    ({"did": "x", "count": {"gte": True}}, "who[0].count.gte", "is the boolean `true`, not a number."),
    ({"did": "x", "count": {"gte": float("nan")}}, "who[0].count.gte", "no finite number"),
    ({"did": "x", "count": {"gte": Decimal("Infinity")}}, "who[0].count.gte", "no finite number"),
    ({"did": "x", "count": {"gte": 10**40}}, "who[0].count.gte", "is too large"),
    ({"did": "x", "count": {"gte": 1e300}}, "who[0].count.gte", "is too large"),
    ({"did": "x", "count": {"gte": Decimal("9e999999")}}, "who[0].count.gte", "is too large"),
    ({"did": "x", "count": {"lte": -(2**127)}}, "who[0].count.lte", "is too large"),
    ({"did": "x", "count": {"at_least": 3}}, "who[0].count.at_least", "is unknown."),
    ({"did": "x", "count": {"eq": 0}}, "who[0].count", "Write `did_not`."),
    ({"did": "x", "count": {"lt": 1}}, "who[0].count", "Write `did_not`."),
    ({"did": "x", "count": {"lte": 0}}, "who[0].count", "Write `did_not`."),
    ({"did": "x", "count": {"lte": 0.5}}, "who[0].count", "Write `did_not`."),
    ({"did": "x", "count": {"between": [0, 0]}}, "who[0].count", "Write `did_not`."),
    ({"did": "x", "count": {"between": [-5, 0.5]}}, "who[0].count", "Write `did_not`."),
    ({"did": "x", "count": {"lte": 1, "ne": 1}}, "who[0].count", "Write `did_not`."),
    ({"did": "x", "days": {"eq": 0}}, "who[0].days", "Write `did_not`."),
    ({"did": "x", "count": {"lt": 0}}, "who[0].count", "is passed by no whole number."),
    ({"did": "x", "count": {"eq": 1.5}}, "who[0].count", "is passed by no whole number."),
    ({"did": "x", "count": {"gt": 3, "lt": 4}}, "who[0].count", "is passed by no whole number."),
    ({"did": "x", "count": {"between": [4, 3]}}, "who[0].count.between", "Write `[3, 4]`."),
    ({"did": "x", "count": {"between": [4]}}, "who[0].count.between", "not a list of two numbers"),
    ({"did": "x", "count": {"between": 4}}, "who[0].count.between", "not a list of two numbers"),
    ({"did": "x", "count": {"between": [1, "b"]}}, "who[0].count.between[1]", "not a number"),
    ({"did": "x", "sum": 3}, "who[0].sum", "such as `{of: amount, gte: 100}`"),
    ({"did": "x", "sum": {"gte": 3}}, "who[0].sum", "does not say of which property."),
    ({"did": "x", "sum": {"of": "a"}}, "who[0].sum", "compares with nothing."),
    ({"did": "x", "sum": {"of": 3, "gte": 3}}, "who[0].sum.of", 'Quote it: "3".'),
    ({"did": "x", "sum": {"of": "time", "gte": 3}}, "who[0].sum.of", "is the event's time"),
    ({"did": "x", "sum": {"of": "a", "gt": 3, "lt": 3.000001}}, "who[0].sum", "is passed by no number."),
    ({"did": "x", "sum": {"of": "a", "gte": 1}, "count": {"gte": 1}}, "who[0]", "has `count` and `sum`: one measure is taken."),
    ({"did": "x", "avg": {"of": "a", "gte": 1}}, "who[0].avg", "is not understood yet."),
    ({"did": "x", "weeks": {"gte": 1}}, "who[0].weeks", "Write `days`."),
    # combinations
    ({"any": []}, "who[0].any", "is an empty list."),
    ({"all": []}, "who[0].all", "is an empty list."),
    ({"none": []}, "who[0].none", "is an empty list."),
    ({"any": {}}, "who[0].any", "is an empty mapping, not a list of clauses."),
    ({"none": DID}, "who[0].none", "Write each clause as an item of a list"),
    ({"any": [DID, {"all": [{"did": 1}]}]}, "who[0].any[1].all[0].did", 'Quote it: "1".'),
    # ids
    ({"ids": "u1"}, "who[0].ids", "Write a list, or"),
    ({"ids": {}}, "who[0].ids", "names no source."),
    ({"ids": {"column": "id"}}, "who[0].ids", "names no source."),
    ({"ids": {"csv": "a.csv", "sql": "select 1"}}, "who[0].ids", "names `csv` and `sql`: one source is read."),
    ({"ids": {"csv": "a.csv", "colum": "id"}}, "who[0].ids.colum", "Did you mean `column`?"),
    ({"ids": {"csv": ""}}, "who[0].ids.csv", "is blank."),
    ({"ids": {"csv": 5}}, "who[0].ids.csv", 'Quote it: "5".'),
    ({"ids": {"csv": "a.csv", "column": 0}}, "who[0].ids.column", 'Quote it: "0".'),
    ({"ids": {"csv": "https://example.com/a.csv"}}, "who[0].ids.csv", "is an address"),
    ({"ids": {"sql": " "}}, "who[0].ids.sql", "is blank."),
    ({"ids": {"sql": "select 1", "column": "id"}}, "who[0].ids.column", "first column is read"),
    ({"ids": ["a", False]}, "who[0].ids[1]", "is the boolean `false`, not an id."),
    ({"ids": ["a", ""]}, "who[0].ids[1]", "that are not empty"),
    ({"ids": ["a", None]}, "who[0].ids[1]", "is nothing (null)"),
    ({"ids": [float("inf")]}, "who[0].ids[0]", "no finite number"),
    ({"ids": ["a"], "as": "email"}, "who[0].as", "Write `as: external_id`"),
    ({"any": [{"ids": ["a"], "as": "external_id"}]}, "who[0].any[0].as", "Make it the whole `who`"),
    ({"none": [{"ids": ["a"], "as": "external_id"}]}, "who[0].none[0].as", "Make it the whole `who`"),
    # nested cohorts
    ({"in_cohort": "vipp"}, "who[0].in_cohort", "names no cohort: `vipp`. Did you mean `vip`?"),
    ({"not_in_cohort": 3}, "who[0].not_in_cohort", 'Quote it: "3".'),
    ({"in_cohort": ["vip"]}, "who[0].in_cohort", "not the slug of a cohort"),
    ({"in_cohort": "tested"}, "who[0].in_cohort", "tested → tested"),
    ({"in_cohort": "users"}, "who[0].in_cohort", "a destination's users"),
    ({"in_cohort": "wrong"}, "who[0].in_cohort → wrong.who[0].count", "Write `did_not`."),
    ({"in_cohort": "outer"}, "who[0].in_cohort → outer.who[0].any[0].in_cohort → wrong.who[0].count", "Write `did_not`."),
]

OTHERS = {
    "vip": [DID],
    "users": [{"ids": ["a"], "as": "external_id"}],
    "wrong": [{"did": "x", "count": {"eq": 0}}],
    "outer": [{"any": [{"in_cohort": "wrong"}]}],
}


@pytest.mark.parametrize(("clause", "path", "said"), CLAUSES)
def test_a_clause_is_refused(clause, path, said):
    [(where, what)] = faults(clause, others=OTHERS)
    assert where == path
    assert said in what


TESTS = [
    ({}, "", "has no test."),
    (["US", "CA"], "", "is a bare list. Write `{in: […]}`"),
    (None, "", "Write `not_set: true`"),
    (float("nan"), "", "no finite number"),
    (float("-inf"), "", "no finite number"),
    (1e30, "", "Quote it as your data spells it."),
    ({"equals": 1}, ".equals", "is no test."),
    ({"greater_than": 1}, ".greater_than", "is no test. "),
    ({"contain": "x"}, ".contain", "Did you mean `contains`?"),
    ({"eq": [1]}, ".eq", "Write `in: […]`."),
    ({"ne": [1]}, ".ne", "Write `not_in: […]`."),
    ({"eq": {"a": 1}}, ".eq", "is a mapping, not a text, a number or a boolean."),
    ({"eq": None}, ".eq", "Write `not_set: true`"),
    ({"in": "US"}, ".in", "Write `in: [US]`."),
    ({"in": []}, ".in", "is an empty list."),
    ({"not_in": []}, ".not_in", "is an empty list."),
    ({"in": ["US", None]}, ".in[1]", "null is missing"),
    ({"in": ["US", False]}, ".in[1]", "Quote it if you mean the word"),
    ({"in": [["US"]]}, ".in[0]", "is a list"),
    ({"contains_all": []}, ".contains_all", "is an empty list."),
    ({"set_is": "a"}, ".set_is", "Write `set_is: [a]`."),
    ({"gt": True}, ".gt", "Booleans have no order; write `eq`."),
    ({"gt": [1]}, ".gt", "is a list, not one value."),
    ({"gt": 10**30}, ".gt", "Only `eq` and `in` find longer ones."),
    ({"between": [1]}, ".between", "not a list of two values"),
    ({"between": 1}, ".between", "not a list of two values"),
    ({"between": [2, 1]}, ".between", "has the later value first"),
    ({"between": ["b", "a"]}, ".between", "has the later value first"),
    ({"between": ["a", "B"], "ignore_case": False}, ".between", "has the later value first"),
    ({"not_between": ["B", "a"], "ignore_case": True}, ".not_between", "has the later value first"),
    ({"between": [1, "a"]}, ".between", "mixes a number and a text"),
    ({"between": [1, True]}, ".between[1]", "Booleans have no order"),
    ({"contains": 5}, ".contains", 'Quote it: "5".'),
    ({"starts_with": False}, ".starts_with", "Quote it if you mean the word"),
    ({"matches": ["*"]}, ".matches", "is a list"),
    ({"is_set": "yes"}, ".is_set", "not true or false"),
    ({"not_set": 1}, ".not_set", "not true or false"),
    ({"before": "soon"}, ".before", "no date or time. Write a date such as"),
    ({"before": "2017-02-30"}, ".before", "no date or time"),
    ({"after": "9999-12-31"}, ".after", "no date or time"),
    ({"before": "29.10.2017"}, ".before", "no date or time"),
    ({"before": 1509271200}, ".before", "not a date or a time"),
    ({"in_last": 30}, ".in_last", "Give it a unit: `30d` for days."),
    ({"in_last": "month"}, ".in_last", "no length of time"),
    ({"eq": 1, "as": "text"}, ".as", "is `number`"),
    ({"eq": "1", "as": "number"}, ".eq", "Write a plain number."),
    ({"in": [1, "2"], "as": "number"}, ".in", "Write a plain number."),
    ({"contains": "1", "as": "number"}, ".contains", "reads no numbers"),
    ({"before": "2017-01-01", "as": "number"}, ".before", "reads no numbers"),
    ({"is_set": True, "as": "number"}, ".as", "changes nothing"),
    ({"as": "number"}, "", "has no test."),
    ({"eq": "a", "ignore_case": "yes"}, ".ignore_case", "not true or false"),
    ({"eq": 1, "ignore_case": True}, ".eq", "compares no texts"),
    ({"eq": True, "ignore_case": True}, ".eq", "compares no texts"),
    ({"in": ["a", 1], "ignore_case": True}, ".in", "compares no texts"),
    ({"in_last": "1d", "ignore_case": True}, ".in_last", "compares no texts"),
    ({"is_set": True, "ignore_case": True}, ".ignore_case", "changes nothing"),
    ({"eq": 1, "as": "number", "ignore_case": True}, ".ignore_case", "numbers have no case"),
    ({"eq": 1, "missing_as": "x"}, ".missing_as", "which `eq` never compares"),
    ({"eq": 1, "missing_as": True}, ".missing_as", "which `eq` never compares"),
    ({"contains": "x", "missing_as": 0}, ".missing_as", "which `contains` never compares"),
    ({"before": "2017-01-01", "missing_as": "never"}, ".missing_as", "which `before` never compares"),
    ({"eq": 1, "missing_as": None}, ".missing_as", "null is missing"),
    ({"is_set": True, "missing_as": 0}, ".missing_as", "stands beside `is_set`"),
    ({"set_is": ["a"], "missing_as": "a"}, ".missing_as", "stands beside `set_is`"),
]


@pytest.mark.parametrize(("test", "path", "said"), TESTS)
def test_a_test_is_refused_on_profiles_and_on_events(test, path, said):
    found = dict(faults({"profile": {"p": test}}, {"did": "x", "where": {"any": [{"p": test}]}}))
    where = (f"who[0].profile.p{path}", f"who[1].where.any[0].p{path}")
    assert set(where) <= set(found)
    assert len(found) == 2 or "has no test." in said
    assert all(said in found[place] for place in where)


@pytest.mark.parametrize(
    ("condition", "path", "said"),
    [
        ({}, "", "is empty."),
        ([], "", "is an empty list, not a mapping of properties."),
        ("plan", "", "not a mapping of properties"),
        ({"any": []}, ".any", "is an empty list."),
        ({"any": {"a": 1}}, ".any", "is a mapping, not a list of conditions."),
        ({"none": [{}]}, ".none[0]", "is empty."),
        ({"all": ["a"]}, ".all[0]", "not a mapping of properties"),
    ],
)
def test_a_condition_is_refused(condition, path, said):
    for key, clause in {"profile": {"profile": condition}, "where": {"did": "x", "where": condition}}.items():
        [(where, what)] = faults(clause)
        assert where == f"who[0].{key}{path}"
        assert said in what


@pytest.mark.parametrize("name", ["distinct_id", "$user_id", "$device_id", "$insert_id", "token", "time", "user.plan"])
def test_ids_as_received_are_refused_in_where_with_a_reason(name):
    for clause in ({"did": "x", "where": {name: "a"}}, {"did_not": "x", "where": {name: "a"}}):
        [(where, what)] = faults(clause)
        assert where == f"who[0].where.{name}"
        assert "no cohort reads it" in what or "Use `within`" in what or "is not understood yet" in what
    [(where, _)] = faults({"did": [{"event": "x", "where": {"none": [{name: "a"}]}}]})
    assert where == f"who[0].did[0].where.none[0].{name}"
    assert not faults({"profile": {name: "a"}})


def test_users_of_a_destination_stand_alone():
    users = {"ids": ["a"], "as": "external_id"}
    assert [path for path, _ in faults(users, DID)] == ["who[0].as"]
    assert [path for path, _ in faults(DID, users)] == ["who[1].as"]
    assert not faults(users)


def test_a_circle_of_cohorts_is_refused_with_its_path():
    others = {"b": [{"in_cohort": "c"}], "c": [DID, {"none": [{"not_in_cohort": "a"}]}], "a": [DID]}
    [(path, what)] = faults_of({"cohort": "a", "who": [{"in_cohort": "b"}]}, others=others)
    assert path == "who[0].in_cohort → b.who[0].in_cohort → c.who[1].none[0].not_in_cohort"
    assert "a → b → c → a" in what
    [(path, what)] = faults_of({"cohort": "z", "who": [{"in_cohort": "b"}]}, others={**others, "a": [{"in_cohort": "b"}]})
    assert "b → c → a → b" in what


def test_faults_of_a_nested_cohort_are_told_once():
    found = faults({"in_cohort": "wrong"}, {"in_cohort": "wrong"}, {"in_cohort": "outer"}, others=OTHERS)
    assert [path for path, _ in found] == ["who[0].in_cohort → wrong.who[0].count"]


def test_a_date_that_a_yaml_reader_made_is_the_text_it_was():
    day, moment = dt.date(2017, 10, 29), dt.datetime(2017, 10, 29, 10, 30, tzinfo=dt.UTC)
    assert lowered({"profile": {"p": day}}) == lowered({"profile": {"p": "2017-10-29"}})
    assert lowered({"profile": {"p": {"before": moment}}}) == lowered({"profile": {"p": {"before": "2017-10-29T10:30Z"}}})
    assert lowered({"ids": [day]}) == lowered({"ids": ["2017-10-29"]})
    assert lowered({"profile": {day: 1}}) == lowered({"profile": {"2017-10-29": 1}})


def test_limits_beyond_64_bits_are_exact_for_sums():
    query = lowered({"did": "x", "sum": {"of": "a", "gte": 2**64, "gt": 1e15, "lt": Decimal("1e30")}})
    assert [bound.limit for bound in query.measure.bounds] == [10**21, 2**64 * 10**6, 10**36]


def test_a_number_too_long_to_write_out_is_refused():
    [(path, what)] = faults({"did": "x", "where": {"a": 10**5000}})
    assert path == "who[0].where.a"
    assert "is too long a number." in what


def test_a_definition_nested_without_end_is_refused():
    endless = {"did": "x"}
    for _ in range(DEEPEST_CLAUSE):
        endless = {"any": [endless]}
    assert "is nested too deeply." in faults(endless)[0][1]
    document = []
    for _ in range(5000):
        document = [document]
    assert "is nested too deeply." in faults_of(document)[0][1]
    circular = {"cohort": "x"}
    circular["who"] = [circular]
    assert any("is nested too deeply." in what for _, what in faults_of(circular))


def test_a_chain_of_cohorts_that_would_exhaust_the_stack_is_refused():
    others = {f"c{n}": [{"in_cohort": f"c{n + 1}"}] for n in range(2000)}
    [(path, what)] = faults({"in_cohort": "c0"}, others=others)
    assert "is nested too deeply." in what
    assert path.count("→") == DEEPEST_CLAUSE


def test_cohorts_that_multiply_each_other_are_refused():
    others = {"c0": [{"did": "x"}]} | {
        f"c{n}": [{"did": f"e{n}"}, {"any": [{"in_cohort": f"c{n - 1}"}, {"none": [{"in_cohort": f"c{n - 1}"}]}]}]
        for n in range(1, 16)
    }
    found = faults({"in_cohort": "c15"}, others=others)
    assert len(found) == 1
    assert f"over {MOST_CLAUSES:,} clauses" in found[0][1]
    assert not faults({"in_cohort": "c8"}, others=others)


def test_a_nested_cohort_counts_once_for_each_time_it_is_named():
    big = [{"any": [{"did": f"e{n}"} for n in range(MOST_CLAUSES * 3 // 5)]}]
    assert not faults({"in_cohort": "big"}, others={"big": big})
    assert faults({"in_cohort": "big"}, {"not_in_cohort": "big"}, others={"big": big})


def test_what_stands_in_a_clause_of_several_operators_is_looked_at_too():
    assert [path for path, _ in faults({"did": 1, "in_cohort": "vipp"}, others=OTHERS)] == [
        "who[0]",
        "who[0].did",
        "who[0].in_cohort",
    ]


LIMITS = st.dictionaries(st.sampled_from(["eq", "ne", "gt", "gte", "lt", "lte"]), st.integers(-2, 8), min_size=1, max_size=4)
COMPARE = {"eq": operator.eq, "ne": operator.ne, "gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}


def passed(limits, numbers):
    return any(all(COMPARE[word](number, limit) for word, limit in limits.items()) for number in numbers)


@settings(max_examples=200, deadline=None)
@given(LIMITS)
def test_a_measure_is_refused_exactly_if_nothing_passes_it(limits):
    halves = {word: limit / 2 for word, limit in limits.items()}
    assert bool(faults({"did": "x", "count": halves})) is not passed(halves, range(1, 20))
    tiny = {word: Decimal(limit) / 1_000_000 for word, limit in limits.items()}
    assert bool(faults({"did": "x", "sum": {"of": "a", **tiny}})) is not passed(limits, range(-20, 20))


def test_an_unknown_time_zone_is_a_bad_setting():
    for zone in ("Mars/Olympus", "../etc/passwd", ""):
        with pytest.raises(BadSetting):
            define([DID], zone=zone)


def test_an_error_lists_every_fault_for_people_and_programs():
    with pytest.raises(BadDefinition) as caught:
        parse({"cohort": "vip", "who": [{"did": 1}, {"did": 2}]}, OPERATORS, context())
    assert caught.value.what == "The cohort definition vip has 2 faults."
    assert [fault["path"] for fault in caught.value.as_json()["faults"]] == ["who[0].did", "who[1].did"]


SINGLE = [row for row in CLAUSES if row[0] and isinstance(row[0], dict)]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(SINGLE), min_size=2, max_size=6, unique_by=lambda row: row[1].split("→")[0] + repr(row[0])))
def test_all_planted_faults_are_found_at_once(rows):
    clauses = [DID, *(clause for clause, _, _ in rows)]
    expected = [path.replace("who[0]", f"who[{number}]", 1) for number, (_, path, _) in enumerate(rows, 1)]
    # what is wrong inside a nested cohort is told where it is named first, and there alone
    told = [path for path in expected if "wrong.who" not in path]
    found = [path for path, _ in faults(*clauses, others=OTHERS)]
    assert [path for path in found if "wrong.who" not in path] == told
    assert any("wrong.who" in path for path in found) == any("wrong.who" in path for path in expected)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["", "x", "30d", "*", "vip", "2017-10-29", "external_id"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [*OPERATORS, "where", "within", "count", "sum", "of", "gte", "eq", "in", "event", "as", "csv", "x"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(JSON)
def test_whatever_is_written_is_understood_or_refused_with_faults(who):
    told = faults_of({"cohort": "tested", "who": who}, others=OTHERS)
    assert all(path and what.strip() for path, what in told)
    if not told:
        found = define(who, others=OTHERS)
        assert (found.query is None) != (found.recipients is None)
