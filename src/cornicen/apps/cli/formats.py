"""Files that other products export, as the records that the door takes.

Each format turns a file into `Taken` and `Rejected`, in the file's order and without holding it: a broken line is a value.
Whoever has read some of a file before asks for what follows, and gets the same numbers and keys as the first time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator
from typing import IO, Literal, NamedTuple

import msgspec

Format = Literal["mixpanel-export", "engage-jsonl", "csv", "parquet", "amplitude-export"]

IMPORT, ENGAGE, BATCH = "/import", "/engage", "/batch"

LONGEST_RECORD = 1_000_000
"""Bytes of JSON; Mixpanel's own limit for one event or profile update."""

KEPT = 4_096
"""Characters of a rejected record that are kept."""


class Place(NamedTuple):
    """A record's place in a file; places are ordered as the records are.

    Args:
        part: Which of the file's members, counted from 0; 0 where it has none.
        line: Where the record begins in that member, counted from 1; 0: before the first.
    """

    part: int = 0
    line: int = 0


START = Place()


class Taken(msgspec.Struct, frozen=True, gc=False):
    """A record for the door.

    Args:
        line: As `Place`'s.
        record: JSON.
        part: As `Place`'s.
    """

    line: int
    record: bytes
    part: int = 0


class Rejected(msgspec.Struct, frozen=True, gc=False):
    """A line that holds no record.

    Args:
        line: As `Place`'s.
        reason: One sentence.
        record: What stood there.
        part: As `Place`'s.
    """

    line: int
    reason: str
    record: str
    part: int = 0


class BrokenOff(Exception):
    """From here on the file cannot be read: it is damaged, or was cut off. What came before is good."""


Records = Generator[Taken | Rejected]


class _ExportProperties(msgspec.Struct, gc=False):
    time: msgspec.Raw = msgspec.Raw(b"null")
    insert_id: msgspec.Raw = msgspec.field(default=msgspec.Raw(b"null"), name="$insert_id")


class _ExportLine(msgspec.Struct, gc=False):
    event: str
    properties: _ExportProperties


_export_lines = msgspec.json.Decoder(_ExportLine)
_objects = msgspec.json.Decoder(dict[str, msgspec.Raw])
_OPERATIONS = ("$set", "$set_once", "$add", "$append", "$union", "$remove", "$unset", "$delete")
NULL = b"null"


def mixpanel_export(file: IO[bytes], after: int = 0) -> Records:
    """Mixpanel's raw export: one ``{"event", "properties"}`` a line.

    A line without ``$insert_id`` gets one made of its number and text, so that the same file twice adds nothing. One without
    ``time`` is rejected: the door would take it for an event of this moment, which a line of an export never is.
    """
    for number, line in lines(file, after):
        if line == b"terminated early":
            yield Rejected(
                number, "The export was cut short here: what should follow is missing. Export it again.", "terminated early"
            )
            continue
        try:
            found = _export_lines.decode(line)
        except msgspec.DecodeError as error:
            yield rejected(number, f"Is no event: {error}.", line)
            continue
        if bytes(found.properties.time) == NULL:
            yield rejected(number, "Is no event of an export: `time` is missing.", line)
        elif bytes(found.properties.insert_id) == NULL:
            yield Taken(number, _with_key(line, key_of(number, line)))
        else:
            yield Taken(number, line)


def _with_key(line: bytes, key: str) -> bytes:
    """The line with a key for de-duplication; every other value stays as it was written."""
    event = _objects.decode(line)
    properties = _objects.decode(bytes(event["properties"]))
    properties["$insert_id"] = msgspec.Raw(msgspec.json.encode(key))
    return msgspec.json.encode({"event": event["event"], "properties": properties})


def engage_jsonl(file: IO[bytes], token: str, after: int = 0) -> Records:
    """Profiles, one a line: ``{"$distinct_id", "$properties"}`` as read from Mixpanel, or updates as `/engage` takes them."""
    ours = msgspec.Raw(msgspec.json.encode(token))
    for number, line in lines(file, after):
        try:
            found = _objects.decode(line)
        except msgspec.DecodeError as error:
            yield rejected(number, f"Is no profile: {error}.", line)
            continue
        if "$properties" in found:
            found["$set"] = found.pop("$properties")
        if "$distinct_id" not in found:
            yield rejected(number, "Is no profile: `$distinct_id` is missing.", line)
        elif not any(operation in found for operation in _OPERATIONS):
            yield rejected(number, "Is no profile: neither `$properties` nor an operation such as `$set` is there.", line)
        else:
            key = msgspec.Raw(msgspec.json.encode(key_of(number, line)))
            yield Taken(number, msgspec.json.encode({"$insert_id": key, **found, "$token": ours}))


def lines(file: IO[bytes], after: int = 0) -> Iterator[tuple[int, bytes]]:
    """Lines that are not blank, with their numbers; a longer line than any record is cut, and then it is no JSON.

    Args:
        file: At its beginning.
        after: So many lines are passed over.
    """
    number = 0
    while piece := file.readline(LONGEST_RECORD):
        number += 1
        whole = piece
        while not piece.endswith(b"\n") and (piece := file.readline(LONGEST_RECORD)):
            whole = whole[:LONGEST_RECORD]
        if number > after and (whole := whole.strip()):
            yield number, whole


def key_of(line: int, text: bytes) -> str:
    """A key for de-duplication of a record that brings none: the same for the same text at the same line."""
    return hashlib.sha256(b"%d %b" % (line, text)).hexdigest()[:32]


def rejected(line: int, reason: str, record: bytes, part: int = 0) -> Rejected:
    """A line that holds no record, as much of it as is kept."""
    return Rejected(line, reason, record[:KEPT].decode("utf-8", "replace"), part)
