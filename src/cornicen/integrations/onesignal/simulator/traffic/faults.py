"""A plan of faults: which requests go wrong, how, and how often. Seeded, so that a run can be repeated."""

from __future__ import annotations

import random
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

import msgspec

Count = Annotated[int, msgspec.Meta(ge=0)]


class Kind(StrEnum):
    """What goes wrong."""

    STATUS = "status"
    """The request is answered with a status (429, 500, 503, …) and not acted on."""
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


class Rule(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """One fault of a plan.

    Args:
        kind: What goes wrong.
        route: The name of the route it strikes; "": every one.
        alias: The last id in the path (a user's alias value, a subscription, a segment) it strikes; "": every one.
        probability: How likely a matching request is struck.
        skip: Matching requests that are spared first.
        times: How often it strikes at most; None: without end.
        status: Of `Kind.STATUS`.
        body: Of `Kind.STATUS`, sent as it is; None: as the vendor writes this error.
        retry_after_s: Of `Kind.STATUS`: sent as ``Retry-After``. A 429 has one in any case.
        delay_ms: How long the answer, or the end of the connection, takes on the machine's clock.
        late_s: Of `Kind.LATE`.
    """

    kind: Kind
    route: str = ""
    alias: str = ""
    probability: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    skip: Count = 0
    times: Count | None = None
    status: Annotated[int, msgspec.Meta(ge=400, le=599)] = 503
    body: str | None = None
    retry_after_s: Count | None = None
    delay_ms: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    late_s: Annotated[float, msgspec.Meta(ge=0)] = 0.0


class Plan(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """Rules, tried in order; the first that strikes decides.

    Args:
        rules: In the order of trying.
        seed: Equal seeds and equal requests give equal faults.
    """

    rules: list[Rule] = []
    seed: int = 0


class Faults:
    """A plan at work.

    Args:
        plan: What is to go wrong.
    """

    def __init__(self, plan: Plan | None = None) -> None:
        self.plan = plan or Plan()
        self._random = random.Random(self.plan.seed)  # noqa: S311  (repeatable on purpose)
        self._met = [0] * len(self.plan.rules)
        self.struck = [0] * len(self.plan.rules)
        """How often each rule struck."""

    def strike(self, route: str, parts: Mapping[str, str]) -> Rule | None:
        """The fault that befalls a request, if any.

        Args:
            route: The route's name.
            parts: What stands in the path's places.

        Twice: counts as two requests.
        """
        for number, rule in enumerate(self.plan.rules):
            if (rule.route and rule.route != route) or (rule.alias and rule.alias not in parts.values()):
                continue
            self._met[number] += 1
            spent = rule.times is not None and self.struck[number] >= rule.times
            if self._met[number] <= rule.skip or spent:
                continue
            if rule.probability >= 1 or self._random.random() < rule.probability:
                self.struck[number] += 1
                return rule
        return None
