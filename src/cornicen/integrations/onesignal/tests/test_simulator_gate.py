from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cornicen.integrations.onesignal.simulator import Clock, Direct, Knobs, Simulator
from cornicen.integrations.onesignal.simulator.api.routes import ROUTES
from cornicen.integrations.onesignal.simulator.traffic.rates import Rates

NOW = 1_700_000_000.0
ACCESS = (
    "Access denied.  Please include an 'Authorization: ...' header with a valid API key "
    "(https://documentation.onesignal.com/docs/en/keys-and-ids#api-keys)."
)
UNKNOWN = "00000000-0000-4000-8000-000000000000"


def desk(**knobs):
    simulator = Simulator(Clock(NOW), Knobs(**knobs), organization_key="org")
    return Direct(simulator, simulator.add_app(api_key="secret"))


@pytest.fixture
def vendor():
    made = desk()
    made.ask("POST", "users", {"identity": {"external_id": "u1"}})
    made.ask("POST", "users", {"identity": {"external_id": "u2"}})
    made.simulator.clock.advance(10)
    return made


# --- keys


@pytest.mark.parametrize("header", ["Key secret", "key secret", "KEY secret", "Basic secret", "basic secret", "Bearer secret"])
def test_the_key_is_taken_behind_every_scheme_in_any_case(vendor, header):
    for path in ("", "segments", "users/by/external_id/u1"):
        assert vendor.ask("GET", path, authorization=header).status == 200


@pytest.mark.parametrize("header", ["Key Secret", "Key wrong", "secret", "Digest secret", "Key ", "Basic c2VjcmV0"])
@pytest.mark.parametrize("path", ["", "segments", "users/by/external_id/u1"])
def test_a_wrong_key_is_403_in_strings_everywhere(vendor, header, path):
    reply = vendor.ask("GET", path, authorization=header)
    assert (reply.status, reply.json) == (403, {"errors": [ACCESS]})


def test_no_header_is_401_on_users_and_403_elsewhere(vendor):
    reply = vendor.ask("GET", "users/by/external_id/u1", authorization="")
    expected = {"code": "auth-1", "title": "This operation requires 'Authorization' in the HTTP header"}
    assert (reply.status, reply.json) == (401, {"errors": [expected]})
    for path in ("", "segments"):
        reply = vendor.ask("GET", path, authorization="")
        assert (reply.status, reply.json) == (403, {"errors": [ACCESS]})


def test_the_organization_key_views_the_app_and_does_nothing_else(vendor):
    assert vendor.ask("GET", "", authorization="Key org").status == 200
    assert vendor.ask("GET", "segments", authorization="Key org").status == 403
    assert vendor.ask("GET", "users/by/external_id/u1", authorization="Key org").status == 403


def test_another_apps_key_may_not_view_this_app(vendor):
    vendor.simulator.add_app(api_key="theirs")
    reply = vendor.ask("GET", "", authorization="Key theirs")
    assert (reply.status, reply.json) == (403, {"errors": ["You do not have permission to view this app."]})
    assert vendor.ask("GET", "segments", authorization="Key theirs").json == {"errors": [ACCESS]}


def test_every_keyed_route_refuses_a_wrong_key():
    vendor = desk()
    keyed = [route for route in ROUTES if route.needs != "nothing"]
    assert len(keyed) == len(ROUTES) - 2  # making a user, and fetching a file
    for route in keyed:
        filled = [vendor.app.id if part == "{app}" else "x" if part[0] == "{" else part for part in route.pattern]
        path = "/" + "/".join(filled) + f"?app_id={vendor.app.id}"
        assert vendor.ask(route.method, path, authorization="Key wrong").status == 403, route.name


def test_an_unknown_app_is_404(vendor):
    reply = vendor.ask("GET", f"/apps/{UNKNOWN}")
    assert (reply.status, reply.json) == (404, {"errors": [f"Couldn't find app with id = {UNKNOWN}"]})
    reply = vendor.ask("PATCH", f"/apps/{UNKNOWN}/users/by/external_id/u1", {"properties": {}})
    assert (reply.status, reply.json["errors"][0]["title"]) == (404, f"Couldn't find app with id = {UNKNOWN}")


def test_the_app_is_counted_only_without_view_config(vendor):
    body = {"subscription": {"type": "ChromePush", "token": "t", "enabled": False}}
    assert vendor.ask("POST", "users/by/external_id/u1/subscriptions", body).status == 201
    short, full = vendor.ask("GET", "?view=config").json, vendor.ask("GET", "").json
    assert short["id"] == vendor.app.id
    assert {"name", "organization_id", "created_at", "updated_at", "channels"} <= set(short)
    assert not {"players", "messageable_players"} & set(short)
    assert (full["players"], full["messageable_players"]) == (1, 0)


# --- paths


def test_every_route_is_also_mounted_at_api_v1(vendor):
    app = vendor.app.id
    for path in (f"/apps/{app}", f"/apps/{app}/segments", f"/apps/{app}/users/by/external_id/u1"):
        assert vendor.ask("GET", f"/api/v1{path}").json == vendor.ask("GET", path).json
    assert vendor.ask("POST", f"/api/v1/players/csv_export?app_id={app}", {}).status == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("GET", "/nothing"), ("PUT", "segments"), ("POST", ""), ("GET", "users"), ("GET", "users/by/external_id/")],
)
def test_a_path_or_method_without_a_route_is_404(vendor, method, path):
    reply = vendor.ask(method, path)
    assert (reply.status, reply.json) == (404, {"status": 404, "error": "Not Found"})


# --- rates


def test_one_user_takes_one_write_a_second_and_others_are_not_held_up(vendor):
    assert vendor.tag("u1", a="1").status == 202
    reply = vendor.tag("u1", a="2")
    assert (reply.status, reply.headers["retry-after"]) == (429, "1")
    assert reply.json == {"errors": [{"code": "Rate Limit Exceeded", "title": "API rate limit exceeded"}]}
    assert vendor.tag("u2", a="1").status == 202
    vendor.simulator.clock.advance(0.999)
    assert vendor.tag("u1", a="2").status == 429  # a refused request does not push the next one back
    vendor.simulator.clock.advance(0.001)
    assert vendor.tag("u1", a="2").status == 202
    assert vendor.app.by_alias["external_id", "u1"].tags == {"a": "2"}


def test_a_users_writes_share_one_limit_whatever_the_route_and_alias(vendor):
    assert vendor.ask("POST", "users", {"identity": {"external_id": "u1"}}).status == 202
    onesignal_id = vendor.app.by_alias["external_id", "u1"].onesignal_id
    assert vendor.ask("PATCH", f"users/by/onesignal_id/{onesignal_id}", {"properties": {}}).status == 429
    assert vendor.ask("PATCH", "users/by/external_id/u1/identity", {"identity": {"crm": "c"}}).status == 429
    assert vendor.ask("DELETE", "users/by/external_id/u1").status == 429


def test_one_subscription_takes_one_write_a_second(vendor):
    body = {"subscription": {"type": "Email", "token": "a@b.c"}}
    one = vendor.ask("POST", "users/by/external_id/u1/subscriptions", body).json["subscription"]["id"]
    change = {"subscription": {"enabled": False}}
    assert vendor.ask("PATCH", f"subscriptions/{one}", change).status == 200
    assert vendor.ask("PATCH", "subscriptions_by_token/Email/a@b.c", change).status == 429


def test_an_app_takes_its_writes_a_second_and_unknown_users_count():
    vendor = desk(rps_per_app=5, retry_after_s=7)
    statuses = [vendor.tag(f"n{n}", a="1").status for n in range(7)]
    assert statuses == [404] * 5 + [429] * 2
    assert vendor.tag("n", a="1").headers["retry-after"] == "7"
    vendor.simulator.clock.advance(0.4)
    assert [vendor.tag(f"n{n}", a="1").status for n in range(3)] == [404, 404, 429]


def test_the_documented_rates_are_a_thousand_writes_and_one_view_after_ten():
    vendor = desk()
    assert [vendor.tag(f"n{n}", a="1").status for n in range(1001)].index(429) == 1000
    assert [vendor.ask("GET", "users/by/external_id/n").status for _ in range(11)].index(429) == 10
    vendor.simulator.clock.advance(1)
    assert [vendor.ask("GET", "users/by/external_id/n").status for _ in range(2)] == [404, 429]


def test_a_wrong_key_uses_nothing_up(vendor):
    for _ in range(3):
        assert vendor.ask("PATCH", "users/by/external_id/u1", {"properties": {}}, authorization="Key wrong").status == 403
    assert vendor.tag("u1", a="1").status == 202


def test_two_apps_have_limits_of_their_own():
    vendor = desk(rps_per_app=1)
    other = Direct(vendor.simulator, vendor.simulator.add_app(api_key="theirs"))
    assert [vendor.tag("n", a="1").status, other.tag("n", a="1").status, other.tag("n", a="1").status] == [404, 404, 429]


@settings(max_examples=200, deadline=None)
@given(
    waits=st.lists(st.floats(0, 3, allow_nan=False), max_size=60),
    rate=st.sampled_from([0.5, 1.0, 3.0, 10.0]),
    burst=st.integers(1, 10),
)
def test_no_window_lets_more_through_than_burst_plus_rate_and_a_patient_caller_is_never_refused(waits, rate, burst):
    rates, now, passed = Rates(), NOW, []
    for wait in waits:
        now += wait
        if rates.admit("k", rate, burst, now):
            passed.append(now)
        else:
            assert len(passed) >= burst
            assert now - passed[-1] < 1 / rate
    for first in range(len(passed)):
        for last in range(first, len(passed)):
            assert last - first + 1 <= burst + rate * (passed[last] - passed[first]) + 0.01
