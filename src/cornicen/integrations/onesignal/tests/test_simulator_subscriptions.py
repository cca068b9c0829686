from __future__ import annotations

import uuid

import pytest

from cornicen.integrations.onesignal.simulator import Clock, Direct, Knobs, Simulator

NOW = 1_700_000_000.0
NOBODY = str(uuid.UUID(int=7, version=4))


@pytest.fixture
def vendor():
    simulator = Simulator(Clock(NOW), Knobs(rps_per_app=0, rps_per_user=0, view_rps=0))
    made = Direct(simulator, simulator.add_app())
    for name in ("u1", "u2"):
        made.ask("POST", "users", {"identity": {"external_id": name}})
    return made


def add(vendor, token="t1", kind="AndroidPush", to="u1", **more):
    return vendor.ask(
        "POST", f"users/by/external_id/{to}/subscriptions", {"subscription": {"type": kind, "token": token} | more}
    )


def held(vendor, external_id="u1"):
    return vendor.ask("GET", f"users/by/external_id/{external_id}").json["subscriptions"]


def test_a_new_subscription_is_201_and_shown(vendor):
    reply = add(vendor, app_version="1.2")
    assert reply.status == 201
    assert held(vendor) == [reply.json["subscription"]]
    assert {"enabled": True, "notification_types": 1, "app_version": "1.2", "session_count": 0}.items() <= held(vendor)[
        0
    ].items()


def test_a_token_that_is_there_moves_to_the_user_who_gives_it(vendor):
    first = add(vendor)
    moved = add(vendor, to="u2")
    assert moved.status == 202
    assert moved.json["subscription"]["id"] == first.json["subscription"]["id"]
    assert (len(held(vendor, "u1")), len(held(vendor, "u2"))) == (0, 1)


def test_the_same_token_of_another_type_is_another_subscription(vendor):
    assert add(vendor, kind="ChromePush").status == add(vendor, kind="FirefoxPush").status == 201


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"subscription": {}},
        {"subscription": {"type": "AndroidPush"}},
        {"subscription": {"type": "androidpush", "token": "t"}},
        {"subscription": {"type": "Email", "token": "t"}},
        {"subscription": {"type": "SMS", "token": "0123"}},
        {"subscription": {"type": "AndroidPush", "token": ""}},
        {"subscription": {"type": "AndroidPush", "token": "t", "enabled": "yes"}},
    ],
)
def test_a_malformed_subscription_is_400_and_not_kept(vendor, body):
    assert vendor.ask("POST", "users/by/external_id/u1/subscriptions", body).status == 400
    assert held(vendor) == []


@pytest.mark.parametrize(
    ("body", "enabled", "types"),
    [
        ({"enabled": False}, False, -31),
        ({"enabled": True}, True, 1),
        ({"notification_types": -2}, False, -2),
        ({"notification_types": 1}, True, 1),
        ({"enabled": False, "notification_types": -10}, False, -10),
    ],
)
def test_enabled_says_whether_and_notification_types_says_why(vendor, body, enabled, types):
    one = add(vendor).json["subscription"]["id"]
    reply = vendor.ask("PATCH", f"subscriptions/{one}", {"subscription": body})
    assert (reply.status, reply.json) == (200, {})
    assert (held(vendor)[0]["enabled"], held(vendor)[0]["notification_types"]) == (enabled, types)
    assert (vendor.app.subscriptions[one].unsubscribed_at is None) is enabled


def test_a_token_can_change_unless_another_subscription_has_it(vendor):
    one = add(vendor).json["subscription"]["id"]
    add(vendor, "t2")
    assert vendor.ask("PATCH", f"subscriptions/{one}", {"subscription": {"token": "t2"}}).status == 409
    assert vendor.ask("PATCH", f"subscriptions/{one}", {"subscription": {"token": "t3"}}).status == 200
    assert vendor.app.by_token.keys() == {("AndroidPush", "t2"), ("AndroidPush", "t3")}


def test_a_subscription_is_also_reached_by_its_token(vendor):
    add(vendor, "a+b@example.com", "Email")
    reply = vendor.ask("PATCH", "subscriptions_by_token/Email/a%2Bb%40example.com", {"subscription": {"enabled": False}})
    assert (reply.status, reply.json) == (202, {})
    assert held(vendor)[0]["notification_types"] == -31


def test_a_deleted_subscription_is_gone_and_its_user_stays(vendor):
    one = add(vendor).json["subscription"]["id"]
    reply = vendor.ask("DELETE", f"subscriptions/{one}")
    assert (reply.status, reply.json) == (202, {})
    assert held(vendor) == []
    assert vendor.ask("DELETE", f"subscriptions/{one}").status == 404


def test_ownership_moves_to_the_one_user_named(vendor):
    one = add(vendor).json["subscription"]["id"]
    reply = vendor.ask("PATCH", f"subscriptions/{one}/owner", {"identity": {"external_id": "u2"}})
    assert (reply.status, reply.json["identity"]["external_id"]) == (200, "u2")
    assert (held(vendor, "u1"), len(held(vendor, "u2"))) == ([], 1)
    path = f"subscriptions/{one}/owner"
    assert vendor.ask("PATCH", path, {"identity": {"external_id": "nobody"}}).status == 404
    assert vendor.ask("PATCH", path, {"identity": {}}).status == 400
    assert vendor.ask("PATCH", path, {"identity": {"external_id": "u1", "crm": "c"}}).status == 400
    assert len(held(vendor, "u2")) == 1


def test_the_owners_aliases_are_shown_and_set_through_a_subscription(vendor):
    one = add(vendor).json["subscription"]["id"]
    path = f"subscriptions/{one}/user/identity"
    assert vendor.ask("GET", path).json["identity"]["external_id"] == "u1"
    assert vendor.ask("PATCH", path, {"identity": {"crm": "c1"}}).json["identity"]["crm"] == "c1"
    reply = vendor.ask("PATCH", path, {"identity": {"external_id": "u2"}})
    assert (reply.status, reply.json["errors"][0]["code"]) == (409, "user-2")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "subscriptions/{}", {"subscription": {"enabled": False}}),
        ("DELETE", "subscriptions/{}", None),
        ("PATCH", "subscriptions/{}/owner", {"identity": {"external_id": "u1"}}),
        ("GET", "subscriptions/{}/user/identity", None),
        ("PATCH", "subscriptions/{}/user/identity", {"identity": {"crm": "c"}}),
        ("PATCH", "subscriptions_by_token/Email/{}", {"subscription": {"enabled": False}}),
    ],
)
def test_an_unknown_subscription_is_404_on_every_route(vendor, method, path, body):
    reply = vendor.ask(method, path.format(NOBODY), body)
    [error] = reply.json["errors"]
    assert (reply.status, error) == (404, {"code": "subscription-0", "title": "Subscription not found"})
    if "by_token" not in path:
        assert vendor.ask(method, path.format("123"), body).status == 400


def test_a_twenty_first_subscription_pushes_the_oldest_off_but_keeps_three_addresses(vendor):
    addresses = [add(vendor, f"{n}@example.com", "Email").json["subscription"]["id"] for n in range(3)]
    oldest = add(vendor, "push-0").json["subscription"]["id"]
    for n in range(1, 18):
        add(vendor, f"push-{n}")
    ids = [each["id"] for each in held(vendor)]
    assert len(ids) == 20
    assert set(addresses) <= set(ids)
    assert oldest not in ids
    shown = vendor.ask("GET", f"subscriptions/{oldest}/user/identity")
    assert list(shown.json["identity"]) == ["onesignal_id"]
