"""What the browser's SDK asks for beside its events: it gets an empty answer and nothing is kept."""

from __future__ import annotations

from cornicen.flows.vendors import Inbound, Outbound, Parsed, Route
from cornicen.integrations.mixpanel import limits

PATHS = ("/record", "/flags", "/settings")
"""Session recordings, feature flags, remote settings; *client*: the SDK goes on without them."""


def _empty() -> Outbound:
    return Outbound(200, b"{}")


def _parse(_: Inbound) -> Parsed:
    return Parsed((), lambda _: _empty())


ROUTES = tuple(Route(("GET", "POST"), path, limits.BODY, _parse, _empty) for path in PATHS)
