"""A plan that somebody has looked at is carried out as it was, or not at all."""

import json
from datetime import UTC, datetime, timedelta

import pytest

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def purchase(user, number=1):
    when = int((NOW - timedelta(days=1)).timestamp())
    return {"event": "purchase", "properties": {"distinct_id": user, "time": when, "$insert_id": f"{user}-{number}"}}


@pytest.fixture
def planned(house):
    """Make a plan of everything; its document, and the file that holds it."""

    def planned():
        found, path = house.cli("sync", "plan"), house.path / "plan.json"
        path.write_text(json.dumps(found))
        return found, path

    house.write({"ever": [{"did": "purchase"}]})
    house.up()
    users = [f"u{n}" for n in range(12)]
    house.profiles({user: {"$onesignal_user_id": f"os-{user}"} for user in users})
    house.simulated("seed", {"external_ids": [f"os-{user}" for user in users], "subscription": "AndroidPush"})
    house.send("/import", [purchase(user) for user in users[:10]])
    house.cli("status")
    house.cli("apply", "--yes")
    house.wait(lambda: not sum(house.cli("status")["backlog"].values()))
    return planned


def test_what_was_planned_is_done_and_the_same_plan_is_no_plan_any_more(house, planned):
    found, path = planned()
    done = house.cli("sync", "apply", path)
    assert (done["added"], done["requests"]) == (10, found["syncs"][0]["requests"])
    assert house.segments() == {"ever": {f"os-u{n}" for n in range(10)}}
    again = house.cli("sync", "apply", path, fails=1)
    assert again["moved"] == ["ever was to add 10 and remove 0, and would now add 0 and remove 0."]


def test_somebody_who_came_since_makes_it_refuse_whole_and_a_new_plan_is_done(house, planned):
    _, path = planned()
    house.send("/import", [purchase("u10")])
    refused = house.cli("sync", "apply", path, fails=1)
    assert refused["moved"] == ["ever was to add 10 and remove 0, and would now add 11 and remove 0."]
    assert house.segments() == {}
    _, path = planned()
    house.cli("sync", "apply", path)
    assert house.segments() == {"ever": {f"os-u{n}" for n in range(11)}}


def test_an_event_that_changes_nobody_does_not_make_it_refuse(house, planned):
    _, path = planned()
    house.send("/import", [purchase("u3", 2)])
    assert house.cli("sync", "apply", path)["added"] == 10


def test_what_is_no_plan_is_refused(house, planned):
    path = house.path / "no.json"
    for text in ("", "[]", '{"syncs":[1]}', '{"syncs":[{"sync":"x"}]}', '{"syncs":3}'):
        path.write_text(text)
        assert "no plan" in house.cli("sync", "apply", path, fails=2)["error"]["what"]
