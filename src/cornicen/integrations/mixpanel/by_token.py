"""Requests whose records name their project themselves, by its token: `/track`, `/engage`, `/groups`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from cornicen.events.shapes import Record, Refusal
from cornicen.flows.vendors import Credential, Fate, Outbound, Parsed, Part, by_fate
from cornicen.integrations.mixpanel import answers
from cornicen.integrations.mixpanel.asking import Asked, empty
from cornicen.integrations.mixpanel.refusing import Refused, Rules
from cornicen.wire.body import TooLarge, Unreadable

UNREADABLE = "unreadable body"
NO_RECORD = frozenset({"not_json", "not_utf8", "not_an_object"})
"""Reasons for which a record could not be read at all; one of any other reason was read, and shows no token."""

Slice = TypeVar("Slice")
"""A record as it was found: a slice of the body, or more than that."""

Take = Callable[[Slice, Rules], tuple[str, Record | None]]
"""One record's token and what is kept of it; None: nothing, as its sender wishes. Raises: Refused."""

Naming = Callable[[bytes], tuple[str, Mapping[str, str]]]
"""The token of a failed record, "" if it has none, and how it is named in the answer to a strict request."""


def understood(
    asked: Asked, records: Sequence[Slice] | TooLarge | Unreadable, rules: Rules, take: Take[Slice], naming: Naming
) -> Parsed:
    """The records of a request, each for its own project. Pure; never raises for what a sender can send.

    A record that is not taken travels on as a `Refusal`, to its own project or, where it names none, to that of the first
    record that does; where nothing names one, the request says so (`Parsed.nobodys`). Where the sender did not ask to be
    strict, an unknown token is told of success and its records go nowhere.
    """
    if isinstance(records, TooLarge):
        return Parsed((), lambda _: answers.too_large(records), nobodys="body too large")
    if isinstance(records, Unreadable):
        said = answers.failed(400, records.why) if rules.strict else answers.loose(records.why, asked.shape)
        return Parsed((), lambda _: said, nobodys=UNREADABLE)
    if empty(records) and not rules.strict:
        return Parsed((), lambda _: answers.loose(answers.EMPTY, asked.shape))
    taken = _take(asked, records, rules, take, naming)
    parts = taken.parts("bulk" if asked.bulk else "live")
    return Parsed(parts, _answer(taken, asked, rules), apart=not rules.strict, nobodys="" if parts else taken.nobodys())


@dataclass
class _Taken:
    """What one request brings, by token."""

    by_token: dict[str, list[Record]] = field(default_factory=dict)
    unowned: list[Refusal] = field(default_factory=list)
    failures: list[dict[str, object]] = field(default_factory=list)
    error: str | None = None
    imported: int = 0

    def refuse(self, index: int, record: bytes, refused: Refused, naming: Naming) -> None:
        """Keep a record that is not taken, and name it unless its sender is not to know."""
        token, named = naming(record)
        if refused.silent:
            self.imported += 1
        else:
            said = {"field": refused.field, "message": refused.message}
            self.failures.append({"index": index, **named, **said})
            self.error = self.error or refused.phrase
        refusal = refused.refusal(record)
        if token:
            self.by_token.setdefault(token, []).append(refusal)
        else:
            self.unowned.append(refusal)

    def parts(self, lane: str) -> tuple[Part, ...]:
        owned = [(Credential("token", token), records) for token, records in self.by_token.items()]
        if owned:
            owned[0][1].extend(self.unowned)
        return tuple(Part(credential, lane, tuple(records)) for credential, records in owned)

    def nobodys(self) -> str:
        """Why no project can be told of the records that were not taken; see `Parsed.nobodys`."""
        if not self.unowned:
            return ""
        return UNREADABLE if all(one.reason in NO_RECORD for one in self.unowned) else "no token"


def _take(asked: Asked, records: Sequence[Slice], rules: Rules, take: Take[Slice], naming: Naming) -> _Taken:
    taken = _Taken()
    latest, into = "", list[Record]()
    for index, record in enumerate(records):
        try:
            token, found = take(record, rules)
        except Refused as refused:
            taken.refuse(index, asked.slice(index), refused, naming)
            continue
        taken.imported += 1
        if token != latest:
            latest, into = token, taken.by_token.setdefault(token, [])
        if found is not None:
            into.append(found)
    return taken


def _answer(taken: _Taken, asked: Asked, rules: Rules) -> Callable[[Fate], Outbound]:
    if rules.strict:
        good = answers.strict_engage(taken.imported, taken.failures)
        denied = answers.failed(401, answers.UNKNOWN_TOKEN)
    else:
        denied = good = answers.loose(None if taken.imported else taken.error, asked.shape)
    return by_fate(good, denied, full=answers.full, unavailable=answers.unavailable)
