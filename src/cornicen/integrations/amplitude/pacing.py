"""How much one user or device may send, where the house throttles."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from cornicen.events.shapes import Event, Ids, ProfileChange, Record
from cornicen.flows.vendors import Outbound, Paces
from cornicen.integrations.amplitude import answers


@dataclass(frozen=True)
class Pace:
    """Asks whether any user or device of a request is too fast; then nobody of it counts.

    Args:
        records: Of the request, in order.
        route: The limits of each route are apart.
        limit: Events a second.
        now: Microseconds.
    """

    records: Sequence[Record]
    route: str
    limit: float
    now: int

    def __call__(self, paces: Paces) -> Outbound | None:
        """The answer that names who is too fast; None: nobody is, and all are counted. Twice: counts twice."""
        whom = [record.ids if isinstance(record, Event | ProfileChange) else Ids() for record in self.records]
        counts = Counter(f"{self.route} device:{ids.device}" for ids in whom if ids.device)
        counts.update(f"{self.route} user:{ids.user}" for ids in whom if ids.user)
        over = paces.take(counts, self.limit, self.now)
        if not over:
            return None
        found: dict[str, dict[str, int]] = {"device": {}, "user": {}}
        for name, pace in over.items():
            kind, _, who = name.removeprefix(f"{self.route} ").partition(":")
            found[kind][who] = math.ceil(pace)
        devices, users = found["device"], found["user"]
        events = [index for index, ids in enumerate(whom) if ids.device in devices or ids.user in users]
        return answers.throttled(self.limit, devices, users, events)
