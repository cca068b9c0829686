"""One parcel's way to a destination: mostly one request; two where its user has to be asked for, or made.

Whose a recipient is, where its identifier alone does not say, is asked at the pace the destination sets for questions and is
remembered; nobody is asked for twice before `ASK_AGAIN`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace

from cornicen.delivery.shapes import Answer, Need, Parcel, Verdict
from cornicen.flows.ports import Seeking
from cornicen.flows.records import Place
from cornicen.flows.syncs.line import Line
from cornicen.wire.http import NotSent, Request, Result

SECOND = 1_000_000

ASK_AGAIN = 24 * 3600.0
"""Seconds before it is asked again who is behind a recipient that was nobody's."""

UNKNOWN = "unknown_recipient"
"""The reason of a refusal of somebody whom the destination does not know."""


class Errands:
    """Carries parcels. Of one lane.

    Args:
        line: To the destination.
        launch: Runs work of the lane beside its turns.
    """

    def __init__(self, line: Line, launch: Callable[[Coroutine[object, object, None]], object]) -> None:
        self._line = line
        self._launch = launch
        self._seeking = line.destination if isinstance(line.destination, Seeking) else None
        self._ask_at = 0.0
        self._waiting: dict[str, Parcel] = {}
        self.asking = False
        """Whether questions are under way for which no parcel waits."""

    async def carry(self, parcel: Parcel) -> Answer:
        """Send a parcel whose turn has been spent, and whatever else it takes; what the answers mean for its changes."""
        if self._seeking is None:
            return await self._told(parcel, await self._line.send(self._line.destination.deliver(parcel)))
        identifier = parcel.changes[0].identifier
        need = self._seeking.need(identifier)
        place = None if need is Need.NEVER else await self._known(identifier)
        if need is Need.FIRST:
            return await self._found_first(self._seeking, parcel, place)
        if place is not None and place.user:
            answer = await self._to(self._seeking, parcel, place.user, spent=True)
            if answer.reason != UNKNOWN:
                return answer
            await self._keep(identifier, None)
            place = None
            await self._spaced()
            answer = await self._told(parcel, await self._ask(parcel, self._line.destination.deliver(parcel)))
        else:
            answer = await self._told(parcel, await self._line.send(self._line.destination.deliver(parcel)))
        return answer if answer.reason != UNKNOWN else await self._not_known(self._seeking, parcel, need, place, answer)

    async def _not_known(self, seeking: Seeking, parcel: Parcel, need: Need, place: Place | None, answer: Answer) -> Answer:
        """What is to be done about a recipient whom the destination does not know."""
        identifier = parcel.changes[0].identifier
        if need is Need.UNKNOWN and (place is None or self._old(place)):
            self._wonder(seeking, parcel)
            return answer
        made = await self._known(identifier)
        if made is not None and made.created and self._since(made) < seeking.lag:
            return Answer(Verdict.UNTOUCHED, "", answer.words)  # it will be known in a moment
        request = seeking.create(parcel)
        if request is None:
            return answer
        await self._spaced()
        created = await self._told(parcel, await self._ask(parcel, request))
        if created.verdict in {Verdict.ACCEPTED, Verdict.UNKNOWN}:
            await self._keep(identifier, Place("", self._line.clock.now(), created=True))
        return created

    async def _found_first(self, seeking: Seeking, parcel: Parcel, place: Place | None) -> Answer:
        """Deliver to whoever is behind a recipient, asked for where it is not known, or not known any more."""
        identifier = parcel.changes[0].identifier
        if place is not None and place.user:
            answer = await self._to(seeking, parcel, place.user, spent=True)
            if answer.reason != UNKNOWN:
                return answer
            await self._keep(identifier, None)
        elif place is not None and not self._old(place):
            return Answer(Verdict.REFUSED, UNKNOWN)
        answer, user = await self._seek(seeking, parcel)
        if answer.verdict is not Verdict.ACCEPTED:
            return answer
        if not user:
            return Answer(Verdict.REFUSED, UNKNOWN, answer.words)
        await self._spaced()
        return await self._to(seeking, parcel, user, spent=False)

    async def _seek(self, seeking: Seeking, parcel: Parcel) -> tuple[Answer, str]:
        """Ask who is behind a recipient, when it is its turn, and remember the answer.

        No definite answer to a question leaves the parcel's changes untouched: nobody was told them.
        """
        identifier, clock = parcel.changes[0].identifier, self._line.clock
        now = clock.now() / SECOND
        self._ask_at = max(now, self._ask_at) + seeking.views
        if (wait := self._ask_at - seeking.views - now) > 0:
            await clock.sleep(wait)
        result = await self._ask(parcel, seeking.seek(identifier))
        sought = seeking.sought(result)
        self._line.heed(result, sought.answer.verdict, sought.answer.wait)
        if sought.answer.verdict is Verdict.ACCEPTED:
            await self._keep(identifier, Place(sought.user, clock.now()))
        if sought.answer.verdict is Verdict.UNKNOWN:
            return replace(sought.answer, verdict=Verdict.UNTOUCHED), ""
        return sought.answer, sought.user

    def _wonder(self, seeking: Seeking, parcel: Parcel) -> None:
        """Ask, without letting the parcel wait for it: its next try goes to whoever is found."""
        self._waiting[parcel.changes[0].identifier] = parcel
        if not self.asking:
            self.asking = True
            self._launch(self._wondering(seeking))

    async def _wondering(self, seeking: Seeking) -> None:
        try:
            while self._waiting:
                identifier, parcel = next(iter(self._waiting.items()))
                answer, user = await self._seek(seeking, parcel)
                self._waiting.pop(identifier, None)
                if answer.verdict is Verdict.ACCEPTED and user:
                    self._line.say("found by subscription", connection=self._line.connection.slug)
        finally:
            self.asking = False

    async def _to(self, seeking: Seeking, parcel: Parcel, user: str, *, spent: bool) -> Answer:
        request = seeking.deliver_to(parcel, user)
        return await self._told(parcel, await (self._line.send(request) if spent else self._ask(parcel, request)))

    async def _told(self, parcel: Parcel, result: Result) -> Answer:
        answer = self._line.destination.answered(parcel, result)
        self._line.heed(result, answer.verdict, answer.wait)
        return answer

    async def _ask(self, parcel: Parcel, request: Request) -> Result:
        """Send one more request than was counted when the parcel was claimed."""
        result = await self._line.ask(request)
        if not isinstance(result, NotSent):
            await asyncio.to_thread(self._count, parcel.changes[0].sync)
        return result

    def _count(self, sync: str) -> None:
        runs = self._line.state.runs
        latest = runs.of_sync(sync, 1)
        runs.count_request(latest[0].tick if latest else None, sync)

    async def _spaced(self) -> None:
        """The time that must pass between two requests for one user."""
        await self._line.clock.sleep(self._line.destination.shape.spacing)

    async def _known(self, identifier: str) -> Place | None:
        return await asyncio.to_thread(self._line.state.places.get, self._line.connection.id, identifier)

    async def _keep(self, identifier: str, place: Place | None) -> None:
        await asyncio.to_thread(self._line.state.places.put, self._line.connection.id, identifier, place)

    def _since(self, place: Place) -> float:
        return (self._line.clock.now() - place.at) / SECOND

    def _old(self, place: Place) -> bool:
        return self._since(place) >= ASK_AGAIN
