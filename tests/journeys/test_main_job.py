"""The main job through real processes, as a user's command line does it; the simulator's own state is the judge."""

from datetime import UTC, datetime, timedelta

import pytest

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]

NOW = datetime(2026, 3, 1, tzinfo=UTC)
RECENT = [{"did": "purchase", "within": "30d"}]


def purchase(user, when, number, **properties):
    return {
        "event": "purchase",
        "properties": {"distinct_id": user, "time": int(when.timestamp()), "$insert_id": f"{user}-{number}", **properties},
    }


def iso(when):
    return when.isoformat().replace("+00:00", "Z")


def people(house, count, *, known=None):
    """So many users with an External ID; OneSignal knows the first ``known`` of them."""
    users = [f"u{n}" for n in range(count)]
    house.profiles({user: {"$onesignal_user_id": f"os-{user}"} for user in users})
    house.simulated("seed", {"external_ids": [f"os-{user}" for user in users[:known]], "subscription": "AndroidPush"})
    return users


def run(house, as_of, *more, fails=None):
    return house.cli("sync", "run", "--as-of", iso(as_of), *more, fails=fails)


def test_first_everybody_then_differences_then_nothing(house):
    house.write({"recent": RECENT})
    house.up()
    users = people(house, 30)
    house.send("/import", [purchase(user, NOW - timedelta(days=3), 1) for user in users[:20]])
    house.cli("apply", "--yes")
    first = run(house, NOW)
    assert house.segments() == {"recent": {f"os-{user}" for user in users[:20]}}
    assert (first["added"], first["removed"], first["requests"]) == (20, 0, 21)
    house.send("/import", [purchase(user, NOW + timedelta(days=1), 2) for user in users[25:28]])
    second = run(house, NOW + timedelta(days=28))
    assert house.segments() == {"recent": {f"os-{user}" for user in users[25:28]}}
    assert (second["added"], second["removed"], second["requests"]) == (3, 20, 23)
    again = run(house, NOW + timedelta(days=28))
    assert (again["added"], again["removed"], again["requests"]) == (0, 0, 0)


def test_everybody_who_is_not_in_the_segment_is_counted_by_reason_and_the_line_adds_up(house):
    house.write({"recent": RECENT})
    house.up()
    users = people(house, 10, known=8)  # two that OneSignal does not know
    house.profiles({"noid": {"plan": "free"}, "twin": {"$onesignal_user_id": "os-u0"}})
    strangers = ["noprofile1", "noprofile2"]
    house.send("/import", [purchase(user, NOW - timedelta(days=1), 1) for user in [*users, "noid", "twin", *strangers]])
    house.cli("apply", "--yes")
    run(house, NOW)
    (sync,) = house.cli("sync", "status")["syncs"]
    expected = {
        "size": 14,
        "no_profile": 2,
        "no_id": 1,
        "shared": 1,
        "unknown": 2,
        "refused": 0,
        "on_the_way": 0,
        "leaving": 0,
        "in_segment": 8,
    }
    assert {name: sync[name] for name in expected} == expected
    assert house.segments() == {"recent": {f"os-u{n}" for n in range(8)}}


def test_a_renamed_cohort_keeps_its_members_and_renames_its_segment_with_one_request(house):
    house.write({"recent": RECENT})
    house.up()
    users = people(house, 5)
    house.send("/import", [purchase(user, NOW - timedelta(days=1), 1) for user in users])
    house.cli("apply", "--yes")
    run(house, NOW)
    (house.path / "cohorts" / "recent.yml").write_text("cohort: recent\nname: Fresh\nwho:\n  - {did: purchase, within: 30d}\n")
    before = house.simulated("requests")["patches"]["total"]
    house.cli("apply", "--yes")
    run(house, NOW + timedelta(hours=1))
    house.wait(lambda: house.segments() == {"Fresh": {f"os-{user}" for user in users}})
    assert house.simulated("requests")["patches"]["total"] == before


def test_a_pruned_sync_leaves_nothing_behind(house):
    house.write({"recent": RECENT, "ever": [{"did": "purchase"}]})
    house.up()
    users = people(house, 5)
    house.send("/import", [purchase(user, NOW - timedelta(days=1), 1) for user in users])
    house.cli("apply", "--yes")
    run(house, NOW)
    (house.path / "cohorts" / "ever.yml").unlink()
    house.write({"recent": RECENT})
    house.cli("apply", "--yes", "--prune")
    run(house, NOW)
    house.wait(lambda: set(house.segments()) == {"recent"})
    tags = {key for user in house.simulated("state")["users"] for key in user["tags"]}
    assert len(tags) == 1


def test_a_table_of_ids_becomes_a_segment_without_any_event(house):
    ids = house.path / "ids.csv"
    ids.write_text("customer\n" + "\n".join(f"c-{n}" for n in range(12)) + "\n")
    house.simulated("seed", {"external_ids": [f"c-{n}" for n in range(10)], "subscription": "AndroidPush"})
    house.write({"table": [{"ids": {"csv": "ids.csv", "column": "customer"}, "as": "external_id"}]}, every="once")
    house.up()
    house.cli("apply", "--yes")
    done = house.cli("sync", "run")
    assert house.segments() == {"table": {f"c-{n}" for n in range(10)}}
    assert done["added"] == 10


def test_a_tier_without_segments_is_refused_before_the_first_tag(house):
    house.write({"recent": RECENT})
    house.up()
    users = people(house, 3)
    house.send("/import", [purchase(user, NOW - timedelta(days=1), 1) for user in users])
    house.cli("apply", "--yes")
    house.simulated("apps", {"app_id": house.simulator.said["app_id"], "tier": "free"})
    said = house.cli("sync", "run", "--as-of", iso(NOW), fails=4)
    assert "App may not submit cohort updates from Mixpanel" in str(said)
    assert not [user for user in house.simulated("state")["users"] if user["tags"]]


def test_a_lagging_loader_lets_nobody_into_a_did_not_cohort(house):
    """Events that a door has stamped and the loader has not read hold every answer back."""
    house.write({"quiet": [{"did": "purchase"}, {"did_not": "purchase", "within": "7d"}]})
    house.up()
    users = people(house, 4)
    now = datetime.now(UTC)
    house.send("/import", [purchase(user, now - timedelta(days=9), 1) for user in users])
    house.send("/import", [purchase(user, now, 2) for user in users])
    house.cli("apply", "--yes")
    house.cli("sync", "run")
    assert house.segments() == {"quiet": set()}  # the segment is there, and nobody is in it


def test_an_unusual_change_is_held_and_one_word_releases_it(house):
    house.write({"recent": RECENT}, guard={"percent": 30, "count": 5})
    house.up()
    users = people(house, 20)
    house.send("/import", [purchase(user, NOW - timedelta(days=1), 1) for user in users])
    house.cli("apply", "--yes")
    run(house, NOW)
    held = house.cli("sync", "run", "--as-of", iso(NOW + timedelta(days=40)), fails=1)
    assert "release" in str(held)
    assert len(house.segments()["recent"]) == 20
    house.cli("sync", "release", "recent")
    run(house, NOW + timedelta(days=40))
    assert house.segments() == {"recent": set()}


def test_a_list_that_cannot_be_read_stops_its_own_sync_and_no_other(house):
    (house.path / "ids.csv").write_text("customer\nc-1\n")
    house.simulated("seed", {"external_ids": ["c-1"], "subscription": "AndroidPush"})
    house.write({"table": [{"ids": {"csv": "ids.csv", "column": "customer"}, "as": "external_id"}], "recent": RECENT})
    house.up()
    users = people(house, 3)
    house.send("/import", [purchase(user, NOW - timedelta(days=1), 1) for user in users])
    house.cli("apply", "--yes")
    (house.path / "ids.csv").unlink()
    run(house, NOW, fails=1)
    assert house.segments() == {"recent": {f"os-{user}" for user in users}}
    table = next(one for one in house.cli("sync", "status", fails=1)["syncs"] if one["cohort"] == "table")
    assert table["status"] == "stopped"
    assert "ids.csv" in table["what"]
