"""One event, as it stands in a batch, read by the rules of its request."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import msgspec

from cornicen.events.shapes import Event, Ids
from cornicen.integrations.mixpanel import limits
from cornicen.integrations.mixpanel.asking import Asked
from cornicen.integrations.mixpanel.keeping import may_be_long, rewritten, without_token
from cornicen.integrations.mixpanel.linking import KINDS, linked, nobodys
from cornicen.integrations.mixpanel.refusing import (
    DEVICE,
    LONG,
    MICROSECONDS,
    MILLISECONDS_FROM,
    SHORT,
    Refused,
    Rules,
    insert_id,
    moment,
    name,
)
from cornicen.integrations.mixpanel.soundness import PLAIN, UNREADABLE, shaped, sound, unreadable

MOST = 500_000
"""Records that a body may possibly hold if it is read at once; beyond, one by one, so that memory stays bounded."""


class Found(msgspec.Struct, gc=False):
    """What may be an event."""

    event: Any = None
    properties: msgspec.Raw = msgspec.Raw(b"")


class Given(msgspec.Struct, gc=False):
    """Those properties that an event is read by; None: missing or null."""

    time: Any = None
    distinct_id: Any = None
    user_id: Any = msgspec.field(default=None, name="$user_id")
    device_id: Any = msgspec.field(default=None, name="$device_id")
    insert_id: Any = msgspec.field(default=None, name="$insert_id")
    token: Any = None
    ip: Any = None
    ignore: Any = msgspec.field(default=None, name="$ignore")


_found = msgspec.json.Decoder(Found)
_all_found = msgspec.json.Decoder(list[Found])
_properties = msgspec.json.Decoder(Given)


def at_once(asked: Asked) -> list[Found] | None:
    """All records of a request, read much faster than one by one; None where one of them, or their number, hinders that."""
    text = asked.text
    if not asked.utf8 or (len(text) > 3 * MOST and text.count(b"{") > MOST):
        return None
    try:
        if asked.lines:
            found = _found.decode_lines(text)
        elif text.startswith(b"["):
            found = _all_found.decode(text)
        else:
            return None
    except UNREADABLE:
        return None
    return found if 0 < len(found) <= limits.RECORDS and found[0].event is not None else None


def event_of(record: Found | bytes, rules: Rules) -> tuple[str, Event | None]:
    """One event of a request, and, where its sender is not trusted, the project token in it.

    This is the path of every event: what is usual is done in place, and what is not by others.

    Args:
        record: As `at_once` found it, or a slice of the body, which need not be JSON.
        rules: Of its request.

    Returns:
        No event: its sender wishes it to be ignored.

    Raises:
        Refused: It is not one that may be taken.
    """
    try:
        if type(record) is bytes:
            sound(record, rules)
            record = _found.decode(record)
        event, text = record.event, bytes(record.properties)  # type: ignore[union-attr] # it is decoded now
        if type(event) is not str or not event or event.isspace():
            raise Refused("event_missing", "event", "'event' must not be missing or blank", "event, missing")
        if not text or text[0] != 0x7B:
            raise Refused("properties_missing", "properties", "'properties' must not be missing, and must be an object")
        size = len(text)
        alone = (size < PLAIN and 0x5B not in text and 0x7B not in text[1:]) or shaped(text, rules)
        given = _properties.decode(text)
        token = given.token
        if not rules.trusted:
            if type(token) is not str or not token or token.isspace():
                raise _tokenless()
            if given.ignore is not None and given.ignore is not False:
                return token, None
        kept = rewritten(text) if given.ip is not None or (size > limits.TEXT and may_be_long(text)) else text
        if alone and type(token) is str:
            kept = without_token(kept, token)
        if event in KINDS:
            return token, _identity(event, text, kept, given, rules)
    except UNREADABLE as error:
        raise unreadable(error) from None
    distinct, time = given.distinct_id, given.time
    usual = given.user_id is None and given.device_id is None and type(distinct) is str and SHORT < len(distinct) < LONG
    ids = Ids("", "", distinct) if usual else _ids(given, rules)
    micros = time * (1000 if time >= MILLISECONDS_FROM else MICROSECONDS) if type(time) is int else rules.since - 1
    if not rules.since <= micros <= rules.now:
        micros = _time(given, rules)
    key = given.insert_id
    if not (type(key) is str and SHORT < len(key) < LONG and key.isascii() and key.isalnum()):
        key = insert_id(key, rules)
    return token, Event(event if len(event) <= limits.TEXT else event[: limits.TEXT], ids, micros, kept, key)


def _tokenless() -> Refused:
    message = "'properties.token' is invalid: must not be missing"
    return Refused("token_missing", "properties.token", message, "token, missing or empty")


def _identity(event: str, text: bytes, kept: bytes, given: Given, rules: Rules) -> Event:
    """It needs neither time nor insert id: clients leave them out."""
    ids, link = linked(event, text, rules)
    loosely = replace(rules, strict=False)
    return Event(event, ids, _time(given, loosely), kept, insert_id(given.insert_id, loosely), link=link)


def _time(given: Given, rules: Rules) -> int:
    if given.time is None:
        if rules.strict:
            raise Refused("time_missing", "properties.time", "'properties.time' is invalid: must not be missing")
        return rules.now
    micros = moment(given.time, "properties.time", rules)
    if micros < rules.since:
        what = f"'properties.time' is older than {limits.LIVE_DAYS} days; /import takes events of any age"
        raise Refused("time_too_old", "properties.time", what, silent=True)
    return micros


def _ids(given: Given, rules: Rules) -> Ids:
    """Whose event it is. An empty ``distinct_id`` is allowed: the event is kept and belongs to nobody."""
    user = "" if given.user_id is None else name(given.user_id, "properties.$user_id") or ""
    device = "" if given.device_id is None else name(given.device_id, "properties.$device_id") or ""
    distinct = name(given.distinct_id, "properties.distinct_id")
    if distinct is None and (rules.original or not (user or device)):
        if rules.strict:
            raise nobodys()
        distinct = _anonymous(rules.address, given.token) if rules.address else ""
    return Ids(user, device, distinct or "")


def _anonymous(address: str, token: object) -> str:
    """A device's name for an address, the same for the same project. It hides the address from eyes, not from a search."""
    key = str(token).encode("utf-8", "replace")[:64]
    return DEVICE + hashlib.blake2b(address.encode("utf-8", "replace"), key=key, digest_size=16).hexdigest()


def said_of(record: bytes) -> tuple[str, str]:
    """What a failed record says of itself, as far as it can be read: its project token and its insert id."""
    try:
        given = _properties.decode(bytes(_found.decode(record).properties))
    except UNREADABLE:
        return "", ""
    token = given.token if isinstance(given.token, str) and given.token.strip() else ""
    return token, given.insert_id if isinstance(given.insert_id, str) else ""
