"""Reading what OneSignal answers, in every shape its errors have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from cornicen.delivery.shapes import Verdict
from cornicen.errors import DestinationRefused, TierRefused, WrongKey
from cornicen.integrations.onesignal.account import Account
from cornicen.wire.http import NotSent, Reply, Result
from cornicen.wire.retry_after import retry_after

LONGEST_WORDS = 500
"""Characters of OneSignal's own words that are kept."""

NATIVE_TIER_WORDS = "App may not submit cohort updates from Mixpanel"
"""What the native integration shows where the app's price plan has no segments; people search for exactly this."""

_TIER = re.compile(r"\b(plan|upgrade|entitle)", re.IGNORECASE)
"""A 403 is about the price plan or about the key; only its text says which."""


@dataclass(frozen=True)
class Said:
    """An answer, read.

    Args:
        status: The HTTP status.
        document: The body, where it is a JSON object.
        codes: The codes of structured errors.
        words: All texts of its errors, for people: one line, clipped, without control characters and without the key.
        failed: Whether it speaks of errors, whatever its status.
    """

    status: int
    document: dict[str, object] | None
    codes: tuple[str, ...]
    words: str
    failed: bool

    @property
    def done(self) -> bool:
        """A definite yes: a 2xx with a JSON object that speaks of no error."""
        return 200 <= self.status < 300 and self.document is not None and not self.failed

    def tells(self, *parts: str) -> bool:
        """Whether its words or codes contain one of these, whatever the case."""
        text = f"{self.words} {' '.join(self.codes)}".lower()
        return any(part in text for part in parts)


@dataclass(frozen=True)
class Heard:
    """What an answer, or none, means before it is asked what it was about.

    Args:
        verdict: As in `Verdict`.
        said: The answer; None: nothing came.
        words: Its words, or why nothing came.
        wait: Seconds it asks us to wait.
        error: Of DENIED.
    """

    verdict: Verdict
    said: Said | None
    words: str
    wait: float | None = None
    error: DestinationRefused | None = None


def hear(result: Result, account: Account) -> Heard:
    """What came back, by the status policy that all calls share; never raises."""
    if not isinstance(result, Reply):
        return Heard(Verdict.UNTOUCHED if isinstance(result, NotSent) else Verdict.UNKNOWN, None, result.why)
    said, wait = read(result, account), retry_after(result.headers)
    words = said.words or ("" if said.done else "the answer cannot be read")
    error = denied(said, account)
    return Heard(_verdict(said, error), said, words, wait, error)


def _verdict(said: Said, error: DestinationRefused | None) -> Verdict:
    if said.done:
        return Verdict.ACCEPTED
    if error is not None:
        return Verdict.DENIED
    if said.status in {425, 429}:
        return Verdict.UNTOUCHED
    # A 2xx that cannot be read or that speaks of errors may have been acted on, like a 5xx (rate-limits page) and a 408.
    return Verdict.UNKNOWN if said.status < 400 or said.status == 408 or said.status >= 500 else Verdict.REFUSED


def read(reply: Reply, account: Account) -> Said:
    """Read an answer; never raises.

    Errors come as a list of texts, a list of objects ``{code, title, meta}``, one bare text, an object, or
    ``{status, error}``; a body may also be empty or no JSON at all.
    """
    try:
        body = json.loads(reply.body)
    except (ValueError, RecursionError):
        body = None
    document = body if isinstance(body, dict) else None
    errors = (document or {}).get("errors") or (document or {}).get("error")
    words = "; ".join(text for text in _texts(errors) if text)
    if not words and not 200 <= reply.status < 300:
        words = _plain(reply.body) if body is None else ""
        words = words or f"status {reply.status} without a text"
    failed = bool(errors) or (document or {}).get("success") is False
    return Said(reply.status, document, tuple(_codes(errors)), clean(words.replace(account.key, "[key]")), failed)


def clean(words: str) -> str:
    """One line of at most `LONGEST_WORDS` printable characters."""
    line = "".join(letter if letter.isprintable() else " " for letter in words)
    return line.strip()[:LONGEST_WORDS]


def denied(said: Said, account: Account) -> DestinationRefused | None:
    """What a definite no to the whole app is about; None: it is no such answer."""
    if said.status == 402 or (said.status == 403 and _TIER.search(said.words)):
        fix = "Move the app to a OneSignal price plan with segments through the API, then `cornicen sync resume NAME`."
        return TierRefused(NATIVE_TIER_WORDS, fix, said.words)
    if (
        said.status in {401, 403}
        or (said.status == 400 and said.tells("authorization", "auth-", "app_id not found"))
        or (said.status in {400, 404} and said.tells("couldn't find app"))
    ):
        what = f"OneSignal refuses the key for the app {account.app}."
        return WrongKey(
            what, "Give the App ID and an App API key of the same app, then `cornicen sync resume NAME`.", said.words
        )
    if 300 <= said.status < 400 or said.status in {405, 407}:
        what = f"{account.address} does not answer like OneSignal's API (status {said.status})."
        return DestinationRefused(what, "Correct `base_url`, then `cornicen sync resume NAME`.", said.words)
    return None


def unknown_app(said: Said, account: Account) -> WrongKey:
    """The app is not there, or not for this key."""
    what = f"OneSignal does not know the app {account.app} by this key."
    return WrongKey(what, "Give the App ID and an App API key of the same app, then `cornicen sync resume NAME`.", said.words)


def _texts(errors: object) -> Iterator[str]:
    match errors:
        case str():
            yield errors
        case list():
            for error in errors:
                yield from _texts(error)
        case {"title": str(title)}:
            yield title
        case {"code": str(code)}:
            yield code
        case dict():
            yield json.dumps(errors, ensure_ascii=False)


def _codes(errors: object) -> Iterator[str]:
    for error in errors if isinstance(errors, list) else [errors]:
        match error:
            case {"code": str(code)}:
                yield code


def _plain(body: bytes) -> str:
    return body[: 4 * LONGEST_WORDS].decode(errors="replace")
