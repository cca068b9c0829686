from __future__ import annotations

from urllib.parse import quote

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from cornicen.integrations.onesignal.simulator import Clock, Direct, Knobs, Simulator
from cornicen.integrations.onesignal.simulator.answers import Errors
from cornicen.integrations.onesignal.simulator.api.routes import ROUTES
from cornicen.integrations.onesignal.simulator.dump import dump

NOW = 1_700_000_000.0
SEGMENT = "11111111-1111-4111-8111-111111111111"
WORDS = st.sampled_from(
    ["", "u1", "external_id", "onesignal_id", "crm", "Email", "u1@x.y", SEGMENT, "cohort", "1", "exists", "\0", "ą"]
)
SCALARS = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | WORDS | st.text(max_size=8)
NAMES = """
    identity properties tags subscriptions subscription deltas purchases type token id enabled name filters field
    relation key value hours_ago operator description extra_fields segment_name last_active_since external_id
    onesignal_id notification_types last_active app_id radius lat long
"""
KEYS = st.sampled_from(NAMES.split())
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | WORDS, inner, max_size=4), max_leaves=12
)
LIKELY = st.fixed_dictionaries(
    {},
    optional={
        "identity": st.dictionaries(WORDS, WORDS, max_size=3) | JSON,
        "properties": st.fixed_dictionaries({}, optional={"tags": st.dictionaries(WORDS, SCALARS, max_size=3), "lat": SCALARS}),
        "subscriptions": st.lists(st.dictionaries(KEYS, SCALARS, max_size=4), max_size=2),
        "subscription": st.dictionaries(KEYS, SCALARS, max_size=4),
        "name": WORDS,
        "filters": st.lists(st.dictionaries(KEYS, SCALARS, max_size=4), max_size=3),
        "extra_fields": st.lists(WORDS, max_size=2) | JSON,
        "last_active_since": SCALARS,
    },
)
BODIES = st.binary(max_size=12) | JSON.map(msgspec.json.encode) | LIKELY.map(msgspec.json.encode)


def desk():
    knobs = Knobs(rps_per_app=0, rps_per_user=0, view_rps=0, export_rows_per_second=0, tag_settle_ms=1000, view_lag_ms=500)
    simulator = Simulator(Clock(NOW), knobs)
    vendor = Direct(simulator, simulator.add_app())
    email = {"type": "Email", "token": "u1@x.y"}
    assert vendor.ask("POST", "users", {"identity": {"external_id": "u1"}, "subscriptions": [email]}).status == 201
    filters = [{"field": "tag", "key": "cohort", "relation": "exists"}]
    assert vendor.ask("POST", "segments", {"id": SEGMENT, "name": "Old", "filters": filters}).status == 201
    return vendor


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_no_request_breaks_it_and_every_refusal_has_the_shape_of_its_route(data):
    vendor = desk()
    ids = st.sampled_from([*vendor.app.users, *vendor.app.subscriptions]) | WORDS
    for _ in range(data.draw(st.integers(1, 4), "requests")):
        route = data.draw(st.sampled_from(ROUTES), "route")
        places = [
            vendor.app.id if part == "{app}" else quote(data.draw(ids), safe="") for part in route.pattern if part[0] == "{"
        ]
        filled = iter(places)
        path = "/" + "/".join(next(filled) if part[0] == "{" else part for part in route.pattern)
        query = data.draw(st.sampled_from(["", "&limit=x", "&offset=1", "&include-segment-detail=true"]), "query")
        reply = vendor.ask(route.method, f"{path}?app_id={vendor.app.id}{query}", data.draw(BODIES, "body"))
        assert reply.status in {200, 201, 202, 400, 404, 409, 422}
        if reply.status < 400:
            assert reply.headers["content-type"] == "application/gzip" or isinstance(reply.json, dict)
        elif b"NoSuchKey" not in reply.body and "error" not in reply.json:
            kind = dict if route.errors is Errors.STRUCTURED else str
            assert all(type(error) is kind for error in reply.json.get("errors", []))
        vendor.simulator.clock.advance(0.3)
        msgspec.json.encode(dump(vendor.simulator, vendor.app))
