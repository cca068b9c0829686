"""How each of the door's routes is spoken to: what a batch of records looks like, and what an answer says of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cornicen.apps.cli.formats import BATCH, ENGAGE, IMPORT, Rejected, Taken
from cornicen.errors import Denied


@dataclass(frozen=True)
class Heard:
    """What a definite answer says.

    Args:
        refused: Records that the door will never take, and why.
        again: Records that were not taken because of those; they are to be sent without them.
    """

    refused: list[Rejected] = field(default_factory=list)
    again: list[Taken] = field(default_factory=list)


@dataclass(frozen=True)
class Dialect:
    """One route's.

    Args:
        query: What follows the path, loosely and strictly.
        content_type: Of a body.
        body: Records and the project's token to a body.
        heard: Records, status (200 or 400) and the answer's body to what it says. Raises: Denied.
    """

    query: tuple[str, str]
    content_type: str
    body: Callable[[Sequence[bytes], str], bytes]
    heard: Callable[[Sequence[Taken], int, bytes], Heard]


def _mixpanel(records: Sequence[Taken], status: int, body: bytes) -> Heard:
    """Mixpanel's words: every good record was taken, the others are named."""
    answer = _document(body)
    if answer is None:
        answer = {"status": int(body.strip() == b"1")}
    failed = answer.get("failed_records") or []
    refused = [_refused(records[one["index"]], str(one.get("message"))) for one in failed]
    if not refused and (status == 400 or answer.get("status") == 0):
        refused = [_refused(record, f"The whole batch was refused: {answer.get('error')}.") for record in records]
    return Heard(refused)


NAMED = {
    "events_with_invalid_fields": "'{}' is invalid",
    "events_with_missing_fields": "'{}' is missing",
    "events_with_invalid_id_lengths": "'{}' is too short",
}
"""Amplitude's maps of a field's name to the indexes of the events at fault."""


def _amplitude(records: Sequence[Taken], status: int, body: bytes) -> Heard:
    """Amplitude's words: one record at fault, and nothing of the batch was taken."""
    if status == 200:
        return Heard()
    answer = _document(body) or {}
    error = str(answer.get("error"))
    if error.startswith("Invalid API key"):
        raise Denied("The door does not know this project's token.", "Check that --home names the home that is served.")
    why: dict[int, list[str]] = {}
    for kind, words in NAMED.items():
        for name, indexes in (answer.get(kind) or {}).items():
            for index in indexes:
                why.setdefault(index, []).append(words.format(name))
    if not why:
        return Heard([_refused(record, f"The whole batch was refused: {error}.") for record in records])
    refused = [_refused(records[index], ", ".join(said)) for index, said in sorted(why.items())]
    return Heard(refused, [record for index, record in enumerate(records) if index not in why])


def _document(body: bytes) -> dict[str, Any] | None:
    try:
        answer = json.loads(body)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def _refused(record: Taken, reason: str) -> Rejected:
    return Rejected(record.line, reason, record.record.decode("utf-8", "replace"), record.part)


def _lines(records: Sequence[bytes], _token: str) -> bytes:
    return b"\n".join(records)


def _array(records: Sequence[bytes], _token: str) -> bytes:
    return b"[" + b",".join(records) + b"]"


def _envelope(records: Sequence[bytes], token: str) -> bytes:
    """Ids of any length: those of an export were good once."""
    return b'{"api_key":%b,"options":{"min_id_length":1},"events":[%b]}' % (json.dumps(token).encode(), b",".join(records))


DIALECTS: Mapping[str, Dialect] = {
    IMPORT: Dialect(("strict=0&verbose=1", "strict=1"), "application/x-ndjson", _lines, _mixpanel),
    # Profiles have no laxer rules; their door names what it refuses only when it is asked strictly.
    ENGAGE: Dialect(("strict=1&verbose=1", "strict=1&verbose=1"), "application/json", _array, _mixpanel),
    BATCH: Dialect(("", ""), "application/json", _envelope, _amplitude),
}
