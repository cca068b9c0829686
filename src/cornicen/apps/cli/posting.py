"""Posts records to a door, one batch at a time and in order, until it has them."""

from __future__ import annotations

import base64
import http.client
import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from isal import igzip

from cornicen.apps.cli.formats import ENGAGE, IMPORT, Rejected, Taken
from cornicen.errors import Denied, NotRunning, Unavailable

MOST_RECORDS = 2_000
MOST_BYTES = 9_000_000
"""Of one body, uncompressed; the door takes 10 MB, as Mixpanel does."""

TRIES = 10
LONGEST_PAUSE = 30.0
PATIENCE = 120.0
"""Seconds for one answer."""


@dataclass
class Batch:
    """Records of one request."""

    records: list[Taken]
    size: int = 0


def batches(records: Iterable[Taken | Rejected]) -> Iterator[Batch | Rejected]:
    """Group records into requests, as large as the door takes them; rejected lines pass through at their place."""
    batch = Batch([])
    for record in records:
        if isinstance(record, Rejected):
            yield record
            continue
        if batch.records and (len(batch.records) == MOST_RECORDS or batch.size + len(record.record) > MOST_BYTES):
            yield batch
            batch = Batch([])
        batch.records.append(record)
        batch.size += len(record.record) + 1
    if batch.records:
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
        self._query = {  # profiles have no laxer rules; their door names what it refuses only when it is asked strictly
            IMPORT: "strict=1" if strict else "strict=0&verbose=1",
            ENGAGE: "strict=1&verbose=1",
        }
        self._headers = {
            "authorization": "Basic " + base64.b64encode(f"{token}:".encode()).decode(),
            "content-encoding": "gzip",
            "cornicen-lane": "bulk",
        }

    def close(self) -> None:
        """Hang up."""
        self._line.close()

    def post(self, route: str, batch: Batch) -> list[Rejected]:
        """Post a batch and wait until it is safe on the door's disk; which of its records were refused, and why.

        Raises:
            Denied: The door does not know the token.
            NotRunning: Nothing listens there.
            Unavailable: It took nothing, however often it was asked.

        Twice: keeps twice; the loader makes one of equal keys.
        """
        records = [record.record for record in batch.records]
        body = b"\n".join(records) if route == IMPORT else b"[" + b",".join(records) + b"]"
        packed = igzip.compress(body, compresslevel=1)
        kind = "application/x-ndjson" if route == IMPORT else "application/json"
        pause = 0.25
        for attempt in range(TRIES):
            status, answer, wait = self._once(route, packed, kind, last=attempt == TRIES - 1)
            if status in {200, 400}:
                return _refused(batch, answer, status)
            if status in {401, 403}:
                raise Denied("The door does not know this project's token.", "Check that --home names the home that is served.")
            if status == 413 and len(batch.records) > 1:
                return self._halves(route, batch)
            if attempt < TRIES - 1:
                self._sleep(max(wait, pause))
                pause = min(pause * 2, LONGEST_PAUSE)
        raise Unavailable(
            f"The door at {self._address} answered {status} to a batch.", "Look at its log, and import the file again."
        )

    def _halves(self, route: str, batch: Batch) -> list[Rejected]:
        middle = len(batch.records) // 2
        return [
            refused for half in (batch.records[:middle], batch.records[middle:]) for refused in self.post(route, Batch(half))
        ]

    def _once(self, route: str, body: bytes, kind: str, *, last: bool) -> tuple[int, bytes, float]:
        try:
            self._line.request("POST", f"{route}?{self._query[route]}", body, {**self._headers, "content-type": kind})
            answer = self._line.getresponse()
            wait = answer.getheader("retry-after") or "0"
            return answer.status, answer.read(), float(wait) if wait.isdigit() else 0.0
        except (OSError, http.client.HTTPException) as error:
            self._line.close()
            if last:
                raise NotRunning(
                    f"The door at {self._address} does not answer: {error}.", "Start it with `cornicen up`."
                ) from error
            return 0, b"", 0.0


def _refused(batch: Batch, body: bytes, status: int) -> list[Rejected]:
    """What the door says of single records, in Mixpanel's words."""
    try:
        answer: Any = json.loads(body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        answer = {"status": int(body.strip() == b"1")}
    refused = []
    for failed in answer.get("failed_records") or []:
        record = batch.records[failed["index"]]
        refused.append(Rejected(record.line, str(failed.get("message")), record.record.decode("utf-8", "replace")))
    if not refused and (status == 400 or answer.get("status") == 0):
        why = f"The whole batch was refused: {answer.get('error')}."
        refused = [Rejected(record.line, why, record.record.decode("utf-8", "replace")) for record in batch.records]
    return refused
