"""Strangers: requests with a credential of no project, or that nobody can tell whose they are.

Some vendors tell their senders yes all the same, so we count them.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from cornicen.flows.vendors import Credential

MOST = 50
"""Credentials counted apart, reasons for want of one among them; whoever has been silent longest is counted among the others of
its route."""

SHOWN = 4
"""Characters of a credential that are kept; no more of it is, also not in memory."""

OTHERS = "others"

TELL_AFTER = 1.0
"""Seconds after which a door tells the others what it has counted."""


@dataclass(frozen=True)
class Stranger:
    """Requests of one route with one credential, or without for one reason.

    Args:
        source: The route, e.g. ``mixpanel:/track``.
        credential: Its kind and its first characters, e.g. ``token 6f2a…``; why there is none, e.g. ``unreadable body``;
            `OTHERS` for those not counted apart.
        requests: How many.
        last: When the latest came, microseconds.
    """

    source: str
    credential: str
    requests: int
    last: int


class Strangers:
    """Counts them since the door started, in bounded memory, and tells the other doors of the house through a file each.

    Args:
        file: Where this door tells; the others' are beside it, under names that begin the same. None: there are no others.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file, self._telling = file, False
        if file is not None:
            file.unlink(missing_ok=True)
        self._apart: OrderedDict[tuple[str, str], Stranger] = OrderedDict()
        self._others: dict[str, Stranger] = {}

    def note(self, source: str, credential: Credential, now: int) -> None:
        """Count a request. Twice: counts twice.

        Args:
            source: The route; there are few.
            credential: What it was sent with.
            now: Microseconds.
        """
        self._count((source, masked(credential)), now)

    def note_nobodys(self, source: str, why: str, now: int) -> None:
        """Count a request of which nobody can tell whose it is. Twice: counts twice.

        Args:
            source: The route.
            why: `cornicen.flows.vendors.Parsed.nobodys`; there are few.
            now: Microseconds.
        """
        self._count((source, why), now)

    def _count(self, key: tuple[str, str], now: int) -> None:
        before = self._apart.pop(key, Stranger(*key, 0, now))
        self._apart[key] = Stranger(*key, before.requests + 1, max(before.last, now))
        if len(self._apart) > MOST:
            self._forget(self._apart.popitem(last=False)[1])
        if self._file is not None and not self._telling:
            self._telling = True
            asyncio.get_running_loop().call_later(TELL_AFTER, self._tell, self._file)

    def _tell(self, file: Path) -> None:
        self._telling = False
        file.write_bytes(msgspec.json.encode(self._own()))

    def _forget(self, silent: Stranger) -> None:
        before = self._others.get(silent.source, Stranger(silent.source, OTHERS, 0, silent.last))
        last = max(before.last, silent.last)
        self._others[silent.source] = Stranger(silent.source, OTHERS, before.requests + silent.requests, last)

    def counted(self) -> list[Stranger]:
        """All of this house, the latest first; what other doors have counted in the last seconds may be missing."""
        found: dict[tuple[str, str], Stranger] = {}
        for one in [*self._own(), *self._others_of_the_house()]:
            key = (one.source, one.credential)
            same = found.get(key, replace(one, requests=0))
            found[key] = replace(one, requests=one.requests + same.requests, last=max(one.last, same.last))
        return sorted(found.values(), key=lambda stranger: stranger.last, reverse=True)

    def _own(self) -> list[Stranger]:
        return [*self._apart.values(), *self._others.values()]

    def _others_of_the_house(self) -> list[Stranger]:
        found: list[Stranger] = []
        if self._file is not None:
            for path in self._file.parent.glob(f"{self._file.name.partition('-')[0]}-*.json"):
                if path != self._file:
                    with contextlib.suppress(OSError, msgspec.MsgspecError):  # it may be written just now
                        found += msgspec.json.decode(path.read_bytes(), type=list[Stranger])
        return found


def masked(credential: Credential) -> str:
    """A credential as it may be shown: its kind and the first characters of its name; of a bare secret nothing."""
    name = "".join(letter if letter.isprintable() else "?" for letter in credential.username[:SHOWN])
    kind = credential.kind.replace("_", " ")
    if not name:
        return kind if credential.secret else f"empty {kind}"
    return f"{kind} {name}…"
