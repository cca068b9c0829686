"""`/import`: events from trusted servers, in every form that Mixpanel's clients send. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from cornicen.events.shapes import Event, Refusal
from cornicen.flows.vendors import Credential, Fate, Inbound, Outbound, Parsed, Part, by_fate
from cornicen.integrations.mixpanel import answers
from cornicen.integrations.mixpanel.asking import Asked, empty, understand
from cornicen.integrations.mixpanel.event import Found, at_once, event_of, said_of
from cornicen.integrations.mixpanel.refusing import LIVE_WITHIN, Refused, Rules, kept
from cornicen.wire.basic import basic
from cornicen.wire.body import TooLarge, Unreadable

Answer = Callable[[Fate], Outbound]


def parse(inbound: Inbound) -> Parsed:
    """A request to `/import`, understood. Pure; never raises for what a sender can send.

    One bad record never sinks its batch: it is named in the answer and travels on as a `Refusal`. Events older than five days
    go by the bulk lane, and everything does where the sender says so.
    """
    asked = understand(inbound)
    credential = _credential(inbound, asked)
    if isinstance(credential, Outbound):
        return Parsed((), lambda _: credential)
    strict = (asked.plain and not asked.shape.verbose) if asked.strict is None else asked.strict
    rules = Rules(strict, inbound.now, asked.utf8)
    records = at_once(asked) or asked.records
    if isinstance(records, TooLarge):
        return Parsed((), lambda _: answers.too_large(records))
    if isinstance(records, Unreadable):
        refusal = Refusal("body_unreadable", "", records.why, kept(asked.text or inbound.body))
        lane = "bulk" if asked.bulk else "live"
        return Parsed((Part(credential, lane, (refusal,)),), _answer_unreadable(records, asked, strict=strict))
    if empty(records) and not asked.strict:
        shape = replace(asked.shape, verbose=asked.shape.verbose or asked.plain)
        return Parsed((Part(credential, "live", ()),), _fated(answers.loose(answers.EMPTY, shape)))
    return _understood(records, rules, credential, asked)


def _credential(inbound: Inbound, asked: Asked) -> Credential | Outbound:
    """Who sends: a service account, a project token or a project's secret; or the answer to somebody who does not say."""
    given = basic(inbound.headers.get("authorization"))
    project = asked.parameters.get("project_id", "").strip()
    if given is None:
        key = asked.parameters.get("api_key", "").strip()
        unnamed = not key or "authorization" in inbound.headers
        return answers.failed(401, answers.UNAUTHORIZED) if unnamed else _alone(key, project)
    if not given.password:
        return _alone(given.username, project)
    if not project:
        return answers.failed(400, "project_id is missing: a service account needs it in the query")
    return Credential("account", given.username, given.password, project)


def _alone(key: str, project: str) -> Credential:
    """Who shows one word: a token and a secret look alike."""
    return Credential("token_or_secret", key, project=project)


@dataclass
class _Taken:
    """What one request brings."""

    live: list[Event | Refusal] = field(default_factory=list)
    bulk: list[Event | Refusal] = field(default_factory=list)
    failures: list[dict[str, object]] = field(default_factory=list)
    error: str | None = None
    imported: int = 0
    without: bool = False
    """Whether an event that was taken has no ``distinct_id``."""

    def refuse(self, index: int, record: bytes, refused: Refused) -> Refusal:
        """Name a record that is not taken."""
        _, key = said_of(record)
        said = {"field": refused.field, "message": refused.message}
        self.failures.append({"index": index, "insert_id": key, "$insert_id": key, **said})
        self.error = self.error or refused.phrase
        return refused.refusal(record)

    def parts(self, credential: Credential) -> tuple[Part, ...]:
        """By lane; at least one, so that the credential is looked at even if there is nothing to keep."""
        lanes = [("live", self.live)] if self.live or not self.bulk else []
        lanes += [("bulk", self.bulk)] if self.bulk else []
        return tuple(Part(credential, lane, tuple(records)) for lane, records in lanes)


def _understood(records: Sequence[Found | bytes], rules: Rules, credential: Credential, asked: Asked) -> Parsed:
    taken = _take(records, rules, asked)
    under: dict[str, Callable[[], Parsed]] = {}
    if rules.strict and taken.without and not rules.original:
        under["original"] = lambda: _understood(records, replace(rules, original=True), credential, asked)
    return Parsed(taken.parts(credential), _answer(taken, asked, strict=rules.strict), under=under)


def _take(records: Sequence[Found | bytes], rules: Rules, asked: Asked) -> _Taken:
    taken = _Taken()
    live, old = (taken.bulk if asked.bulk else taken.live), taken.bulk
    since = rules.now - LIVE_WITHIN
    for index, record in enumerate(records):
        try:
            _, event = event_of(record, rules)
        except Refused as refused:
            live.append(taken.refuse(index, asked.slice(index), refused))
            continue
        if event is None:
            continue
        if not event.ids.distinct:
            taken.without = True
        (live if event.time >= since else old).append(event)
    taken.imported = len(records) - len(taken.failures)
    return taken


def _answer(taken: _Taken, asked: Asked, *, strict: bool) -> Answer:
    if strict:
        return _fated(answers.strict(taken.imported, taken.failures))
    named = {"failed_records": taken.failures} if taken.failures else {}
    error = None if taken.imported else taken.error
    return _fated(answers.loose(error, asked.shape, code=200, num_records_imported=taken.imported, **named))


def _answer_unreadable(why: Unreadable, asked: Asked, *, strict: bool) -> Answer:
    return _fated(answers.failed(400, why.why) if strict else answers.loose(why.why, asked.shape))


def _fated(kept: Outbound) -> Answer:
    denied = answers.failed(401, answers.UNAUTHORIZED)
    return by_fate(kept, denied, full=answers.full, unavailable=answers.unavailable)
