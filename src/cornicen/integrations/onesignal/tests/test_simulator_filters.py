from __future__ import annotations

import math
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cornicen.integrations.onesignal.simulator.conditions import RELATIONS, metres
from cornicen.integrations.onesignal.simulator.filters import Malformed, parse

NOW = 1_700_000_000.0
HOUR = 3600


@dataclass
class Device:
    type: str = "AndroidPush"
    token: str = "t"
    app_version: str = ""


@dataclass
class Person:
    country: str | None = None
    language: str | None = None
    first_active: int | None = None
    last_active: int | None = None
    session_count: int = 0
    session_time: int = 0
    lat: float | None = None
    long: float | None = None
    amount_spent: float = 0.0
    purchases: list[tuple[str, float]] = field(default_factory=list)
    subscriptions: list[Device] = field(default_factory=list)


def tag(relation, value=None, key="k"):
    return {"field": "tag", "key": key, "relation": relation} | ({} if value is None else {"value": value})


def holds(entries, tags=(), person=None):
    return parse(entries).hold(person or Person(), dict(tags), NOW)


@pytest.mark.parametrize(
    ("entry", "tags", "expected"),
    [
        (tag("=", "10"), {"k": "10"}, True),
        (tag("=", "10"), {"k": "10.0"}, False),  # equality is of text
        (tag("=", 10), {"k": "10"}, True),
        (tag("=", "10"), {}, False),
        (tag("!=", "10"), {"k": "9"}, True),
        (tag("!=", "10"), {"k": "10"}, False),
        (tag("!=", "10"), {}, True),
        (tag(">", "9"), {"k": "10"}, True),  # as numbers; as text "10" < "9"
        (tag(">", "9"), {"k": "9"}, False),
        (tag("<", "9"), {"k": "-10.5"}, True),
        (tag("<", "9"), {"k": "x"}, False),
        (tag(">", "9"), {"k": "x"}, False),
        (tag(">", "9"), {}, False),
        (tag(">", "9007199254740992"), {"k": "9007199254740993"}, True),  # beyond what a float can tell apart
        (tag("exists"), {"k": "0"}, True),
        (tag("exists"), {}, False),
        (tag("not_exists"), {}, True),
        (tag("not_exists"), {"k": "0"}, False),
        (tag("in_array", "a,b,c"), {"k": "b"}, True),
        (tag("in_array", "a,b,c"), {"k": "d"}, False),
        (tag("in_array", "a,b,c"), {}, False),
        (tag("not_in_array", "a,b,c"), {"k": "d"}, True),
        (tag("not_in_array", "a,b,c"), {"k": "a"}, False),
        (tag("not_in_array", "a,b,c"), {}, True),
        (tag("time_elapsed_gt", "60"), {"k": str(int(NOW) - 61)}, True),
        (tag("time_elapsed_gt", "60"), {"k": str(int(NOW) - 60)}, False),
        (tag("time_elapsed_lt", "60"), {"k": str(int(NOW) - 59)}, True),
        (tag("time_elapsed_lt", "60"), {"k": str(int(NOW) - 60)}, False),
        (tag("time_elapsed_lt", "60"), {"k": str(int(NOW) + 5)}, True),
        (tag("time_elapsed_gt", "60"), {"k": "yesterday"}, False),
        (tag("time_elapsed_lt", "60"), {}, False),
    ],
)
def test_a_tag_relation_means_what_the_reference_says(entry, tags, expected):
    assert holds([entry], tags) is expected


@pytest.mark.parametrize(
    ("entry", "person", "expected"),
    [
        ({"field": "country", "relation": "=", "value": "lt"}, Person(country="LT"), True),
        ({"field": "country", "relation": "!=", "value": "LT"}, Person(country="DE"), True),
        ({"field": "country", "relation": "exists"}, Person(), False),
        ({"field": "country", "relation": "not_exists"}, Person(), True),
        ({"field": "language", "relation": "=", "value": "en"}, Person(language="en"), True),
        ({"field": "language", "relation": "in_array", "value": "de,en"}, Person(language="en"), True),
        ({"field": "language", "relation": "!=", "value": "en"}, Person(language="en"), False),
        ({"field": "last_session", "relation": ">", "hours_ago": "1.5"}, Person(last_active=int(NOW) - 2 * HOUR), True),
        ({"field": "last_session", "relation": ">", "hours_ago": "1.5"}, Person(last_active=int(NOW) - HOUR), False),
        ({"field": "last_session", "relation": "<", "hours_ago": 24}, Person(last_active=int(NOW) - HOUR), True),
        ({"field": "last_session", "relation": "<", "hours_ago": "24"}, Person(), False),
        ({"field": "first_session", "relation": "<", "hours_ago": "2"}, Person(first_active=int(NOW) - HOUR), True),
        ({"field": "session_count", "relation": "=", "value": "3"}, Person(session_count=3), True),
        ({"field": "session_count", "relation": "!=", "value": "3"}, Person(session_count=3), False),
        ({"field": "session_count", "relation": ">", "value": "3"}, Person(session_count=10), True),
        ({"field": "session_time", "relation": "<", "value": "60"}, Person(session_time=59), True),
        ({"field": "app_version", "relation": ">", "value": "1.9"}, Person(subscriptions=[Device(app_version="1.10")]), True),
        ({"field": "app_version", "relation": "=", "value": "1.9.0"}, Person(subscriptions=[Device(app_version="1.9")]), True),
        ({"field": "app_version", "relation": "<", "value": "2"}, Person(subscriptions=[Device()]), False),
        ({"field": "app_version", "relation": "!=", "value": "2"}, Person(subscriptions=[Device(app_version="2")]), False),
        ({"field": "location", "lat": 54.69, "long": 25.28, "radius": 1000}, Person(lat=54.691, long=25.281), True),
        ({"field": "location", "lat": 54.69, "long": 25.28, "radius": 1000}, Person(lat=54.79, long=25.28), False),
        ({"field": "location", "lat": "54.69", "long": "25.28", "radius": "9"}, Person(), False),
        ({"field": "device_type", "relation": "=", "value": "Android"}, Person(subscriptions=[Device()]), True),
        ({"field": "device_type", "relation": "!=", "value": "iOS"}, Person(subscriptions=[Device()]), True),
        ({"field": "amount_spent", "relation": ">", "value": "0.2"}, Person(amount_spent=0.3), True),
        ({"field": "bought_sku", "relation": "=", "key": "s", "value": "0.99"}, Person(purchases=[("s", 0.99)]), True),
        ({"field": "bought_sku", "relation": ">", "key": "s", "value": "1"}, Person(purchases=[("x", 5.0)]), False),
        ({"field": "email", "relation": "=", "value": "a@b.c"}, Person(subscriptions=[Device("Email", "a@b.c")]), True),
        ({"field": "email", "relation": "!=", "value": "a@b.c"}, Person(subscriptions=[Device("SMS", "a@b.c")]), True),
    ],
)
def test_a_field_means_what_the_reference_says(entry, person, expected):
    assert holds([entry], {}, person) is expected


A, B, C = (tag("exists", key=key) for key in "abc")
OR, AND = {"operator": "OR"}, {"operator": "AND"}


@pytest.mark.parametrize(
    ("entries", "tags", "expected"),
    [
        ([A, B], "a", False),
        ([A, B], "ab", True),
        ([A, AND, B], "a", False),
        ([A, OR, B], "b", True),
        ([A, OR, B, C], "b", False),  # AND binds tighter: a or (b and c)
        ([A, OR, B, C], "a", True),
        ([A, B, OR, C], "c", True),
        ([A, B, OR, C], "a", False),
    ],
)
def test_and_binds_tighter_than_or(entries, tags, expected):
    assert holds(entries, dict.fromkeys(tags, "1")) is expected


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        (None, "at least one"),
        ([], "at least one"),
        ({}, "at least one"),
        (["x"], "not an object"),
        ([A] * 201, "at most 200"),
        ([OR, A], "operator"),
        ([A, OR], "must not end"),
        ([A, OR, OR, B], "operator"),
        ([A, {"operator": "XOR"}, B], "operator"),
        ([{"field": "external_id", "relation": "=", "value": "u1"}], "unknown field"),
        ([{"field": "cohort"}], "unknown field"),
        ([{"relation": "="}], "unknown field"),
        ([tag("~", "1")], "unknown relation"),
        ([{"field": "country", "relation": ">", "value": "LT"}], "unknown relation"),
        ([{"field": "tag", "relation": "exists"}], "needs key"),
        ([tag("=")], "needs value"),
        ([tag("=", "")], "needs value"),
        ([tag("=", True)], "needs value"),
        ([tag("=", ["1"])], "needs value"),
        ([tag(">", "ten")], "needs a number"),
        ([tag("time_elapsed_gt", "ten")], "needs a number"),
        ([{"field": "session_count", "relation": "=", "value": "many"}], "needs a number"),
        ([{"field": "last_session", "relation": ">", "value": "1"}], "needs hours_ago"),
        ([{"field": "location", "lat": 1, "long": 2}], "needs lat, long and radius"),
        ([tag("in_array", ",".join("x" * 21))], "more than 20"),
    ],
)
def test_filters_that_break_the_grammar_are_refused_with_the_reason(entries, words):
    with pytest.raises(Malformed, match=words):
        parse(entries)


def test_two_hundred_entries_and_twenty_values_are_still_allowed():
    assert holds([A] + [OR, A] * 99 + [A], {"a": "1"})
    assert holds([tag("in_array", ",".join(map(str, range(20))))], {"k": "19"})


def test_a_degree_of_latitude_is_111_kilometres():
    assert math.isclose(metres((0, 0), (1, 0)), 111_195, abs_tol=10)


# The meaning once more, written from the reference without a look at the code above: the list is cut at each OR.

KEYS, TEXTS = st.sampled_from("abc"), st.sampled_from(["", "1", "2", "10", "-3", "2.50", "x", "1699999990", "1700000000"])


@st.composite
def tag_entries(draw):
    relation = draw(st.sampled_from(sorted(RELATIONS["tag"])))
    if relation in {"exists", "not_exists"}:
        return tag(relation, key=draw(KEYS))
    if relation in {"in_array", "not_in_array"}:
        return tag(relation, ",".join(draw(st.lists(TEXTS.filter(bool), min_size=1, max_size=20))), draw(KEYS))
    if relation in {"=", "!="}:
        return tag(relation, draw(TEXTS.filter(bool)), draw(KEYS))
    return tag(relation, str(draw(st.integers(-20, 20))), draw(KEYS))


@st.composite
def lists(draw):
    entries = [draw(tag_entries())]
    for entry in draw(st.lists(tag_entries(), max_size=6)):
        entries += [*draw(st.sampled_from([[], [AND], [OR]])), entry]
    return entries


def naive_number(text):
    try:
        return float(text)
    except ValueError:
        return None


def naive_entry(entry, tags):
    key, relation, value = entry["key"], entry["relation"], entry.get("value")
    there = key in tags
    if relation == "exists":
        return there
    if relation == "not_exists":
        return not there
    if relation in {"=", "!="}:
        return (there and tags[key] == value) == (relation == "=")
    if relation in {"in_array", "not_in_array"}:
        return (there and tags[key] in value.split(",")) == (relation == "in_array")
    held = naive_number(tags[key]) if there else None
    if held is None:
        return False
    if relation in {"time_elapsed_gt", "time_elapsed_lt"}:
        held = NOW - held
    return held > float(value) if relation in {">", "time_elapsed_gt"} else held < float(value)


def naive(entries, tags):
    groups = [[]]
    for entry in entries:
        if entry == OR:
            groups.append([])
        elif entry != AND:
            groups[-1].append(entry)
    return any(all(naive_entry(entry, tags) for entry in group) for group in groups)


@settings(max_examples=400, deadline=None)
@given(entries=lists(), tags=st.dictionaries(KEYS, TEXTS))
def test_filters_hold_exactly_when_a_naive_reading_of_them_does(entries, tags):
    assert holds(entries, tags) is naive(entries, tags)
