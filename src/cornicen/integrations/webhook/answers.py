"""Reading what a receiver answers: HTTP status first, then the protocol's own ``status``, and its words for people."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus

from cornicen.delivery.shapes import Verdict
from cornicen.errors import DestinationRefused, WrongKey
from cornicen.integrations.webhook import limits
from cornicen.integrations.webhook.account import Account
from cornicen.wire.http import NotSent, Reply, Result
from cornicen.wire.retry_after import retry_after

_LATER = {HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
_MEND = (
    "Mend the receiver, then `cornicen sync resume NAME`. If it has lost the cohort, remove the sync and add it again: then "
    "everybody is sent anew."
)


@dataclass(frozen=True)
class Heard:
    """What came back, or did not.

    Args:
        verdict: As in `Verdict`.
        words: The receiver's own, or why nothing came.
        document: Its answer, where it is a JSON object.
        wait: Seconds it asks us to wait.
        error: Of DENIED.
    """

    verdict: Verdict
    words: str = ""
    document: dict[str, object] | None = None
    wait: float | None = None
    error: DestinationRefused | None = None


def hear(result: Result, account: Account, action: str) -> Heard:
    """What an answer to this action means; never raises."""
    if not isinstance(result, Reply):
        return Heard(Verdict.UNTOUCHED if isinstance(result, NotSent) else Verdict.UNKNOWN, result.why)
    document = _document(result.body)
    words = clean(account.without_secrets(_words(document, result, action)))
    verdict = _verdict(document, result.status, account, action)
    error = _error(document, result.status, account, words) if verdict is Verdict.DENIED else None
    return Heard(verdict, words, document, retry_after(result.headers), error)


def _verdict(document: dict[str, object] | None, status: int, account: Account, action: str) -> Verdict:
    if 200 <= status < 300:
        if document is not None and document.get("status") == "success" and document.get("action") == action:
            return Verdict.ACCEPTED
        code = _code(document)
        if document is None or document.get("status") != "failure" or (code is not None and not 400 <= code < 600):
            return Verdict.UNKNOWN  # not the protocol's answer: what became of the page is anybody's guess
        status = HTTPStatus.BAD_REQUEST if code is None else code
    if status in account.retried or status == HTTPStatus.REQUEST_TIMEOUT or status < 200 or status >= 500:
        return Verdict.UNKNOWN
    return Verdict.UNTOUCHED if status in _LATER else Verdict.DENIED


def _error(document: dict[str, object] | None, status: int, account: Account, words: str) -> DestinationRefused:
    code = _code(document) if 200 <= status < 300 else None
    if (code or status) in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        what = f"The receiver at {account.host} refuses our credentials."
        return WrongKey(what, "Give the user name and password it knows, then `cornicen sync resume NAME`.", words)
    if 300 <= status < 400:
        what = f"The receiver at {account.host} redirects (status {status}); that is not followed."
        return DestinationRefused(what, "Give its real address as `url`, then `cornicen sync resume NAME`.", words)
    return DestinationRefused(f"The receiver at {account.host} refuses a page (status {code or status}).", _MEND, words)


def clean(words: str) -> str:
    """One line of at most `limits.LONGEST_WORDS` printable characters."""
    line = "".join(letter if letter.isprintable() else " " for letter in words)
    return line.strip()[: limits.LONGEST_WORDS]


def _document(body: bytes) -> dict[str, object] | None:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _words(document: dict[str, object] | None, reply: Reply, action: str) -> str:
    """Its own words; where it has none but something is wrong, ours."""
    match document:
        case {"error": {"message": str(message)}} if message:
            return message
        case {"error": str(message)} if message:
            return message
        case {"status": "success", "action": other} if 200 <= reply.status < 300:
            return "" if other == action else "the answer is about another action"
    if document is None and not 200 <= reply.status < 300 and reply.body:
        return reply.body[: 4 * limits.LONGEST_WORDS].decode(errors="replace")
    return f"status {reply.status} without a text"


def _code(document: dict[str, object] | None) -> int | None:
    """The code of a failure, where it has one."""
    match document:
        case {"error": {"code": int(code)}} if not isinstance(code, bool):
            return code
        case {"error": {"code": str(code)}} if code.isascii() and code.isdigit() and len(code) == 3:
            return int(code)
    return None
