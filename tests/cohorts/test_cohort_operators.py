"""Whom each operator selects."""

import pytest
from cohort_writing import DAY, NOW, OPERATORS, at, context, define, event, lowered, person, selects

from cornicen.cohorts.definition import parse
from cornicen.cohorts.given import GivenSource
from cornicen.cohorts.meaning import knows, local_day, members
from cornicen.cohorts.query import Given


def test_a_person_is_known_by_an_event_before_the_instant_or_by_a_profile():
    assert not knows(person(), NOW)
    assert knows(person(profile={}), NOW)
    assert knows(person(event("x", NOW - 1)), NOW)
    assert not knows(person(event("x", NOW)), NOW)


def test_whoever_is_not_known_is_in_no_cohort():
    nobody, later = person(given=["vip"]), person(event("x", NOW), given=["vip"])
    for clause in ({"did_not": "x"}, {"none": [{"did": "x"}]}, {"profile": {"p": {"not_set": True}}}, {"did": "x"}):
        assert selects(clause, nobody, later) == [False, False]
    assert members(Given("vip"), {1: nobody, 2: later, 3: person("x", given=["vip"])}, NOW) == {3}


def test_did_looks_for_the_name_exactly():
    assert selects({"did": "purchase"}, person("purchase"), person("Purchase"), person("purchase ")) == [True, False, False]


def test_did_takes_any_of_several_events_and_counts_each_once():
    union = {"did": ["a", {"event": "b", "where": {"n": {"gte": 2}}}, {"event": "a", "where": {"n": 1}}], "count": {"eq": 2}}
    twice = person(event("a", n=1), event("b", n=2))
    assert selects(union, twice, person(event("a", n=1)), person(event("a"), event("b", n=1))) == [True, False, False]


def test_a_star_is_any_event():
    assert selects({"did": "*"}, person("anything"), person(profile={})) == [True, False]


def test_where_narrows_every_event_of_a_union():
    clause = {"did": ["a", {"event": "b", "where": {"n": 1}}], "where": {"m": 1}}
    people = [person(event("a", m=1)), person(event("a")), person(event("b", m=1)), person(event("b", m=1, n=1))]
    assert selects(clause, *people) == [True, False, False, True]


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        ({}, [False, True, True, True]),
        ({"count": {"gte": 2}}, [False, False, True, True]),
        ({"count": {"eq": 2}}, [False, False, True, False]),
        ({"count": {"ne": 2}}, [False, True, False, True]),
        ({"count": {"gt": 1.5}}, [False, False, True, True]),
        ({"count": {"lt": 3}}, [False, True, True, False]),
        ({"count": {"lte": 1}}, [False, True, False, False]),
        ({"count": {"between": [2, 3]}}, [False, False, True, True]),
        ({"count": {"gte": 1, "lt": 2}}, [False, True, False, False]),
        ({"count": {"gte": 0}}, [False, True, True, True]),  # nobody without an event passes
    ],
)
def test_count(measure, expected):
    people = [person(*["buy"] * n, "other") for n in range(4)]
    assert selects({"did": "buy", **measure}, *people) == expected


@pytest.mark.parametrize(
    ("bounds", "amounts", "passes"),
    [
        ({"gte": 1}, [0.1] * 10, True),  # exactly 1, which a sum of doubles misses
        ({"gt": 1}, [0.1] * 10, False),
        ({"eq": 0.3}, [0.1, 0.2], True),
        ({"gte": 100}, [99.999999], False),
        ({"gte": 100}, [99.999999, 0.000001], True),
        ({"lt": 0}, [-1], True),
        ({"gte": 0}, [], False),  # no event with a number: no bound holds
        ({"lt": 5}, ["4", True, None, [1], {}], False),
        ({"eq": 4}, ["5", 4, None, [1]], True),
        ({"gte": 20_000_000_000_000}, [9_000_000_000_000] * 3, True),  # far beyond 64 bits of millionths
        ({"between": [1, 2]}, [1.5, 0.5], True),
        ({"ne": 2}, [1.5, 0.5], False),
    ],
)
def test_sum(bounds, amounts, passes):
    buyer = person(*[event("buy", amount=amount) for amount in amounts], "buy")
    assert selects({"did": "buy", "sum": {"of": "amount", **bounds}}, buyer) == [passes]


def test_days_are_local_days():
    late, early = event("x", "2017-10-28T21:30Z"), event("x", "2017-10-28T22:30Z")  # 23:30 and 00:30 in Berlin
    clause = {"did": "x", "days": {"gte": 2}}
    assert selects(clause, person(late, early)) == [False]
    assert selects(clause, person(late, early), zone="Europe/Berlin") == [True]
    assert selects(clause, person(early, early), zone="Europe/Berlin") == [False]


def test_a_day_of_25_hours_is_one_day():
    first, last = event("x", "2017-10-28T22:00Z"), event("x", "2017-10-29T22:59:59.999999Z")
    clause = {"did": "x", "days": {"eq": 1}}
    assert selects(clause, person(first, last), zone="Europe/Berlin", as_of=NOW + DAY) == [True]
    next_day = event("x", "2017-10-29T23:00Z")
    assert selects(clause, person(first, next_day), zone="Europe/Berlin", as_of=NOW + DAY) == [False]


def test_local_days_are_counted_from_1970_and_have_no_end():
    assert local_day(0, "UTC") == 0
    assert local_day(-1, "UTC") == -1
    assert local_day(0, "America/New_York") == -1
    midnight, today = at("2017-10-29T00:00+02:00"), at("2017-10-29") // DAY
    assert [local_day(time, "Europe/Paris") for time in (midnight - 1, midnight, midnight + 25 * 3_600_000_000)] == [
        today - 1,
        today,
        today + 1,
    ]
    assert local_day(2**62, "Europe/Paris") == (2**62 + 3_600_000_000) // DAY


def test_a_window_is_rolling_to_the_microsecond():
    edges = [NOW - DAY - 1, NOW - DAY, NOW - 1, NOW]
    people = [person(event("x", time), profile={}) for time in edges]
    assert selects({"did": "x", "within": "1d"}, *people) == [False, True, True, False]
    assert selects({"did_not": "x", "within": "1d"}, *people) == [True, False, False, True]


@pytest.mark.parametrize(
    ("within", "minutes"), [("90m", 90), ("12h", 720), ("1d", 1440), ("2w", 20160), ("1mo", 43200), ("365d", 525600)]
)
def test_units_of_windows(within, minutes):
    assert lowered({"did": "x", "within": within}).window.length == minutes * 60_000_000


def test_without_a_window_all_time_before_the_instant_counts():
    assert selects({"did": "x"}, person(event("x", 0)), person(event("x", -(2**60))), person(event("x", NOW))) == [
        True,
        True,
        False,
    ]


def test_did_not_takes_known_persons_only_and_looks_at_where():
    clause = {"did_not": "buy", "where": {"amount": {"gte": 10}}, "within": "30d"}
    people = [person(event("buy", amount=10)), person(event("buy", amount=9)), person(profile={}), person()]
    assert selects(clause, *people) == [False, True, True, False]


def test_profile_looks_at_the_profile_and_not_at_events():
    people = [person("x", profile={"plan": "pro"}), person(event("x", plan="pro")), person(event("x", plan="pro"), profile={})]
    assert selects({"profile": {"plan": "pro"}}, *people) == [True, False, False]


def test_an_id_as_received_may_be_a_property_of_a_profile():
    assert selects({"profile": {"$user_id": "u1"}}, person(profile={"$user_id": "u1"})) == [True]


def test_all_any_and_none_combine():
    people = [person("a"), person("b"), person("a", "b"), person("c")]
    parts = [{"did": "a"}, {"did": "b"}]
    assert selects({"all": parts}, *people) == [False, False, True, False]
    assert selects({"any": parts}, *people) == [True, True, True, False]
    assert selects({"none": parts}, *people) == [False, False, False, True]


def test_a_list_under_who_is_all_of_these_and_one_mapping_is_itself():
    assert define([{"did": "a"}, {"did": "b"}]).query == lowered({"all": [{"did": "a"}, {"did": "b"}]})
    assert define({"did": "a"}).query == lowered({"did": "a"})


def test_a_nested_cohort_is_its_own_query_in_place():
    others = {"vip": [{"did": "buy"}, {"profile": {"plan": "pro"}}], "odd": [{"not_in_cohort": "vip"}]}
    vip = define(others["vip"]).query
    assert lowered({"in_cohort": "vip"}, others=others) == vip
    people = [person("buy", profile={"plan": "pro"}), person("buy"), person()]
    assert selects({"not_in_cohort": "vip"}, *people, others=others) == [False, True, False]
    assert selects({"in_cohort": "odd"}, *people, others=others) == [False, True, False]


def test_a_definition_names_all_cohorts_and_lists_it_reads():
    others = {"a": [{"in_cohort": "b"}, {"ids": ["1"]}], "b": [{"ids": {"csv": "b.csv"}}], "c": [{"did": "x"}]}
    found = define([{"in_cohort": "a"}, {"not_in_cohort": "b"}, {"ids": [2]}], others=others)
    assert found.nested == ("a", "b")
    assert set(found.given.values()) == {
        GivenSource("list", values=("1",)),
        GivenSource("csv", "/project/b.csv"),
        GivenSource("list", values=("2",)),
    }
    assert all(source.key == key for key, source in found.given.items())


def test_a_nested_cohorts_files_lie_in_its_own_folder():
    others = {"b": [{"ids": {"csv": "b.csv"}}]}
    found = define([{"in_cohort": "b"}, {"ids": {"csv": "c.csv"}}], others=others, folders={"b": "/elsewhere"})
    assert {source.text for source in found.given.values()} == {"/elsewhere/b.csv", "/project/c.csv"}


@pytest.mark.parametrize(
    ("written", "source"),
    [
        ([], GivenSource("list")),
        (["b", "a", "b"], GivenSource("list", values=("a", "b"))),
        ([7, 7.5, "x"], GivenSource("list", values=("7", "7.5", "x"))),
        ({"csv": "people.csv"}, GivenSource("csv", "/project/people.csv")),
        ({"csv": "../people.csv", "column": "id"}, GivenSource("csv", "/people.csv", "id")),
        ({"parquet": "/data/people.parquet", "column": "id"}, GivenSource("parquet", "/data/people.parquet", "id")),
        ({"sql": "select id from 'people.csv'\n"}, GivenSource("sql", "select id from 'people.csv'", folder="/project")),
    ],
)
def test_ids_come_from_a_list_a_file_or_a_statement(written, source):
    found = define([{"ids": written}])
    assert found.query == Given(source.key)
    assert found.given == {source.key: source}
    assert found.recipients is None
    alone = define([{"ids": written, "as": "external_id"}])
    assert (alone.query, alone.given, alone.recipients) == (None, {}, source)
    assert define({"ids": written, "as": "external_id"}).recipients == source


def test_given_persons_are_in_as_far_as_they_are_known():
    key = GivenSource("list", values=("u1",)).key
    people = [person("x", given=[key]), person(given=[key]), person("x")]
    assert selects({"ids": ["u1"]}, *people) == [True, False, False]


def test_the_name_is_the_slugs_unless_one_is_written():
    assert define([{"did": "x"}]).name == "Tested"
    document = {"cohort": "lapsed-big-spenders", "description": "…", "who": [{"did": "x"}]}
    assert parse(document, OPERATORS, context()).name == "Lapsed big spenders"
    assert parse({**document, "name": "Gone"}, OPERATORS, context()).name == "Gone"
