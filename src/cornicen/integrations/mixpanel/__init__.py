"""Mixpanel: events and profiles from its SDKs and importers, by its own ingestion protocol."""

from __future__ import annotations

from cornicen.flows.vendors import Manifest, Route
from cornicen.integrations.mixpanel import answers, browser, events_in, groups_in, limits, profiles_in, track_in

MANIFEST = Manifest(
    name="mixpanel",
    title="Mixpanel",
    category="analytics",
    routes=(
        Route(("GET", "POST"), "/track", limits.BODY, track_in.parse, answers.too_large),
        Route(("GET", "POST"), "/import", limits.BODY, events_in.parse, answers.too_large),
        Route(("GET", "POST"), "/engage", limits.BODY, profiles_in.parse, answers.too_large),
        Route(("GET", "POST"), "/groups", limits.BODY, groups_in.parse, answers.too_large),
        *browser.ROUTES,
    ),
)
