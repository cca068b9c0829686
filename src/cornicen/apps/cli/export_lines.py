"""Events as the lines of Mixpanel's raw export, which `cornicen import --format mixpanel-export` reads again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

MICROSECONDS = 1_000_000
EARLIEST_IN_MILLISECONDS = 31_536_000_000
"""A received ``time`` from here on is milliseconds (the start of 1971), below it seconds."""

NULL = msgspec.Raw(b"null")


class _Said(msgspec.Struct, gc=False):
    """What an event's properties say of what a line must say."""

    time: msgspec.Raw = NULL
    distinct_id: msgspec.Raw = NULL
    insert_id: msgspec.Raw = msgspec.field(default=NULL, name="$insert_id")
    token: msgspec.Raw = NULL


_said = msgspec.json.Decoder(_Said)
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode = msgspec.json.encode


def line(event: Mapping[str, Any], token: str) -> bytes:
    """An event as one line, without its end.

    Its properties are those received, byte for byte, where they say time, id and key already. ``time`` is in seconds, with a
    fraction where it has one. An event without a key gets one that is the same in every export of this project. What an
    Amplitude sender calls ``time``, ``distinct_id`` or ``$insert_id`` among properties of its own gives way.

    Args:
        event: As the keeper's question ``export`` answers.
        token: The project's; a line does not hold it.
    """
    text = event["properties"].encode()
    said = _said.decode(text)
    changed: dict[str, msgspec.Raw | None] = {}
    if event["first_stays"] or not _means(bytes(said.time), event["time"]):
        changed["time"] = msgspec.Raw(_seconds(event["time"]))
    if event["first_stays"] or bytes(said.distinct_id) == b"null":
        changed["distinct_id"] = msgspec.Raw(_encode(event["distinct_id"]))
    key = event["insert_id"] or _key(event, text)
    if _text(bytes(said.insert_id)) != key:
        changed["$insert_id"] = msgspec.Raw(_encode(key))
    if bytes(said.token) == _encode(token):
        changed["token"] = None
    if changed:
        members = {**_members.decode(text), **changed}
        text = _encode({name: raw for name, raw in members.items() if raw is not None})
    whole = b'{"event":%b,"properties":%b}' % (_encode(event["event"]), text)
    return whole.replace(b"\n", b" ").replace(b"\r", b" ")  # they stand between JSON's tokens only


def _means(raw: bytes, micros: int) -> bool:
    """Whether a received ``time`` says this moment, in seconds."""
    try:
        value = msgspec.json.decode(raw, type=int | float)
    except msgspec.DecodeError:
        return False
    return abs(value) < EARLIEST_IN_MILLISECONDS and round(value * MICROSECONDS) == micros


def _seconds(micros: int) -> bytes:
    """Microseconds as a JSON number of seconds, exactly."""
    whole, rest = divmod(abs(micros), MICROSECONDS)
    fraction = f".{rest:06d}".rstrip("0") if rest else ""
    return f"{'-' if micros < 0 else ''}{whole}{fraction}".encode()


def _text(raw: bytes) -> str:
    """A received key as text: a number is its literal."""
    return msgspec.json.decode(raw, type=str) if raw.startswith(b'"') else raw.decode()


def _key(event: Mapping[str, Any], text: bytes) -> str:
    """A key for an event that came without: two of them are never one, and one is the same each time."""
    return hashlib.sha256(b"%d %d %b" % (event["load"], event["arrived"], text)).hexdigest()[:32]
