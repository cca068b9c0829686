"""Who may call: the ``Authorization`` header, and what each way of being wrong answers."""

from __future__ import annotations

from enum import StrEnum

from cornicen.integrations.onesignal.simulator.answers import Errors, Refused
from cornicen.integrations.onesignal.simulator.state.app import App

SCHEMES = frozenset({"key", "basic", "bearer"})
"""Schemes seen in use, in any case. The key stands behind each of them as it is, not encoded."""

DENIED = (
    "Access denied.  Please include an 'Authorization: ...' header with a valid API key "
    "(https://documentation.onesignal.com/docs/en/keys-and-ids#api-keys)."
)


class Needs(StrEnum):
    """Which key a route asks for."""

    NOTHING = "nothing"
    APP = "app"
    APP_OR_ORGANIZATION = "app or organization"


def admit(header: str | None, needs: Needs, app: App, organization_key: str, errors: Errors, foreign: frozenset[str]) -> None:
    """Let a request pass, or not.

    Args:
        header: ``Authorization`` as it came.
        needs: What the route asks for.
        app: The application of the path.
        organization_key: Of the organization.
        errors: The route's way of writing errors; it decides how a missing header is answered.
        foreign: Keys of the other applications.

    Raises:
        Refused: 401 ``auth-1`` without a header where errors are structured, else 403. 403 for a wrong key.
    """
    if needs is Needs.NOTHING:
        return
    if not header and errors is Errors.STRUCTURED:
        raise Refused(401, "This operation requires 'Authorization' in the HTTP header", code="auth-1")
    scheme, _, key = (header or "").partition(" ")
    key = key.strip() if scheme.lower() in SCHEMES else ""
    if key == app.api_key or (needs is Needs.APP_OR_ORGANIZATION and key == organization_key):
        return
    if needs is Needs.APP_OR_ORGANIZATION and key in foreign:
        raise Refused(403, "You do not have permission to view this app.")
    raise Refused(403, DENIED, strings=True)
