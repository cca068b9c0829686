"""Definitions that say the same lower to equal queries, so that an engine computes each part once."""

import copy
from datetime import UTC

import pytest
from cohort_writing import OPERATORS, context, define, lowered
from hypothesis import given, settings
from hypothesis import strategies as st

from cornicen.cohorts.condition import Compare, Every, Test, Unless
from cornicen.cohorts.definition import parse
from cornicen.cohorts.query import All, Any, Bound, Count, Did, Known, Not, Profile, Source, Sum, Window, needs, walk
from cornicen.events.values import Value, of_text

OTHERS = {"vip": [{"did": "buy"}], "pair": [{"did": "buy"}, {"did": "open"}]}


def test_the_languages_own_example_lowers_to_its_nodes():
    query = define(
        [
            {"did": "purchase", "where": {"amount": {"gte": 20}}, "sum": {"of": "amount", "gte": 100}, "within": "90d"},
            {"did_not": "app_open", "within": "30d"},
            {"profile": {"plan": "pro", "country": {"not_in": ["US", "CA"]}}},
            {"any": [{"did": ["b", "a"]}, {"in_cohort": "vip"}]},
        ],
        others=OTHERS,
    ).query
    day, once = 86_400_000_000, Count((Bound("gte", 1_000_000),))
    us, ca = (Value(text=name, folded=name.lower()) for name in ("US", "CA"))
    assert query == All(
        (
            Did(
                (Source(("purchase",), Compare("amount", Test.GTE, (Value(number=20_000_000),))),),
                Window(90 * day),
                Sum("amount", (Bound("gte", 100_000_000),)),
            ),
            Not(Did((Source(("app_open",)),), Window(30 * day), once)),
            Profile(
                Every(
                    (
                        Compare("plan", Test.EQ, (Value(text="pro", folded="pro"),)),
                        Unless(Compare("country", Test.IN, (ca, us))),
                    )
                )
            ),
            Any((Did((Source(("a", "b")),), Window(), once), Did((Source(("buy",)),), Window(), once))),
        )
    )
    assert needs(query).events == {"amount"}
    assert needs(query).profile == {"country", "plan"}


SAME = [
    ({"did": "a"}, {"did": ["a"]}),
    ({"did": "a"}, {"did": [{"event": "a"}]}),
    ({"did": "a"}, {"did": ["a", "a"]}),
    ({"did": ["a", "b"]}, {"did": ["b", {"event": "a"}]}),
    ({"did": "*"}, {"did": ["*", "a"]}),
    ({"did": "a"}, {"did": "a", "count": {"gte": 1}}),
    ({"did": "a", "count": {"between": [2, 3]}}, {"did": "a", "count": {"gte": 2, "lte": 3.0}}),
    ({"did": "a", "within": "1d"}, {"did": "a", "within": "24h"}),
    ({"did": "a", "within": "1mo"}, {"did": "a", "within": "30d"}),
    ({"did": "a", "within": "2w"}, {"did": "a", "within": "14d"}),
    ({"did": "a", "where": {"p": 1}}, {"did": [{"event": "a", "where": {"p": 1}}]}),
    ({"did": "a", "where": {"p": 1, "q": 2}}, {"did": [{"event": "a", "where": {"p": 1}}], "where": {"q": 2}}),
    ({"did": "a", "where": {"p": 1, "q": 2}}, {"did": "a", "where": {"all": [{"p": 1}, {"q": 2}]}}),
    ({"profile": {"p": 1}}, {"profile": {"p": {"eq": 1.0}}}),
    ({"profile": {"p": 1}}, {"profile": {"any": [{"p": 1}]}}),
    ({"profile": {"any": [{"p": 1}, {"q": 1}]}}, {"profile": {"any": [{"p": 1}, {"any": [{"q": 1}, {"p": 1}]}]}}),
    ({"profile": {"p": {"ne": 1}}}, {"profile": {"none": [{"p": 1}]}}),
    ({"profile": {"p": {"in": [1, 2]}}}, {"profile": {"p": {"in": [2, 1, 2.0]}}}),
    ({"profile": {"p": {"set_is": ["a", "b"]}}}, {"profile": {"p": {"set_is": ["b", "a", "a"]}}}),
    ({"profile": {"p": {"in": ["", 0, "0", 1]}}}, {"profile": {"p": {"in": [1, "0", 0, ""]}}}),
    ({"profile": {"p": {"not_set": True}}}, {"profile": {"p": {"is_set": False}}}),
    ({"profile": {"p": {"eq": "a"}}}, {"profile": {"p": {"eq": "a", "ignore_case": False}}}),
    ({"profile": {"p": {"in_last": "1d"}}}, {"profile": {"p": {"in_last": "24h"}}}),
    ({"profile": {"p": {"before": "2017-10-29"}}}, {"profile": {"p": {"before": "2017-10-29T00:00:00Z"}}}),
    ({"profile": {"p": {"gte": 0.1}}}, {"profile": {"p": {"gte": 0.10000000001}}}),
    ({"all": [{"did": "a"}]}, {"did": "a"}),
    ({"any": [{"did": "a"}, {"any": [{"did": "b"}]}]}, {"any": [{"did": "a"}, {"did": "b"}]}),
    ({"all": [{"did": "a"}, {"all": [{"did": "b"}, {"did": "a"}]}]}, {"all": [{"did": "a"}, {"did": "b"}]}),
    ({"none": [{"did": "a"}]}, {"did_not": "a"}),
    ({"in_cohort": "vip"}, {"did": "buy"}),
    ({"not_in_cohort": "vip"}, {"did_not": "buy"}),
    ({"in_cohort": "pair"}, {"all": [{"in_cohort": "vip"}, {"did": "open"}]}),
    ({"ids": [1, "a"]}, {"ids": ["a", "1", "a"]}),
    ({"ids": {"csv": "a.csv"}}, {"ids": {"csv": "./x/../a.csv"}}),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_two_ways_to_say_the_same_are_one_query(one, other):
    assert lowered(one, others=OTHERS) == lowered(other, others=OTHERS)


DIFFERENT = [
    ({"did": "a"}, {"did": "A"}),
    ({"did": ["a", {"event": "b", "where": {"p": 1}}]}, {"did": ["a", "b"], "where": {"p": 1}}),
    ({"did": "a", "count": {"gte": 1}}, {"did": "a", "days": {"gte": 1}}),
    ({"profile": {"p": 1}}, {"profile": {"p": "1"}}),
    ({"profile": {"p": 1}}, {"profile": {"p": True}}),
    ({"profile": {"p": {"eq": "a"}}}, {"profile": {"p": {"eq": "a", "ignore_case": True}}}),
    ({"profile": {"p": {"after": "2017-10-29"}}}, {"profile": {"p": {"after": "2017-10-29T00:00"}}}),
    ({"profile": {"p": {"lt": 1}}}, {"profile": {"p": {"lt": 1, "missing_as": 0}}}),
    ({"ids": {"csv": "a.csv"}}, {"ids": {"csv": "a.csv", "column": "id"}}),
    ({"ids": ["a"]}, {"ids": ["b"]}),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_two_things_that_differ_are_two_queries(one, other):
    assert lowered(one) != lowered(other)


def test_the_same_ids_are_one_list():
    found = define([{"ids": ["a", "b"]}, {"none": [{"ids": ["b", "a"]}]}])
    assert len(found.given) == 1


def test_parsing_leaves_the_document_as_it_was():
    document = {"cohort": "x", "who": [{"did": ["b", "a"], "where": {"p": {"in": [2, 1]}}}, {"in_cohort": "vip"}]}
    before = copy.deepcopy(document)
    parse(document, OPERATORS, context(others=OTHERS))
    assert document == before


def test_the_zone_reaches_days_and_local_times():
    days = {"did": "a", "days": {"gte": 2}}
    assert lowered(days, zone="Asia/Tokyo") != lowered(days)
    assert lowered(days, zone="Asia/Tokyo").measure.zone == "Asia/Tokyo"
    local = {"profile": {"p": {"before": "2017-10-29"}}}
    assert lowered(local, zone="Asia/Tokyo") != lowered(local)


@st.composite
def conditions(draw, depth=2):
    names = st.sampled_from(["p", "q", "r"])
    scalars = st.sampled_from(["US", "b", "", 1, 2.5, True])
    tests = st.one_of(
        scalars,
        st.fixed_dictionaries({"in": st.lists(st.sampled_from(["US", "b", 3]), min_size=1, max_size=3)}),
        st.fixed_dictionaries({"gte": st.integers(0, 3), "lt": st.integers(2, 5)}),
        st.fixed_dictionaries({"not_contains": st.just("U"), "ignore_case": st.booleans()}),
        st.fixed_dictionaries({"not_set": st.booleans()}),
    )
    found = draw(st.dictionaries(names, tests, min_size=1, max_size=3))
    if depth and draw(st.booleans()):
        word = draw(st.sampled_from(["all", "any", "none"]))
        found[word] = draw(st.lists(conditions(depth - 1), min_size=1, max_size=2))
    return found


@st.composite
def clauses(draw, depth=2):
    kind = draw(st.sampled_from(["did", "did_not", "profile", "ids", "in_cohort", "all", "any", "none"]))
    if kind in {"all", "any", "none"}:
        return {kind: draw(st.lists(clauses(depth - 1), min_size=1, max_size=3))} if depth else {"did": "z"}
    if kind == "profile":
        return {kind: draw(conditions())}
    if kind == "ids":
        return {kind: draw(st.lists(st.sampled_from(["a", "b", 3]), max_size=3))}
    if kind == "in_cohort":
        return {draw(st.sampled_from(["in_cohort", "not_in_cohort"])): draw(st.sampled_from([*OTHERS]))}
    found = {kind: draw(st.sampled_from(["a", "*", ["a", "b"], ["b", {"event": "a", "where": {"p": 1}}]]))}
    if draw(st.booleans()):
        found["where"] = draw(conditions())
    if draw(st.booleans()):
        found["within"] = draw(st.sampled_from(["30d", "12h", "1mo"]))
    if kind == "did":
        found |= draw(
            st.sampled_from([{}, {"count": {"gte": 2}}, {"days": {"eq": 2}}, {"sum": {"of": "p", "gt": 1, "lte": 9}}])
        )
    return found


ORDERLESS = {"in", "ids", "did", "did_not"}


def reordered(value, draw, *, inside=False):
    """The same document, its keys in another order, and what stands in lists whose order says nothing.

    Groups of conditions are such lists (``inside`` a condition); groups of clauses keep theirs.
    """
    if isinstance(value, list):
        return [reordered(item, draw, inside=inside) for item in value]
    if not isinstance(value, dict):
        return value
    found = {}
    for key in draw(st.permutations(list(value))):
        within = inside or key in {"where", "profile"}
        found[key] = reordered(value[key], draw, inside=within)
        if isinstance(value[key], list) and (within or key in ORDERLESS):
            found[key] = draw(st.permutations(found[key]))
    return found


@settings(max_examples=60, deadline=None)
@given(st.lists(clauses(), min_size=1, max_size=3), st.data())
def test_the_order_of_keys_names_and_values_does_not_matter(who, data):
    assert define(reordered(who, data.draw), others=OTHERS) == define(who, others=OTHERS)


@settings(max_examples=60, deadline=None)
@given(st.lists(clauses(), min_size=1, max_size=3))
def test_a_query_is_in_its_shortest_form(who):
    for node in walk(define(who, others=OTHERS).query):
        if isinstance(node, All | Any):
            assert len(node.parts) > 1
            assert len(set(node.parts)) == len(node.parts)
            assert not any(isinstance(part, type(node)) for part in node.parts)
        assert not isinstance(node, Known)


def test_texts_among_operands_keep_every_type_they_have():
    assert lowered({"profile": {"p": "2017-10-29"}}).where.operands == (of_text("2017-10-29", UTC),)
