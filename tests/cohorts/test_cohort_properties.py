"""What is true of every query on everybody."""

from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from cornicen.cohorts.condition import Unless
from cornicen.cohorts.meaning import holds, includes, knows, members
from cornicen.cohorts.query import All, Any, Bound, Count, Days, Did, Known, Not, Profile, Window, walk
from cornicen.events.history import Happening
from cornicen.testing.queries import asked
from cornicen.testing.worlds import NAMES

ONCE = Count((Bound("gte", 1_000_000),))
WORLDS = settings(max_examples=30, deadline=None)


def known(world):
    return {person for person, history in world.histories.items() if knows(history, world.as_of)}


@WORLDS
@given(asked())
def test_every_cohort_is_a_subset_of_the_known_persons(drawn):
    world, queries = drawn
    assert members(Known(), world.histories, world.as_of) == known(world)
    for query in queries:
        assert members(query, world.histories, world.as_of) <= known(world)


@WORLDS
@given(asked())
def test_a_negation_selects_exactly_the_other_known_persons(drawn):
    world, queries = drawn
    for query in queries:
        inside, outside = (members(one, world.histories, world.as_of) for one in (query, Not(query)))
        assert inside | outside == known(world)
        assert not inside & outside
        assert members(Not(Not(query)), world.histories, world.as_of) == inside


@WORLDS
@given(asked())
def test_a_negated_condition_holds_exactly_where_the_condition_does_not(drawn):
    world, queries = drawn
    for node in [node for query in queries for node in walk(query)]:
        match node:
            case Profile(where=where):
                conditions = [where]
            case Did(sources=sources):
                conditions = [source.where for source in sources if source.where is not None]
            case _:
                conditions = []
        for history in world.histories.values():
            for properties in [history.profile or {}, *(happening.properties for happening in history.happenings)]:
                for condition in conditions:
                    assert holds(Unless(condition), properties, world.as_of) is not holds(condition, properties, world.as_of)


@WORLDS
@given(asked(), st.randoms(use_true_random=False))
def test_the_order_of_events_does_not_matter(drawn, random):
    world, queries = drawn
    shuffled = {
        person: replace(history, happenings=tuple(random.sample(history.happenings, len(history.happenings))))
        for person, history in world.histories.items()
    }
    for query in queries:
        assert members(query, shuffled, world.as_of) == members(query, world.histories, world.as_of)


@WORLDS
@given(asked(), st.sampled_from(NAMES), st.integers(0, 10**15))
def test_an_event_at_or_after_the_instant_changes_nothing(drawn, name, later):
    world, queries = drawn
    future = {
        person: replace(history, happenings=(*history.happenings, Happening(name, world.as_of + later)))
        for person, history in world.histories.items()
    }
    for query in queries:
        assert members(query, future, world.as_of) == members(query, world.histories, world.as_of)


@WORLDS
@given(asked())
def test_all_and_any_are_the_intersection_and_the_union(drawn):
    world, queries = drawn
    sets = [members(query, world.histories, world.as_of) for query in queries]
    assert members(All(tuple(queries)), world.histories, world.as_of) == set.intersection(*sets)
    assert members(Any(tuple(queries)), world.histories, world.as_of) == set.union(*sets)


@WORLDS
@given(asked())
def test_other_people_do_not_matter(drawn):
    world, queries = drawn
    for query in queries:
        alone = {person for person, history in world.histories.items() if includes(query, history, world.as_of)}
        assert alone == members(query, world.histories, world.as_of)


def bare(history, shift=0):
    """The same events, so much later, without properties."""
    moved = (Happening(happening.name, happening.time + shift, happening.load) for happening in history.happenings)
    return replace(history, happenings=tuple(moved))


@WORLDS
@given(asked(), st.integers(1, 10**9))
def test_moving_everything_in_time_together_changes_no_count(drawn, shift):
    world, queries = drawn
    still = {person: bare(history) for person, history in world.histories.items()}
    moved = {person: bare(history, shift) for person, history in world.histories.items()}
    for node in {node for query in queries for node in walk(query) if isinstance(node, Did)}:
        if not isinstance(node.measure, Days):
            anything = replace(node, sources=tuple(replace(source, where=None) for source in node.sources))
            assert members(anything, moved, world.as_of + shift) == members(anything, still, world.as_of)


@WORLDS
@given(asked())
def test_a_longer_window_never_sees_less(drawn):
    world, queries = drawn
    for node in {node for query in queries for node in walk(query) if isinstance(node, Did)}:
        once = replace(node, measure=ONCE)
        sizes = [
            members(replace(once, window=Window(length)), world.histories, world.as_of) for length in (1, 10**9, 10**13, None)
        ]
        assert all(shorter <= longer for shorter, longer in pairwise(sizes))
