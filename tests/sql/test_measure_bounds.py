import operator

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cornicen.cohorts.query import Bound
from cornicen.events.values import MILLIONTHS
from cornicen.sql.measures import HUGE, WHOLE, bounded

TESTS = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
limits = st.one_of(
    st.integers(-3 * MILLIONTHS, 5 * MILLIONTHS),
    st.integers(-3, 5).map(lambda n: n * MILLIONTHS),
    st.sampled_from([2**63 - 1, 2**63, 2**127 - 1, 2**127, -(2**127), 2**200, -(2**200)]),
)
bounds = st.lists(st.builds(Bound, st.sampled_from(sorted(TESTS)), limits), min_size=1, max_size=3)


def passes(written, value):
    if written is None:
        return True
    return duckdb.sql(f"select {written} from (select {value}::hugeint as m)").fetchall() == [(True,)]


@settings(max_examples=150, deadline=None)
@given(bounds, st.integers(1, 6) | st.just(WHOLE[1]))
def test_counts_are_compared_exactly_with_limits_that_are_no_whole_numbers(some, count):
    wanted = all(TESTS[bound.test](count * MILLIONTHS, bound.limit) for bound in some)
    assert passes(bounded("m", some, WHOLE, MILLIONTHS), count) == wanted


@settings(max_examples=150, deadline=None)
@given(bounds, st.integers(-3, 6) | st.sampled_from([*HUGE, 2**63, -(2**63) - 1]))
def test_sums_are_compared_exactly_with_limits_of_any_size(some, total):
    wanted = all(TESTS[bound.test](total, bound.limit) for bound in some)
    assert passes(bounded("m", some, HUGE), total) == wanted


@pytest.mark.parametrize(
    ("test", "limit", "written"),
    [
        ("gte", 1, None),
        ("gt", 0, None),
        ("ne", 0, None),
        ("lt", 1, "false"),
        ("eq", 0, "false"),
        ("gte", 2**63, "false"),
        ("gte", 2, "count(*) >= 2"),
    ],
)
def test_what_every_person_or_none_passes_is_not_asked(test, limit, written):
    assert bounded("count(*)", [Bound(test, limit * MILLIONTHS)], WHOLE, MILLIONTHS) == written


def test_an_unknown_bound_is_refused():
    with pytest.raises(ValueError, match="between"):
        bounded("count(*)", [Bound("between", 1)], WHOLE, MILLIONTHS)
