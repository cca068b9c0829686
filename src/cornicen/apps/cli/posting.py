"""Posts records to a door, one batch at a time and in order, until it has them."""

from __future__ import annotations

import base64
import http.client
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from isal import igzip

from cornicen.apps.cli.dialects import DIALECTS, Heard
from cornicen.apps.cli.formats import START, BrokenOff, Place, Records, Rejected, Taken
from cornicen.errors import Denied, NotRunning, Unavailable

MOST_RECORDS = 2_000
MOST_BYTES = 9_000_000
"""Of one body, uncompressed; the door takes 10 MB, as Mixpanel does."""

TRIES = 10
LONGEST_PAUSE = 30.0
PATIENCE = 120.0
"""Seconds for one answer."""

AGAIN = "then import the file again: it goes on where it stopped."


@dataclass
class Batch:
    """Records of one request, and what was rejected between them.

    Args:
        records: In the file's order.
        rejected: In the file's order.
        size: Bytes of the records.
        until: The place of its last piece, either kind: everything up to there is in this batch or an earlier one.
    """

    records: list[Taken] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    size: int = 0
    until: Place = START

    def takes(self, piece: Taken | Rejected) -> bool:
        """Whether a piece more is not too much."""
        full = len(self.records) == MOST_RECORDS or len(self.rejected) == MOST_RECORDS
        return not full and not (self.records and isinstance(piece, Taken) and self.size + len(piece.record) > MOST_BYTES)

    def add(self, piece: Taken | Rejected) -> None:
        """Take the next piece in."""
        if isinstance(piece, Taken):
            self.records.append(piece)
            self.size += len(piece.record) + 1
        else:
            self.rejected.append(piece)
        self.until = Place(piece.part, piece.line)


def batches(records: Records) -> Iterator[Batch]:
    """Group records into requests, as large as the door takes them.

    Raises:
        BrokenOff: As the records do; what came before was given out first.
    """
    batch = Batch()
    try:
        for piece in records:
            if not batch.takes(piece):
                yield batch
                batch = Batch()
            batch.add(piece)
    except BrokenOff:
        if batch.until > START:
            yield batch
        raise
    if batch.until > START:
        yield batch


class Door:
    """A connection to a running door.

    Args:
        address: Its origin, e.g. ``http://127.0.0.1:8585``.
        token: The project's.
        strict: Whether every event is held to all of Mixpanel's rules.
        sleep: Waits so many seconds.
    """

    def __init__(self, address: str, token: str, *, strict: bool, sleep: Callable[[float], None] = time.sleep) -> None:
        parts = urlsplit(address)
        self._address = address
        self._line = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE)
        self._sleep = sleep
        self._strict = strict
        self._token = token
        self._headers = {
            "authorization": "Basic " + base64.b64encode(f"{token}:".encode()).decode(),
            "content-encoding": "gzip",
            "cornicen-lane": "bulk",
        }

    def close(self) -> None:
        """Hang up."""
        self._line.close()

    def post(self, route: str, records: Sequence[Taken]) -> list[Rejected]:
        """Post records and wait until they are safe on the door's disk; which of them were refused, and why.

        Raises:
            Denied: The door does not know the token.
            NotRunning: Nothing listens there.
            Unavailable: It took nothing, however often it was asked.

        Twice: keeps twice; the loader makes one of equal keys.
        """
        refused: list[Rejected] = []
        while records:
            heard = self._said(route, records)
            refused += heard.refused
            records = heard.again
        return refused

    def _said(self, route: str, records: Sequence[Taken]) -> Heard:
        """The door's definite answer to these records, however long it takes."""
        dialect = DIALECTS[route]
        packed = igzip.compress(dialect.body([record.record for record in records], self._token), compresslevel=1)
        path = f"{route}?{dialect.query[self._strict]}".rstrip("?")
        pause = 0.25
        for attempt in range(TRIES):
            status, answer, wait = self._once(path, packed, dialect.content_type, last=attempt == TRIES - 1)
            if status in {200, 400}:
                return dialect.heard(records, status, answer)
            if status in {401, 403}:
                raise Denied("The door does not know this project's token.", "Check that --home names the home that is served.")
            if status == 413 and len(records) > 1:
                return self._halves(route, records)
            if attempt < TRIES - 1:
                self._sleep(max(wait, pause))
                pause = min(pause * 2, LONGEST_PAUSE)
        raise Unavailable(f"The door at {self._address} answered {status} to a batch.", f"Look at its log, {AGAIN}")

    def _halves(self, route: str, records: Sequence[Taken]) -> Heard:
        middle = len(records) // 2
        return Heard([*self.post(route, records[:middle]), *self.post(route, records[middle:])])

    def _once(self, path: str, body: bytes, kind: str, *, last: bool) -> tuple[int, bytes, float]:
        try:
            self._line.request("POST", path, body, {**self._headers, "content-type": kind})
            answer = self._line.getresponse()
            wait = answer.getheader("retry-after") or "0"
            return answer.status, answer.read(), float(wait) if wait.isdigit() else 0.0
        except (OSError, http.client.HTTPException) as error:
            self._line.close()
            if last:
                what = f"The door at {self._address} does not answer: {error}."
                raise NotRunning(what, f"Start it with `cornicen up`, {AGAIN}") from error
            return 0, b"", 0.0
