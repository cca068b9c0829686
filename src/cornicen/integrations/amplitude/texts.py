"""JSON texts made fit for keeping, byte for byte as they came wherever they are within the limits."""

from __future__ import annotations

import re

import msgspec

from cornicen.integrations.amplitude import limits

_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_BRACKET = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{}]', re.DOTALL)
_texts = msgspec.json.Decoder(str)


def fitted(text: bytes) -> bytes:
    """A JSON text, every string in it that is too long cut to `limits.TEXT` characters, names too.

    Args:
        text: Sound JSON.
    """
    if len(text) <= limits.TEXT or (b'\\"' not in text and max(map(len, text.split(b'"'))) <= limits.TEXT):
        return text
    return _STRING.sub(_cut, text)


def _cut(match: re.Match[bytes]) -> bytes:
    if len(match[0]) - 2 <= limits.TEXT:
        return match[0]
    return msgspec.json.encode(_texts.decode(match[0])[: limits.TEXT])


def too_deep(text: bytes, around: int = 1) -> bool:
    """Whether some value in this JSON is nested deeper than `limits.NESTING` levels.

    Args:
        text: Sound JSON.
        around: Levels that are no value's: the object of the properties itself is one.
    """
    most = limits.NESTING + around
    brackets = text.count(b"{") + (text.count(b"[") if 0x5B in text else 0)
    return brackets > most and _depth(text) > most


def _depth(text: bytes) -> int:
    depth = deepest = 0
    for token in _BRACKET.finditer(text):
        if token[0] in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif token[0] in b"]}":
            depth -= 1
    return deepest


_ESCAPED = re.compile(
    rb"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})", re.DOTALL
)


def whole(text: bytes) -> bytes:
    """The same JSON, halves of surrogate pairs replaced by U+FFFD: a browser that cuts a text in an emoji sends such."""
    return _ESCAPED.sub(lambda match: rb"\ufffd" if match[1] else match[0], text)
