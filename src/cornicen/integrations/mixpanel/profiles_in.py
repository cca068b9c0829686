"""`/engage`: changes of profiles, each record with its own project token. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from cornicen.events.shapes import Ids, Operation, ProfileChange, Refusal
from cornicen.flows.vendors import Credential, Fate, Inbound, Outbound, Parsed, Part
from cornicen.integrations.mixpanel import answers
from cornicen.integrations.mixpanel.asking import Asked, understand
from cornicen.integrations.mixpanel.refusing import Refused, Rules, moment, name, sound, unreadable
from cornicen.wire.body import TooLarge, Unreadable

NOT_YET = ("$append", "$union", "$remove")
UNKNOWN_TOKEN = "$token, not of a project here: nothing of the request was kept"  # noqa: S105 - a sentence

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_texts = msgspec.json.Decoder(list[str])
_numbers = msgspec.json.Decoder(dict[str, int | float])
_anything = msgspec.json.Decoder()


def parse(inbound: Inbound) -> Parsed:
    """A request to `/engage`, understood. Pure; never raises for what a sender can send.

    A record that is not taken travels on as a `Refusal`, to its own project or, where it names none, to that of the first
    record that does.
    """
    asked = understand(inbound)
    records = asked.records
    if isinstance(records, TooLarge):
        return Parsed((), lambda _: answers.too_large(records))
    if isinstance(records, Unreadable):
        unreadable_body = (
            answers.failed(400, records.why) if asked.strict else answers.loose(records.why, verbose=asked.verbose)
        )
        return Parsed((), lambda _: unreadable_body)
    if asked.empty and not asked.strict:
        return Parsed((), lambda _: answers.loose(answers.EMPTY, verbose=asked.verbose))
    taken = _take(records, Rules(bool(asked.strict), inbound.now, asked.utf8))
    return Parsed(taken.parts("bulk" if asked.bulk else "live"), _answer(taken, asked))


@dataclass
class _Taken:
    """What one request brings, by token."""

    by_token: dict[str, list[ProfileChange | Refusal]] = field(default_factory=dict)
    unowned: list[Refusal] = field(default_factory=list)
    failures: list[dict[str, object]] = field(default_factory=list)
    imported: int = 0

    def parts(self, lane: str) -> tuple[Part, ...]:
        owned = [(Credential("token", token), records) for token, records in self.by_token.items()]
        if owned:
            owned[0][1].extend(self.unowned)
        return tuple(Part(credential, lane, tuple(records)) for credential, records in owned)


def _take(records: Sequence[bytes], rules: Rules) -> _Taken:
    taken = _Taken()
    for index, record in enumerate(records):
        token = ""
        try:
            members = _opened(record, rules)
            token = _token(members)
            change = change_of(members, rules)
        except Refused as refused:
            said = {"distinct_id": _given_id(record), "field": refused.field, "message": refused.message}
            taken.failures.append({"index": index, **said})
            kept: list[Any] = taken.by_token.setdefault(token, []) if token else taken.unowned
            kept.append(refused.refusal(record))
        else:
            taken.imported += 1
            taken.by_token.setdefault(token, []).append(change)
    return taken


def _opened(record: bytes, rules: Rules) -> dict[str, bytes]:
    sound(record, rules)
    try:
        return {key: bytes(raw) for key, raw in _members.decode(record).items()}
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise unreadable(error) from None


def _token(members: Mapping[str, bytes]) -> str:
    token = _value(members, "$token")
    if not isinstance(token, str) or not token.strip():
        raise Refused("token_missing", "$token", "$token, missing or empty")
    return token


def change_of(members: Mapping[str, bytes], rules: Rules) -> ProfileChange:
    """One record's operations, in the order in which they stand; all of them or none.

    Args:
        members: Of the record, each as its JSON text.
        rules: Of its request.

    Raises:
        Refused: It is not one that may be taken.
    """
    distinct = name(_value(members, "$distinct_id"), "$distinct_id")
    if not distinct:
        raise Refused("distinct_id_missing", "$distinct_id", "$distinct_id, missing or empty")
    for word in NOT_YET:
        if word in members:
            raise Refused("operation_unsupported", word, f"{word} is not supported yet; use $set, or send the list whole")
    operations = tuple(OPERATIONS[word](word, text) for word, text in members.items() if word in OPERATIONS)
    if not operations:
        raise Refused("operation_missing", "", f"no operation: one of {', '.join(OPERATIONS)} is needed")
    time = _value(members, "$time")
    return ProfileChange(Ids(distinct=distinct), operations, moment(time, "$time", rules) if time else 0)


def _value(members: Mapping[str, bytes], key: str) -> object:
    try:
        return _anything.decode(members.get(key, b"null"))
    except msgspec.DecodeError as error:
        raise unreadable(error) from None


def _object(word: str, text: bytes) -> Operation:
    if not text.startswith(b"{"):
        raise Refused("operand_invalid", word, f"{word} must be an object")
    return Operation(word[1:], text)


def _sums(word: str, text: bytes) -> Operation:
    return _checked(word, text, _numbers, "an object of numbers")


def _names(word: str, text: bytes) -> Operation:
    return _checked(word, text, _texts, "a list of property names")


def _checked(word: str, text: bytes, decoder: msgspec.json.Decoder[Any], wanted: str) -> Operation:
    try:
        decoder.decode(text)
    except msgspec.DecodeError:
        raise Refused("operand_invalid", word, f"{word} must be {wanted}") from None
    return Operation(word[1:], text)


def _deletion(word: str, _: bytes) -> Operation:
    return Operation(word[1:], b"null")


OPERATIONS: Mapping[str, Callable[[str, bytes], Operation]] = {
    "$set": _object,
    "$set_once": _object,
    "$add": _sums,
    "$unset": _names,
    "$delete": _deletion,
}


def _given_id(record: bytes) -> str:
    """Whose profile a failed record names, as far as it can be read."""
    try:
        found = _anything.decode(_members.decode(record).get("$distinct_id", msgspec.Raw(b"null")))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return ""
    return found if isinstance(found, str) else ""


def _answer(taken: _Taken, asked: Asked) -> Callable[[Fate], Outbound]:
    if asked.strict:
        good = answers.strict_engage(taken.imported, taken.failures)
        denied = answers.failed(401, UNKNOWN_TOKEN)
    else:
        first = str(taken.failures[0]["message"]) if taken.failures and not taken.imported else None
        good = answers.loose(first, taken.failures, verbose=asked.verbose)
        denied = answers.loose(UNKNOWN_TOKEN, verbose=asked.verbose)

    def fated(fate: Fate) -> Outbound:
        match fate:
            case Fate.DENIED:
                return denied
            case Fate.FULL:
                return answers.full()
            case Fate.UNAVAILABLE:
                return answers.unavailable()
            case Fate.KEPT:
                return good

    return fated
