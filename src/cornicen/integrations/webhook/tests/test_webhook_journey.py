"""From events to a strict receiver, through real processes: what it holds afterwards is the cohort, whatever broke."""

import contextlib
import io
import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.request
from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest
import yaml

from cornicen.apps.cli import running
from cornicen.integrations.webhook.tests import webhook_receiver

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SLOW = 1.6
"""Seconds of a late answer: longer than the time-out."""


def fetched(address, document=None, headers=None):
    data = None if document is None else json.dumps(document).encode()
    request = urllib.request.Request(address, data, {"Content-Type": "application/json", **(headers or {})})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def wait(until, within=90.0):
    end = time.monotonic() + within
    while not (value := until()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.1)
    return value


class Place:
    """A home that is served, and the receiver it delivers to."""

    def __init__(self, folder):
        self.path, self.processes = folder / "home", []
        self.receiver = self.start("-m", webhook_receiver.__name__, SLOW)["address"]
        self.made = self.cli("init", self.path)
        with (self.path / "cornicen.toml").open("a") as settings:
            settings.write("schedule = false\n")
        name, _, password = webhook_receiver.USER.partition(":")
        for file, secret in (("user", name), ("password", password)):
            (self.path / file).write_text(secret)

    def start(self, *command):
        process = subprocess.Popen(
            [sys.executable, *map(str, command)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ}, start_new_session=True,
        )  # fmt: skip
        self.processes.append(process)
        return json.loads(process.stdout.readline())

    def close(self):
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
            process.wait(60)
            process.stdin.close()
            process.stdout.close()

    def cli(self, *arguments):
        at = [] if arguments[0] == "init" else ["--home", str(self.path)]
        said, complained = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complained):
            code = running.run([*map(str, arguments), *at, "--json"])
        assert code == 0 or arguments[:2] == ("sync", "status"), (
            f"{arguments}: {code}\n{said.getvalue()}\n{complained.getvalue()}"
        )
        return json.loads(said.getvalue())

    def secrets(self):
        return {"username": f"file:{self.path / 'user'}", "password": f"file:{self.path / 'password'}"}

    def write(self, who):
        connection = {"vendor": "webhook", "url": f"{self.receiver}/hook", **self.secrets(), "identifier": "$crm_id"}
        connection |= {"timeout": 1, "page_size": 7, "rate": 100}
        sync = {"cohort": "recent", "to": "crm", "every": "15 minutes", "guard": "off"}
        (self.path / "cohorts" / "recent.yml").write_text(yaml.safe_dump({"cohort": "recent", "name": "Recent", "who": who}))
        (self.path / "syncs.yml").write_text(yaml.safe_dump({"connections": {"crm": connection}, "syncs": [sync]}))

    def send(self, path, records):
        token = self.made["project"]["token"]
        basic = {"Authorization": "Basic " + b64encode(f"{token}:".encode()).decode()}
        return fetched(f"{self.address}{path}?strict=1", records, basic)

    def profile(self, users, operation, value):
        token = self.made["project"]["token"]
        self.send("/engage", [{"$token": token, "$distinct_id": user, operation: value(user)} for user in users])

    def bought(self, number, users):
        when = int((NOW - timedelta(days=1)).timestamp()) + number
        ids = ({"distinct_id": user, "time": when, "$insert_id": f"{user}-{number}"} for user in users)
        self.send("/import", [{"event": "purchase", "properties": properties} for properties in ids])

    def held(self):
        return set(fetched(f"{self.receiver}/state")["cohorts"].get("Recent", ()))

    def settled(self):
        (sync,) = self.cli("sync", "status")["syncs"]
        return sync["on_the_way"] == sync["leaving"] == 0


@pytest.fixture
def place(tmp_path):
    built = Place(tmp_path)
    yield built
    built.close()


@pytest.mark.parametrize("seed", range(2))
def test_through_outages_timeouts_and_killed_couriers_the_receiver_holds_exactly_the_cohort(place, seed):
    # H11 H12 H14
    chance = random.Random(seed)
    place.write([{"did": "purchase", "count": {"gte": 1}}, {"profile": {"$crm_blocked": {"not_set": True}}}])
    place.address = place.start("-m", "cornicen.apps.cli", "up", "--home", place.path, "--port", 0, "--json")["address"]
    users = [f"u{number}" for number in range(60)]
    known, strangers = users[:50], users[50:]  # without the property; of the last five there is not even a profile
    place.profile(known, "$set", lambda user: {"$crm_id": f"crm-{user}"})
    place.profile(strangers[:5], "$set", lambda user: {"plan": "free"})
    place.cli("apply", "--yes")
    buyers, blocked = set(), set()
    for number in range(4):
        place_script(place, chance)
        came = set(chance.sample(users, 25)) | set(strangers)
        place.bought(number, sorted(came))
        left = set(chance.sample(known, 8))
        place.profile(sorted(left), "$set", lambda user: {"$crm_blocked": True})
        if back := sorted(blocked - left):
            place.profile(back, "$unset", lambda user: ["$crm_blocked"])
        buyers, blocked = buyers | came, left
        place.cli("sync", "run", "--as-of", (NOW + timedelta(minutes=number)).isoformat().replace("+00:00", "Z"), "--no-wait")
        time.sleep(chance.uniform(0.1, 0.8))
        (path,) = place.path.glob("run/courier*.pid")
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(path.read_text()), signal.SIGKILL)
    fetched(f"{place.receiver}/script", [])
    wait(place.settled)
    assert place.held() == {f"crm-{user}" for user in (buyers & set(known)) - blocked}
    (sync,) = place.cli("sync", "status")["syncs"]
    assert sync["status"] == "active"


def place_script(place, chance):
    """What the receiver will do to the next few requests."""
    fetched(f"{place.receiver}/script", [chance.choice([None, None, 500, 503, 429, "late", "after"]) for _ in range(6)])


def test_it_is_connected_by_its_manifest_alone(place):
    given = {"--url": f"{place.receiver}/hook", "--username": place.secrets()["username"]}
    given["--password"] = place.secrets()["password"]
    said = place.cli("connect", "webhook", *(word for pair in given.items() for word in pair))
    assert said["account"] == place.receiver.removeprefix("http://")
    assert "password" not in said["settings"]
    assert fetched(f"{place.receiver}/state")["cohorts"] == {}
