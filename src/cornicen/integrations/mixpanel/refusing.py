"""What Mixpanel's fields may hold: ids, times and insert ids, read or refused with the vendor's sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec

from cornicen.events.shapes import Refusal
from cornicen.integrations.mixpanel import limits

MICROSECONDS = 1_000_000
KEPT = 4096
EARLIEST = limits.EARLIEST * MICROSECONDS
MILLISECONDS_FROM = limits.EARLIEST * 1000
"""A number from here on is milliseconds, below it seconds; see `limits.EARLIEST`."""

_is_insert_id = re.compile(rf"[A-Za-z0-9-]{{1,{limits.INSERT_ID}}}").fullmatch
_NUMERIC = re.compile(r"-?\d{1,15}(\.\d{1,9})?")
_FAR = 1e15


class Refused(Exception):
    """One record is not taken; raised and caught within this folder.

    Args:
        reason: A stable word for counting.
        field: As Mixpanel names it.
        message: Mixpanel's sentence, where one is known.
    """

    def __init__(self, reason: str, field: str, message: str) -> None:
        super().__init__(message)
        self.reason, self.field, self.message = reason, field, message

    def refusal(self, record: bytes) -> Refusal:
        """As it is kept."""
        return Refusal(self.reason, self.field, self.message, kept(record))


@dataclass(frozen=True)
class Rules:
    """How strictly a request is read.

    Args:
        strict: Whether the sender asked for per-record validation.
        now: The door's clock, microseconds.
        utf8: Whether the whole body is known to be UTF-8.
    """

    strict: bool
    now: int
    utf8: bool


def kept(record: bytes) -> bytes:
    """What is kept of a refused record: its beginning, without the project's token; refusals are shown on a page."""
    return _TOKEN.sub(rb'\1"(left out)"', record)[:KEPT]


_TOKEN = re.compile(rb"""("\$?token"\s*:\s*)"(?:[^"\\]|\\.)*+"?""")


def sound(record: bytes, rules: Rules) -> None:
    """Check what would hurt whoever reads the record later. Raises: Refused."""
    if len(record) > limits.RECORD:
        raise Refused("record_too_large", "", f"record is larger than {limits.RECORD} bytes")
    brackets = record.count(b"{") + (
        record.count(b"[") if 0x5B in record else 0
    )  # a look for one byte costs a third of a count
    if brackets > limits.NESTING and _depth(record) > limits.NESTING:
        raise Refused("nested_too_deep", "properties", f"'properties' is invalid: nested deeper than {limits.NESTING} levels")
    if not rules.utf8:
        try:
            record.decode()
        except UnicodeDecodeError:
            field = _undecodable(record)
            raise Refused("not_utf8", field, f"{field or 'record'} is invalid: string should be valid utf8") from None


_BRACKET = re.compile(rb'"(?:[^"\\]++|\\.?)*+"?|[\[\]{}]', re.DOTALL)


def _depth(record: bytes) -> int:
    depth = deepest = 0
    for token in _BRACKET.finditer(record):
        if token[0][:1] in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif token[0][:1] in b"]}":
            depth -= 1
    return deepest


_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


def _undecodable(record: bytes) -> str:
    """The property that holds the broken text, as far as that can be told."""
    path = ""
    for key in ("properties", "$set", "$set_once"):
        try:
            inner = _members.decode(bytes(_members.decode(record)[key]))
        except (KeyError, msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            continue
        for name, raw in inner.items():
            try:
                bytes(raw).decode()
            except UnicodeDecodeError:
                path = f"{key}.{name}"
    return path


def unreadable(error: Exception) -> Refused:
    """What it means that a record could not be decoded."""
    if isinstance(error, RecursionError):
        return Refused("nested_too_deep", "", f"record is invalid: nested deeper than {limits.NESTING} levels")
    if isinstance(error, UnicodeDecodeError):
        return Refused("not_utf8", "", "record is invalid: string should be valid utf8")
    if isinstance(error, msgspec.ValidationError):
        if "out of range" in str(error):
            return Refused("number_out_of_range", "", "record is invalid: a number is out of range")
        return Refused("not_an_object", "", "record must be a JSON object")
    return Refused("not_json", "", "record is not valid JSON")


def moment(value: object, field: str, rules: Rules) -> int:
    """Microseconds since 1970 UTC, from seconds or milliseconds, never later than now.

    Integers are exact; of a float every microsecond is.

    Args:
        value: As decoded. A text that spells a number counts where the sender did not ask to be strict.
        field: As Mixpanel names it.
        rules: Of the request.

    Raises:
        Refused: No number, before 1971, or (strict) more than an hour ahead.
    """
    if type(value) is int:
        micros = value * (MICROSECONDS if value < MILLISECONDS_FROM else 1000)
    else:
        micros = _inexact(value, field, rules)
    if EARLIEST <= micros <= rules.now:
        return micros
    if micros < EARLIEST:
        raise Refused("time_too_early", field, f"'{field}' is invalid: must be later than 1971-01-01")
    if rules.strict and micros > rules.now + limits.AHEAD * MICROSECONDS:
        raise Refused("time_in_future", field, f"'{field}' is invalid: must not be more than an hour ahead")
    return rules.now


def _inexact(value: object, field: str, rules: Rules) -> int:
    if isinstance(value, str) and not rules.strict and _NUMERIC.fullmatch(value):
        value = float(value)
    if type(value) is not float:
        raise Refused("time_invalid", field, f"'{field}' is invalid: must be specified as seconds since epoch")
    return round(max(min(value, _FAR), -_FAR) * (MICROSECONDS if value < MILLISECONDS_FROM else 1000))


def name(value: object, field: str) -> str | None:
    """An id as text; numbers as their literal.

    Returns:
        None: missing or null. "" stays what it is.

    Raises:
        Refused: One of `limits.NOBODY`, longer than `limits.TEXT`, or nothing that could be an id.
    """
    if value is None:
        return None
    text = value if type(value) is str else _literal(value)
    if text.lower() in limits.NOBODY:
        raise Refused(f"{_word(field)}_refused", field, f"'{field}' is invalid: {text} is the id of nobody")
    if len(text) > limits.TEXT:
        raise Refused(f"{_word(field)}_too_long", field, f"'{field}' is invalid: longer than {limits.TEXT} characters")
    if type(value) is list or type(value) is dict:
        raise Refused(f"{_word(field)}_invalid", field, f"'{field}' is invalid: must be a string")
    return text


def _literal(value: object) -> str:
    """What is not a text, as JSON has it; integers of any length."""
    return str(value) if type(value) is int else msgspec.json.encode(value).decode()


def _word(field: str) -> str:
    return field.rpartition(".")[2].removeprefix("$")


def insert_id(value: object, rules: Rules) -> str:
    """The key for de-duplication; where the sender was not strict, "" for whatever cannot be one.

    Raises:
        Refused: Strict, and it is missing or not as `limits.INSERT_ID` says.
    """
    text = value if type(value) is str else "" if value is None else _literal(value)
    if _is_insert_id(text) and text.lower() not in limits.NOBODY:
        return text
    if not rules.strict:
        return text if len(text) <= limits.TEXT and text.lower() not in limits.NOBODY else ""
    if not text:
        raise Refused("insert_id_missing", "$insert_id", "'$insert_id' is invalid: must not be missing")
    if text.lower() in limits.NOBODY:
        raise Refused("insert_id_refused", "$insert_id", f"'$insert_id' is invalid: {text} identifies nothing")
    message = "'$insert_id' is invalid: must only contain alphanumeric or hyphen '-' characters"
    if len(text.encode("utf-8", "replace")) > limits.INSERT_ID:
        message += f", at most {limits.INSERT_ID} of them"
    raise Refused("insert_id_invalid", "$insert_id", message)
