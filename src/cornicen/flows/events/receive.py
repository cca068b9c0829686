"""Receiving: whose records they are, and into whose spool they go."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from cornicen.errors import SpoolFull, Unavailable
from cornicen.flows.events.strangers import Strangers
from cornicen.flows.events.taken import Taken
from cornicen.flows.ports import Clock, Projects, Spool
from cornicen.flows.records import Project
from cornicen.flows.vendors import Credential, Fate, Outbound, Paces, Parsed

REMEMBERED_FOR = 5_000_000
"""Microseconds that a good credential is believed without looking: half of what a revoked one may still be good for."""

REMEMBERED = 1024
"""Credentials at the same time."""


@dataclass(frozen=True)
class _Known:
    project: Project
    since: int


class Receiver:
    """Takes what a vendor's route understood.

    Args:
        projects: Who may send.
        spool: The spool of a project, by its id.
        clock: The door's.
        paces: How fast the senders of a project are, by its id; None: nobody there is too fast.
        strangers: Counts requests that are `Fate.DENIED`, and those that nobody can tell whose they are.
        taken: Counts what was kept; None: nobody else asks.
    """

    def __init__(
        self,
        projects: Projects,
        spool: Callable[[str], Spool],
        clock: Clock,
        paces: Callable[[str], Paces | None],
        strangers: Strangers,
        taken: Taken | None = None,
    ) -> None:
        self._projects, self._spool, self._clock, self._paces = projects, spool, clock, paces
        self._known: dict[tuple[str, str, bytes], _Known] = {}
        self.strangers = strangers
        self.taken = Taken() if taken is None else taken

    async def receive(self, parsed: Parsed, source: str) -> Outbound:
        """Keep a request's records and say so.

        Every credential is looked at before anything is kept, those of parts without records too. One that is unknown denies
        the whole request, or (`Parsed.apart`) its own part.

        Args:
            parsed: The request.
            source: The route, e.g. ``mixpanel:/import``.

        Returns:
            The vendor's answer. After ``FULL`` some parts may have been kept: the sender sends all again.

        Twice: keeps twice; the loader's keys make two of the same event one.
        """
        if parsed.nobodys:
            self.strangers.note_nobodys(source, parsed.nobodys, self._clock.now())
        projects = [await self._project(part.credential) for part in parsed.parts]
        if None in projects:
            self.strangers.note(source, parsed.parts[projects.index(None)].credential, self._clock.now())
            if not (parsed.apart and any(projects)):
                return parsed.answer(Fate.DENIED)
        first = projects[0] if projects else None
        if first is not None and first.identity in parsed.under:
            parsed = await asyncio.to_thread(parsed.under[first.identity])
            projects = [first] * len(parsed.parts)
        if first is not None and parsed.pace is not None and (paces := self._paces(first.id)) is not None:
            too_fast = parsed.pace(paces)
            if too_fast is not None:
                return too_fast
        return parsed.answer(await self._keep(parsed, projects, source))

    async def _keep(self, parsed: Parsed, projects: list[Project | None], source: str) -> Fate:
        filled = [(project, part) for project, part in zip(projects, parsed.parts, strict=True) if project and part.records]
        spools = [self._spool(project.id) for project, _ in filled]
        appending = [spool.append(part.lane, source, part.records) for spool, (_, part) in zip(spools, filled, strict=True)]
        kept = await asyncio.gather(*appending, return_exceptions=True)
        for (project, part), outcome in zip(filled, kept, strict=True):
            if not isinstance(outcome, BaseException):
                self.taken.note(project.id, source, len(part.records))
        return _fate(kept)

    async def _project(self, credential: Credential) -> Project | None:
        """The credential's project, if it is the one that the request names."""
        project = await self._resolved(credential)
        named = credential.project
        return project if project is not None and named in {"", project.id, project.name} else None

    async def _resolved(self, credential: Credential) -> Project | None:
        key = (credential.kind, credential.username, hashlib.sha256(credential.secret.encode("utf-8", "replace")).digest())
        now = self._clock.now()
        known = self._known.get(key)
        if known is not None and 0 <= now - known.since < REMEMBERED_FOR:
            return known.project
        self._known.pop(key, None)
        project = await asyncio.to_thread(self._look_up, credential)
        if project is not None:  # a no is not remembered: what was just made is good at once
            while len(self._known) >= REMEMBERED:
                del self._known[next(iter(self._known))]
            self._known[key] = _Known(project, now)
        return project

    def _look_up(self, credential: Credential) -> Project | None:
        match credential.kind:
            case "token":
                return self._projects.by_token(credential.username)
            case "account":
                return self._projects.by_account(credential.username, credential.secret)
            case "secret":
                return self._projects.by_secret(credential.secret, credential.username)
            case "token_or_secret":
                return self._projects.by_token(credential.username) or self._projects.by_secret(credential.username)
            case _:
                return None


def _fate(kept: Iterable[int | BaseException]) -> Fate:
    """What became of all parts; faults of ours are raised once none is under way any more."""
    faults = [outcome for outcome in kept if isinstance(outcome, BaseException)]
    for fault in faults:
        if not isinstance(fault, Unavailable):
            raise fault
    if not faults:
        return Fate.KEPT
    return Fate.FULL if all(isinstance(fault, SpoolFull) for fault in faults) else Fate.UNAVAILABLE
