"""Files that other products export, as the records that the door takes.

Each format turns a file into `Taken` and `Rejected`, in the file's order and without holding it: a broken line is a value.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

import msgspec

IMPORT, ENGAGE = "/import", "/engage"

LONGEST_RECORD = 1_000_000
"""Bytes of JSON; Mixpanel's own limit for one event or profile update."""

KEPT = 4_096
"""Characters of a rejected record that are kept."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A record for the door.

    Args:
        line: Where it begins in the file, counted from 1.
        record: JSON.
    """

    line: int
    record: bytes


@dataclass(frozen=True, slots=True)
class Rejected:
    """A line that holds no record.

    Args:
        line: As `Taken`'s.
        reason: One sentence.
        record: What stood there.
    """

    line: int
    reason: str
    record: str


Records = Iterator[Taken | Rejected]


class _ExportLine(msgspec.Struct):
    event: str
    properties: msgspec.Raw


_export_lines = msgspec.json.Decoder(_ExportLine)
_objects = msgspec.json.Decoder(dict[str, msgspec.Raw])
_OPERATIONS = ("$set", "$set_once", "$add", "$append", "$union", "$remove", "$unset", "$delete")


def mixpanel_export(file: IO[bytes]) -> Records:
    """Mixpanel's raw export: one ``{"event", "properties"}`` a line.

    A line without ``$insert_id`` gets one made of its number and text, so that the same file twice adds nothing.
    """
    for number, line in _lines(file):
        if line == b"terminated early":
            yield Rejected(
                number, "The export was cut short here: what should follow is missing. Export it again.", "terminated early"
            )
            continue
        try:
            found = _export_lines.decode(line)
        except msgspec.DecodeError as error:
            yield _rejected(number, f"Is no event: {error}.", line)
            continue
        properties = bytes(found.properties)
        if not properties.startswith(b"{"):
            yield _rejected(number, "Is no event: `properties` is no object.", line)
        elif b'"$insert_id"' in properties:
            yield Taken(number, line)
        else:
            key = b'{"$insert_id":"%b"' % key_of(number, line)
            rest = properties[1:].lstrip()
            joined = key + (b"" if rest.startswith(b"}") else b",") + rest
            yield Taken(number, b'{"event":%b,"properties":%b}' % (msgspec.json.encode(found.event), joined))


def engage_jsonl(file: IO[bytes], token: str) -> Records:
    """Profiles, one a line: ``{"$distinct_id", "$properties"}`` as read from Mixpanel, or updates as `/engage` takes them."""
    ours = msgspec.Raw(msgspec.json.encode(token))
    for number, line in _lines(file):
        try:
            found = _objects.decode(line)
        except msgspec.DecodeError as error:
            yield _rejected(number, f"Is no profile: {error}.", line)
            continue
        if "$properties" in found:
            found["$set"] = found.pop("$properties")
        if "$distinct_id" not in found:
            yield _rejected(number, "Is no profile: `$distinct_id` is missing.", line)
        elif not any(operation in found for operation in _OPERATIONS):
            yield _rejected(number, "Is no profile: neither `$properties` nor an operation such as `$set` is there.", line)
        else:
            yield Taken(number, msgspec.json.encode({**found, "$token": ours}))


def _lines(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Lines that are not blank, with their numbers; a longer line than any record is cut, and then it is no JSON."""
    number = 0
    while piece := file.readline(LONGEST_RECORD):
        number += 1
        whole = piece
        while not piece.endswith(b"\n") and (piece := file.readline(LONGEST_RECORD)):
            whole = whole[:LONGEST_RECORD]
        if whole := whole.strip():
            yield number, whole


def key_of(line: int, text: bytes) -> bytes:
    """A key for de-duplication of a record that brings none: the same for the same text at the same line."""
    return hashlib.sha256(b"%d %b" % (line, text)).hexdigest()[:32].encode()


def _rejected(line: int, reason: str, record: bytes) -> Rejected:
    return Rejected(line, reason, record[:KEPT].decode("utf-8", "replace"))
