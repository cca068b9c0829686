"""What of an event's properties is kept: all but the sender's address and the project's token, texts cut to their longest.

What needs no change stays byte for byte as it came.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from cornicen.integrations.mixpanel import limits

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_elements = msgspec.json.Decoder(list[msgspec.Raw])
_texts = msgspec.json.Decoder(str)


def may_be_long(text: bytes) -> bool:
    """Whether some JSON text in there may have more than `limits.TEXT` characters. False is certain, True is not."""
    place, end = 0, len(text) - limits.TEXT
    while place < end:
        quote = text.rfind(b'"', place, place + limits.TEXT + 1)
        if quote < 0:
            return True
        place = quote + 1
    return 0x5C in text and b'\\"' in text  # a text that holds quotes looks like several


def rewritten(text: bytes) -> bytes:
    """A JSON object without ``ip`` and with every text cut to `limits.TEXT`. Raises: msgspec.DecodeError: it cannot be read."""
    return msgspec.json.encode({name: _cut(bytes(raw)) for name, raw in _members.decode(text).items() if name != "ip"})


@lru_cache(1024)
def _spellings(token: str) -> tuple[bytes, bytes]:
    value = msgspec.json.encode(token)
    return b'"token":' + value + b",", b'"token": ' + value + b", "


def without_token(text: bytes, token: str) -> bytes:
    """Take the property ``token`` out where that takes no closer look; else it stays, and does no harm.

    A quote before a name opens that name unless it is escaped; where there are no objects inside, it is a property's.

    Args:
        text: A JSON object that holds no objects.
        token: The property's value.
    """
    close, spaced = _spellings(token)
    if 0x5C in text and (b"\\" + close in text or b"\\" + spaced in text):
        return text
    shorter = text.replace(close, b"", 1)
    return shorter if len(shorter) < len(text) else text.replace(spaced, b"", 1)


def _cut(raw: bytes) -> msgspec.Raw:
    """A JSON value, its texts cut; numbers keep their digits, and what is short stays as it is."""
    if len(raw) > limits.TEXT:
        match raw[:1]:
            case b'"':
                raw = msgspec.json.encode(_texts.decode(raw)[: limits.TEXT])
            case b"[":
                raw = msgspec.json.encode([_cut(bytes(item)) for item in _elements.decode(raw)])
            case b"{":
                raw = msgspec.json.encode({name: _cut(bytes(item)) for name, item in _members.decode(raw).items()})
    return msgspec.Raw(raw)
