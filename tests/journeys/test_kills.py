"""Keeper, courier and door killed with -9 at random points: the segment ends exact, and little is said twice."""

import random
import time
from datetime import UTC, datetime, timedelta

import pytest

pytestmark = [pytest.mark.journey, pytest.mark.timeout(900)]

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PEOPLE = 1500
CONNECTIONS = 20


def events(number, users):
    when = int((NOW - timedelta(days=1)).timestamp()) + number
    return [
        {"event": "purchase", "properties": {"distinct_id": user, "time": when, "$insert_id": f"{user}-{number}"}}
        for user in users
    ]


def settled(house):
    (sync,) = house.cli("sync", "status")["syncs"]
    return sync["on_the_way"] == sync["leaving"] == 0


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_random_points_the_segment_ends_exact_and_repeats_stay_within_those_in_flight(house, seed):
    chance = random.Random(seed)
    house.connections["onesignal"]["rate"] = 400
    house.write({"recent": [{"did": "purchase", "within": "30d"}]})
    house.up()
    users = [f"u{n}" for n in range(PEOPLE)]
    house.profiles({user: {"$onesignal_user_id": f"os-{user}"} for user in users})
    house.simulated("seed", {"external_ids": [f"os-{user}" for user in users], "subscription": "AndroidPush"})
    house.simulated("knobs", {"latency_ms": 30})
    house.send("/import", events(1, users))
    house.cli("apply", "--yes")
    house.cli("sync", "run", "--as-of", NOW.isoformat().replace("+00:00", "Z"), "--no-wait")
    kills = 0
    for _ in range(6):
        time.sleep(chance.uniform(0.1, 0.9))
        role = chance.choice(["courier", "courier", "keeper"])
        house.kill(role)
        kills += role == "courier"
        time.sleep(chance.uniform(0.6, 1.2))
    house.wait(lambda: settled(house), within=180)
    assert house.segments() == {"recent": {f"os-{user}" for user in users}}
    patches = house.simulated("requests")["patches"]
    surplus = patches["total"] - PEOPLE
    assert 0 <= surplus <= kills * CONNECTIONS
    assert house.simulated("requests")["in_flight_max_per_user"] == 1


def test_a_keeper_killed_while_it_loads_loses_and_doubles_nothing(house):
    house.write({"recent": [{"did": "purchase", "count": {"gte": 3}}]})
    house.up()
    users = [f"u{n}" for n in range(400)]
    for number in range(1, 9):
        house.send("/import", events(number, users))
        if number % 2:
            house.kill("keeper")
    house.wait(lambda: counted(house) == 8 * len(users), within=120)


def counted(house):
    import json
    import urllib.request

    with urllib.request.urlopen(f"{house.address}/?as=json", timeout=30) as answer:
        keeper = json.load(answer)["projects"][0]["keeper"]
    return keeper["counts"]["events"] if keeper["answers"] else -1


def test_killed_doors_keep_what_they_acknowledged_and_nothing_twice(house):
    house.up()
    acknowledged, users = 0, [f"u{n}" for n in range(50)]
    for number in range(1, 41):
        if number % 8 == 0:
            house.kill("door-1")
        try:
            house.send("/import", events(number, users))
        except OSError:
            time.sleep(0.3)
            house.wait(lambda n=number: resent(house, n, users), within=60)
        acknowledged += len(users)
    house.wait(lambda: counted(house) == acknowledged, within=60)


def resent(house, number, users):
    try:
        return house.send("/import", events(number, users))
    except OSError:
        return None


def test_stopping_is_clean_and_the_next_start_goes_on(house):
    house.write({"recent": [{"did": "purchase", "within": "30d"}]})
    house.connections["onesignal"]["rate"] = 50
    house.write({"recent": [{"did": "purchase", "within": "30d"}]})
    house.up()
    users = [f"u{n}" for n in range(300)]
    house.profiles({user: {"$onesignal_user_id": f"os-{user}"} for user in users})
    house.simulated("seed", {"external_ids": [f"os-{user}" for user in users], "subscription": "AndroidPush"})
    house.send("/import", events(1, users))
    house.cli("apply", "--yes")
    house.cli("sync", "run", "--as-of", NOW.isoformat().replace("+00:00", "Z"), "--no-wait")
    house.wait(lambda: house.simulated("requests")["patches"]["total"] > 20)
    assert house.down() == 0
    house.up()
    house.wait(lambda: settled(house), within=120)
    assert house.segments() == {"recent": {f"os-{user}" for user in users}}
    assert house.simulated("requests")["patches"]["total"] == len(users)
