"""Containers, at OneSignal segments: made before the first member, renamed with the cohort, removed at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cornicen.delivery.retry import backoff
from cornicen.delivery.shapes import Container, Ensured, Verdict
from cornicen.errors import DestinationRefused, WrongKey
from cornicen.flows.ports import Facts
from cornicen.flows.records import Sync, SyncStatus
from cornicen.flows.schedule import RETIRING
from cornicen.flows.syncs.line import Line
from cornicen.wire.http import NotSent, Result

SECOND = 1_000_000

MOST_ASKS = 4
"""Requests in a row for one container, where each answer asks for the next."""

REFUSED_FOR = 3600.0
"""Seconds before a container that could not be had is asked for again: somebody may have made room for it."""

AFTER_DENIAL = 60.0
"""Seconds the line rests after a denial that no sync's stopping keeps from coming again."""


@dataclass(frozen=True)
class Need:
    """A container that is not as it is wanted.

    Args:
        sync: Whose.
        container: As it is wanted: its name and description, and what is known of it.
        asked: When it was last asked for, microseconds; 0: never.
        retire: Whether it is to go.
    """

    sync: Sync
    container: Container
    asked: int
    retire: bool = False

    @property
    def gates(self) -> bool:
        """Whether members wait for it: then everybody's do, so that one request can carry all changes of a recipient."""
        return not self.retire and not self.container.exists


def left(facts: Facts) -> bool:
    """Whether anybody may still be in a segment that is to go.

    Whom the destination does not know is in none; a definite no to a removal cannot be helped, a doubt is waited for.
    """
    return bool((facts.acknowledged | facts.uncertain) - facts.unknown - (facts.declined - facts.uncertain))


@dataclass
class Containers:
    """The containers of one connection.

    Args:
        line: To the destination.
    """

    line: Line
    _tries: dict[str, int] = field(default_factory=dict)
    _again: dict[str, int] = field(default_factory=dict)

    def needs(self) -> list[Need]:
        """What is to be asked for now, creations first. Reads the state; no request."""
        state, connection = self.line.state, self.line.connection
        now = self.line.clock.now()
        syncs = [sync for sync in state.syncs.all(connection.project) if sync.connection == connection.id]
        live = [sync for sync in syncs if self._again.get(sync.id, 0) <= now]
        names = {cohort.slug: cohort.name for cohort in state.cohorts.all(connection.project)} if live else {}
        found = [need for sync in live if (need := self._need(sync, names, now)) is not None]
        return sorted(found, key=lambda need: not need.gates)

    def _need(self, sync: Sync, names: Mapping[str, str], now: int) -> Need | None:
        known = sync.container
        name = str(names.get(sync.cohort, known.get("name") or sync.cohort))
        container = Container(
            sync.id,
            name,
            f"Kept by Cornicen: cohort {sync.cohort}, sync {sync.id}",
            stored=str(known.get("stored") or ""),
            exists=bool(known.get("exists")),
            renamed=bool(known.get("renamed")) and known.get("name") in {"", name},  # a new name may be free
            own_id=bool(known.get("own_id", True)),
        )
        asked = _integer(known.get("asked"))
        if sync.status is SyncStatus.RETIRING:
            return Need(sync, container, asked, retire=True) if self._may_go(sync, container, asked, now) else None
        if sync.status is not SyncStatus.ACTIVE or sync.last_as_of is None:
            return None
        if container.exists:
            return Need(sync, container, asked) if container.name != known.get("name") else None
        refused = bool(known.get("words")) and now < asked + int(REFUSED_FOR * SECOND)
        return None if refused or self._may_still_empty(asked, now) else Need(sync, container, asked)

    def _may_still_empty(self, asked: int, now: int) -> bool:
        """Whether an earlier request to make this container could take effect, and empty it, after members of a later one."""
        destination = self.line.destination
        return destination.shape.empties and bool(asked) and now < asked + int(destination.longest_answer * SECOND)

    def _may_go(self, sync: Sync, container: Container, asked: int, now: int) -> bool:
        """Everybody is out, and no request of ours can make the container any more."""
        if sync.evaluated != RETIRING or left(self.line.state.ledger.facts(sync.id, now)):
            return False
        return container.exists or not asked or now >= asked + int(self.line.destination.longest_answer * SECOND)

    async def meet(self, needs: Iterable[Need]) -> None:
        """Ask for each; what comes of it is on disk when this returns. Twice: the same containers."""
        for need in needs:
            await (self._retire(need) if need.retire else self._ensure(need))

    async def _ensure(self, need: Need) -> None:
        wanted, words = need.container, str(need.sync.container.get("words") or "")
        name = str(need.sync.container.get("name") or "")
        if not wanted.exists:  # on disk before the request leaves: from here on there may be something to remove
            await asyncio.to_thread(self._keep, need, wanted, name=name, words=words)
        for _ in range(MOST_ASKS):
            result = await self.line.ask(self.line.destination.ensure(wanted))
            meant = self.line.destination.ensured(wanted, result)
            await self._counted(need, result, meant)
            wanted = meant.container
            if not meant.again:
                break
        if meant.verdict is Verdict.ACCEPTED:
            name, words = wanted.name, ""
        elif meant.verdict is Verdict.REFUSED:
            name, words = wanted.name, meant.words or "refused without a word"
        await asyncio.to_thread(self._keep, need, wanted, name=name, words=words)
        if meant.verdict in {Verdict.ACCEPTED, Verdict.REFUSED}:
            self.line.say("container", sync=need.sync.id, exists=wanted.exists, words=words)
        else:
            await self._put_off(need, meant)

    async def _retire(self, need: Need) -> None:
        if need.container.exists or need.asked:
            result = await self.line.ask(self.line.destination.retire(need.container))
            meant = self.line.destination.retired(need.container, result)
            await self._counted(need, result, meant)
            if meant.verdict is not Verdict.ACCEPTED:
                await self._put_off(need, meant)
                return
        await asyncio.to_thread(self._gone, need.sync)
        self.line.say("sync retired", sync=need.sync.id)

    async def _counted(self, need: Need, result: Result, meant: Ensured) -> None:
        """Count a request that left, and let its answer set the pace."""
        self.line.heed(result, meant.verdict, meant.wait)
        if not isinstance(result, NotSent):
            await asyncio.to_thread(self._count, need.sync)

    def _count(self, sync: Sync) -> None:
        runs = self.line.state.runs
        latest = runs.of_sync(sync.id, 1)
        runs.count_request(latest[0].tick if latest else None, sync.id)

    async def _put_off(self, need: Need, meant: Ensured) -> None:
        """Ask again later, or not at all."""
        if meant.verdict is Verdict.DENIED:
            if await asyncio.to_thread(stop, self.line, [need.sync.id], meant.error, meant.words):
                self.line.pause(AFTER_DENIAL, meant.words)
            return
        tries = self._tries[need.sync.id] = self._tries.get(need.sync.id, 0) + 1
        wait = REFUSED_FOR if meant.verdict is Verdict.REFUSED else max(meant.wait or 0.0, backoff(tries))
        self._again[need.sync.id] = self.line.clock.now() + int(wait * SECOND)

    def _keep(self, need: Need, container: Container, *, name: str, words: str) -> None:
        if container.exists:
            self._tries.pop(need.sync.id, None)
        known = {
            "stored": container.stored,
            "exists": container.exists,
            "renamed": container.renamed,
            "own_id": container.own_id,
            "name": name,
            "words": words,
            "asked": self.line.clock.now(),
        }
        self.line.state.syncs.change(need.sync.id, container=known)

    def _gone(self, sync: Sync) -> None:
        self.line.state.ledger.forget(sync.id)
        self.line.state.syncs.change(sync.id, status=SyncStatus.RETIRED, container={}, words="", what="", fix="")


def stop(line: Line, syncs: Iterable[str], error: Exception | None, words: str) -> bool:
    """Stop syncs that the destination denies; a refused key concerns all of its connection.

    Args:
        line: To the destination.
        syncs: Ids.
        error: What people are told, ``NAME`` in its fix standing for the sync's; None: only the words are known.
        words: The destination's own.

    Returns:
        Whether one of them is to be cleared away: it keeps that aim and will ask again, so the line had better rest a while.

    Twice: the same.
    """
    told = (
        error if isinstance(error, DestinationRefused) else DestinationRefused("The destination refuses this sync.", "", words)
    )
    concerned, retiring = set(syncs), False
    for sync in line.state.syncs.all(line.connection.project):
        if sync.connection != line.connection.id or (sync.id not in concerned and not isinstance(told, WrongKey)):
            continue
        said = {"what": told.what, "fix": told.fix.replace("NAME", sync.cohort), "words": told.words or words}
        if sync.status is SyncStatus.ACTIVE:
            line.state.syncs.change(sync.id, status=SyncStatus.STOPPED, **said)
            line.say("sync stopped", sync=sync.id, code=told.code, what=told.what)
        elif sync.status is SyncStatus.RETIRING:
            line.state.syncs.change(sync.id, **said)
            retiring = True
    return retiring


def _integer(value: object) -> int:
    return value if isinstance(value, int) else 0
