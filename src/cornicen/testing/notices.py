"""`MemoryNotices`: what people are told, in a list; for tests of flows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cornicen.flows.ports.telling import Kind, Notice


@dataclass
class _Kept:
    notice: Notice
    due: int | None


class MemoryNotices:
    """The `Notices` of `flows.ports`."""

    def __init__(self) -> None:
        self._all: list[_Kept] = []
        self._given = 0

    def open(self) -> frozenset[tuple[str, str]]:
        newest = {(kept.notice.sync, kept.notice.channel): kept.notice.kind for kept in self._all}
        return frozenset(key for key, kind in newest.items() if kind is Kind.VIOLATION)

    def put(self, notices: Sequence[Notice]) -> None:
        for one in notices:
            if ((one.sync, one.channel) in self.open()) != (one.kind is Kind.VIOLATION):
                self._given += 1
                self._all.append(_Kept(replace(one, id=self._given), one.made_at))

    def take(self, channel: str, now: int, until: int) -> Notice | None:
        waiting = set[str]()
        for kept in self._all:
            if kept.notice.channel == channel and kept.due is not None:
                if kept.notice.sync not in waiting and kept.due <= now:
                    kept.due = until
                    return kept.notice
                waiting.add(kept.notice.sync)
        return None

    def said(self, notice: int, now: int) -> None:
        for kept in [kept for kept in self._all if kept.notice.id == notice]:
            kept.due = None
            same = (kept.notice.sync, kept.notice.channel)
            self._all = [
                other for other in self._all if other.notice.id >= notice or (other.notice.sync, other.notice.channel) != same
            ]

    def put_off(self, notice: int, until: int | None) -> None:
        for kept in self._all:
            if kept.notice.id == notice:
                kept.notice, kept.due = replace(kept.notice, attempts=kept.notice.attempts + 1), until
