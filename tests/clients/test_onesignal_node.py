"""OneSignal's own Node client, unmodified, against the simulator over a socket."""

from __future__ import annotations

import pytest

from cornicen.integrations.onesignal.simulator import Knobs, running
from cornicen.integrations.onesignal.simulator.api.routes import ROUTES

pytestmark = pytest.mark.journey
USER = "nöde/user"
SEGMENT = "3f0c3c5e-5d2c-4b63-9c5d-0d9f1f6f7a10"
DONE = {"success": True, "id": SEGMENT}


@pytest.fixture
def asked(node):
    """The simulator after one of everything was asked of it, what the client said, and how often each route was asked."""
    with running(knobs=Knobs(rps_per_user=0, view_rps=0)) as vendor:
        vendor.faults({"kind": "status", "status": 429, "retry_after_s": 9, "route": "view_app", "skip": 1})
        said = node("onesignal", vendor.address, vendor.app_id, vendor.api_key, vendor.organization_key)
        yield vendor, said


def test_everything_that_it_asks_is_answered_as_it_reads_it(asked):
    vendor, said = asked
    assert said["app"]["id"] == vendor.app_id
    assert said["create"]["identity"] == said["create_again"]["identity"]
    assert said["create"]["properties"]["tags"] == {"plan": "pro"}
    assert said["create"]["subscriptions"][0]["token"] == "node@example.com"
    assert said["update"] == {"properties": {"tags": {"cohort": "1"}}}
    assert said["view"]["properties"]["tags"] == {"cohort": "1"}
    onesignal_id = said["create"]["identity"]["onesignal_id"]
    mine = {"external_id": USER, "onesignal_id": onesignal_id}
    assert said["alias"]["identity"] == said["aliases"]["identity"] == {**mine, "crm": "c-1"}
    assert said["unalias"]["identity"] == said["owner"]["identity"] == mine
    assert said["alias_by_subscription"]["identity"] == {**mine, "erp": "e-1"}
    assert said["subscribe"]["subscription"]["enabled"] is True
    assert said["transfer"]["identity"]["external_id"] == "other"
    assert said["segment"] == said["segment_update"] == DONE
    assert [each["name"] for each in said["segments"]["segments"]] == ["Cohort"]
    assert said["segment_detail"]["payload"]["filters"] == [{"field": "tag", "key": "cohort", "relation": "exists"}]
    assert said["segment_detail"]["subscriber_count"] == said["segment_count"]["subscriber_count"] == 1
    assert said["segment_delete"] == {"success": True}
    assert said["export"]["csv_file_url"].startswith(f"{vendor.address}/csv_exports/")
    assert said["delete"] == {"identity": {"onesignal_id": onesignal_id}}
    assert [user["external_id"] for user in vendor.state()["users"]] == ["other"]


@pytest.fixture
def refused(asked):
    """What the client read of each refusal."""
    return {name: each for name, each in asked[1].items() if "status" in each}


def test_every_refusal_reaches_it_with_its_status_and_words(refused):
    statuses = {name: each["status"] for name, each in refused.items()}
    assert statuses == {
        "hasty": 429,
        "too_many_tags": 409,
        "unknown": 404,
        "malformed": 400,
        "wrong_key": 403,
        "segment_again": 409,
        "segment_gone": 404,
        "gone": 404,
    }
    assert refused["hasty"]["after"] == "9"
    assert refused["too_many_tags"]["words"] == ["The tags for this user exceed the limit for this organization's plan."]
    assert refused["segment_again"]["words"] == ["Segment with the given id already exists."]
    assert refused["wrong_key"]["words"][0].startswith("Access denied.")


def test_it_asks_every_route_of_users_segments_and_exports(asked):
    """All but the file of an export, which is fetched by its address alone."""
    assert set(asked[0].requests()["routes"]) == {route.name for route in ROUTES} - {"fetch_export"}
