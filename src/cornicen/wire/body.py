"""Request bodies as senders really write them: gzip, forms, base64, JSON arrays and lines.

Whatever came, nothing here raises, and nothing grows past the bound it was given: a body that cannot be read is a value.
Records are only sliced, not interpreted: one that is no JSON cannot hide its neighbours.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote_plus, unquote_to_bytes

import msgspec
from isal import isal_zlib

MOST_MEMBERS = 64
"""Of one gzip body: a file of files has a few; thousands of empty ones only cost time."""

MOST_FIELDS = 64
"""Of one form; what follows is not read."""

LONGEST_LIST = 500_000
"""Elements that an array may possibly have if it is sliced in one go; beyond, one by one, so that memory stays bounded."""


_NotGzip: type[Exception] = isal_zlib.error  # type: ignore[assignment] # its stub calls the class an instance


@dataclass(frozen=True)
class TooLarge:
    """There is more than the limit.

    Args:
        limit: What is allowed.
        unit: ``bytes`` or ``records``.
    """

    limit: int
    unit: str = "bytes"


@dataclass(frozen=True)
class Unreadable:
    """The body is not what it was said to be.

    Args:
        why: One phrase.
    """

    why: str


def unpacked(body: bytes, encoding: str, limit: int) -> bytes | TooLarge | Unreadable:
    """Undo a ``Content-Encoding``.

    Args:
        body: As it came.
        encoding: The header's value; ``gzip``, ``identity`` or empty.
        limit: Bytes allowed after unpacking; at most one byte more is ever held.
    """
    match encoding.strip().lower():
        case "" | "identity":
            return body if len(body) <= limit else TooLarge(limit)
        case "gzip" | "x-gzip":
            return _gunzipped(body, limit)
        case _:
            return Unreadable("the content encoding is none of gzip and identity")


def _gunzipped(body: bytes, limit: int) -> bytes | TooLarge | Unreadable:
    whole, rest = b"", body
    for _ in range(MOST_MEMBERS):
        member = isal_zlib.decompressobj(wbits=31)
        try:
            whole += member.decompress(rest, limit + 1 - len(whole))
        except (_NotGzip, ValueError, OverflowError):
            return Unreadable("the body is not the gzip it is said to be")
        if len(whole) > limit:
            return TooLarge(limit)
        if not member.eof:
            return Unreadable("the gzip body is cut short")
        rest = member.unused_data.lstrip(b"\0")  # padding that some writers leave
        if not rest:
            return whole
    return Unreadable("the gzip body has too many members")


def form(body: bytes) -> dict[str, bytes]:
    """The fields of a form, percent-decoded; of a repeated name the first. Base64 that was not encoded has spaces for ``+``."""
    fields: dict[str, bytes] = {}
    start = 0
    for _ in range(MOST_FIELDS):
        if start >= len(body):
            break
        end = body.find(b"&", start)
        end = len(body) if end < 0 else end
        name, _, value = body[start:end].partition(b"=")
        fields.setdefault(unquote_plus(name.decode("utf-8", "replace")), unquote_to_bytes(value.replace(b"+", b" ")))
        start = end + 1
    return fields


def unwrapped(data: bytes) -> bytes | Unreadable:
    """The JSON in a form's field: as it is, or behind base64 (either alphabet, padding optional, spaces for ``+``)."""
    text = data.strip()
    if text[:1] in {b"", b"[", b"{"}:
        return text
    plain = text.replace(b" ", b"+").translate(_STANDARD).rstrip(b"=")
    try:
        return base64.b64decode(plain + b"=" * (-len(plain) % 4), validate=True).strip()
    except (binascii.Error, ValueError):
        return Unreadable("the data is neither JSON nor base64")


_STANDARD = bytes.maketrans(b"-_", b"+/")

_raws = msgspec.json.Decoder(list[msgspec.Raw])
_raw = msgspec.json.Decoder(msgspec.Raw)


def records(body: bytes, most: int, *, lines: bool = False) -> list[bytes] | TooLarge | Unreadable:
    """Slice a body into its records: the elements of a JSON array, one JSON object, or lines.

    Args:
        body: Unpacked.
        most: How many are allowed.
        lines: Whether it is said to be NDJSON. A body that begins with an object and is not one as a whole is that, too.

    Returns:
        The records' bytes in order, without white space around them; blank lines are none. A slice need not be JSON.
    """
    text = body.removeprefix(b"\xef\xbb\xbf").strip()
    if lines:
        return _lines(text, most)
    match text[:1]:
        case b"[":
            return _elements(text, most)
        case b"{":
            return [text] if _is_json(text) else _lines(text, most)
        case b"":
            return []
        case _:
            return Unreadable("the body is no JSON array or object")


def _is_json(text: bytes) -> bool:
    try:
        _raw.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return b"\n" not in text
    return True


def _lines(text: bytes, most: int) -> list[bytes] | TooLarge:
    found: list[bytes] = []
    for match in _LINE.finditer(text):
        if line := match[0].strip():
            if len(found) == most:
                return TooLarge(most, "records")
            found.append(line)
    return found


def _elements(text: bytes, most: int) -> list[bytes] | TooLarge | Unreadable:
    if len(text) <= 2 * LONGEST_LIST or text.count(b",") < LONGEST_LIST:
        try:
            found = _raws.decode(text)
        except (msgspec.DecodeError, RecursionError):
            pass  # some element is at fault; which, the slower way finds
        else:
            return TooLarge(most, "records") if len(found) > most else list(map(bytes, found))
    elements: list[bytes] = []
    for piece in _cut(text):
        if isinstance(piece, Unreadable):
            return piece
        if len(elements) == most:
            return TooLarge(most, "records")
        elements.append(piece)
    return elements


_LINE = re.compile(rb"[^\n]+")
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.?)*+"?|[\[\]{},]', re.DOTALL)


def _cut(text: bytes) -> Iterator[bytes | Unreadable]:
    """The elements of an array by its brackets and strings alone, whatever else stands in them."""
    depth = start = 0
    for token in _TOKEN.finditer(text):
        match token[0][:1]:
            case b"[" | b"{":
                depth += 1
                if depth == 1:
                    start = token.end()
            case b"]" | b"}":
                depth -= 1
                if depth == 0:
                    element = text[start : token.start()].strip()
                    if element:
                        yield element
                    if token.end() != len(text):
                        yield Unreadable("something follows the JSON array")
                    return
            case b"," if depth == 1:
                yield text[start : token.start()].strip()
                start = token.end()
            case b'"' if not (len(token[0]) > 1 and token[0].endswith(b'"')):
                break
    yield Unreadable("the JSON array is not closed")
