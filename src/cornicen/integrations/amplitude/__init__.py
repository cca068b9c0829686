"""Amplitude: events, identifies, groups and user mappings from its SDKs and importers, by its own ingestion protocol."""

from __future__ import annotations

from functools import partial

from cornicen.flows.vendors import Inbound, Manifest, Parsed, Route
from cornicen.integrations.amplitude import answers, events_in, forms, limits, mapping_in, profiles_in


def _lost(_: Inbound) -> Parsed:
    return Parsed((), lambda _: answers.lost())


_BOTH = ("GET", "POST")

MANIFEST = Manifest(
    name="amplitude",
    title="Amplitude",
    category="analytics",
    routes=(
        Route(("POST",), "/2/httpapi", limits.BODY, partial(events_in.parse, batch=False), answers.too_large),
        Route(("POST",), "/batch", limits.BATCH_BODY, partial(events_in.parse, batch=True), answers.too_large),
        Route(_BOTH, "/identify", limits.BODY, profiles_in.identify, forms.too_large),
        Route(_BOTH, "/groupidentify", limits.BODY, profiles_in.group_identify, forms.too_large),
        Route(("POST",), "/usermap", limits.BODY, mapping_in.parse, forms.too_large),
        # Where nothing is: the first version of the protocol, and whatever else somebody takes for a path of the second.
        *(Route(_BOTH, path, limits.BATCH_BODY, _lost, answers.lost) for path in ("/httpapi", "/2/*", "/batch/*")),
    ),
)
