"""Telling people how syncs do: once when one needs a look, and once when it is fine again.

What is to be said is written down before it is said, and crossed out after. So a restart forgets nothing, and repeats at most
what somebody took in the instant before a crash; of several couriers one says it. A violation of another kind during one that
was told is not told anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from cornicen.errors import Unavailable
from cornicen.flows.ports import Channel, Clock, Notice, State
from cornicen.flows.ports.telling import Kind
from cornicen.flows.records import Project, Sync
from cornicen.flows.syncs.health import Condition, Health, condition

SECOND = 1_000_000
FIRST_PAUSE, LONGEST_PAUSE = 15, 15 * 60
"""Seconds before a notice that nobody took is tried again: the first, doubled each time, to the longest."""

GIVEN_UP = 3 * 24 * 3600
"""Seconds after which what nobody took is not news any more."""

TAKEN_FOR = 120
"""Seconds after which a notice is said by another, or after a restart, where whoever was about to say it died. Longer than a
channel takes to say it or to fail."""

LONGEST = 300
"""Characters of a destination's own words that are passed on."""


@dataclass(frozen=True)
class Telling:
    """What telling takes.

    Args:
        state: What was decided, and what was said.
        channels: By name. None: nothing is told, and nothing is written down.
        clock: For ages and pauses.
        say: Told an event and its facts, for the log; never a secret.
    """

    state: State
    channels: Mapping[str, Channel]
    clock: Clock
    say: Callable[..., None]


def find(state: State, channels: Collection[str], now: int) -> list[Notice]:
    """Write down what is new to be said; returns it.

    Args:
        state: Syncs of all projects.
        channels: Names.
        now: Microseconds.

    Twice: the second finds nothing new.
    """
    told, found = state.notices.open(), list[Notice]()
    for project in state.projects.all():
        for sync in state.syncs.all(project.id, retired=True):
            seen = _condition(state, sync, now)
            for channel in channels:
                if seen.bad and (sync.id, channel) not in told:
                    found.append(_violation(project, sync, seen, channel, now))
                elif (sync.id, channel) in told and seen.health is Health.FINE:
                    found.append(_recovery(project, sync, channel, now))
    state.notices.put(found)
    return found


async def tell(telling: Telling, go_on: Callable[[], bool] = lambda: True) -> None:
    """Find what is new and say what is due, over all channels at the same time.

    Args:
        telling: What it takes.
        go_on: Asked before each notice; False: leave the rest for the next call.

    Twice: the second has nothing to say.
    """
    await asyncio.to_thread(find, telling.state, telling.channels, telling.clock.now())
    await asyncio.gather(*(_over(telling, name, channel, go_on) for name, channel in telling.channels.items()))


async def _over(telling: Telling, name: str, channel: Channel, go_on: Callable[[], bool]) -> None:
    notices, clock = telling.state.notices, telling.clock
    while go_on():
        now = clock.now()
        one = await asyncio.to_thread(notices.take, name, now, now + TAKEN_FOR * SECOND)
        if one is None:
            return
        try:
            await channel.tell(one)
        except Unavailable as error:
            until = again_at(one, clock.now())
            telling.say("nobody was told", channel=name, sync=one.sync, what=error.what, given_up=until is None)
            await asyncio.to_thread(notices.put_off, one.id, until)
        else:
            telling.say("told", channel=name, sync=one.sync, kind=one.kind.value)
            await asyncio.to_thread(notices.said, one.id, clock.now())


def again_at(one: Notice, now: int) -> int | None:
    """When a notice that nobody took is tried again, microseconds; None: not any more. Pure."""
    pause = min(FIRST_PAUSE * 2 ** min(one.attempts, 20), LONGEST_PAUSE)
    until = now + pause * SECOND
    return until if until - one.made_at <= GIVEN_UP * SECOND else None


def _condition(state: State, sync: Sync, now: int) -> Condition:
    last = next(iter(state.runs.of_sync(sync.id, 1)), None) if sync.held else None
    return condition(sync, now, last.why if last is not None else "")


def _violation(project: Project, sync: Sync, seen: Condition, channel: str, now: int) -> Notice:
    words = f"The destination says: “{_cut(cleaned(seen.words))}”" if seen.words else ""
    lines = (cleaned(line) for line in (seen.what, words, seen.fix) if line)
    subject = cleaned(f"{sync.cohort} is {seen.health.value} ({project.name})")
    return Notice(0, sync.id, channel, Kind.VIOLATION, subject, "\n".join(lines), now)


def _recovery(project: Project, sync: Sync, channel: str, now: int) -> Notice:
    subject = cleaned(f"{sync.cohort} is fine again ({project.name})")
    return Notice(0, sync.id, channel, Kind.RECOVERY, subject, "Nothing is to be done.", now)


def cleaned(text: str) -> str:
    """One line of what can be printed: line ends and what a terminal or a mail header would obey become spaces."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
