"""Rejected records, kept in a file beside the imported one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO

import msgspec

from cornicen.apps.cli.formats import Rejected
from cornicen.apps.cli.positions import Tally
from cornicen.errors import BadFile

MOST_REASONS = 100
"""Different reasons that are counted apart; some quote what they found."""


class Rejects:
    """Keeps what was rejected, one JSON object a line, and counts it. To be used as ``with``.

    A record that is a JSON object stands there as that, so that it can be mended and imported; any other is a text.
    The file is made with the first one. An import that goes on continues its file where the tally says that it was: what
    was written after that is written again. The project's token stays out of it.

    Args:
        path: The file.
        token: The project's.
        tally: Where it is counted.
        members: Names of the imported file's members; empty: it has none.
    """

    def __init__(self, path: Path, token: str, tally: Tally, members: Sequence[str]) -> None:
        self._path = path
        self._token = token
        self._tally = tally
        self._members = members
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Rejects:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()

    def keep(self, rejected: Sequence[Rejected]) -> None:
        """Keep some; when it returns they survive this process. Raises: BadFile where nothing can be written."""
        if not rejected:
            return
        if self._file is None:
            self._file = self._opened()
        for one in rejected:
            self._count(one.reason)
            self._file.write(self._written(one))
        self._file.flush()
        self._tally.rejects, self._tally.rejects_size = str(self._path), self._file.tell()

    def _opened(self) -> IO[bytes]:
        try:
            file = self._path.open("r+b" if self._tally.rejects and self._path.exists() else "wb")
        except OSError as error:
            what = f"{self._path} cannot be written: {error.strerror}."
            raise BadFile(what, "Rejected records are kept there; make it possible, or copy the file.") from error
        if file.seek(0, 2) > self._tally.rejects_size:
            file.truncate(self._tally.rejects_size)
            file.seek(0, 2)
        return file

    def _count(self, reason: str) -> None:
        self._tally.rejected += 1
        counted = reason if reason in self._tally.reasons or len(self._tally.reasons) < MOST_REASONS else "Other reasons."
        self._tally.reasons[counted] = self._tally.reasons.get(counted, 0) + 1

    def _written(self, one: Rejected) -> bytes:
        member = {"member": self._members[one.part]} if self._members else {}
        record = _record(_sound(one.record.replace(self._token, "(left out)")))
        return msgspec.json.encode({**member, "line": one.line, "reason": _sound(one.reason), "record": record}) + b"\n"


def _sound(text: str) -> str:
    """A text that UTF-8 can hold."""
    return text.encode("utf-8", "replace").decode()


def _record(text: str) -> str | msgspec.Raw:
    """An object in one line, each value as it was written; or what is none, as text."""
    try:
        return msgspec.Raw(msgspec.json.format(text.encode(), indent=-1)) if text.lstrip().startswith("{") else text
    except (msgspec.DecodeError, RecursionError):
        return text
