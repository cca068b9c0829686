"""Mixpanel's response bodies. Its clients compare these texts, so they stand as they are."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from cornicen.flows.vendors import Outbound
from cornicen.integrations.mixpanel import limits
from cornicen.wire.body import TooLarge

EMPTY = "data, missing or empty"
INVALID = "some data points in the request failed validation"
UNAUTHORIZED = "Invalid credentials"
UNKNOWN_TOKEN = "$token, not of a project here: nothing of the request was kept"  # noqa: S105 - a sentence
PIXEL = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""A transparent GIF of one pixel."""

_STATUS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    413: "Request Entity Too Large",
    429: "Too Many Requests",
    503: "Service Unavailable",
}


@dataclass(frozen=True)
class Shape:
    """In what shape a sender wants ``1`` or ``0``. The first that is asked for wins.

    Args:
        verbose: As JSON that says why.
        callback: As a call of this JavaScript function; "": not so.
        image: As a picture, whatever the outcome.
    """

    verbose: bool = False
    callback: str = ""
    image: bool = False


def _json(status: int, document: Mapping[str, object], headers: Mapping[str, str] | None = None) -> Outbound:
    return Outbound(status, msgspec.json.encode(document), headers=headers or {})


def failed(status: int, error: str) -> Outbound:
    """A request that was not taken, whatever shape its sender asked for: all of them read ``error`` and ``status``."""
    headers = {"retry-after": str(limits.RETRY_AFTER)} if status in {429, 503} else {}
    return _json(status, {"code": status, "error": error, "status": _STATUS[status]}, headers)


def full() -> Outbound:
    """Nothing was taken; the same again is welcome later."""
    return failed(429, "Project exceeded rate limits. Please retry the request with exponential backoff.")


def unavailable() -> Outbound:
    """Nothing is known to be taken; the same again is welcome later."""
    return failed(503, "The service is not available now. Please retry the request with exponential backoff.")


def too_large(limit: TooLarge | None = None) -> Outbound:
    """More than is allowed; the text names the limit that holds here."""
    limit = limit or TooLarge(limits.BODY)
    return failed(413, f"request exceeds max limit of {limit.limit} {limit.unit}")


def strict(imported: int, failures: Sequence[Mapping[str, object]]) -> Outbound:
    """The answer to ``strict=1``: what failed is named, the rest was taken."""
    if not failures:
        return _json(200, {"code": 200, "num_records_imported": imported, "status": "OK"})
    document = {"code": 400, "error": INVALID, "failed_records": failures, "num_records_imported": imported}
    return _json(400, {**document, "status": _STATUS[400]})


def strict_engage(imported: int, failures: Sequence[Mapping[str, object]]) -> Outbound:
    """The same for profiles, where readers expect ``status`` to be 1 or 0 and ``error`` to be there."""
    counts = {"num_good_events": imported, "num_records_imported": imported}
    if not failures:
        return _json(200, {"code": 200, "error": None, **counts, "status": 1})
    return _json(400, {"code": 400, "error": INVALID, "failed_records": failures, **counts, "status": 0})


def loose(error: str | None, shape: Shape, **more: object) -> Outbound:
    """The answer where per-record validation was not asked for.

    Args:
        error: None: success, which means that at least one record was good.
        shape: As asked.
        more: Further keys of a verbose success.
    """
    if shape.verbose:
        return _json(200, {"status": 1, "error": None, **more} if error is None else {"error": error, "status": 0})
    said = b"1" if error is None else b"0"
    if shape.callback:  # the name is an identifier, and the type is not to be guessed from what stands there
        call = shape.callback.encode() + b"(" + said + b");"
        return Outbound(200, call, "text/javascript; charset=utf-8", {"x-content-type-options": "nosniff"})
    if shape.image:
        return Outbound(200, PIXEL, "image/gif", {"cache-control": "no-store"})
    return Outbound(200, said, "text/plain; charset=utf-8")
