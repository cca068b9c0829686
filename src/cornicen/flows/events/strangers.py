"""Strangers: requests with a credential of no project. Some vendors tell their senders yes all the same, so we count them."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from cornicen.flows.vendors import Credential

MOST = 50
"""Credentials counted apart; whoever has been silent longest is counted among the others of its route."""

SHOWN = 4
"""Characters of a credential that are kept; no more of it is, also not in memory."""

OTHERS = "others"


@dataclass(frozen=True)
class Stranger:
    """Requests of one route with one credential.

    Args:
        source: The route, e.g. ``mixpanel:/track``.
        credential: Its kind and its first characters, e.g. ``token 6f2a…``; `OTHERS` for those not counted apart.
        requests: How many.
        last: When the latest came, microseconds.
    """

    source: str
    credential: str
    requests: int
    last: int


class Strangers:
    """Counts them since the door started, in bounded memory."""

    def __init__(self) -> None:
        self._apart: OrderedDict[tuple[str, str], Stranger] = OrderedDict()
        self._others: dict[str, Stranger] = {}

    def note(self, source: str, credential: Credential, now: int) -> None:
        """Count a request. Twice: counts twice.

        Args:
            source: The route; there are few.
            credential: What it was sent with.
            now: Microseconds.
        """
        key = (source, masked(credential))
        before = self._apart.pop(key, Stranger(*key, 0, now))
        self._apart[key] = Stranger(*key, before.requests + 1, max(before.last, now))
        if len(self._apart) > MOST:
            self._forget(self._apart.popitem(last=False)[1])

    def _forget(self, silent: Stranger) -> None:
        before = self._others.get(silent.source, Stranger(silent.source, OTHERS, 0, silent.last))
        last = max(before.last, silent.last)
        self._others[silent.source] = Stranger(silent.source, OTHERS, before.requests + silent.requests, last)

    def counted(self) -> list[Stranger]:
        """All, the latest first; requests sum up to all that were noted."""
        return sorted([*self._apart.values(), *self._others.values()], key=lambda stranger: stranger.last, reverse=True)


def masked(credential: Credential) -> str:
    """A credential as it may be shown: its kind and the first characters of its name; of a bare secret nothing."""
    name = "".join(letter if letter.isprintable() else "?" for letter in credential.username[:SHOWN])
    kind = credential.kind.replace("_", " ")
    if not name:
        return kind if credential.secret else f"empty {kind}"
    return f"{kind} {name}…"
