"""Every error of the routes that cohorts need, body for body. The numbers are those of docs/conformance/onesignal.md."""

from __future__ import annotations

import pytest

from cornicen.integrations.onesignal.simulator import Clock, Direct, Knobs, Simulator
from cornicen.integrations.onesignal.simulator.answers import Errors
from cornicen.integrations.onesignal.simulator.api.routes import ROUTES, Rate
from cornicen.integrations.onesignal.simulator.traffic.faults import Faults, Kind, Plan, Rule

NOW = 1_700_000_000.0
NOBODY = "00000000-0000-4000-8000-000000000000"
SEGMENT = "11111111-1111-4111-8111-111111111111"
ACCESS = (
    "Access denied.  Please include an 'Authorization: ...' header with a valid API key "
    "(https://documentation.onesignal.com/docs/en/keys-and-ids#api-keys)."
)
EXISTS = [{"field": "tag", "key": "cohort", "relation": "exists"}]
TAGS = {"properties": {"tags": {"a": "1"}}}
EMAIL = {"subscription": {"type": "Email", "token": "new@example.com"}}
UNKNOWN_USER = {"code": "user-0", "title": "User not found"}
UNKNOWN_SUBSCRIPTION = {"code": "subscription-0", "title": "Subscription not found"}


def desk(**knobs):
    """Two users, of whom the first has as many tags as its app allows, and one segment."""
    simulator = Simulator(Clock(NOW), Knobs(**({"rps_per_app": 0, "rps_per_user": 0, "view_rps": 0, "tag_cap": 2} | knobs)))
    vendor = Direct(simulator, simulator.add_app(api_key="secret"))
    for name in ("u1", "u2"):
        email = {"type": "Email", "token": f"{name}@example.com"}
        body = {"identity": {"external_id": name}, "properties": {"tags": {"one": "1", "two": "2"}}, "subscriptions": [email]}
        assert vendor.ask("POST", "users", body).status == 201
    assert vendor.ask("POST", "segments", {"id": SEGMENT, "name": "Old", "filters": EXISTS}).status == 201
    return vendor


def structured(code, title, **meta):
    return {"errors": [{"code": code, "title": title, **({"meta": meta} if meta else {})}]}


def strings(*words, **more):
    return {**({"errors": list(words)} if words else {}), **more}


USER, OTHER, BY = "users/by/external_id/u1", "users/by/external_id/nobody", "users/by/onesignal_id/u1"
CAP = structured("entitlements-tag-limit", "The tags for this user exceed the limit for this organization's plan.")
UUID = structured("request-1", "Invalid UUID", onesignal_id="u1")
LIMIT = structured("Subscription Limit Exceeded", "Subscription Limit Exceeded")
HUNDRED = structured("request-0", "Please limit your tag updates to 100 per request")
CROWD = {"identity": {"external_id": "n"}, "subscriptions": [{"type": "Email", "token": f"{n}@x.y"} for n in range(21)]}

CASES = [
    (
        "A4",
        "GET",
        USER,
        None,
        {"authorization": ""},
        401,
        structured("auth-1", "This operation requires 'Authorization' in the HTTP header"),
    ),
    ("A5 app", "GET", "", None, {"authorization": ""}, 403, strings(ACCESS)),
    ("A5 segments", "GET", "segments", None, {"authorization": ""}, 403, strings(ACCESS)),
    ("A5 export", "POST", "/players/csv_export?app_id={app}", {}, {"authorization": ""}, 403, strings(ACCESS)),
    ("A6 user", "PATCH", USER, TAGS, {"authorization": "Key wrong"}, 403, strings(ACCESS)),
    ("A6 segments", "GET", "segments", None, {"authorization": "Key wrong"}, 403, strings(ACCESS)),
    ("A9 app", "GET", f"/apps/{NOBODY}", None, {}, 404, strings(f"Couldn't find app with id = {NOBODY}")),
    (
        "A9 user",
        "PATCH",
        f"/apps/{NOBODY}/{USER}",
        TAGS,
        {},
        404,
        structured("request-0", f"Couldn't find app with id = {NOBODY}"),
    ),
    ("A11", "GET", "nothing", None, {}, 404, {"status": 404, "error": "Not Found"}),
    ("B13", "PATCH", USER, {"properties": {"tags": {f"k{n}": "" for n in range(101)}}}, {}, 400, HUNDRED),
    (
        "B17",
        "PATCH",
        USER,
        {"properties": {"tags": {"k": []}}},
        {},
        400,
        structured("request-0", "Tag values must be strings", key="k"),
    ),
    (
        "B18",
        "PATCH",
        USER,
        {"properties": {"tags": {"user": "1"}}},
        {},
        400,
        structured("request-0", "Tag keys must not be empty or reserved", keys=["user"]),
    ),
    ("C6", "POST", "users", {}, {}, 400, structured("request-0", "A user needs an alias or a subscription")),
    ("C9 update", "PATCH", USER, {"properties": {"tags": {"three": "3"}}}, {}, 409, CAP),
    (
        "C9 create",
        "POST",
        "users",
        {"identity": {"external_id": "n"}, "properties": {"tags": {"a": "1", "b": "1", "c": "1"}}},
        {},
        409,
        CAP,
    ),
    ("C11", "PATCH", OTHER, TAGS, {}, 404, {"errors": [UNKNOWN_USER]}),
    ("C12 update", "PATCH", BY, TAGS, {}, 400, UUID),
    ("C12 nobody", "GET", f"users/by/onesignal_id/{NOBODY}", None, {}, 404, {"errors": [UNKNOWN_USER]}),
    (
        "C16",
        "PATCH",
        USER,
        {"deltas": {"session_count": 1}},
        {"onesignal_subscription_id": NOBODY},
        404,
        {"errors": [UNKNOWN_SUBSCRIPTION]},
    ),
    ("C18", "PATCH", USER, {}, {}, 400, structured("request-0", "properties or deltas must be given")),
    (
        "D2",
        "PATCH",
        f"{USER}/identity",
        {"identity": {"external_id": "u2"}},
        {},
        409,
        structured("user-2", "One or more Aliases claimed by another User"),
    ),
    ("D3", "DELETE", f"{USER}/identity/crm", None, {}, 409, structured("user-3", "The user has no such alias", label="crm")),
    (
        "D4",
        "PATCH",
        f"{USER}/identity",
        {"identity": {"onesignal_id": NOBODY}},
        {},
        400,
        structured("request-0", "The alias label is reserved", label="onesignal_id"),
    ),
    ("D12 update", "PATCH", f"subscriptions/{NOBODY}", EMAIL, {}, 404, {"errors": [UNKNOWN_SUBSCRIPTION]}),
    ("D12 delete", "DELETE", f"subscriptions/{NOBODY}", None, {}, 404, {"errors": [UNKNOWN_SUBSCRIPTION]}),
    ("D12 owner", "GET", f"subscriptions/{NOBODY}/user/identity", None, {}, 404, {"errors": [UNKNOWN_SUBSCRIPTION]}),
    ("D12 token", "PATCH", "subscriptions_by_token/Email/x@y.z", EMAIL, {}, 404, {"errors": [UNKNOWN_SUBSCRIPTION]}),
    ("D12 malformed", "DELETE", "subscriptions/7", None, {}, 400, structured("request-1", "Invalid UUID", subscription_id="7")),
    ("D16", "POST", "users", CROWD, {}, 409, LIMIT),
    (
        "E2",
        "POST",
        "segments",
        {"id": SEGMENT, "name": "New", "filters": EXISTS},
        {},
        409,
        strings("Segment with the given id already exists.", success=False),
    ),
    ("E4 create", "POST", "segments", {"filters": EXISTS}, {}, 400, strings("name is required")),
    ("E4 update", "PATCH", f"segments/{SEGMENT}", {"filters": EXISTS}, {}, 400, strings("name is required")),
    (
        "E5",
        "POST",
        "segments",
        {"name": "Old", "filters": EXISTS},
        {},
        400,
        strings("Segment name is already taken.", success=False),
    ),
    ("E12", "DELETE", f"segments/{NOBODY}", None, {}, 404, {"success": False}),
    ("E13 view", "GET", f"segments/{NOBODY}", None, {}, 404, strings("segment not found", success=False)),
    ("E13 update", "PATCH", f"segments/{NOBODY}", {"name": "x"}, {}, 404, strings("segment not found", success=False)),
    (
        "J10 no app",
        "POST",
        "/players/csv_export",
        {},
        {},
        400,
        strings("Request is malformed: Failed to parse app_id from request"),
    ),
    (
        "J10 field",
        "POST",
        "/players/csv_export?app_id={app}",
        {"extra_fields": ["shoe"]},
        {},
        400,
        strings("Unknown extra_fields: shoe"),
    ),
]


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status", "said"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_every_error_is_written_as_the_vendor_writes_it(method, path, body, headers, status, said):
    vendor = desk()
    reply = vendor.ask(method, path.replace("{app}", vendor.app.id), body, **headers)
    assert (reply.status, reply.json) == (status, said)
    assert reply.headers["content-type"] == "application/json; charset=utf-8"


def test_the_conflict_of_two_users_aliases_names_both():  # C5
    vendor = desk()
    vendor.ask("PATCH", "users/by/external_id/u2/identity", {"identity": {"crm": "c2"}})
    reply = vendor.ask("POST", "users", {"identity": {"external_id": "u1", "crm": "c2"}})
    ids = {user.identity["external_id"]: user.onesignal_id for user in vendor.app.users.values()}
    conflict = {"external_id": ids["u1"], "crm": ids["u2"]}
    assert (reply.status, reply.json) == (409, structured("Conflict", "Conflicting aliases", conflicting_aliases=conflict))


def test_the_caps_of_an_app_may_be_an_enterprises():  # B16, E6
    vendor = desk(tag_cap=150, segment_cap=1)
    assert vendor.tag("u1", **{f"k{n}": "1" for n in range(100)}).status == 202
    assert vendor.tag("u1", **{f"l{n}": "1" for n in range(48)}).status == 202
    assert vendor.tag("u1", one_more="1").status == 409
    reply = vendor.ask("POST", "segments", {"name": "New", "filters": EXISTS})
    assert (reply.status, reply.json) == (
        422,
        {"errors": ["You have reached the maximum number of segments allowed for your plan."]},
    )


PLACES = {"app": "{app}", "label": "external_id", "alias": "u1", "delete": "crm", "type": "Email", "token": "u1@example.com"}


@pytest.mark.parametrize("route", [each for each in ROUTES if each.rate is not Rate.NONE], ids=lambda route: route.name)
def test_every_limited_route_answers_a_crowd_with_429_and_how_long_to_wait(route):  # B3, B6, B7
    vendor = desk(rps_per_user=1, view_rps=1, view_burst=1, retry_after_s=3)
    places = PLACES | {"app": vendor.app.id, "subscription": next(iter(vendor.app.subscriptions))}
    path = "/" + "/".join(places[part[1:-1]] if part[0] == "{" else part for part in route.pattern)
    body = {"identity": {"external_id": "u1"}} if route.name == "create_user" else None
    vendor.simulator.clock.advance(10)
    first, second = (vendor.ask(route.method, path, body) for _ in range(2))
    assert first.status != 429
    if route.name == "delete_user":  # nobody is left whose limit it could be
        assert (second.status, second.json) == (404, {"errors": [UNKNOWN_USER]})
        return
    assert (second.status, second.headers["retry-after"]) == (429, "3")
    assert second.json == structured("Rate Limit Exceeded", "API rate limit exceeded")


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_a_429_that_is_planned_is_written_in_the_shape_of_every_route(route):  # B3, B4
    vendor = desk()
    vendor.simulator.faults = Faults(Plan(rules=[Rule(kind=Kind.STATUS, status=429, route=route.name)]))
    path = "/" + "/".join(vendor.app.id if part == "{app}" else "x" if part[0] == "{" else part for part in route.pattern)
    reply = vendor.ask(route.method, path, {})
    assert (reply.status, reply.headers["retry-after"]) == (429, "1")
    expected = {
        Errors.STRUCTURED: structured("Rate Limit Exceeded", "API rate limit exceeded"),
        Errors.STRINGS: {"errors": ["API rate limit exceeded"], "limit": "App ID"},
    }
    assert reply.json == expected[route.errors]


def test_a_user_is_made_without_a_key_and_nothing_else_is_done_without_one():  # A3
    vendor = desk()
    assert vendor.ask("POST", "users", {"identity": {"external_id": "n"}}, authorization="").status == 201
    assert vendor.ask("PATCH", "users/by/external_id/n", TAGS, authorization="").status == 401


@pytest.mark.parametrize("label", ["external_id", "crm", "onesignal_id"])
def test_one_user_is_reached_by_every_label_it_has(label):  # C12, C13
    vendor = desk(tag_cap=10)
    vendor.ask("PATCH", f"{USER}/identity", {"identity": {"crm": "c-1"}})
    identity = vendor.ask("GET", USER).json["identity"]
    path = f"users/by/{label}/{identity[label]}"
    assert vendor.ask("PATCH", path, TAGS).status == 202
    shown = vendor.ask("GET", path).json
    assert (shown["identity"], shown["properties"]["tags"]["a"]) == (identity, "1")


def test_whose_a_subscription_is_can_be_asked_and_then_written_by_that_id():  # D14
    vendor = desk(tag_cap=10)
    [subscription] = vendor.ask("GET", USER).json["subscriptions"]
    found = vendor.ask("GET", f"subscriptions/{subscription['id'].upper()}/user/identity").json["identity"]
    assert found["external_id"] == "u1"
    assert vendor.ask("PATCH", f"users/by/onesignal_id/{found['onesignal_id']}", TAGS).status == 202
    assert vendor.ask("GET", USER).json["properties"]["tags"]["a"] == "1"
