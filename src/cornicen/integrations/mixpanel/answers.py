"""Mixpanel's response bodies. Its clients compare these texts, so they stand as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from cornicen.flows.vendors import Outbound
from cornicen.integrations.mixpanel import limits
from cornicen.wire.body import TooLarge

EMPTY = "data, missing or empty"
INVALID = "some data points in the request failed validation"
UNAUTHORIZED = "Invalid credentials"
_STATUS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    413: "Request Entity Too Large",
    429: "Too Many Requests",
    503: "Service Unavailable",
}


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


def loose(error: str | None, failures: Sequence[Mapping[str, object]] = (), *, verbose: bool, **more: object) -> Outbound:
    """The answer where per-record validation was not asked for: ``1`` or ``0``, or JSON that says why.

    Args:
        error: None: success, which means that at least one record was good.
        failures: Named in the JSON, where there are any, for whoever reads them; success or not.
        verbose: Whether JSON is wanted.
        more: Further keys of the JSON.
    """
    if verbose:
        named = {"failed_records": failures} if failures else {}
        return _json(200, {"status": int(error is None), "error": error, **more, **named})
    return Outbound(200, b"1" if error is None else b"0", "text/plain; charset=utf-8")
