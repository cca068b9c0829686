"""Mixpanel: events and profiles from its SDKs and importers, by its own ingestion protocol."""

from __future__ import annotations

from cornicen.flows.vendors import Manifest, Route
from cornicen.integrations.mixpanel import answers, events_in, limits, profiles_in

MANIFEST = Manifest(
    name="mixpanel",
    title="Mixpanel",
    category="analytics",
    routes=(
        Route(("GET", "POST"), "/import", limits.BODY, events_in.parse, answers.too_large),
        Route(("GET", "POST"), "/engage", limits.BODY, profiles_in.parse, answers.too_large),
    ),
)
