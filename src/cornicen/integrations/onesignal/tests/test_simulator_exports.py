from __future__ import annotations

import csv
import gzip
import io
import json

import pytest

from cornicen.integrations.onesignal.simulator import Clock, Direct, Knobs, Simulator
from cornicen.integrations.onesignal.simulator.traffic.faults import Faults, Kind, Plan, Rule

NOW = 1_700_000_000.0
PLAIN = [
    "id",
    "identifier",
    "session_count",
    "language",
    "timezone",
    "game_version",
    "device_os",
    "device_type",
    "device_model",
    "ad_id",
    "tags",
    "last_active",
    "playtime",
    "amount_spent",
    "created_at",
    "invalid_identifier",
    "badge_count",
]
EXTRA = [
    "external_user_id",
    "onesignal_id",
    "location",
    "country",
    "rooted",
    "ip",
    "web_auth",
    "web_p256",
    "unsubscribed_at",
    "notification_types",
    "timezone_id",
]


def desk(**knobs):
    simulator = Simulator(Clock(NOW), Knobs(**({"rps_per_app": 0, "rps_per_user": 0, "export_rows_per_second": 0} | knobs)))
    vendor = Direct(simulator, simulator.add_app())
    for name, off in (("u1", False), ("u2", True), ("u3", False)):
        subscription = {"type": "Email", "token": f"{name}@example.com", "enabled": not off}
        tags = {"cohort": "1", 'odd "key", yes': "ą"} if name != "u3" else {}
        body = {"identity": {"external_id": name}, "properties": {"tags": tags}, "subscriptions": [subscription]}
        vendor.ask("POST", "users", body)
    vendor.ask("POST", "users", {"identity": {"external_id": "nothing"}, "properties": {"tags": {"cohort": "1"}}})
    vendor.ask("POST", "segments", {"name": "Cohort", "filters": [{"field": "tag", "key": "cohort", "relation": "exists"}]})
    return vendor


def ask(vendor, body=None, app_id=None, **headers):
    return vendor.ask("POST", f"/players/csv_export?app_id={app_id or vendor.app.id}", body or {}, **headers)


def fetch(vendor, reply):
    return vendor.ask("GET", reply.json["csv_file_url"].removeprefix("http://127.0.0.1"), authorization="")


def rows(vendor, body=None):
    file = fetch(vendor, ask(vendor, body))
    assert file.headers["content-type"] == "application/gzip"
    return list(csv.DictReader(io.StringIO(gzip.decompress(file.body).decode(), newline="")))


def names(vendor, body):
    return [row["external_user_id"] for row in rows(vendor, body | {"extra_fields": ["external_user_id"]})]


def test_a_row_is_a_subscription_and_who_has_none_is_not_there():
    vendor = desk()
    assert names(vendor, {}) == ["u1", "u2", "u3"]


def test_the_columns_are_the_documented_ones_and_the_tags_one_json_cell():
    found = rows(desk(), {"extra_fields": EXTRA})
    assert list(found[0]) == PLAIN + EXTRA
    assert list(rows(desk())[0]) == PLAIN
    assert json.loads(found[0]["tags"]) == {"cohort": "1", 'odd "key", yes': "ą"}
    assert [row["invalid_identifier"] for row in found] == ["f", "t", "f"]
    assert [row["notification_types"] for row in found] == ["1", "-31", "1"]
    assert found[1]["unsubscribed_at"] == "2023-11-14 22:13:20 UTC"
    assert (found[0]["device_type"], found[0]["identifier"]) == ("11", "u1@example.com")


def test_an_export_of_a_segment_leaves_the_unsubscribed_out_unless_asked_for():
    vendor = desk()
    assert names(vendor, {"segment_name": "Cohort"}) == ["u1"]
    assert names(vendor, {"segment_name": "Cohort", "include_unsubscribed": True}) == ["u1", "u2"]


def test_only_the_recently_active_are_exported_if_asked_for():
    vendor = desk()
    vendor.ask("PATCH", "users/by/external_id/u1", {"properties": {"last_active": int(NOW) + 10}})
    assert names(vendor, {"last_active_since": str(int(NOW) + 1)}) == ["u1"]
    assert names(vendor, {"last_active_since": int(NOW)}) == ["u1", "u2", "u3"]


def test_an_export_sees_only_settled_tags():
    vendor = desk(tag_settle_ms=60_000)
    vendor.tag("u1", cohort="2")
    assert json.loads(rows(vendor)[0]["tags"])["cohort"] == "1"
    vendor.simulator.clock.advance(60)
    assert json.loads(rows(vendor)[0]["tags"])["cohort"] == "2"


def test_the_file_is_404_in_xml_until_it_is_written_and_after_three_days():
    vendor = desk(export_rows_per_second=2)
    reply = ask(vendor)
    assert reply.status == 200
    early = fetch(vendor, reply)
    assert early.status == 404
    assert early.headers["content-type"] == "application/xml"
    assert b"<Code>NoSuchKey</Code>" in early.body
    vendor.simulator.clock.advance(1.4)
    assert fetch(vendor, reply).status == 404
    vendor.simulator.clock.advance(0.1)  # three rows, two a second
    assert fetch(vendor, reply).status == 200
    vendor.simulator.clock.advance(3 * 86400 - 1)
    assert fetch(vendor, reply).status == 200
    vendor.simulator.clock.advance(1)
    assert fetch(vendor, reply).status == 404


def test_a_file_that_is_not_written_may_also_be_403():
    vendor = desk(export_rows_per_second=3)
    pending = Rule(kind=Kind.STATUS, status=403, route="fetch_export", until_s=1)
    vendor.simulator.faults = Faults(Plan(rules=[pending]), NOW)
    reply = ask(vendor)
    assert fetch(vendor, reply).status == 403
    vendor.simulator.clock.advance(1)
    assert fetch(vendor, reply).status == 200


def test_the_file_shows_the_moment_it_was_asked_for():
    vendor = desk(export_rows_per_second=2)
    reply = ask(vendor)
    vendor.tag("u3", cohort="1")
    vendor.simulator.clock.advance(2)
    text = gzip.decompress(fetch(vendor, reply).body).decode()
    assert text.count("cohort") == 2


def test_one_export_runs_at_a_time_over_all_applications_of_the_account():
    vendor = desk(export_rows_per_second=2)
    other = vendor.simulator.add_app(api_key="other")
    assert ask(vendor).status == 200
    for refused in (ask(vendor), ask(vendor, app_id=other.id, authorization="Key other")):
        assert (refused.status, refused.json["success"]) == (400, False)
    vendor.simulator.clock.advance(1.5)
    assert ask(vendor).status == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"extra_fields": ["external_user_id", "shoe_size"]}, 400),
        ({"extra_fields": "external_user_id"}, 400),
        ({"segment_name": "Nobody's"}, 400),
        ({"last_active_since": "yesterday"}, 400),
        (b"{", 400),
    ],
)
def test_an_export_that_cannot_be_had_says_so_and_blocks_no_other(body, status):
    vendor = desk(export_rows_per_second=1)
    reply = ask(vendor, body)
    assert reply.status == status
    assert isinstance(reply.json["errors"][0], str)
    assert ask(vendor).status == 200


def test_the_app_is_taken_from_the_query_or_the_body_and_must_be_there():
    vendor = desk()
    assert vendor.ask("POST", "/players/csv_export", {"app_id": vendor.app.id}).status == 200
    reply = vendor.ask("POST", "/players/csv_export", {})
    assert (reply.status, reply.json) == (400, {"errors": ["Request is malformed: Failed to parse app_id from request"]})
    assert vendor.ask("POST", "/players/csv_export?app_id=nope", {}).status == 404


def test_a_file_nobody_asked_for_is_not_there():
    vendor = desk()
    assert vendor.ask("GET", f"/csv_exports/{vendor.app.id}/users_guess.csv.gz").status == 404
