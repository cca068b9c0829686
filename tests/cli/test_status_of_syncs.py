"""`cornicen status` says how each sync does, and exits 1 where somebody has to look."""

import json
from contextlib import closing

import pytest

from cornicen.apps import build
from cornicen.apps.home import Home
from cornicen.flows.records import Cadence, Cohort, Connection, Sync, SyncStatus

NOTHING = {"as_of": 0, "backlog": {"live": 0, "bulk": 0}, "oldest": {}, "counts": {"events": 0}, "refusals": []}
HOUR = 3_600_000_000
STOPPED = {"status": SyncStatus.STOPPED, "what": "The key is wrong.", "words": "no\x1b[2Jkey", "fix": "Set another."}


@pytest.fixture
def placed(made, keeper):
    """Puts a sync of the cohort ``lapsed`` into the home, as old as told."""
    keeper(status=lambda: NOTHING)

    def place(age=0, **fields):
        home, project = Home.find(made["home"]), made["project"]["id"]
        with closing(build.state(home)) as state:
            state.cohorts.put(Cohort(project, "lapsed", "Lapsed", {}))
            state.connections.put(Connection("c" * 32, project, "push", "onesignal", {"app_id": "a"}, {"api_key": "k"}))
            last = None if age is None else build.clock(home).now() - age
            state.syncs.put(Sync("a" * 32, project, "lapsed", "c" * 32, **{"last_as_of": last, **fields}))

    return place


@pytest.mark.parametrize(
    ("fields", "health", "code"),
    [
        ({}, "fine", 0),
        ({"age": None}, "never run", 0),
        ({"age": 3 * HOUR}, "late", 1),
        ({"age": 3 * HOUR, "cadence": Cadence.DAILY}, "fine", 0),
        ({"age": 3 * HOUR, "cadence": Cadence.ONCE}, "fine", 0),
        ({"age": 3 * HOUR, "status": SyncStatus.PAUSED}, "paused", 0),
        ({"held": True}, "held", 1),
        (STOPPED, "failing", 1),
    ],
)
def test_the_exit_code_is_one_where_a_sync_is_failing_held_or_late_and_in_json_too(placed, command, fields, health, code):
    placed(**fields)
    told, out, _ = command("status")
    as_json, document, _ = command("status", "--json")
    [sync] = json.loads(document)["syncs"]
    assert (told, as_json) == (code, code)
    assert (sync["cohort"], sync["connection"], sync["health"], sync["bad"]) == ("lapsed", "push", health, bool(code))
    assert health in out


def test_a_destinations_words_reach_people_without_what_a_terminal_would_obey(placed, command):
    placed(**STOPPED)
    out = command("status")[1]
    assert "lapsed is failing. The key is wrong. Set another. Its words: no\\u001b[2Jkey" in out
    assert "\x1b" not in out


def test_a_late_sync_is_bad_where_segments_are_shown_too(placed, command):
    placed(age=3 * HOUR)
    code, out, _ = command("sync", "status")
    assert code == 1
    assert "lapsed is late" in out
    assert json.loads(command("sync", "status", "--json")[1])["syncs"][0]["health"] == "late"
