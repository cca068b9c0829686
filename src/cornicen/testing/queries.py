"""Random queries that nearly match a world: what they compare with is taken from it, or from just beside it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

from hypothesis import strategies as st

from cornicen.cohorts.condition import Compare, Condition, Every, Some, Test, Unless
from cornicen.cohorts.meaning import local_day
from cornicen.cohorts.query import (
    All,
    Any,
    Bound,
    Count,
    Days,
    Did,
    Given,
    Known,
    Measure,
    Not,
    Profile,
    Query,
    Source,
    Sum,
    Window,
)
from cornicen.events.history import Happening, History
from cornicen.events.values import LARGEST, MILLIONTHS, Value
from cornicen.testing.worlds import KEYS, NAMES, PROPERTIES, Dice, World, WorldDice, scalars

_TESTS = tuple(Test)
_BOUNDS = ("gte", "eq", "ne", "gt", "lt", "lte")
_FAR = (LARGEST, LARGEST + 1, 3 * LARGEST, 2**127 - 1, 2**127, -(2**127), 2**200)
_GAPS = ("*", "**", "?", "[!b]", "[a-z]*", "[*]", "[", "\\", ".*", "\n", "")
_NEVER = [("never", Value(text="never", folded="never"))]


Case = tuple[World, list[Query]]


@st.composite
def asked(draw: st.DrawFn) -> Case:
    """A world and up to eight queries of every kind about it, some of them parts of others."""
    world = WorldDice(draw).world()
    dice = QueryDice(draw, world)
    queries = dice.several(lambda: dice.query(2), 1, 6)
    return world, [*queries, Not(queries[0]), All((queries[-1], queries[0]))]


@st.composite
def compared(draw: st.DrawFn) -> Case:
    """Up to ten values of one property, on profiles and events alike, and single tests of it."""
    dice = WorldDice(draw)
    name = dice.pick(PROPERTIES)
    values = dict(enumerate(dice.several(dice.value, 1, 10)))
    histories = {
        person: History((Happening(NAMES[0], dice.as_of - 1, 0, {name: value}),), {name: value})
        for person, value in values.items()
    }
    world = World(dice.zone, dice.as_of, dice.lengths, histories)
    asker = QueryDice(draw, world)
    on_events, first = asker.below(2), asker.below(len(_TESTS))

    def query(test: Test) -> Query:
        compare = asker.compare(asker.on_events, test)
        where = compare if asker.below(2) else Unless(compare)
        return Did((Source(None, where),), Window(), Count((Bound("gte", MILLIONTHS),))) if on_events else Profile(where)

    return world, [query(test) for test in (*_TESTS[first:], *_TESTS[:first])[: 6 + asker.below(len(_TESTS) - 5)]]


@st.composite
def measured(draw: st.DrawFn) -> Case:
    """Persons with several events that have a number each, and measures of them."""
    dice = WorldDice(draw)
    numbers = [value for value in scalars(dice.zone) if value.number is not None]
    numbers += [value for value in numbers if abs(value.number or 0) > 2**53] * 5

    def history() -> History:
        return History(
            dice.several(lambda: Happening(dice.pick(NAMES[:2]), dice.time(), 0, {PROPERTIES[0]: dice.pick(numbers)}), 0, 10)
        )

    world = World(dice.zone, dice.as_of, dice.lengths, dict(enumerate(dice.several(history, 1, 6))))
    asker = QueryDice(draw, world)

    def did() -> Did:
        doer = asker.pick(asker.doers)
        source = Source((NAMES[0],) if asker.below(2) else None)
        return Did((source,), asker.window(), asker.measure(doer))

    return world, list(asker.several(did, 4, 10))


class QueryDice(Dice):
    """Draws queries about a world."""

    def __init__(self, draw: st.DrawFn, world: World) -> None:
        super().__init__(draw)
        self.world = world
        histories = world.histories.values()
        self.doers = [history.happenings for history in histories if history.happenings] or [(Happening("never", 0),)]
        on_events = chain.from_iterable(at.properties.items() for doer in self.doers for at in doer)
        on_profiles = chain.from_iterable((history.profile or {}).items() for history in histories)
        self.on_events = [*on_events] or _NEVER
        self.on_profiles = [*on_profiles] or _NEVER

    def query(self, depth: int) -> Query:
        """A query of at most so many levels of set operations."""
        match self.below(9 if depth else 6):
            case 0 | 1 | 2:
                return self.did()
            case 3 | 4:
                return Profile(self.condition(self.on_profiles, 2))
            case 5:
                return Given(self.pick((*KEYS, "unread"))) if self.below(3) else Known()
            case 6:
                return All(self.several(lambda: self.query(depth - 1), 1, 3))
            case 7:
                return Any(self.several(lambda: self.query(depth - 1), 1, 3))
        return Not(self.query(depth - 1))

    def did(self) -> Did:
        """What somebody did, counted, or nearly."""
        doer = self.pick(self.doers)
        return Did(self.several(lambda: self.source(doer), 1, 2), self.window(), self.measure(doer))

    def window(self) -> Window:
        """One whose edge some events lie at, or one without an edge."""
        return Window(self.pick((*self.world.lengths, *self.world.lengths, None, 2**63)))

    def source(self, doer: tuple[Happening, ...]) -> Source:
        """Events like this person's."""
        names = None if self.below(3) == 0 else self.several(lambda: self.pick([*(at.name for at in doer), NAMES[0]]), 0, 2)
        return Source(names, None if self.below(3) else self.condition(self.on_events, 2))

    def measure(self, doer: tuple[Happening, ...]) -> Measure:
        """What this person passes, or just not."""
        match self.below(3):
            case 0:
                return Count(self.bounds(lambda: self.count(len(doer))))
            case 1:
                days = {local_day(at.time, self.world.zone) for at in doer}
                return Days(self.bounds(lambda: self.count(len(days))), self.world.zone)
        name, _ = self.pick(self.on_events)
        values = (at.properties.get(name, Value()).number for at in doer)
        numbers = [number for number in values if number is not None]
        return Sum(name, self.bounds(lambda: self.sum(numbers)))

    def bounds(self, limit: Callable[[], int]) -> tuple[Bound, ...]:
        """One or two."""
        return self.several(lambda: Bound(self.pick(_BOUNDS), limit()), 1, 2)

    def count(self, most: int) -> int:
        """A limit of a count, in millionths."""
        whole = self.pick((1, most, most, most + 1, 1, 2, 3, 0, -1, 2**70)) * MILLIONTHS
        return whole + self.pick((0, 0, 0, 1, -500_000))

    def sum(self, numbers: list[int]) -> int:
        """A limit of a sum of some of these."""
        if not self.below(6):
            return self.pick(_FAR)
        return self.nearby(sum(number for number in numbers if self.below(4)))

    def condition(self, seen: list[tuple[str, Value]], depth: int) -> Condition:
        """A condition about what was seen."""
        match self.below(6) if depth else 0:
            case 3:
                return Every(self.several(lambda: self.condition(seen, depth - 1), 1, 3))
            case 4:
                return Some(self.several(lambda: self.condition(seen, depth - 1), 1, 3))
            case 5:
                return Unless(self.condition(seen, depth - 1))
        return self.compare(seen)

    def compare(self, seen: list[tuple[str, Value]], test: Test | None = None) -> Compare:
        """One property that was seen against something like its value."""
        name, value = self.pick(seen)
        test = test or self.pick(_TESTS)
        missing = None if self.below(3) else self.pick(seen)[1]
        if not self.below(8):
            name = self.pick(PROPERTIES)
        return Compare(name, test, self.operands(test, value, seen), not self.below(3), not self.below(3), missing)

    def operands(  # noqa: PLR0911 - one answer a kind of test
        self, test: Test, value: Value, seen: list[tuple[str, Value]]
    ) -> tuple[Value, ...]:
        """Operands that the value passes, or nearly."""
        one = value if value.items is None else self.pick(value.items or scalars(self.world.zone))
        match test:
            case Test.IS_SET:
                return ()
            case Test.BETWEEN:
                ends = (self.beside(one), self.beside(one))
                return ends if self.below(2) else (ends[0], self.pick(seen)[1])
            case Test.IN:
                return self.several(lambda: self.pick((self.beside(one), self.pick(seen)[1])), 0, 3)
            case Test.CONTAINS_ALL | Test.CONTAINS_ANY | Test.SET_IS:
                held = tuple(item for item in value.items or (one,) if self.below(4))
                return held if self.below(3) else (*held, self.pick(scalars(self.world.zone)))
            case Test.BEFORE | Test.AFTER | Test.IN_LAST:
                at = self.world.as_of if one.instant is None else one.instant
                return (Value(instant=self.nearby(self.world.as_of - at if test is Test.IN_LAST else at)),)
            case Test.CONTAINS | Test.STARTS_WITH | Test.ENDS_WITH | Test.MATCHES:
                return (self.part(test, one, seen),)
        return (self.beside(one),)

    def beside(self, value: Value) -> Value:
        """The value, or a number or a text beside it."""
        if value.number is not None:
            return Value(number=self.nearby(value.number))
        return value if self.below(2) else self.pick(scalars(self.world.zone))

    def part(self, test: Test, value: Value, seen: list[tuple[str, Value]]) -> Value:
        """A piece of a text, or a glob for it."""
        texts = [other.text for _, other in seen if other.text]
        whole = value.text or self.pick(texts or ("", "a", "1"))
        start, end = sorted((self.below(len(whole) + 1), self.below(len(whole) + 1)))
        piece = self.pick((whole[:end], whole[start:], whole[start:end]))
        if test is Test.MATCHES:
            piece = whole[:start] + self.pick(_GAPS) + whole[end:]
        return Value(text=piece, folded=piece.casefold())
