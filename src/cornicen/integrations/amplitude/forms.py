"""What the form routes have in common: `/identify`, `/groupidentify` and `/usermap`, whose answers are plain words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from cornicen.events.shapes import Record, Refusal
from cornicen.flows.vendors import Credential, Inbound, Outbound, Parsed, Part, by_fate
from cornicen.integrations.amplitude import answers, fields, limits
from cornicen.integrations.amplitude.asking import unowned
from cornicen.integrations.amplitude.faults import refusal
from cornicen.integrations.amplitude.texts import whole
from cornicen.wire import body, multipart

SUCCESS = "success"
_anything = msgspec.json.Decoder()
_raws = msgspec.json.Decoder(msgspec.Raw)


class Unfit(Exception):
    """The request is not taken; raised and caught within this folder.

    Args:
        answer: What its sender is told.
    """

    def __init__(self, answer: Outbound) -> None:
        super().__init__()
        self.answer = answer


@dataclass(frozen=True)
class Form:
    """A form, or a query: the form's fields win.

    Args:
        fields: By name.
    """

    fields: Mapping[str, bytes] = field(repr=False)

    def text(self, name: str) -> str:
        """A field; "" where it is not there."""
        return self.fields.get(name, b"").decode("utf-8", "replace").strip()

    def value(self, name: str) -> object:
        """A field that is JSON; None where it cannot be read."""
        try:
            return _anything.decode(self.fields.get(name, b"null"))
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return None


def opened(inbound: Inbound) -> Form:
    """The form in a request.

    Raises:
        Unfit: It is too large, or not packed as it says.
    """
    unpacked = body.unpacked(inbound.body, inbound.headers.get("content-encoding", ""), limits.BODY)
    if isinstance(unpacked, body.TooLarge):
        raise Unfit(too_large())
    if isinstance(unpacked, body.Unreadable):
        raise Unfit(answers.said(400, unpacked.why))
    between = multipart.boundary(inbound.headers.get("content-type", ""))
    sent = body.form(unpacked) if between is None else multipart.fields(unpacked, between)
    query = {name: value.encode("utf-8", "replace") for name, value in inbound.query.items()}
    return Form({**query, **sent})


def items(form: Form, name: str, most: int, missing: str, crowded: Outbound) -> list[bytes]:
    """A field that is a JSON object or a list of them, each as its own JSON.

    Args:
        form: The request's.
        name: The field's.
        most: How many are allowed.
        missing: The word for a field that is not there, or is no such thing.
        crowded: What is answered if there are more.

    Raises:
        Unfit: It is not there, is no such thing, or there are too many.
    """
    text = whole(form.fields.get(name, b"").strip())
    try:
        text.decode()
        _raws.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise Unfit(answers.said(400, missing)) from None
    found = [text] if text.startswith(b"{") else body.records(text, most)
    if isinstance(found, body.TooLarge):
        raise Unfit(crowded)
    if isinstance(found, body.Unreadable) or not all(item.startswith(b"{") for item in found):
        raise Unfit(answers.said(400, missing))
    return found


def too_large() -> Outbound:
    """More than is allowed."""
    return answers.said(413, answers.LARGE)


def at_fault(word: str, refused: Sequence[tuple[int, Refusal]]) -> Outbound:
    """What is wrong with which items; none of the others is taken either."""
    return answers.said(400, f"{word}: " + "; ".join(f"item {index}: {one.message}" for index, one in refused))


def parsed(key: str, records: Sequence[Record], answer: Outbound) -> Parsed:
    """A request whose answer is ``answer`` once its records are kept.

    Args:
        key: The project's, as sent; "" is of none.
        records: Taken, or refused.
        answer: If the key is known.
    """
    denied = answers.said(400, answers.INVALID_KEY)
    if not key:
        return unowned(denied, "no key")
    return Parsed(
        (Part(Credential("token", key), "live", tuple(records)),), by_fate(answer, denied, full=_busy, unavailable=_busy)
    )


def _busy() -> Outbound:
    return answers.said(503, answers.BUSY)


def understood(
    inbound: Inbound, name: str, most: int, words: tuple[str, str], crowded: Outbound, take: Callable[[bytes, Form], Record]
) -> Parsed:
    """A request whose items are all taken, or, where any is at fault, none: those at fault are kept as refusals.

    Args:
        inbound: The request.
        name: The field that has the items.
        most: How many are allowed.
        words: For items that are not there, and for items at fault.
        crowded: What is answered if there are more.
        take: One item to its record. Raises: `cornicen.integrations.amplitude.fields.Unfit`.
    """
    missing, wrong = words
    try:
        form = opened(inbound)
        found = items(form, name, most, missing, crowded)
    except Unfit as unfit:
        return unowned(unfit.answer)
    records: list[Record] = []
    refused: list[tuple[int, Refusal]] = []
    for index, item in enumerate(found):
        try:
            records.append(take(item, form))
        except fields.Unfit as unfit:
            refused.append((index, refusal(item, unfit.faults)))
    answer = at_fault(wrong, refused) if refused else answers.said(200, SUCCESS)
    return parsed(form.text("api_key"), [one for _, one in refused] or records, answer)
