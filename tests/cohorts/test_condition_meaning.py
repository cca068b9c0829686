"""What each test of the language passes: the table is the language's own."""

import pytest
from cohort_writing import NOW, define, lowered, person, properties, selects

from cornicen.cohorts.condition import Test
from cornicen.cohorts.meaning import holds
from cornicen.cohorts.parts.comparison import WORDS

BIG = 12345678901234567890
MISSING = object()

TABLE = [
    # a bare value is eq
    ("US", "US", True),
    ("US", "us", False),
    ("US", "USA", False),
    ("US", None, False),
    ("US", MISSING, False),
    ("", "", True),
    (20, 20, True),
    (20, 20.0, True),
    (20, "20", False),
    ("20", 20, False),
    (1, True, False),
    (True, 1, False),
    (True, True, True),
    (True, "true", False),
    (False, False, True),
    (False, MISSING, False),
    (0.1, 0.1, True),
    (0.1, 0.1000001, True),  # finer than a millionth: rounded on both sides
    (BIG, BIG, True),
    (BIG, BIG + 1, False),
    (BIG, str(BIG), True),
    ("US", ["CA", "US"], True),
    ("US", [], False),
    ("US", [["US"]], False),  # a list in a list is no scalar
    ("US", {"US": 1}, False),
    ({"eq": "US"}, "US", True),
    ({"in": ["US", "CA"]}, "CA", True),
    ({"in": ["US", "CA"]}, "MX", False),
    ({"in": ["US", 7]}, 7, True),
    ({"in": [BIG, 1]}, BIG, True),
    ({"in": ["US", "CA"]}, ["MX", "CA"], True),
    ({"in": [1, 2]}, True, False),
    # order
    ({"gt": 20}, 20.000001, True),
    ({"gt": 20}, 20, False),
    ({"gte": 20}, 20, True),
    ({"gte": 20}, "30", False),
    ({"lt": 20}, 19.999999, True),
    ({"lt": 20}, 20, False),
    ({"lte": 20}, 20, True),
    ({"lte": 20}, False, False),
    ({"lt": 20}, MISSING, False),
    ({"gt": 20}, [1, 21], True),
    ({"gt": 20}, BIG, False),  # kept as its text
    ({"gt": "b"}, "ba", True),
    ({"gt": "b"}, "B", False),
    ({"gt": "Z"}, "a", True),  # by code point
    ({"gt": "é"}, "z", False),
    ({"gt": "\uffff"}, "😀", True),  # by code point, not by UTF-16 unit
    ({"lt": "b"}, 1, False),
    ({"between": [10, 20]}, 10, True),
    ({"between": [10, 20]}, 20, True),
    ({"between": [10, 20]}, 20.000001, False),
    ({"between": [10, 20]}, [5, 25], False),
    ({"between": [10, 20]}, [5, 15], True),
    ({"between": ["a", "c"]}, "b", True),
    ({"between": ["a", "c"]}, "ca", False),
    ({"gte": 20, "lt": 30}, 25, True),
    ({"gte": 20, "lt": 30}, 30, False),
    # parts of texts
    ({"contains": "an"}, "banana", True),
    ({"contains": "AN"}, "banana", False),
    ({"contains": ""}, "", True),
    ({"contains": "1"}, 1, False),
    ({"contains": "an"}, ["x", "can"], True),
    ({"starts_with": "ba"}, "banana", True),
    ({"starts_with": "an"}, "banana", False),
    ({"ends_with": "na"}, "banana", True),
    ({"ends_with": "ba"}, "banana", False),
    ({"matches": "/shop/*"}, "/shop/42", True),
    ({"matches": "/shop/*"}, "/shop/42/cart", False),
    ({"matches": "/shop/**"}, "/shop/42/cart", True),
    ({"matches": "/shop/[0-9]?"}, "/shop/42", True),
    ({"matches": "*"}, 5, False),
    ({"matches": "c*"}, ["a", "cart"], True),
    # set
    ({"is_set": True}, "", True),
    ({"is_set": True}, [], True),
    ({"is_set": True}, {}, True),
    ({"is_set": True}, None, False),
    ({"is_set": True}, MISSING, False),
    ({"is_set": False}, MISSING, True),
    ({"not_set": True}, MISSING, True),
    ({"not_set": True}, 0, False),
    ({"not_set": False}, 0, True),
    # time
    ({"before": "2017-10-29"}, "2017-10-28", True),
    ({"before": "2017-10-29"}, "2017-10-28T23:59:59.999999Z", True),
    ({"before": "2017-10-29"}, "2017-10-29", False),
    ({"before": "2017-10-29T10:00"}, "2017-10-29T09:59:59Z", True),
    ({"before": "2017-10-29T10:00"}, "2017-10-29T10:00+00:00", False),
    ({"before": "2017-10-29T10:00+02:00"}, "2017-10-29T08:00Z", False),
    ({"before": "2017-10-29"}, "yesterday", False),
    ({"before": "2017-10-29"}, 20171028, False),
    ({"after": "2017-10-29"}, "2017-10-29T23:59:59.999999Z", False),
    ({"after": "2017-10-29"}, "2017-10-30", True),
    ({"after": "2017-10-29T10:00"}, "2017-10-29T10:00Z", False),
    ({"after": "2017-10-29T10:00"}, "2017-10-29T10:00:00.000001Z", True),
    ({"after": "2017-10-29"}, ["2017-01-01", "2018-01-01"], True),
    ({"in_last": "2d"}, "2017-10-27T12:00Z", True),
    ({"in_last": "2d"}, "2017-10-27T11:59:59.999999Z", False),
    ({"in_last": "2d"}, "2017-10-29T12:00Z", False),  # as_of itself
    ({"in_last": "2d"}, "2017-10-29T11:59:59.999999Z", True),
    # whole lists
    ({"contains_all": ["a", "b"]}, ["b", "c", "a"], True),
    ({"contains_all": ["a", "b"]}, ["a", "c"], False),
    ({"contains_all": ["a"]}, "a", False),
    ({"contains_all": [1, "a"]}, ["a", 1.0], True),
    ({"contains_any": ["a", "b"]}, ["c", "b"], True),
    ({"contains_any": ["a", "b"]}, ["c"], False),
    ({"contains_any": ["a"]}, "a", False),
    ({"set_is": ["a", "b"]}, ["b", "a", "b"], True),
    ({"set_is": ["a", "b"]}, ["a", "b", "c"], False),
    ({"set_is": ["a", "b"]}, ["a"], False),
    ({"set_is": ["a"]}, "a", False),
    ({"set_is": []}, [], True),
    ({"set_is": []}, ["a"], False),
    ({"set_is": []}, MISSING, False),
    ({"set_is": ["a"]}, ["a", None], False),
    # options
    ({"eq": 20, "as": "number"}, "20.0", True),
    ({"eq": 20, "as": "number"}, "2e1", True),
    ({"eq": 20, "as": "number"}, 20, True),
    ({"gte": 20, "as": "number"}, "30", True),
    ({"gte": 20, "as": "number"}, "thirty", False),
    ({"gte": 20, "as": "number"}, " 30", False),
    ({"gte": 20, "as": "number"}, True, False),
    ({"in": [1, 2], "as": "number"}, ["x", "2"], True),
    ({"set_is": [1, 2], "as": "number"}, ["1", 2], True),
    ({"eq": "us", "ignore_case": True}, "US", True),
    ({"eq": "STRASSE", "ignore_case": True}, "straße", True),
    ({"eq": "us", "ignore_case": False}, "US", False),
    ({"in": ["Us"], "ignore_case": True}, "uS", True),
    ({"contains": "AN", "ignore_case": True}, "banana", True),
    ({"starts_with": "BA", "ignore_case": True}, "banana", True),
    ({"matches": "B[A-C]*", "ignore_case": True}, "banana", True),
    ({"gt": "B", "ignore_case": True}, "a", False),
    ({"gt": "B"}, "a", True),
    ({"contains_any": ["A"], "ignore_case": True}, ["a"], True),
    ({"lt": 1, "missing_as": 0}, MISSING, True),
    ({"lt": 1, "missing_as": 0}, None, True),
    ({"lt": 1, "missing_as": 0}, 5, False),
    ({"gt": 1, "missing_as": 0}, MISSING, False),
    ({"lt": 1, "missing_as": 0}, "text", False),  # of another type is not missing
    ({"eq": "no", "missing_as": "no"}, MISSING, True),
    ({"before": "2017-10-29", "missing_as": "2000-01-01"}, MISSING, True),
    # several tests, negated or not, of one property
    ({"is_set": True, "ne": "x", "ignore_case": True}, "X", False),
    ({"is_set": True, "ne": "x", "ignore_case": True}, "y", True),
    ({"is_set": True, "ne": "x", "ignore_case": True}, MISSING, False),
]


def ask(test, value, **around):
    """Whether a profile with this value passes."""
    profile = {} if value is MISSING else {"p": value}
    query = lowered({"profile": {"p": test}}, **around)
    return holds(query.where, properties(**profile), NOW)


@pytest.mark.parametrize(("test", "value", "passes"), TABLE)
def test_what_passes_a_test(test, value, passes):
    assert ask(test, value) is passes


VALUES = [value for _, value, _ in TABLE]
SINGLE = [
    (test, word) for test, _, _ in TABLE if isinstance(test, dict) for word in test if word in WORDS and not WORDS[word][1]
]


def negation(word):
    return {"eq": "ne", "is_set": "not_set"}.get(word, f"not_{word}")


@pytest.mark.parametrize(("test", "word"), [pair for pair in SINGLE if len(set(pair[0]) & set(WORDS)) == 1])
def test_a_negation_is_exactly_the_opposite(test, word):
    negated = {negation(key) if key == word else key: operand for key, operand in test.items()}
    for value in VALUES:
        assert ask(negated, value) is not ask(test, value)


def test_every_test_of_the_language_has_a_negation_and_a_row_in_the_table():
    asked = {word for test, _, _ in TABLE if isinstance(test, dict) for word in test}
    assert {test.value for test in Test} <= asked
    assert set(WORDS) == {test.value for test in Test} | {negation(test.value) for test in Test}


@pytest.mark.parametrize(
    ("condition", "profile", "passes"),
    [
        ({"a": 1, "b": 2}, {"a": 1, "b": 2}, True),
        ({"a": 1, "b": 2}, {"a": 1}, False),
        ({"all": [{"a": 1}, {"b": 2}]}, {"a": 1, "b": 2}, True),
        ({"all": [{"a": 1}, {"b": 2}]}, {"a": 1, "b": 3}, False),
        ({"any": [{"a": 1}, {"b": 2}]}, {"b": 2}, True),
        ({"any": [{"a": 1}, {"b": 2}]}, {"b": 3}, False),
        ({"none": [{"a": 1}, {"b": 2}]}, {}, True),
        ({"none": [{"a": 1}, {"b": 2}]}, {"b": 2}, False),
        ({"none": [{"a": 1, "b": 2}]}, {"a": 1}, True),
        ({"any": [{"a": 1, "none": [{"b": 2}]}, {"c": 3}], "d": {"not_set": True}}, {"a": 1}, True),
        ({"any": [{"a": 1, "none": [{"b": 2}]}, {"c": 3}], "d": {"not_set": True}}, {"a": 1, "b": 2}, False),
        ({"any": [{"a": 1, "none": [{"b": 2}]}, {"c": 3}], "d": {"not_set": True}}, {"c": 3, "d": 0}, False),
    ],
)
def test_conditions_nest(condition, profile, passes):
    where = lowered({"profile": condition}).where
    assert holds(where, properties(**profile), NOW) is passes


def test_local_dates_are_dates_of_the_projects_zone():
    berlin = {"zone": "Europe/Berlin"}
    query = define([{"profile": {"p": {"before": "2017-10-29"}}}], **berlin).query
    assert query.where.operands[0].instant == 1_509_228_000_000_000  # 2017-10-28T22:00Z
    query = define([{"profile": {"p": {"after": "2017-10-29"}}}], **berlin).query  # a day of 25 hours
    assert query.where.operands[0].instant == 1_509_228_000_000_000 + 25 * 3_600_000_000 - 1
    query = define([{"profile": {"p": {"after": "2017-10-29T12:00"}}}], **berlin).query
    assert query.where.operands[0].instant == 1_509_274_800_000_000


def test_what_is_after_a_date_is_after_a_day_whose_next_midnight_never_was():
    query = define([{"profile": {"p": {"after": "2018-11-03"}}}], zone="America/Sao_Paulo").query
    assert query.where.operands[0].instant + 1 == 1_541_300_400_000_000  # 2018-11-04T03:00Z, which was 01:00 there


def test_a_person_without_a_profile_has_every_property_missing():
    people = person("x"), person("x", profile={}), person("x", profile={"plan": "pro"})
    assert selects({"profile": {"plan": {"not_set": True}}}, *people) == [True, True, False]
    assert selects({"profile": {"plan": {"ne": "pro"}}}, *people) == [True, True, False]
    assert selects({"profile": {"plan": "pro"}}, *people) == [False, False, True]
