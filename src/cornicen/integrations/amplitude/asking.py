"""What a request to Amplitude's event ingestion asks for: its envelope opened, its events taken apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from cornicen.flows.vendors import Inbound, Outbound, Parsed
from cornicen.integrations.amplitude import answers, limits
from cornicen.integrations.amplitude.given import OF_EVENTS, OF_PROFILES, SKIP, Given
from cornicen.integrations.amplitude.texts import whole
from cornicen.wire import body

LANE_HEADER = "cornicen-lane"
"""A header of ours: ``bulk`` puts everything of the request into the bulk lane. `cornicen import` sends it."""

MOST_NAMES = 200_000
"""A body above `limits.BODY` with more names of members than this is read event by event, so that memory stays bounded."""

ABSENT = msgspec.Raw(b"")
"""A field that was not sent."""


class _Envelope(msgspec.Struct, gc=False):
    events: msgspec.Raw = ABSENT
    api_key: msgspec.Raw = ABSENT
    options: msgspec.Raw = ABSENT
    client_upload_time: msgspec.Raw = ABSENT


class _Opened(msgspec.Struct, gc=False):
    events: list[Given]
    api_key: msgspec.Raw = ABSENT
    options: msgspec.Raw = ABSENT
    client_upload_time: msgspec.Raw = ABSENT


_envelopes = msgspec.json.Decoder(_Envelope)
_quick = msgspec.json.Decoder(_Opened)

_FIELDS = sorted({"event_type", "time", "event_properties", "group_properties", SKIP, *OF_EVENTS, *OF_PROFILES})
_PLACES = [f"f{place}" for place in range(len(_FIELDS))]
_Known = msgspec.defstruct(
    "_Known",
    [(place, msgspec.Raw, ABSENT) for place in _PLACES],
    rename=dict(zip(_PLACES, _FIELDS, strict=True)),
    gc=False,
)
_known = msgspec.json.Decoder(_Known)
_anything = msgspec.json.Decoder()


@dataclass(frozen=True)
class Asked:
    """A request, understood as far as its envelope goes.

    Args:
        key: The project's; as sent.
        events: In order; None stands for what is no object. None: there is no list of events.
        size: Bytes of the body, unpacked.
        shortest: Characters of an id.
        shift: Microseconds by which the sender's clock is behind.
        bulk: Whether the sender wants the bulk lane.
        text: The body.
    """

    key: str
    events: Sequence[Given | None] | None
    size: int
    shortest: int
    shift: int
    bulk: bool
    text: bytes = field(repr=False)

    def records(self) -> list[bytes]:
        """The events as they came."""
        return _sliced(bytes(_envelopes.decode(self.text).events))


def understand(inbound: Inbound, limit: int) -> Asked | Outbound:
    """Open the envelope, or say why not; in the order in which Amplitude looks. Never raises.

    Args:
        inbound: The request.
        limit: Bytes allowed, unpacked.
    """
    text = _text(inbound, limit)
    if isinstance(text, Outbound):
        return text
    try:
        text.isascii() or text.decode()
        opened, text = _opened(text)
        events = opened.events if isinstance(opened, _Opened) else _one_by_one(bytes(opened.events))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return answers.failed(400, answers.NOT_JSON)
    if events is not None and len(events) > limits.EVENTS:
        return answers.too_large()
    key = _key(bytes(opened.api_key))
    if not key:
        return answers.missing("api_key")
    bulk = inbound.headers.get(LANE_HEADER, "").strip().lower() == "bulk"
    shift = _shift(_read(opened.client_upload_time), inbound.now)
    return Asked(key, events, len(text), shortest(_read(opened.options)), shift, bulk, text)


def _text(inbound: Inbound, limit: int) -> bytes | Outbound:
    """The body, unpacked and not empty."""
    unpacked = body.unpacked(inbound.body, inbound.headers.get("content-encoding", ""), limit)
    if isinstance(unpacked, body.TooLarge):
        return answers.too_large()
    if isinstance(unpacked, body.Unreadable):
        return answers.failed(400, answers.NOT_JSON)
    text = unpacked.removeprefix(b"\xef\xbb\xbf")
    return text if text.strip() else answers.failed(400, answers.NO_BODY)


def _opened(text: bytes) -> tuple[_Opened | _Envelope, bytes]:
    """The envelope, and the text that it was read from: halves of surrogate pairs are mended where they are what is wrong."""
    try:
        if len(text) <= limits.BODY or text.count(b'":') <= MOST_NAMES:
            return _quick.decode(text), text
    except msgspec.ValidationError:
        pass  # some element is no object; which, the slower way finds
    except msgspec.DecodeError:
        text = whole(text)
    return _envelopes.decode(text), text


def _one_by_one(text: bytes) -> list[Given | None] | None:
    """Each event; None where there is no list of events."""
    if not text.startswith(b"["):
        return None
    return [_event(record) if record.startswith(b"{") else None for record in _sliced(text)]


def _event(record: bytes) -> Given:
    """Those fields of an event that mean something."""
    sent = zip(_FIELDS, msgspec.structs.astuple(_known.decode(record)), strict=True)
    return {field: raw for field, raw in sent if raw is not ABSENT}


def _sliced(text: bytes) -> list[bytes]:
    """The elements of a JSON array, at most one more than is allowed."""
    found = body.records(text, limits.EVENTS)
    return found if isinstance(found, list) else [b""] * (limits.EVENTS + 1)


def _key(text: bytes) -> str:
    """The project's key; one that is no text is nobody's, but is named."""
    key = _anything.decode(text) if text.startswith(b'"') else "" if text == b"null" else text.decode()
    return str(key)


def _read(raw: msgspec.Raw) -> object:
    """A field of the envelope; None where it cannot be read."""
    try:
        return _anything.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return None


def shortest(options: object) -> int:
    """How many characters an id has at least, as a request's ``options`` say."""
    told = options.get("min_id_length") if isinstance(options, dict) else None
    return told if type(told) is int else limits.ID


def _shift(uploaded: object, now: int) -> int:
    """How far behind the sender's clock is, if that is too much to be the way here."""
    try:
        sent = datetime.fromisoformat(uploaded) if isinstance(uploaded, str) else None
    except ValueError:
        sent = None
    if sent is None:
        return 0
    past = (sent if sent.tzinfo else sent.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    behind = now - ((past.days * 86_400 + past.seconds) * 1_000_000 + past.microseconds)
    return behind if abs(behind) >= limits.SKEW * 1_000_000 else 0


def unowned(answer: Outbound, why: str = "unreadable body") -> Parsed:
    """A request of which nobody can tell whose it is, or that is not read far enough to; see `Parsed.nobodys`."""
    return Parsed((), lambda _: answer, nobodys="body too large" if answer.status == 413 else why)
