"""`/import`: events from trusted servers, in every form that Mixpanel's clients send. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from cornicen.events.shapes import Event, Ids, Refusal
from cornicen.flows.vendors import Credential, Fate, Inbound, Outbound, Parsed, Part
from cornicen.integrations.mixpanel import answers, limits
from cornicen.integrations.mixpanel.asking import Asked, understand
from cornicen.integrations.mixpanel.refusing import (
    MICROSECONDS,
    Refused,
    Rules,
    insert_id,
    kept,
    moment,
    name,
    sound,
    unreadable,
)
from cornicen.wire.basic import basic
from cornicen.wire.body import TooLarge, Unreadable

LIVE_WITHIN = limits.LIVE_DAYS * 86_400 * MICROSECONDS


class _Record(msgspec.Struct, gc=False):
    event: Any = None
    properties: msgspec.Raw = msgspec.Raw(b"")


class _Properties(msgspec.Struct, gc=False):
    time: Any = None
    distinct_id: Any = None
    user_id: Any = msgspec.field(default=None, name="$user_id")
    device_id: Any = msgspec.field(default=None, name="$device_id")
    insert_id: Any = msgspec.field(default=None, name="$insert_id")


Answer = Callable[[Fate], Outbound]

_records = msgspec.json.Decoder(_Record)
_properties = msgspec.json.Decoder(_Properties)


def parse(inbound: Inbound) -> Parsed:
    """A request to `/import`, understood. Pure; never raises for what a sender can send.

    One bad record never sinks its batch: it is named in the answer and travels on as a `Refusal`. Events older than five days
    go by the bulk lane, and everything does where the sender says so.
    """
    asked = understand(inbound)
    credential = _credential(inbound, asked)
    if isinstance(credential, Outbound):
        return Parsed((), lambda _: credential)
    records = asked.records
    if isinstance(records, TooLarge):
        return Parsed((), lambda _: answers.too_large(records))
    strict = (asked.plain and not asked.verbose) if asked.strict is None else asked.strict
    if isinstance(records, Unreadable):
        refusal = Refusal("body_unreadable", "", records.why, kept(asked.text or inbound.body))
        lane = "bulk" if asked.bulk else "live"
        return Parsed((Part(credential, lane, (refusal,)),), _answer_unreadable(records, asked, strict=strict))
    if asked.empty and not asked.strict:
        return Parsed(
            (Part(credential, "live", ()),), _fated(answers.loose(answers.EMPTY, verbose=asked.verbose or asked.plain))
        )
    taken = _take(records, Rules(strict, inbound.now, asked.utf8), bulk=asked.bulk)
    return Parsed(taken.parts(credential), _answer(taken, asked, strict=strict))


def _credential(inbound: Inbound, asked: Asked) -> Credential | Outbound:
    """Who sends: a service account, or a project token; or the answer to somebody who does not say."""
    given = basic(inbound.headers.get("authorization"))
    project = asked.parameters.get("project_id", "").strip()
    if given is None:
        key = asked.parameters.get("api_key", "").strip()
        unnamed = not key or "authorization" in inbound.headers
        return answers.failed(401, answers.UNAUTHORIZED) if unnamed else Credential("token", key, project=project)
    if not given.password:
        return Credential("token", given.username, project=project)
    if not project:
        return answers.failed(400, "project_id is missing: a service account needs it in the query")
    return Credential("account", given.username, given.password, project)


@dataclass
class _Taken:
    """What one request brings."""

    live: list[Event | Refusal] = field(default_factory=list)
    bulk: list[Event | Refusal] = field(default_factory=list)
    failures: list[dict[str, object]] = field(default_factory=list)
    errors: list[Refused] = field(default_factory=list)
    imported: int = 0

    def parts(self, credential: Credential) -> tuple[Part, ...]:
        """By lane; at least one, so that the credential is looked at even if there is nothing to keep."""
        lanes = [("live", self.live)] if self.live or not self.bulk else []
        lanes += [("bulk", self.bulk)] if self.bulk else []
        return tuple(Part(credential, lane, tuple(records)) for lane, records in lanes)


def _take(records: list[bytes], rules: Rules, *, bulk: bool) -> _Taken:
    taken = _Taken()
    live, old = (taken.bulk if bulk else taken.live), taken.bulk
    since = rules.now - LIVE_WITHIN
    for index, record in enumerate(records):
        try:
            event = event_of(record, rules)
        except Refused as refused:
            key = _given_insert_id(record)
            said = {"field": refused.field, "message": refused.message}
            taken.failures.append({"index": index, "insert_id": key, "$insert_id": key, **said})
            taken.errors.append(refused)
            live.append(refused.refusal(record))
        else:
            taken.imported += 1
            (live if event.time >= since else old).append(event)
    return taken


def event_of(record: bytes, rules: Rules) -> Event:
    """One event of a batch.

    Args:
        record: A slice of the body; need not be JSON.
        rules: Of its request.

    Raises:
        Refused: It is not one that may be taken.
    """
    sound(record, rules)
    try:
        found = _records.decode(record)
        event = found.event
        if type(event) is not str or not event.strip():
            raise Refused("event_missing", "event", "'event' must not be missing or blank")
        text = bytes(found.properties)
        if not text.startswith(b"{"):
            raise Refused("properties_missing", "properties", "'properties' must not be missing, and must be an object")
        given = _properties.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise unreadable(error) from None
    return Event(event[: limits.TEXT], _ids(given, rules), _time(given, rules), text, insert_id(given.insert_id, rules))


def _time(given: _Properties, rules: Rules) -> int:
    if given.time is not None:
        return moment(given.time, "properties.time", rules)
    if rules.strict:
        raise Refused("time_missing", "properties.time", "'properties.time' is invalid: must not be missing")
    return rules.now


def _ids(given: _Properties, rules: Rules) -> Ids:
    """Whose event it is. An empty ``distinct_id`` is allowed: the event is kept and belongs to nobody."""
    user = "" if given.user_id is None else name(given.user_id, "properties.$user_id") or ""
    device = "" if given.device_id is None else name(given.device_id, "properties.$device_id") or ""
    distinct = name(given.distinct_id, "properties.distinct_id")
    if distinct is None and rules.strict and not (user or device):
        message = "'properties.distinct_id' is invalid: must not be missing"
        raise Refused("distinct_id_missing", "properties.distinct_id", message)
    return Ids(user, device, distinct or "")


def _given_insert_id(record: bytes) -> str:
    """What a failed record calls itself, as far as it can be read."""
    try:
        key = _properties.decode(bytes(_records.decode(record).properties)).insert_id
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return ""
    return key if isinstance(key, str) else ""


def _answer(taken: _Taken, asked: Asked, *, strict: bool) -> Answer:
    if strict:
        return _fated(answers.strict(taken.imported, taken.failures))
    first = taken.errors[0] if taken.errors and not taken.imported else None
    error = None if first is None else "event, missing" if first.reason == "event_missing" else first.message
    more = {"code": 200, "num_records_imported": taken.imported} if error is None else {}
    return _fated(answers.loose(error, taken.failures, verbose=asked.verbose, **more))


def _answer_unreadable(why: Unreadable, asked: Asked, *, strict: bool) -> Answer:
    return _fated(answers.failed(400, why.why) if strict else answers.loose(why.why, verbose=asked.verbose))


def _fated(answer: Outbound) -> Answer:
    """The answer, unless the records found no place."""

    def fated(fate: Fate) -> Outbound:
        match fate:
            case Fate.DENIED:
                return answers.failed(401, answers.UNAUTHORIZED)
            case Fate.FULL:
                return answers.full()
            case Fate.UNAVAILABLE:
                return answers.unavailable()
            case Fate.KEPT:
                return answer

    return fated
