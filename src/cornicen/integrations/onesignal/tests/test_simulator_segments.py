from __future__ import annotations

import uuid

import pytest

from cornicen.integrations.onesignal.simulator import Clock, Direct, Knobs, Simulator
from cornicen.integrations.onesignal.simulator.dump import dump

NOW = 1_700_000_000.0
ID = "6f1c3a52-0b1e-4c8e-9d7f-2a3b4c5d6e7f"
TAGGED = [{"field": "tag", "key": "cohort", "relation": "exists"}]
FAILED = {"success": False}


def desk(tier="growth", **knobs):
    simulator = Simulator(Clock(NOW), Knobs(**({"rps_per_app": 0, "rps_per_user": 0, "view_rps": 0} | knobs)))
    return Direct(simulator, simulator.add_app(tier=tier))


@pytest.fixture
def vendor():
    return desk()


def create(vendor, name="Lapsed", filters=None, **more):
    return vendor.ask("POST", "segments", {"name": name, "filters": filters or TAGGED} | more)


def members(vendor, name="Lapsed"):
    state = dump(vendor.simulator, vendor.app)
    return next(segment["members"] for segment in state["segments"] if segment["name"] == name)


def person(vendor, name, tags=(), subscriptions=0):
    written = [{"type": "ChromePush", "token": f"{name}-{n}"} for n in range(subscriptions)]
    body = {"identity": {"external_id": name}, "properties": {"tags": dict(tags)}, "subscriptions": written}
    return vendor.ask("POST", "users", body)


def test_a_segment_is_made_listed_shown_renamed_and_deleted(vendor):
    made = create(vendor, id=ID, description="from here")
    assert (made.status, made.json) == (201, {"success": True, "id": ID})
    vendor.simulator.clock.advance(1.5)

    listed = vendor.ask("GET", "segments").json
    assert (listed["total_count"], listed["offset"], listed["limit"]) == (1, 0, 300)
    assert listed["segments"] == [
        {
            "id": ID,
            "name": "Lapsed",
            "description": "from here",
            "created_at": "2023-11-14T22:13:20.000Z",
            "updated_at": "2023-11-14T22:13:20.000Z",
            "app_id": vendor.app.id,
            "read_only": False,
            "is_active": True,
        }
    ]

    renamed = vendor.ask("PATCH", f"segments/{ID}", {"name": "Gone quiet"})
    assert (renamed.status, renamed.json) == (200, {"success": True, "id": ID})
    shown = vendor.ask("GET", f"segments/{ID}?include-segment-detail=True").json
    assert shown == {
        "subscriber_count": 0,
        "payload": {
            "id": ID,
            "name": "Gone quiet",
            "description": "from here",
            "created_at": int(NOW),
            "source": "custom",
            "filters": TAGGED,
        },
    }
    assert vendor.ask("GET", "segments").json["segments"][0]["updated_at"] == "2023-11-14T22:13:21.500Z"
    assert vendor.ask("GET", f"segments/{ID}").json == {"subscriber_count": 0}

    gone = vendor.ask("DELETE", f"segments/{ID}")
    assert (gone.status, gone.json) == (200, {"success": True})
    assert vendor.ask("GET", "segments").json["total_count"] == 0


@pytest.mark.parametrize(
    ("body", "status", "answer"),
    [
        ({"filters": TAGGED}, 400, {"errors": ["name is required"]}),
        ({"name": " ", "filters": TAGGED}, 400, {"errors": ["name is required"]}),
        ({"name": 5, "filters": TAGGED}, 400, {"errors": ["name is required"]}),
        ({"name": "Taken", "filters": TAGGED}, 400, {"errors": ["Segment name is already taken."]} | FAILED),
        ({"name": "New", "filters": TAGGED, "id": ID}, 409, {"errors": ["Segment with the given id already exists."]} | FAILED),
        (
            {"name": "Taken", "filters": TAGGED, "id": ID},
            409,
            {"errors": ["Segment with the given id already exists."]} | FAILED,
        ),
        ({"name": "New", "filters": TAGGED, "id": "abc"}, 400, None),
        ({"name": "New", "filters": TAGGED, "id": str(uuid.uuid5(uuid.NAMESPACE_DNS, "x"))}, 400, None),
        ({"name": "x" * 129, "filters": TAGGED}, 400, None),
        ({"name": "New", "filters": TAGGED, "description": "x" * 256}, 400, None),
        ({"name": "New", "filters": TAGGED, "description": 5}, 400, None),
        ({"name": "New"}, 400, None),
        ({"name": "New", "filters": []}, 400, None),
        ({"name": "New", "filters": [*TAGGED, {"operator": "OR"}]}, 400, None),
        (b"", 400, None),
        (b"[]", 400, None),
    ],
)
def test_a_segment_that_cannot_be_made_says_why_and_is_not_there(vendor, body, status, answer):
    create(vendor, "Taken", id=ID)
    reply = vendor.ask("POST", "segments", body)
    assert reply.status == status
    assert isinstance(reply.json["errors"][0], str)
    assert answer is None or reply.json == answer
    assert len(vendor.app.segments) == 1


def test_the_longest_name_and_description_fit_and_the_given_id_is_kept_in_lower_case(vendor):
    made = create(vendor, "x" * 128, description="x" * 255, id=ID.upper())
    assert made.json["id"] == ID
    assert create(vendor, "other", id=ID).status == 409


@pytest.mark.parametrize(("tier", "cap"), [("growth", 10), ("professional", 20)])
def test_the_tier_caps_the_segments(tier, cap):
    vendor = desk(tier)
    for n in range(cap):
        assert create(vendor, f"s{n}", id=ID if n == 0 else None).status == 201
    reply = create(vendor, "one more")
    assert reply.status == 422
    assert reply.json == {"errors": ["You have reached the maximum number of segments allowed for your plan."]}
    assert create(vendor, "one more", id=ID).status == 409  # repeating a creation is no new segment
    vendor.ask("DELETE", f"segments/{ID}")
    assert create(vendor, "one more").status == 201


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "segments", {"name": "n", "filters": TAGGED}),
        ("GET", "segments?limit=1", None),
        ("GET", f"segments/{ID}", None),
        ("PATCH", f"segments/{ID}", {"name": "n"}),
        ("DELETE", f"segments/{ID}", None),
    ],
)
def test_the_free_tier_has_no_segment_api(vendor, method, path, body):
    create(vendor, id=ID)
    vendor.simulator.add_app(vendor.app.id, tier="free")
    reply = vendor.ask(method, path, body)
    assert (reply.status, reply.json) == (403, {"errors": ["This API is not available for applications on your plan."]})
    assert vendor.app.segments[ID].name == "Lapsed"


def test_pages_are_oldest_first_and_at_most_three_hundred(vendor):
    vendor.simulator.turn({"segment_cap": 1000})
    for n in range(305):
        create(vendor, f"s{n}")
        vendor.simulator.clock.advance(1)
    first = vendor.ask("GET", "segments?limit=1000").json
    assert [each["name"] for each in first["segments"]] == [f"s{n}" for n in range(300)]
    assert (first["total_count"], first["limit"]) == (305, 300)
    rest = vendor.ask("GET", "segments?offset=300&limit=3").json
    assert [each["name"] for each in rest["segments"]] == ["s300", "s301", "s302"]
    assert vendor.ask("GET", "segments?offset=-1").status == vendor.ask("GET", "segments?limit=x").status == 400


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "name is required"),
        ({"filters": TAGGED}, "name is required"),
        ({"name": "Other"}, "Segment name is already taken."),
        ({"name": "Lapsed", "filters": []}, None),
        ({"name": "Lapsed", "description": "x" * 256}, None),
    ],
)
def test_an_update_that_is_refused_changes_nothing(vendor, body, words):
    create(vendor, id=ID)
    create(vendor, "Other")
    reply = vendor.ask("PATCH", f"segments/{ID}", body)
    assert reply.status == 400
    assert words in {None, reply.json["errors"][0]}
    kept = vendor.app.segments[ID]
    assert (kept.name, kept.entries, kept.description) == ("Lapsed", TAGGED, None)


def test_an_update_replaces_all_filters_and_an_empty_description_clears(vendor):
    create(vendor, id=ID, description="d")
    filters = [{"field": "tag", "key": "other", "relation": "=", "value": "1"}]
    vendor.ask("PATCH", f"segments/{ID}", {"name": "Lapsed", "filters": filters})
    payload = vendor.ask("GET", f"segments/{ID}?include-segment-detail=true").json["payload"]
    assert (payload["filters"], payload["description"]) == (filters, "d")
    vendor.ask("PATCH", f"segments/{ID}", {"name": "Lapsed", "description": ""})
    assert vendor.app.segments[ID].description is None


@pytest.mark.parametrize("segment", [ID, "abc"])
def test_an_unknown_segment_is_404(vendor, segment):
    for method, body in (("GET", None), ("PATCH", {"name": "n"})):
        reply = vendor.ask(method, f"segments/{segment}", body)
        assert (reply.status, reply.json) == (404, {"errors": ["segment not found"], "success": False})
    reply = vendor.ask("DELETE", f"segments/{segment}")
    assert (reply.status, reply.json) == (404, {"success": False})


def test_members_are_users_and_the_count_is_of_subscribed_subscriptions(vendor):
    create(vendor, id=ID)
    person(vendor, "none", {"cohort": "1"})
    person(vendor, "two", {"cohort": "1"}, subscriptions=2)
    person(vendor, "half", {"cohort": "1"}, subscriptions=2)
    person(vendor, "out", subscriptions=3)
    off = vendor.ask("GET", "users/by/external_id/half").json["subscriptions"][0]["id"]
    vendor.ask("PATCH", f"subscriptions/{off}", {"subscription": {"enabled": False}})
    assert members(vendor) == ["half", "none", "two"]
    assert vendor.ask("GET", f"segments/{ID}").json["subscriber_count"] == 3
    vendor.tag("two", cohort="")
    assert members(vendor) == ["half", "none"]


def test_membership_follows_the_clock_where_a_filter_does(vendor):
    create(vendor, filters=[{"field": "tag", "key": "cohort", "relation": "time_elapsed_gt", "value": "60"}])
    person(vendor, "u1", {"cohort": str(int(NOW))})
    assert members(vendor) == []
    vendor.simulator.clock.advance(61)
    assert members(vendor) == ["u1"]


def test_tags_settle_in_their_order_while_the_view_shows_them_at_once():
    vendor = desk(tag_settle_ms=60_000)
    create(vendor)
    person(vendor, "u1", {"cohort": "1"})
    assert members(vendor) == ["u1"]  # a new user has no former tags to show
    vendor.tag("u1", cohort="")
    vendor.simulator.clock.advance(30)
    vendor.tag("u1", cohort="2")
    assert vendor.ask("GET", "users/by/external_id/u1").json["properties"]["tags"] == {"cohort": "2"}
    assert members(vendor) == ["u1"]
    vendor.simulator.clock.advance(30)
    assert members(vendor) == []  # the deletion has settled, the second write has not
    vendor.simulator.clock.advance(30)
    assert members(vendor) == ["u1"]


def test_a_view_that_is_behind_shows_the_former_tags_and_a_write_meets_the_latest():
    vendor = desk(view_lag_ms=60_000)
    person(vendor, "u1", {"cohort": "1"})

    def viewed():
        return vendor.ask("GET", "users/by/external_id/u1").json["properties"]["tags"]

    assert vendor.tag("u1", cohort="", other="1").json == {"properties": {"tags": {"other": "1"}}}
    assert viewed() == {"cohort": "1"}
    create(vendor)
    assert members(vendor) == []  # segments are not behind, since their own knob is not turned
    vendor.simulator.clock.advance(30)
    vendor.tag("u1", more="1")
    vendor.simulator.clock.advance(30)
    assert viewed() == {"other": "1"}
    vendor.simulator.clock.advance(30)
    assert viewed() == {"other": "1", "more": "1"}
