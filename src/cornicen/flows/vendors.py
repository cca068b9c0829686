"""What a vendor's folder declares: its manifest is data, its parts are pure functions and classes.

`cornicen.integrations.<vendor>` has a module attribute ``MANIFEST``; `apps.build` finds it there, or in a package that
declares an entry point of the group ``cornicen.integrations``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from cornicen.events.shapes import Record
from cornicen.flows.ports import Clock, Destination, Form, Sender


@dataclass(frozen=True)
class Setting:
    """One setting of a connection; form, CLI help, docs and redaction are made from it.

    Args:
        name: As in YAML and in `Connection.settings`.
        label: For people.
        help: One sentence, its consequence included.
        kind: ``text`` ``url`` ``number`` ``uuid`` ``choice`` ``flag`` (true or false).
        default: None: required.
        secret: Kept in `Connection.secrets`, given by reference only, never shown. With the default "": may be left out.
        least: Smallest number allowed.
        most: Largest number allowed.
        choices: Of a ``choice``: what it may be.
    """

    name: str
    label: str
    help: str
    kind: str = "text"
    default: str | int | float | None = None
    secret: bool = False
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Inbound:
    """A request at the door, its body as it came (at most `Route.limit` bytes).

    Args:
        method: Upper case.
        path: Without query.
        query: First value of each parameter.
        headers: Names in lower case.
        body: Not yet decoded.
        now: The door's clock, microseconds.
        address: The sender's, as far as the door can tell (behind a trusted proxy, what the proxy says); "" unknown.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    now: int
    address: str = ""


@dataclass(frozen=True)
class Credential:
    """Who a request says it is.

    Args:
        kind: ``token`` (username is a project token), ``account`` (a service account), ``secret`` (the secret of any of the
            project's service accounts stands for the project; no username, or the project's token) or ``token_or_secret``
            (username is one of the two, and only looking tells which).
        username: The token, or the account's name.
        secret: Of an account.
        project: The project that the request names, if it does; it must be the credential's.
    """

    kind: str
    username: str
    secret: str = field(default="", repr=False)
    project: str = ""


@dataclass(frozen=True)
class Part:
    """Records of one request that go to one project by one lane, in order."""

    credential: Credential
    lane: str
    records: tuple[Record, ...]


class Fate(StrEnum):
    """What became of a request's parts."""

    KEPT = "kept"
    """All parts are safe on disk (also when there is none)."""
    DENIED = "denied"
    """A credential is not of this house, or not of the project named; nothing of the request was kept."""
    FULL = "full"
    """The spool is full; ask again later."""
    UNAVAILABLE = "unavailable"
    """The disk failed, or the door is closing; nothing is known to be kept, ask again later."""


@dataclass(frozen=True)
class Outbound:
    """The vendor's answer."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


def by_fate(
    kept: Outbound, denied: Outbound, *, full: Callable[[], Outbound], unavailable: Callable[[], Outbound]
) -> Callable[[Fate], Outbound]:
    """`Parsed.answer` from one answer for each fate; those that are hardly ever needed are made only then."""

    def answer(fate: Fate) -> Outbound:
        match fate:
            case Fate.KEPT:
                return kept
            case Fate.DENIED:
                return denied
            case Fate.FULL:
                return full()
            case Fate.UNAVAILABLE:
                return unavailable()

    return answer


class Paces(Protocol):
    """How fast the users and devices of one project have been sending lately."""

    def take(self, records: Mapping[str, int], limit: float, now: int) -> Mapping[str, float]:
        """Count the records of one request: all of them, or none.

        Args:
            records: How many of whom, e.g. of ``device:d-77aa``.
            limit: Records a second, averaged over the last 30 seconds, that each may send. 0: no limit, nothing is counted.
            now: Microseconds.

        Returns:
            Who would be above the limit, with the pace these would bring in records a second; then nobody's are counted.
            Empty: nobody is, and all are counted.

        Twice: counts twice.
        """


@dataclass(frozen=True)
class Parsed:
    """A request, understood.

    Args:
        parts: What to keep.
        answer: The vendor's own response, given what became of the parts.
        pace: Where a vendor limits how much one user or device may send: asked with the project's paces after the credentials
            were found good and before anything is kept; an answer means that nothing of the request is. None: no such limit.
        apart: Whether each part stands for itself: what has an unknown credential is left out and the others are kept. The
            request is `Fate.DENIED` where no credential is known.
        nobodys: Why nobody can tell whose the request is, where that is so, e.g. ``unreadable body``: it has no parts then, and
            is counted among the strangers. "": it has parts, or nothing that could have been kept.
        under: Where it depends on the project's identity rule what may be taken: the request as understood under a rule that
            is named here, all its parts for the first part's credential.
    """

    parts: tuple[Part, ...]
    answer: Callable[[Fate], Outbound]
    pace: Callable[[Paces], Outbound | None] | None = None
    apart: bool = False
    nobodys: str = ""
    under: Mapping[str, Callable[[], Parsed]] = field(default_factory=dict)


@dataclass(frozen=True)
class Route:
    """A path by which records enter.

    Args:
        methods: E.g. ``("POST",)``.
        path: On the shared origin; vendors' paths do not collide. ``/piece/*``: all paths below it that no other route has.
        limit: Largest body in bytes as it comes; above it `too_large` answers and nothing is read on.
        parse: Request to parts; pure; never raises for what a sender can send.
        too_large: The vendor's answer to a body above the limit.
    """

    methods: tuple[str, ...]
    path: str
    limit: int
    parse: Callable[[Inbound], Parsed]
    too_large: Callable[[], Outbound]


@dataclass(frozen=True)
class Assumption:
    """One thing we rely on at a destination, tried out.

    Args:
        what: What we rely on, one sentence.
        held: Whether it did.
        seen: What was seen, without a secret.
    """

    what: str
    held: bool
    seen: str


Check = Callable[[Destination, Sender, str, Clock], Awaitable[list[Assumption]]]
"""Try what we rely on at a destination, with one test user of its; everything is undone, also after a failure in the middle."""


@dataclass(frozen=True)
class Manifest:
    """A vendor.

    Args:
        name: The folder's name.
        title: As the vendor writes itself.
        category: ``analytics`` or ``messaging``.
        settings: Of a connection to it.
        routes: By which its senders reach us.
        destination: From settings and secrets, both checked against `settings`; None: nothing is delivered there.
        check: For ``cornicen connect <vendor> --check USER``; None: there is nothing to try.
        form: From settings: how a connection keeps its identifiers; None: as they are.
    """

    name: str
    title: str
    category: str
    settings: tuple[Setting, ...] = ()
    routes: tuple[Route, ...] = ()
    destination: Callable[[Mapping[str, object], Mapping[str, str]], Destination] | None = None
    check: Check | None = None
    form: Callable[[Mapping[str, object]], Form] | None = None
