"""What Mixpanel's fields may hold: ids, times and insert ids, read or refused with the vendor's sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec

from cornicen.events.shapes import Refusal
from cornicen.integrations.mixpanel import limits

MICROSECONDS = 1_000_000
KEPT = 4096
LIVE_WITHIN = limits.LIVE_DAYS * 86_400 * MICROSECONDS
EARLIEST = limits.EARLIEST * MICROSECONDS
MILLISECONDS_FROM = limits.EARLIEST * 1000
"""A number from here on is milliseconds, below it seconds; see `limits.EARLIEST`."""

DEVICE = "$device:"
"""How a distinct id that is a device's begins."""

_is_insert_id = re.compile(rf"[A-Za-z0-9-]{{1,{limits.INSERT_ID}}}").fullmatch
SHORT, LONG = 9, 36
"""No one of `limits.NOBODY` has a length between these: an id that has needs no closer look."""
_NUMERIC = re.compile(r"-?\d{1,15}(\.\d{1,9})?")
_FAR = 1e15


class Refused(Exception):
    """One record is not taken; raised and caught within this folder.

    Args:
        reason: A stable word for counting.
        field: As Mixpanel names it.
        message: Mixpanel's sentence, where one is known.
        phrase: What Mixpanel says instead where the sender did not ask to be strict; "": the same.
        silent: Whether the sender is told of success all the same.
    """

    def __init__(self, reason: str, field: str, message: str, phrase: str = "", *, silent: bool = False) -> None:
        super().__init__(message)
        self.reason, self.field, self.message, self.silent = reason, field, message, silent
        self.phrase = phrase or message

    def refusal(self, record: bytes) -> Refusal:
        """As it is kept."""
        return Refusal(self.reason, self.field, self.message, kept(record))


@dataclass(frozen=True)
class Rules:
    """How a request is read.

    Args:
        strict: Whether the sender asked for per-record validation.
        now: The door's clock, microseconds.
        utf8: Whether the whole body is known to be UTF-8.
        since: Events before are not taken, microseconds.
        trusted: Whether its sender has shown a credential; else no event merges, and what is too old is not told.
        original: Whether an event must say its ``distinct_id``, as under the rule *original*.
        address: Of the sender, where it is to stand for a missing id; "": it is not.
    """

    strict: bool
    now: int
    utf8: bool
    since: int = EARLIEST
    trusted: bool = True
    original: bool = False
    address: str = ""


def kept(record: bytes) -> bytes:
    """What is kept of a refused record: its beginning, without the project's token; refusals are shown on a page."""
    return _TOKEN.sub(rb'\1"(left out)"', record)[:KEPT]


_TOKEN = re.compile(rb"""("\$?token"\s*:\s*)"(?:[^"\\]|\\.)*+"?""")


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
        what = f"'{field}' is invalid: must be later than 1971-01-01"
        raise Refused("time_too_early", field, what, silent=not rules.trusted)
    if rules.strict and micros > rules.now + limits.AHEAD * MICROSECONDS:
        raise Refused("time_in_future", field, f"'{field}' is invalid: must not be more than an hour ahead")
    return rules.now


def _inexact(value: object, field: str, rules: Rules) -> int:
    if isinstance(value, str) and not rules.strict and _NUMERIC.fullmatch(value):
        value = float(value)
    if type(value) is not float:
        raise Refused("time_invalid", field, f"'{field}' is invalid: must be specified as seconds since epoch")
    return round(max(min(value, _FAR), -_FAR) * (MICROSECONDS if value < MILLISECONDS_FROM else 1000))


def name(value: object, field: str, *, person: bool = True) -> str | None:
    """An id as text; numbers as their literal.

    Args:
        value: As decoded.
        field: As Mixpanel names it.
        person: Whether it is a person's; else `limits.NOBODY` may be its id.

    Returns:
        None: missing or null. "" stays what it is; a person's `DEVICE` with nothing behind it is "" too.

    Raises:
        Refused: One of `limits.NOBODY`, longer than `limits.TEXT`, or nothing that could be an id.
    """
    if value is None or (type(value) is str and SHORT < len(value) < LONG):
        return value
    text = value if type(value) is str else _literal(value)
    if person and text == DEVICE:
        return ""
    if person and text.lower() in limits.NOBODY:
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
