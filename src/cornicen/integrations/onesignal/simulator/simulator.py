"""The simulator itself: applications, a clock, and the way of every request from receipt to answer."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count

import msgspec

from cornicen.integrations.onesignal.simulator.answers import NOT_FOUND, Answer, Refused, too_many
from cornicen.integrations.onesignal.simulator.api.call import Asked, Call
from cornicen.integrations.onesignal.simulator.api.gate import Gate
from cornicen.integrations.onesignal.simulator.api.routes import Route, find
from cornicen.integrations.onesignal.simulator.clock import Clock
from cornicen.integrations.onesignal.simulator.identifiers import Identifiers
from cornicen.integrations.onesignal.simulator.knobs import Knobs
from cornicen.integrations.onesignal.simulator.state.app import App
from cornicen.integrations.onesignal.simulator.state.exports import Export
from cornicen.integrations.onesignal.simulator.tiers import TIERS
from cornicen.integrations.onesignal.simulator.traffic.book import Book
from cornicen.integrations.onesignal.simulator.traffic.faults import Faults, Kind, Rule

_WORDS = {500: "Internal server error", 502: "Bad gateway", 503: "Service temporarily unavailable", 504: "Gateway timeout"}
_NONE = Rule(kind=Kind.DELAY)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of a request.

    Args:
        answer: None: the connection ends without one.
        delay_s: How long that takes, seconds of the machine's clock, on top of the latency.
        reset: The connection is reset and not closed.
        cut: How many bytes of the answer's body are sent before the connection closes; None: all, and it stays open.
        drip_s: Over how many seconds of the machine's clock the body is spread, byte by byte.
        end: For the book: the status, or the kind of fault.
    """

    answer: Answer | None
    delay_s: float = 0.0
    reset: bool = False
    cut: int | None = None
    drip_s: float = 0.0
    end: str = ""


@dataclass(eq=False)
class Simulator:
    """A OneSignal of its own: one organization and its applications.

    Args:
        clock: The time of everything in it.
        knobs: Limits and delays.
        organization_key: The organization's API key.
        seed: Equal seeds give equal identifiers.
    """

    clock: Clock = field(default_factory=Clock)
    knobs: Knobs = field(default_factory=Knobs)
    organization_key: str = "os_v2_org_simulated"
    seed: int = 0
    apps: dict[str, App] = field(default_factory=dict, init=False)
    book: Book = field(default_factory=Book, init=False)
    faults: Faults = field(default_factory=Faults, init=False)

    def __post_init__(self) -> None:
        self._ids = Identifiers(self.seed)
        self._gate = Gate(self.apps, self.knobs, self.organization_key)
        self._organization_id = self._ids.next()
        self._exports: dict[str, Export] = {}
        self._late: list[tuple[float, int, Route, Call]] = []
        self._late_order = count()

    def add_app(self, app_id: str | None = None, api_key: str | None = None, tier: str | None = None) -> App:
        """Add an application, or change the key or price plan of one that is there.

        Args:
            app_id: None: a new one.
            api_key: None: as it is; for a new application, one made of its id.
            tier: ``free``, ``growth`` or ``professional``; None: as it is; ``growth`` for a new application.

        Raises:
            ValueError: No such tier.

        Twice: changes nothing.
        """
        if tier is not None and tier not in TIERS:
            raise ValueError(f"no such tier: {tier}; there are {', '.join(TIERS)}")
        app_id = app_id or self._ids.next()
        app = self.apps.get(app_id)
        if app is None:
            key, organization, now = f"os_v2_app_{app_id}", self._organization_id, self.clock.now()
            app = App(app_id, key, "growth", organization, now, self.knobs, self._ids, exports=self._exports)
            self.apps[app_id] = app
        app.api_key = api_key or app.api_key
        app.tier = tier or app.tier
        return app

    def turn(self, turned: Mapping[str, object]) -> None:
        """Turn some knobs.

        Args:
            turned: Names and new values.

        Raises:
            msgspec.ValidationError: An unknown name or a value out of range; nothing was turned.
        """
        checked = msgspec.convert({**msgspec.to_builtins(self.knobs), **turned}, Knobs)
        for name in turned:
            setattr(self.knobs, name, getattr(checked, name))

    def act_late(self) -> None:
        """Act on the requests of `Kind.LATE` faults whose time has come. Every request and every look inside begins with it."""
        while self._late and self._late[0][0] <= self.clock.now():
            due, _, route, call = heapq.heappop(self._late)
            call.now = due
            self._handled(route, call)

    def respond(self, asked: Asked) -> tuple[str, str, Outcome]:
        """Take a request in: judge it, act on it, and say what becomes of it.

        Returns:
            The route's name, "" if there is none; whom the request is about, as `book.Entry` has it; and what becomes of it.

        Twice: acts twice.
        """
        self.act_late()
        found = find(asked.method, asked.path)
        if found is None:
            return "", "", Outcome(NOT_FOUND, end="404")
        route, parts = found
        return route.name, subject(parts), self._judged(route, parts, asked)

    def _judged(self, route: Route, parts: dict[str, str], asked: Asked) -> Outcome:
        fault = self.faults.strike(route.name, parts, self.clock.now()) or _NONE
        delay = fault.delay_ms / 1000
        match fault.kind:
            case Kind.STATUS:
                return _told(self._faulty(fault, route), delay)
            case Kind.TIMEOUT_BEFORE | Kind.RESET:
                return Outcome(None, delay, reset=fault.kind is Kind.RESET, end=fault.kind)
        given = self._acted(route, parts, asked, fault)
        if given is None or fault.kind is Kind.TIMEOUT_AFTER:
            return Outcome(None, delay, end=fault.kind)
        return self._spoilt(fault, given, route, delay)

    def _spoilt(self, fault: Rule, given: Answer, route: Route, delay: float) -> Outcome:
        """What a fault leaves of an answer that does come."""
        match fault.kind:
            case Kind.STATUS_AFTER:
                return _told(self._faulty(fault, route), delay)
            case Kind.TRUNCATED:
                return Outcome(given, delay, cut=max(0, min(fault.keep_bytes, len(given.body) - 1)), end=fault.kind)
            case Kind.DRIP:
                return Outcome(given, drip_s=delay, end=str(given.status))
            case _:
                return _told(given, delay)

    def _acted(self, route: Route, parts: dict[str, str], asked: Asked, fault: Rule) -> Answer | None:
        """Judge and do what is asked, and say what is answered; None: it is put off, without an answer."""
        try:
            call = self._gate.admit(route, parts, asked, self.clock.now())
        except Refused as refused:
            return refused.written(route.errors)
        if fault.kind is Kind.LATE:
            heapq.heappush(self._late, (call.now + fault.late_s, next(self._late_order), route, call))
            return None
        return self._handled(route, call)

    def _faulty(self, fault: Rule, route: Route) -> Answer:
        if fault.status == 429:
            refused = too_many(self.knobs.retry_after_s if fault.retry_after_s is None else fault.retry_after_s)
        else:
            after = ((b"retry-after", str(fault.retry_after_s).encode()),) if fault.retry_after_s is not None else ()
            refused = Refused(fault.status, _WORDS.get(fault.status, "Simulated fault"), headers=after)
        if fault.body is not None:
            return Answer(fault.status, fault.body.encode(), ((b"content-type", b"text/plain"), *refused.headers))
        return refused.written(route.errors)

    def _handled(self, route: Route, call: Call) -> Answer:
        try:
            return route.handle(call)
        except Refused as refused:
            return refused.written(route.errors)


def _told(given: Answer, delay: float) -> Outcome:
    return Outcome(given, delay, end=str(given.status))


def subject(parts: Mapping[str, str]) -> str:
    """Whom a path is about: an External ID, ``label:alias``, or the last id in it; "" if nobody."""
    if "alias" in parts:
        return parts["alias"] if parts["label"] == "external_id" else f"{parts['label']}:{parts['alias']}"
    return next((parts[name] for name in ("subscription", "token", "segment", "file") if name in parts), "")
