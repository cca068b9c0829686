"""Every state that one recipient and a model destination can reach together, under every order of faults.

The destination may apply a request at once, later (before the longest answer time has passed) or never, and any answer may
be lost. Time moves in whole units; a state is kept relative to its own now, which makes their number finite.
"""

from collections import deque
from dataclasses import dataclass, field, replace

import pytest

from cornicen.delivery import member as rule
from cornicen.delivery.member import Member

LONGEST = 3
REFUSED_FOR = 2


@dataclass(frozen=True)
class Waiting:
    """A request at the destination that has not taken effect; `ours`: it is the one under way."""

    want: bool
    at: int
    ours: bool = True


@dataclass(frozen=True)
class World:
    """A recipient and what the destination holds; `applied`: the request under way has taken effect."""

    member: Member = field(default_factory=Member)
    holds: bool = False
    applied: bool = False
    waiting: tuple[Waiting, ...] = ()


class Rule:
    """The rule as it is; the subclasses leave one thing out."""

    def owed(self, member):
        return rule.owed(member, 0)

    def sendable(self, member):
        return self.owed(member) and member.flight is None and member.quiet_until <= 0

    def settle(self, member, answer):
        match answer:
            case "accepted":
                return rule.accepted(member)
            case "refused":
                return rule.refused(member, "unknown_recipient", REFUSED_FOR)
            case "untouched":
                return rule.untouched(member)
            case "denied":
                return rule.denied(member)
            case "lost":
                return rule.unknown(member, LONGEST)
            case "crashed":
                return rule.crashed(member, LONGEST)


class WithoutUncertain(Rule):
    def owed(self, member):
        return member.desired != member.acknowledged and not rule.refused_now(member, 0)


class WithoutQuiet(Rule):
    def settle(self, member, answer):
        return replace(super().settle(member, answer), quiet_until=0)


class AnyNoClearsAllDoubt(Rule):
    def settle(self, member, answer):
        settled = super().settle(member, answer)
        return replace(settled, doubt=False) if answer in {"refused", "untouched", "denied"} else settled


class YesMeansWhatIsWantedNow(Rule):
    def settle(self, member, answer):
        settled = super().settle(member, answer)
        return replace(settled, acknowledged=member.desired) if answer == "accepted" else settled


class CrashIsForgotten(Rule):
    def settle(self, member, answer):
        return replace(member, flight=None) if answer == "crashed" else super().settle(member, answer)


def steps(rules, world):
    """Everything that can happen next: (what, the world after)."""
    member = world.member
    yield ("out" if member.desired else "in"), replace(world, member=rule.want(member, not member.desired))
    yield "wait", later(world)
    if rules.sendable(member):
        flying = replace(world, member=replace(member, flight=rule.Flight(member.desired, 0)), applied=False)
        yield "sent, applied", replace(flying, holds=member.desired, applied=True)
        yield "sent, may come", replace(flying, waiting=(*world.waiting, Waiting(member.desired, 0)))
        yield "sent, never comes", flying
    for place, request in enumerate(world.waiting):
        rest = world.waiting[:place] + world.waiting[place + 1 :]
        yield "comes", replace(world, holds=request.want, waiting=rest, applied=world.applied or request.ours)
    if member.flight is not None:
        yield from answers(rules, world)


def answers(rules, world):
    others = tuple(request for request in world.waiting if not request.ours)
    left = tuple(replace(request, ours=False) for request in world.waiting)
    for answer in ("accepted",) if world.applied else ("refused", "untouched", "denied"):
        yield answer, World(rules.settle(world.member, answer), world.holds, waiting=others)
    for answer in ("lost", "crashed"):
        yield answer, World(rules.settle(world.member, answer), world.holds, waiting=left)


def later(world):
    """One unit of time passes."""
    member = world.member
    flight = member.flight and replace(member.flight, at=max(member.flight.at - 1, -LONGEST))
    refusal = member.refusal and replace(member.refusal, until=max(member.refusal.until - 1, 0))
    older = tuple(replace(request, at=request.at - 1) for request in world.waiting if request.at - 1 + LONGEST > 0)
    quiet = max(member.quiet_until - 1, 0)
    return replace(world, member=replace(member, flight=flight, refusal=refusal, quiet_until=quiet), waiting=older)


def wrong(rules, world):
    """Nothing is owed or refused, and the destination holds something else, or will."""
    member = world.member
    if rules.owed(member) or member.flight is not None or rule.refused_now(member, 0):
        return False
    return world.holds != member.desired or any(request.want != member.desired for request in world.waiting)


def explore(rules, depth=None):
    """Breadth first: every reachable world with a shortest way to it, in order; to a fixed point when no depth is given."""
    start = World()
    ways = {start: ()}
    queue = deque([start])
    while queue:
        world = queue.popleft()
        if depth is not None and len(ways[world]) >= depth:
            continue
        for what, after in steps(rules, world):
            if after not in ways:
                ways[after] = (*ways[world], what)
                queue.append(after)
    return ways


def counter_examples(rules, depth):
    """Every way of at most so many steps to something wrong, shortest first; ways go on only through what is not wrong."""
    found, ways = [], [((), World())]
    for _ in range(depth):
        ways = [((*way, what), after) for way, world in ways for what, after in steps(rules, world)]
        found += [way for way, world in ways if wrong(rules, world)]
        ways = [(way, world) for way, world in ways if not wrong(rules, world)]
    return found


def deliver(world):
    """Faults stop: every request is applied and answered, refusals end; a request lost before has no way back."""
    for _ in range(20):
        if world.member.flight is not None:
            due = dict(answers(Rule(), world))
            world = due.get("accepted") or due["lost"]
        elif rule.sendable(world.member, 0):
            world = dict(steps(Rule(), world))["sent, applied"]
        elif rule.owed(world.member, 0) or rule.refused_now(world.member, 0):
            world = later(world)
        else:
            return world
    raise AssertionError(f"does not come to rest: {world}")


@pytest.fixture(scope="module")
def reachable():
    return explore(Rule())


def test_nothing_reachable_is_at_rest_and_wrong(reachable):
    assert len(reachable) > 500
    assert not [way for world, way in reachable.items() if wrong(Rule(), world)]


def test_what_is_acknowledged_and_not_uncertain_is_what_the_destination_holds(reachable):
    sure = [world for world in reachable if not world.member.uncertain]
    assert sure
    assert not [world for world in sure if world.holds != world.member.acknowledged or world.waiting]


def test_from_everywhere_the_destination_ends_with_what_is_desired_once_faults_stop(reachable):
    for world, way in reachable.items():
        assert deliver(world).holds == world.member.desired, way


def test_every_answer_and_every_fate_is_met(reachable):
    assert {what for world in reachable for what, _ in steps(Rule(), world)} == {
        *("in", "out", "wait", "comes", "sent, applied", "sent, may come", "sent, never comes"),
        *("accepted", "refused", "untouched", "denied", "lost", "crashed"),
    }


def test_without_uncertain_four_steps_leave_somebody_in_for_ever():
    found = counter_examples(WithoutUncertain(), 4)
    assert ("in", "sent, applied", "out", "lost") in found
    assert {len(way) for way in found} == {4}, "there is a shorter one"


@pytest.mark.parametrize(
    "rules", [WithoutUncertain, WithoutQuiet, AnyNoClearsAllDoubt, YesMeansWhatIsWantedNow, CrashIsForgotten]
)
def test_the_exploration_finds_a_rule_that_lacks_a_part(rules):
    ways = explore(rules(), depth=9)
    found = [way for world, way in ways.items() if wrong(rules(), world)]
    assert found, f"{rules.__name__} passes unseen"


def test_without_the_quiet_time_an_old_request_overtakes_its_correction():
    found = [way for world, way in explore(WithoutQuiet(), depth=8).items() if wrong(WithoutQuiet(), world)]
    assert any(way[:2] == ("in", "sent, may come") and "lost" in way and way[-1] == "accepted" for way in found)
