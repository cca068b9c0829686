"""Door and loader killed with -9 under load from the official Node clients: what was acknowledged is there exactly once."""

import json
import random
import subprocess
import time
from collections import Counter

import pytest
from clients_house import SHOP, keys, kill, serving_home, settled, wait
from clients_pages import NODE

pytestmark = pytest.mark.journey

KILLS = ["door", "keeper"] * 2
LOAD_FOR = 5.0
"""Seconds; a role comes back within three."""


@pytest.fixture
def shop(packages, tmp_path):
    """One project for both clients: what they are told is the vendors' own, and who loads it is killed at once for both."""
    with serving_home(tmp_path / "home", [SHOP]) as found:
        yield found


@pytest.fixture
def senders(shop):
    """Both clients, sending."""
    commands = [
        ("mixpanel_load.js", shop.host, SHOP.token),
        ("amplitude_load.js", f"{shop.address}/2/httpapi", SHOP.token),
    ]
    piped = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    found = [subprocess.Popen(["node", *command], cwd=NODE, **piped) for command in commands]
    yield found
    for sender in found:
        sender.kill()
        sender.communicate()


def test_what_the_node_clients_were_told_is_taken_is_there_exactly_once(shop, senders):
    chance = random.Random(11)
    for role in chance.sample(KILLS, len(KILLS)):
        time.sleep(LOAD_FOR / len(KILLS) * chance.uniform(0.5, 1.5))
        kill(shop.home, role)
    told = [json.loads(sender.communicate(timeout=60)[0]) for sender in senders]
    wait(lambda: settled(shop.home, SHOP), lambda: "the end of loading", within=120)
    found = Counter(keys(shop.home, SHOP))
    for said in told:
        assert len(said["taken"]) > 50
        assert {found[key] for key in said["taken"]} == {1}
    assert set(found.values()) == {1}
    assert set(found) <= {key for said in told for key in (*said["taken"], *said["given_up"])}
