"""The same contract with the simulator as judge: it keeps OneSignal's limits, of which one second a user is the sharpest."""

import asyncio
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

from cornicen.integrations.onesignal import MANIFEST
from cornicen.integrations.onesignal.check import check
from cornicen.integrations.onesignal.simulator.api.call import Asked
from cornicen.integrations.onesignal.simulator.clock import Clock
from cornicen.integrations.onesignal.simulator.dump import dump
from cornicen.integrations.onesignal.simulator.knobs import Knobs
from cornicen.integrations.onesignal.simulator.seeding import Seed, sow
from cornicen.integrations.onesignal.simulator.simulator import Simulator
from cornicen.testing.clock import HurriedClock
from cornicen.testing.delivering import Delivering
from cornicen.testing.destinations import PEOPLE, DestinationContract
from cornicen.testing.memory import MemoryState
from cornicen.wire.http import NoAnswer, Reply


class SimulatedApp:
    """One app of a simulator, asked without a socket; time there is the connection's."""

    def __init__(self, tier="professional", **knobs):
        self.clock = HurriedClock()
        self.simulator = Simulator(Clock(self.clock.now() / 1_000_000), Knobs(**knobs), "org-key", 0)
        self.app = self.simulator.add_app(None, "app-key", tier)
        self.destination = MANIFEST.destination({"app_id": self.app.id}, {"api_key": "app-key"})
        self.statuses = []

    @asynccontextmanager
    async def sender(self):
        yield self

    async def send(self, request, *, timeout):
        behind = self.clock.now() / 1_000_000 - self.simulator.clock.now()
        self.simulator.clock.advance(max(behind, 0.0))
        parts = urlsplit(request.url)
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Asked(request.method, parts.path, parts.query, headers, request.body or b"", "127.0.0.1")
        answer = self.simulator.respond(asked)[2].answer
        if answer is None:
            return NoAnswer("timed out")
        self.statuses.append(answer.status)
        return Reply(answer.status, {name.decode(): value.decode() for name, value in answer.headers}, answer.body)

    def know(self, identifiers):
        sow(self.app, Seed(external_ids=list(identifiers), subscription="AndroidPush"), self.clock.now() / 1_000_000)

    def held(self):
        return dump(self.simulator, self.app)

    def members(self, sync):
        return {user["external_id"] for user in self.held()["users"] if f"cornicen_{sync}" in user["tags"]}

    def contained(self, sync):
        wanted = {"field": "tag", "key": f"cornicen_{sync}", "relation": "exists"}
        return any(wanted in segment["filters"] for segment in self.held()["segments"])

    def connected(self):
        delivering = Delivering(self, MemoryState())
        self.clock = delivering.clock
        return delivering


class TestOnTheSimulator(DestinationContract):
    examples = 40

    @pytest.fixture
    def stage(self):
        return SimulatedApp(segment_cap=1000, tag_cap=1000)

    def to(self, stage, state):
        delivering = Delivering(
            stage, state, HurriedClock(max(stage.clock.now(), int(stage.simulator.clock.now() * 1_000_000) + 1))
        )
        stage.clock = delivering.clock
        return delivering


def test_neither_the_users_second_nor_the_apps_thousand_is_ever_overrun():
    app = SimulatedApp(segment_cap=1000, tag_cap=1000)
    people = [f"p{number}" for number in range(120)]
    app.know(people)
    delivering = app.connected()
    syncs = [delivering.sync(number, f"Cohort {number}") for number in range(1, 4)]
    for half in range(4):
        delivering.want({sync: people[half * 20 + number :] for number, sync in enumerate(syncs)})
        delivering.deliver()
    delivering.settle()
    assert {status for status in app.statuses if status >= 400} == set()
    segments = {segment["name"]: set(segment["members"]) for segment in app.held()["segments"]}
    assert segments == {f"Cohort {number + 1}": set(people[60 + number :]) for number in range(3)}


def test_on_the_free_tier_nothing_at_all_is_written():
    app = SimulatedApp("free")
    app.know(PEOPLE)
    delivering = app.connected()
    sync = delivering.sync()
    delivering.want({sync: PEOPLE})
    assert len(delivering.settle()) == 1
    assert delivering.state.syncs.get(sync).what == "App may not submit cohort updates from Mixpanel"
    assert not any(user["tags"] for user in app.held()["users"])


def test_every_assumption_holds_on_the_simulator_and_nothing_is_left():
    app = SimulatedApp(tag_settle_ms=20_000)
    app.know(["ada"])
    before = app.held()
    found = asyncio.run(check(app.destination, app, "ada", app.clock))
    assert [one for one in found if not one.held] == []
    after = app.held()
    assert after["segments"] == before["segments"]
    assert after["users"][0]["tags"] == {}
