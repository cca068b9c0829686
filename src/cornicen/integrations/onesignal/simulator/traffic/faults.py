"""A plan of faults: which requests go wrong, how, and how often. Seeded, so that a run can be repeated."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

import msgspec

Count = Annotated[int, msgspec.Meta(ge=0)]
Amount = Annotated[float, msgspec.Meta(ge=0)]


class Kind(StrEnum):
    """What goes wrong."""

    STATUS = "status"
    """The request is answered with a status (429, 500, 503, …) and not acted on."""
    STATUS_AFTER = "status_after"
    """The request is acted on, and answered with a status as though it had not been."""
    TIMEOUT_BEFORE = "timeout_before"
    """The request is not acted on, and its connection closes without an answer."""
    TIMEOUT_AFTER = "timeout_after"
    """The request is acted on, and its connection closes without an answer."""
    LATE = "late"
    """The connection closes without an answer, and the request is acted on `Rule.late_s` seconds of the clock later."""
    RESET = "reset"
    """The request is not acted on, and its connection is reset."""
    DELAY = "delay"
    """Nothing goes wrong; the answer takes longer."""
    TRUNCATED = "truncated"
    """The request is acted on, and its connection closes after `Rule.keep_bytes` of the answer's body."""
    DRIP = "drip"
    """The request is acted on; the answer's body comes byte by byte, over as long as the delay says."""


class Rule(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """One fault of a plan.

    Args:
        kind: What goes wrong.
        route: The name of the route it strikes; "": every one.
        alias: The last id in the path (a user's alias value, a subscription, a segment) it strikes; "": every one.
        probability: How likely a matching request is struck.
        skip: Matching requests that are spared first.
        times: How often it strikes at most; None: without end.
        from_s: Seconds of the simulator's clock, counted from the plan's begin, before which it spares every request.
        until_s: Seconds from which on it spares them again; None: never.
        status: Of `Kind.STATUS` and `Kind.STATUS_AFTER`.
        body: Of the same, sent as it is; None: as the vendor writes this error.
        retry_after_s: Of the same: sent as ``Retry-After``. A 429 has one in any case.
        delay_ms: How long the answer, or the end of the connection, takes on the machine's clock.
        jitter_ms: Up to so much is added to the delay, drawn by the plan's seed.
        keep_bytes: Of `Kind.TRUNCATED`; a body that is not longer loses its last byte.
        late_s: Of `Kind.LATE`.
    """

    kind: Kind
    route: str = ""
    alias: str = ""
    probability: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    skip: Count = 0
    times: Count | None = None
    from_s: Amount = 0.0
    until_s: Amount | None = None
    status: Annotated[int, msgspec.Meta(ge=400, le=599)] = 503
    body: str | None = None
    retry_after_s: Count | None = None
    delay_ms: Amount = 0.0
    jitter_ms: Amount = 0.0
    keep_bytes: Count = 0
    late_s: Amount = 0.0

    def meets(self, route: str, parts: Mapping[str, str], after: float) -> bool:
        """Whether a request is of those it may strike, so many seconds after the plan's begin."""
        if (self.route and self.route != route) or (self.alias and self.alias not in parts.values()):
            return False
        return self.from_s <= after and (self.until_s is None or after < self.until_s)


class Plan(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """Rules, tried in order; the first that strikes decides.

    Args:
        rules: In the order of trying.
        seed: Equal seeds and equal requests give equal faults, in whatever order the requests about different users come in.
    """

    rules: list[Rule] = []
    seed: int = 0


class Faults:
    """A plan at work.

    Args:
        plan: What is to go wrong.
        began: When it began, Unix seconds of the simulator's clock; 0: `Rule.from_s` and `Rule.until_s` are Unix seconds.
    """

    def __init__(self, plan: Plan | None = None, began: float = 0.0) -> None:
        self.plan = plan or Plan()
        self._began = began
        self._met = [0] * len(self.plan.rules)
        self._drawn: Counter[tuple[int, str, str]] = Counter()
        self.struck = [0] * len(self.plan.rules)
        """How often each rule struck."""

    def strike(self, route: str, parts: Mapping[str, str], now: float) -> Rule | None:
        """The fault that befalls a request, if any; its jitter is in its delay.

        Args:
            route: The route's name.
            parts: What stands in the path's places.
            now: Unix seconds of the simulator's clock.

        Twice: counts as two requests.
        """
        for number, rule in enumerate(self.plan.rules):
            if not rule.meets(route, parts, now - self._began):
                continue
            self._met[number] += 1
            spent = rule.times is not None and self.struck[number] >= rule.times
            if self._met[number] <= rule.skip or spent:
                continue
            if rule.probability >= 1 and not rule.jitter_ms:
                self.struck[number] += 1
                return rule
            chance, jitter = self._draw(number, route, parts)
            if chance < rule.probability:
                self.struck[number] += 1
                return msgspec.structs.replace(rule, delay_ms=rule.delay_ms + jitter * rule.jitter_ms)
        return None

    def _draw(self, number: int, route: str, parts: Mapping[str, str]) -> tuple[float, float]:
        """Two numbers from 0 to below 1. They follow from the seed, the rule, whom a request is about and how often it came."""
        whom = "\0".join(parts[name] for name in sorted(parts))
        nth = self._drawn[number, route, whom] = self._drawn[number, route, whom] + 1
        drawn = random.Random(f"{self.plan.seed}\0{number}\0{route}\0{whom}\0{nth}")  # noqa: S311  (repeatable on purpose)
        return drawn.random(), drawn.random()
