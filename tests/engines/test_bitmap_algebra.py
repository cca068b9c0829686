from pyroaring import BitMap

from cornicen.cohorts.condition import Compare, Test, Unless
from cornicen.cohorts.query import All, Any, Given, Known, Not, Profile
from cornicen.sql import leaves

LISTS = {"a": BitMap([1, 2]), "b": BitMap([2, 3]), "c": BitMap()}
EVERYBODY = BitMap([1, 2, 3, 4])
A, B, C = Given("a"), Given("b"), Given("c")


def answered(*queries):
    asked = []

    def ask(query):
        asked.append(query)
        return EVERYBODY if query == Known() else LISTS[query.key] if isinstance(query, Given) else BitMap([4])

    return leaves.members(queries, 0, ask), asked


def test_equal_leaves_are_asked_once_within_and_among_queries():
    answers, asked = answered(Any((A, All((A, B)))), A, Not(All((A, B))))
    assert answers == [BitMap([1, 2]), BitMap([1, 2]), BitMap([1, 3, 4])]
    assert sorted(asked, key=str) == [A, B, Known()]


def test_everybody_is_asked_for_only_where_a_query_cannot_do_without():
    assert Known() not in answered(All((A, Not(B))), Any((A, B)))[1]
    assert Known() in answered(Not(B))[1]
    answers, asked = answered(All((Not(A), Not(B))))
    assert answers == [BitMap([4])]
    assert asked.count(Known()) == 1


def test_answers_are_nobody_elses():
    answers, _ = answered(A, A, Any((A,)))
    answers[0].add(99)
    assert 99 not in answers[1]
    assert 99 not in answers[2]
    assert 99 not in LISTS["a"]


def test_a_condition_that_holds_for_nothing_at_all_is_asked_the_other_way_round():
    positive = Compare("p", Test.IS_SET)
    answers, asked = answered(Profile(Unless(positive)))
    assert answers == [BitMap([1, 2, 3])]
    assert Profile(positive) in asked


def test_parts_that_are_empty_stay_empty():
    assert answered(All((A, C)), Any((C,)), Not(C))[0] == [BitMap(), BitMap(), EVERYBODY]
