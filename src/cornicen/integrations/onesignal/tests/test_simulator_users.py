from __future__ import annotations

import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cornicen.integrations.onesignal.simulator import Clock, Direct, Knobs, Simulator

NOW = 1_700_000_000.0
NOBODY = str(uuid.UUID(int=7, version=4))


def desk(tier="growth", **knobs):
    """Rates are off unless a test is about them."""
    off = {"rps_per_app": 0, "rps_per_user": 0, "view_rps": 0}
    simulator = Simulator(Clock(NOW), Knobs(**(off | knobs)))
    return Direct(simulator, simulator.add_app(tier=tier))


@pytest.fixture
def vendor():
    made = desk()
    made.ask("POST", "users", {"identity": {"external_id": "u1"}, "properties": {"tags": {"plan": "pro"}}})
    return made


def user(vendor, external_id="u1"):
    return vendor.ask("GET", f"users/by/external_id/{external_id}").json


def error(reply):
    [only] = reply.json["errors"]
    return reply.status, only["code"]


# --- create


def test_a_new_user_is_201_and_shows_everything_that_was_given():
    vendor = desk()
    properties = {"tags": {"plan": "pro"}, "language": "en", "country": "LT", "timezone_id": "Europe/Vilnius", "lat": 54.6}
    subscriptions = [{"type": "Email", "token": "u1@example.com", "enabled": True}]
    body = {"identity": {"external_id": "u1"}, "properties": properties, "subscriptions": subscriptions}
    reply = vendor.ask("POST", "users", body, authorization="")  # this one route needs no key
    assert reply.status == 201
    assert reply.json["identity"]["external_id"] == "u1"
    assert uuid.UUID(reply.json["identity"]["onesignal_id"]).version == 4
    assert properties.items() <= reply.json["properties"].items()
    [subscription] = reply.json["subscriptions"]
    assert {
        "type": "Email",
        "token": "u1@example.com",
        "enabled": True,
        "notification_types": 1,
    }.items() <= subscription.items()
    assert subscription["app_id"] == vendor.app.id
    assert user(vendor) == reply.json


def test_creating_a_user_who_is_there_changes_that_user_and_is_202(vendor):
    reply = vendor.ask("POST", "users", {"identity": {"external_id": "u1"}, "properties": {"tags": {"age": "30", "plan": ""}}})
    assert reply.status == 202
    assert reply.json["properties"]["tags"] == {"age": "30"}
    assert len(vendor.app.users) == 1


def test_a_subscription_alone_makes_an_anonymous_user_and_finds_it_again():
    vendor = desk()
    body = {"subscriptions": [{"type": "AndroidPush", "token": "t1"}]}
    first, second = vendor.ask("POST", "users", body), vendor.ask("POST", "users", body)
    assert (first.status, second.status) == (201, 202)
    assert first.json["identity"] == second.json["identity"]
    assert list(first.json["identity"]) == ["onesignal_id"]


def test_aliases_of_two_users_conflict(vendor):
    vendor.ask("POST", "users", {"identity": {"external_id": "u2", "crm": "c2"}})
    reply = vendor.ask("POST", "users", {"identity": {"external_id": "u1", "crm": "c2"}})
    assert error(reply) == (409, "Conflict")
    [conflict] = reply.json["errors"]
    assert conflict["title"] == "Conflicting aliases"
    assert set(conflict["meta"]["conflicting_aliases"]) == {"external_id", "crm"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"not json", 400),
        (b"[]", 400),
        (b'{"identity":{"external_id":"\xff"}}', 400),
        (b'{"properties":{"tags":{"a":' + b"[" * 100_000, 400),
        ({"identity": {"external_id": "n"}, "properties": {"last_active": 10**15}}, 400),
        ({}, 400),
        ({"identity": {}}, 400),
        ({"identity": {"external_id": 5}}, 400),
        ({"identity": {"external_id": ""}}, 400),
        ({"identity": {"external_id": "x" * 129}}, 400),
        ({"identity": {"crm": "c1"}}, 400),  # a custom alias needs an External ID
        ({"identity": {"onesignal_id": NOBODY}}, 404),
        ({"identity": {"external_id": "n"}, "properties": {"tags": []}}, 400),
        ({"identity": {"external_id": "n"}, "properties": {"lat": 91}}, 400),
        ({"identity": {"external_id": "n"}, "properties": {"country": 1}}, 400),
        ({"identity": {"external_id": "n"}, "subscriptions": [{"type": "email", "token": "a@b.c"}]}, 400),  # case matters
        ({"identity": {"external_id": "n"}, "subscriptions": [{"type": "Email"}]}, 400),
        ({"identity": {"external_id": "n"}, "subscriptions": [{"type": "Email", "token": "nobody"}]}, 400),
        ({"identity": {"external_id": "n"}, "subscriptions": [{"type": "SMS", "token": "555"}]}, 400),
        ({"identity": {"external_id": "n"}, "subscriptions": [{"id": NOBODY}]}, 400),
        ({"identity": {"external_id": "n"}, "properties": {"tags": {str(n): "1" for n in range(11)}}}, 409),
        (
            {"identity": {"external_id": "n"}, "subscriptions": [{"type": "ChromePush", "token": str(n)} for n in range(21)]},
            409,
        ),
    ],
)
def test_a_user_that_cannot_be_made_leaves_nothing_behind(vendor, body, status):
    reply = vendor.ask("POST", "users", body)
    assert reply.status == status
    assert set(reply.json["errors"][0]) >= {"code", "title"}
    assert list(vendor.app.by_alias) == [("external_id", "u1")]
    assert not vendor.app.subscriptions
    assert len(vendor.app.users) == 1


# --- update: tags


def test_tags_are_merged_and_an_empty_one_deletes(vendor):
    reply = vendor.tag("u1", cohort_42="1", plan="")
    assert reply.status == 202
    assert reply.json == {"properties": {"tags": {"cohort_42": "1"}}}
    assert user(vendor)["properties"]["tags"] == {"cohort_42": "1"}


@pytest.mark.parametrize(("value", "stored"), [(5, "5"), (1.5, "1.5"), (True, "true"), (False, "false"), ("x", "x")])
def test_numbers_and_booleans_are_stored_as_text(vendor, value, stored):
    vendor.tag("u1", k=value)
    assert user(vendor)["properties"]["tags"]["k"] == stored


@pytest.mark.parametrize("value", [None, [], ["a"], {"a": "b"}])
def test_a_tag_that_is_no_text_refuses_the_whole_write(vendor, value):
    assert vendor.tag("u1", good="1", bad=value).status == 400
    assert user(vendor)["properties"]["tags"] == {"plan": "pro"}


@pytest.mark.parametrize("key", ["", "user", "journey", "custom_data"])
def test_empty_and_reserved_keys_are_refused(vendor, key):
    assert vendor.tag("u1", **{key: "1"}).status == 400


def test_a_hundred_tags_may_be_written_at_once_and_not_one_more():
    vendor = desk("professional")
    vendor.ask("POST", "users", {"identity": {"external_id": "u1"}})
    assert vendor.tag("u1", **{f"k{n}": "1" for n in range(101)}).status == 400
    assert vendor.tag("u1", **{f"k{n}": "1" for n in range(100)}).status == 202


@pytest.mark.parametrize(("tier", "cap"), [("free", 2), ("growth", 10), ("professional", 100)])
def test_the_tier_caps_the_tags_and_a_refused_write_writes_nothing(tier, cap):
    vendor = desk(tier)
    vendor.ask("POST", "users", {"identity": {"external_id": "u1"}})
    full = {f"k{n}": "1" for n in range(cap)}
    assert vendor.tag("u1", **full).status == 202
    reply = vendor.tag("u1", k0="2", one_more="1")
    assert error(reply) == (409, "entitlements-tag-limit")
    assert reply.json["errors"][0]["title"] == "The tags for this user exceed the limit for this organization's plan."
    assert user(vendor)["properties"]["tags"] == full


def test_at_the_cap_known_keys_change_and_room_is_made_only_by_a_request_before(vendor):
    vendor.simulator.turn({"tag_cap": 1})
    assert vendor.tag("u1", plan="free").status == 202
    assert vendor.tag("u1", plan="", other="1").status == 409
    assert vendor.tag("u1", plan="").status == 202
    assert vendor.tag("u1", other="1").status == 202


def test_over_the_cap_known_keys_still_change_and_go(vendor):
    vendor.tag("u1", a="1", b="1")
    vendor.simulator.add_app(vendor.app.id, tier="free")
    assert vendor.tag("u1", a="2", b="").status == 202
    assert user(vendor)["properties"]["tags"] == {"plan": "pro", "a": "2"}


@settings(max_examples=150, deadline=None)
@given(
    writes=st.lists(st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["", "1", "2"]), max_size=6), max_size=8),
    cap=st.integers(0, 6),
)
def test_any_run_of_writes_ends_as_a_dictionary_under_the_cap_rule_says(writes, cap):
    vendor = desk(tag_cap=cap)
    vendor.ask("POST", "users", {"identity": {"external_id": "u1"}})
    expected: dict[str, str] = {}
    for tags in writes:
        adds = [key for key, value in tags.items() if value and key not in expected]
        refused = bool(adds) and len(expected) + len(adds) > cap
        assert vendor.tag("u1", **tags).status == (409 if refused else 202)
        if not refused:
            expected.update(tags)
            expected = {key: value for key, value in expected.items() if value}
    assert user(vendor)["properties"]["tags"] == expected


# --- update: the rest


def test_properties_are_replaced_and_counters_added_to(vendor):
    body = {
        "properties": {"language": "lt", "last_active": 1_700_000_100},
        "deltas": {
            "session_time": 60,
            "session_count": 1,
            "purchases": [{"sku": "s", "amount": "0.99", "iso": "EUR", "count": 2}],
        },
    }
    for _ in range(2):
        reply = vendor.ask("PATCH", "users/by/external_id/u1", body)
        assert reply.status == 202
        assert reply.json == {"properties": {"language": "lt", "last_active": 1_700_000_100}}
    [held] = vendor.app.users.values()
    assert (held.language, held.session_time, held.session_count, held.purchases) == ("lt", 120, 2, [("s", 0.99)] * 2)
    assert user(vendor)["properties"]["amount_spent"] == pytest.approx(3.96)
    assert user(vendor)["properties"]["tags"] == {"plan": "pro"}


def test_session_deltas_also_count_for_the_subscription_that_the_header_names(vendor):
    made = vendor.ask("POST", "users/by/external_id/u1/subscriptions", {"subscription": {"type": "ChromePush", "token": "t"}})
    device = made.json["subscription"]["id"]
    body = {"deltas": {"session_count": 2}}
    assert vendor.ask("PATCH", "users/by/external_id/u1", body, onesignal_subscription_id=device).status == 202
    assert user(vendor)["subscriptions"][0]["session_count"] == 2
    refused = vendor.ask("PATCH", "users/by/external_id/u1", body, onesignal_subscription_id=NOBODY)
    assert error(refused) == (404, "subscription-0")
    assert next(iter(vendor.app.users.values())).session_count == 2


@pytest.mark.parametrize("body", [b"", b"{", {}, {"properties": 5}, {"deltas": {"session_count": -1}}, {"tags": {"a": "1"}}])
def test_an_update_that_says_nothing_sensible_is_400(vendor, body):
    assert vendor.ask("PATCH", "users/by/external_id/u1", body).status == 400


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "users/by/external_id/{}", None),
        ("PATCH", "users/by/external_id/{}", {"properties": {"tags": {"a": "1"}}}),
        ("DELETE", "users/by/external_id/{}", None),
        ("GET", "users/by/external_id/{}/identity", None),
        ("PATCH", "users/by/external_id/{}/identity", {"identity": {"crm": "c"}}),
        ("DELETE", "users/by/external_id/{}/identity/crm", None),
        ("POST", "users/by/external_id/{}/subscriptions", {"subscription": {"type": "ChromePush", "token": "t"}}),
    ],
)
@pytest.mark.parametrize("name", ["nobody", "U1", "u1%20"])
def test_an_unknown_user_is_404_on_every_route(vendor, method, path, body, name):
    assert error(vendor.ask(method, path.format(name), body)) == (404, "user-0")
    assert user(vendor)["properties"]["tags"] == {"plan": "pro"}


def test_an_unknown_label_is_an_unknown_user_and_a_onesignal_id_must_be_a_uuid(vendor):
    assert error(vendor.ask("GET", "users/by/crm/u1")) == (404, "user-0")
    reply = vendor.ask("GET", "users/by/onesignal_id/123")
    assert error(reply) == (400, "request-1")
    assert reply.json["errors"][0] == {"code": "request-1", "title": "Invalid UUID", "meta": {"onesignal_id": "123"}}
    assert error(vendor.ask("GET", f"users/by/onesignal_id/{NOBODY}")) == (404, "user-0")
    there = user(vendor)["identity"]["onesignal_id"]
    assert vendor.ask("GET", f"users/by/onesignal_id/{there}").json == user(vendor)


@pytest.mark.parametrize("external_id", ["a/b", "a b", "ą?&=#", "%2F", ".."])
def test_an_external_id_is_found_by_its_percent_encoding(external_id):
    from urllib.parse import quote

    vendor = desk()
    vendor.ask("POST", "users", {"identity": {"external_id": external_id}})
    assert vendor.tag(quote(external_id, safe=""), a="1").status == 202
    assert vendor.ask("GET", f"users/by/external_id/{quote(external_id, safe='')}").json["properties"]["tags"] == {"a": "1"}


def test_a_deleted_user_takes_aliases_and_subscriptions_along(vendor):
    vendor.ask("POST", "users/by/external_id/u1/subscriptions", {"subscription": {"type": "ChromePush", "token": "t"}})
    there = user(vendor)["identity"]["onesignal_id"]
    reply = vendor.ask("DELETE", "users/by/external_id/u1")
    assert (reply.status, reply.json) == (202, {"identity": {"onesignal_id": there}})
    app = vendor.app
    assert [len(held) for held in (app.users, app.by_alias, app.subscriptions, app.by_token)] == [0, 0, 0, 0]
    assert vendor.ask("POST", "users", {"identity": {"external_id": "u1"}}).status == 201


def test_a_new_user_is_404_until_it_can_be_seen_but_is_not_made_twice():
    vendor = desk(create_visibility_ms=5000)
    body = {"identity": {"external_id": "u1"}}
    assert vendor.ask("POST", "users", body).status == 201
    vendor.simulator.clock.advance(4.9)
    assert vendor.tag("u1", a="1").status == 404
    assert vendor.ask("POST", "users", body).status == 202
    vendor.simulator.clock.advance(0.1)
    assert vendor.tag("u1", a="1").status == 202


# --- aliases


def test_aliases_are_added_replaced_shown_and_taken_away(vendor):
    path = "users/by/external_id/u1/identity"
    assert vendor.ask("PATCH", path, {"identity": {"crm": "c1"}}).json["identity"]["crm"] == "c1"
    assert vendor.ask("PATCH", path, {"identity": {"crm": "c2"}}).status == 200
    assert error(vendor.ask("GET", "users/by/crm/c1")) == (404, "user-0")
    shown = vendor.ask("GET", "users/by/crm/c2/identity")
    assert (shown.status, set(shown.json["identity"])) == (200, {"external_id", "crm", "onesignal_id"})
    gone = vendor.ask("DELETE", f"{path}/crm")
    assert (gone.status, set(gone.json["identity"])) == (200, {"external_id", "onesignal_id"})
    assert vendor.ask("DELETE", f"{path}/crm").status == 409
    assert vendor.ask("GET", "users/by/crm/c2").status == 404


def test_an_alias_of_somebody_else_is_409_and_stays_where_it_is(vendor):
    vendor.ask("POST", "users", {"identity": {"external_id": "u2", "crm": "c2"}})
    reply = vendor.ask("PATCH", "users/by/external_id/u1/identity", {"identity": {"crm": "c2", "erp": "e1"}})
    assert error(reply) == (409, "user-2")
    assert reply.json["errors"][0]["title"] == "One or more Aliases claimed by another User"
    assert user(vendor)["identity"].keys() == {"external_id", "onesignal_id"}
    assert vendor.ask("GET", "users/by/crm/c2").json["identity"]["external_id"] == "u2"


@pytest.mark.parametrize(
    "identity",
    [
        {},
        {"onesignal_id": NOBODY},
        {"crm": ""},
        {"crm": "a/b"},
        {"crm": "a b"},
        {"crm": "a..b"},
        {"crm": "a\nb"},
        {"c#m": "x"},
        {"crm": "x" * 129},
        {"crm": 5},
        {f"label{n}": "x" for n in range(20)},  # with the External ID, 21
    ],
)
def test_aliases_that_are_not_taken_change_nothing(vendor, identity):
    assert vendor.ask("PATCH", "users/by/external_id/u1/identity", {"identity": identity}).status == 400
    assert user(vendor)["identity"].keys() == {"external_id", "onesignal_id"}


def test_twenty_aliases_fit(vendor):
    identity = {f"label{n}": "x" for n in range(19)}
    assert vendor.ask("PATCH", "users/by/external_id/u1/identity", {"identity": identity}).status == 200


def test_the_servers_own_alias_cannot_be_deleted(vendor):
    assert vendor.ask("DELETE", "users/by/external_id/u1/identity/onesignal_id").status == 400
