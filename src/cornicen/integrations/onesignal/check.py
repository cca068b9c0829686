"""Tries what `members_out` relies on, at the app it is given, and undoes it all: before a first sync, or for a bug report."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace

from cornicen.delivery.shapes import Change, Container, Parcel, Verdict
from cornicen.errors import DestinationRefused, Unreachable
from cornicen.flows.ports import Clock, Destination, Sender
from cornicen.flows.vendors import Assumption
from cornicen.integrations.onesignal import limits
from cornicen.integrations.onesignal.answers import read
from cornicen.integrations.onesignal.members_out import MembersOut, segment_id, tag_key
from cornicen.wire.http import Reply, Request, Result
from cornicen.wire.retry_after import retry_after

TIME_OUT = 60.0
"""Seconds for one request; *rate-limits* advises as many."""

ATTEMPTS = 5
"""Of one request that was not acted on (429, or no connection)."""

READS = 30
"""Of the test user, until a tag is visible."""

BETWEEN_READS = limits.SETTLES_WITHIN / READS
"""Seconds; also keeps the spacing of views and of updates."""


async def check(destination: Destination, sender: Sender, user: str, clock: Clock) -> list[Assumption]:
    """Try our assumptions in order, each with the request that a sync would send.

    A segment of a random sync id is created, read and renamed, and the user gets that sync's tag for a moment. Both are removed
    again, whatever happens between; nothing else at the app is touched.

    Args:
        destination: Of the app.
        sender: Sends.
        user: The External ID of a test user whom the app knows.
        clock: For the waits that OneSignal's limits ask for.

    Returns:
        What was tried, up to the first that leaves nothing to go on with, and what became of the undoing.

    Twice: tries twice, with another sync id.
    """
    if not isinstance(destination, MembersOut):
        raise TypeError("only a OneSignal app can be checked by this")
    trial = _Trial(destination, sender, user, clock)
    try:
        await trial.run()
    finally:
        await trial.undo()
    return trial.found


@dataclass
class _Trial:
    destination: MembersOut
    sender: Sender
    user: str
    clock: Clock
    sync: str = field(default_factory=lambda: secrets.token_hex(16))
    found: list[Assumption] = field(default_factory=list)
    segments: list[Container] = field(default_factory=list)
    """What may exist there by now, the one under our id first."""
    tagged: bool = False
    """Whether the user may have the tag by now."""

    async def run(self) -> None:
        if not await self._probe():
            return
        if await self._create():
            await self._create_again()
            await self._read_segment()
            await self._rename()
        if await self._tag():
            await self._read_user("The tag is visible on the user within a minute.", wanted=True)

    async def undo(self) -> None:
        """Take back what may be there; each step whatever became of the other."""
        try:
            if self.tagged:
                await self._untag()
        finally:
            for segment in self.segments:
                await self._delete(segment)

    async def _probe(self) -> bool:
        result = await self._send(self.destination.probe())
        try:
            self.destination.probed(result)
        except (DestinationRefused, Unreachable) as error:
            return self._note("The key opens the app.", False, f"{self._seen(result)}: {error.what}")
        return self._note("The key opens the app.", True, self._seen(result))

    async def _create(self) -> bool:
        wanted = Container(self.sync, f"Cornicen check {self.sync[:8]}", "Made by cornicen connect onesignal --check")
        result, ours = await self._created(wanted)
        return self._note("A segment can be created under an id of ours.", ours, self._seen(result))

    async def _create_again(self) -> None:
        result, _ = await self._created(Container(self.sync, f"Cornicen check {self.sync[:8]} again"))
        held = isinstance(result, Reply) and result.status == 409
        self._note("A second segment under the same id is refused with 409.", held, self._seen(result))

    async def _created(self, wanted: Container) -> tuple[Result, bool]:
        """Ask for a segment and remember what may exist by now; whether it has our id."""
        result = await self._send(self.destination.ensure(wanted))
        meant = self.destination.ensured(wanted, result)
        if meant.verdict in {Verdict.ACCEPTED, Verdict.UNKNOWN} and meant.container.stored not in {
            segment.stored for segment in self.segments
        }:
            self.segments.append(meant.container)
        return result, meant.verdict is Verdict.ACCEPTED and not meant.container.stored

    async def _read_segment(self) -> None:
        account = self.destination.account
        path = f"/segments/{segment_id(account.app, self.sync)}?include-segment-detail=true"
        result = await self._send(account.request("GET", path))
        said = read(result, account).document if isinstance(result, Reply) else None
        payload = (said or {}).get("payload")
        filters = payload.get("filters") if isinstance(payload, dict) else None
        held = isinstance(filters, list) and [
            {key: part.get(key) for key in ("field", "key", "relation")} for part in filters if isinstance(part, dict)
        ] == [{"field": "tag", "key": tag_key(self.sync), "relation": "exists"}]
        self._note("The segment can be read by our id and tests for our tag.", held, f"{self._seen(result)}, filters {filters}")

    async def _rename(self) -> None:
        renamed = replace(self.segments[0], name=f"{self.segments[0].name} renamed")
        result = await self._send(self.destination.ensure(renamed))
        held = self.destination.ensured(renamed, result).verdict is Verdict.ACCEPTED
        self._note("The segment can be renamed and keeps its id.", held, self._seen(result))

    async def _tag(self) -> bool:
        self.tagged = True
        parcel = self._parcel(want=True)
        result = await self._send(self.destination.deliver(parcel))
        answer = self.destination.answered(parcel, result)
        if answer.verdict not in {Verdict.ACCEPTED, Verdict.UNKNOWN}:
            self.tagged = False
        said = f"{self._seen(result)} {answer.reason}".strip()
        return self._note("The test user can be tagged.", answer.verdict is Verdict.ACCEPTED, said)

    async def _untag(self) -> None:
        await self.clock.sleep(BETWEEN_READS)
        parcel = self._parcel(want=False)
        result = await self._send(self.destination.deliver(parcel))
        held = self.destination.answered(parcel, result).verdict is Verdict.ACCEPTED
        self._note("An empty value is accepted to remove the tag.", held, self._seen(result))
        await self._read_user("The tag is gone from the user within a minute.", wanted=False)

    async def _read_user(self, what: str, *, wanted: bool) -> None:
        """Look at the user until the tag is as it should be."""
        request = self.destination.account.request("GET", self._user_path())
        result: Result | None = None
        for look in range(READS):
            await self.clock.sleep(BETWEEN_READS)
            result = await self._send(request)
            tags = self._tags(result)
            if tags is not None and (tag_key(self.sync) in tags) is wanted:
                self._note(what, True, f"{self._seen(result)}, at look {look + 1}, {BETWEEN_READS:g} s apart")
                return
        self._note(what, False, f"{self._seen(result)}, after {READS} looks" if result else "not looked at")

    async def _delete(self, segment: Container) -> None:
        result = await self._send(self.destination.retire(segment))
        held = self.destination.retired(segment, result).verdict is Verdict.ACCEPTED
        self._note("The segment can be deleted.", held, self._seen(result))

    async def _send(self, request: Request) -> Result:
        """Send; again where it was certainly not acted on."""
        result = await self.sender.send(request, timeout=TIME_OUT)
        for _ in range(ATTEMPTS - 1):
            if not isinstance(result, Reply) or result.status != 429:
                break
            await self.clock.sleep(max(retry_after(result.headers) or 0.0, 1.0))
            result = await self.sender.send(request, timeout=TIME_OUT)
        return result

    def _parcel(self, *, want: bool) -> Parcel:
        entered = self.clock.now() // 1_000_000 if want else 0
        return Parcel((Change(self.sync, 0, self.user, want, entered),))

    def _user_path(self) -> str:
        url = self.destination.deliver(self._parcel(want=False)).url
        return url.removeprefix(self.destination.account.request("GET", "").url)

    def _tags(self, result: Result) -> dict[str, object] | None:
        document = (
            read(result, self.destination.account).document if isinstance(result, Reply) and result.status == 200 else None
        )
        if document is None:
            return None
        properties = document.get("properties")
        tags = properties.get("tags") if isinstance(properties, dict) else None
        return tags if isinstance(tags, dict) else {}

    def _seen(self, result: Result) -> str:
        if isinstance(result, Reply):
            return f"{result.status} {read(result, self.destination.account).words}".strip()
        return f"no answer: {result.why}"

    def _note(self, what: str, held: bool, seen: str) -> bool:
        self.found.append(Assumption(what, held, seen))
        return held
