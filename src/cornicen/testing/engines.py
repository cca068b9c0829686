"""What every engine must fulfil: the same people as the meaning, on random worlds.

In the test module of an engine::

    class TestMyEngine(EngineContract):
        @contextmanager
        def engine(self, histories):
            yield MyEngine(...)  # over these histories, see `cornicen.testing.loading`
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from cornicen.cohorts.meaning import members
from cornicen.events.history import History
from cornicen.flows.ports import Engine
from cornicen.testing.queries import Case, asked, compared, measured

Over = Callable[[Mapping[int, History]], AbstractContextManager[Engine]]
"""Makes an engine over histories, for as long as the context lasts."""


def agree(over: Over, cases: st.SearchStrategy[Case], *, examples: int, fixed: bool = False) -> None:
    """Hold an engine to the meaning.

    Args:
        over: Makes the engine.
        cases: One of `cornicen.testing.queries`.
        examples: Worlds to ask about, each with several queries.
        fixed: The same worlds each time, and the first fault as it was found; for showing that a wrong engine is caught.

    Raises:
        AssertionError: The engine gave other people, asked about all or about some; with the smallest world that shows it.
    """

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=fixed,
        database=None,
        phases=[Phase.generate] if fixed else [Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(cases, st.none() | st.sets(st.integers(0, 9)))
    def hold(case: Case, some: set[int] | None) -> None:
        world, queries = case
        only = None if some is None else BitMap(some)
        with over(world.histories) as engine:
            answers = engine.members(queries, world.as_of, only)
        wanted = [members(query, world.histories, world.as_of) for query in queries]
        if some is not None:
            wanted = [people & some for people in wanted]
        assert [set(answer) for answer in answers] == wanted

    hold()


class EngineContract:
    """The suite; a subclass says how to make the engine."""

    examples = 40
    """Worlds that each test asks about."""

    def engine(self, histories: Mapping[int, History]) -> AbstractContextManager[Engine]:
        """The engine over these histories, for as long as the context lasts."""
        raise NotImplementedError

    def test_queries_of_every_kind_find_the_people_of_the_meaning(self) -> None:
        """Asked about everybody, or about some."""
        agree(self.engine, asked(), examples=self.examples)

    def test_every_test_of_a_value_passes_where_the_meaning_passes(self) -> None:
        """Values of every type against operands that equal them or nearly do."""
        agree(self.engine, compared(), examples=self.examples)

    def test_every_measure_passes_where_the_meaning_passes(self) -> None:
        """Counts, local days and sums, at their limits."""
        agree(self.engine, measured(), examples=self.examples)

    def test_no_query_gets_no_answer(self) -> None:
        """Nothing is asked, nothing is answered."""
        with self.engine({1: History()}) as engine:
            assert engine.members([], 0) == []
