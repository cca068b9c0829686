"""A served home, and what it knows of those whom the clients spoke of."""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.request
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from operator import itemgetter

from cornicen.apps import build
from cornicen.apps.demo.hand import started
from cornicen.apps.home import Home
from cornicen.apps.keeper import client
from cornicen.errors import NotFound, NotRunning
from cornicen.flows.records import Project

SHOP = Project("1", "shop", "shop-token-0123456789")
STORE = Project("2", "store", "store-key-0123456789", identity="amplitude")
SECRET = "account-secret"


@dataclass(frozen=True)
class Served:
    """A served home with a project that follows Mixpanel's simplified rules and one that follows Amplitude's.

    Args:
        home: The home.
        address: Of its door.
    """

    home: Home
    address: str

    @property
    def host(self) -> str:
        """Host and port of the door."""
        return self.address.removeprefix("http://")

    def person(self, project: Project, name: str, events: int = 0, **profile: object) -> Person:
        """Somebody, once so many of their events are loaded, and these properties of their profile."""

        def look() -> bool:
            client.ask(self.home, project.id, "drain")
            with suppress(NotFound):
                seen.append(_person(client.ask(self.home, project.id, "person", name=name, events=1000)["person"]))
            return bool(seen) and seen[-1].holds(events, profile)

        seen: list[Person] = []
        wait(look, lambda: f"{name} with {events} events and {profile}; {seen[-1:]}")
        return seen[-1]

    def strangers(self) -> dict[str, int]:
        """Requests that were denied, by the token that they came with."""
        with urllib.request.urlopen(f"{self.address}/?as=json", timeout=60) as answer:
            return {one["credential"].split()[-1]: one["requests"] for one in json.load(answer)["strangers"]["routes"]}


@contextmanager
def serving_home(path, projects=(SHOP, STORE)):
    """A home with some projects, and its `up`."""
    home = Home.make(path, "schedule = false\n")
    with closing(build.state(home)) as state:
        for project in projects:
            state.projects.add(project)
            state.projects.add_account(project.id, f"{project.name}-account", SECRET)
    with started("up", "--home", str(path), "--port", "0") as up:
        yield Served(home, up.ready()["address"])


@dataclass(frozen=True)
class Person:
    """What the house knows of somebody.

    Args:
        names: All of theirs, devices among them.
        profile: Its properties.
        events: Name and properties of each, by name.
    """

    names: set[str]
    profile: dict
    events: list[tuple[str, dict]]

    def holds(self, events: int, profile: dict) -> bool:
        """Whether there are so many events, and these properties."""
        return len(self.events) >= events and all(self.profile.get(key) == value for key, value in profile.items())

    @property
    def happened(self) -> list[str]:
        """The names of the events."""
        return [name for name, _ in self.events]

    def properties(self, event: str) -> dict:
        """Of the only event of that name."""
        [found] = [properties for name, properties in self.events if name == event]
        return found


def _person(found: dict) -> Person:
    names = {one["name"].removeprefix("$device:") for one in found["names"]}
    events = [(one["event"], one["properties"]) for one in found["events"]]
    return Person(names, found["profile"] or {}, sorted(events, key=itemgetter(0)))


def wait(until, what, *, within: float = 30.0):
    """Look at something until it is true; its value. ``what`` says what never came."""
    end = time.monotonic() + within
    while not (value := until()):
        assert time.monotonic() < end, f"it never came: {what()}"
        time.sleep(0.05)
    return value


def kill(home, role):
    """End the process that has the role now; the supervisor starts another."""
    for path in home.run_folder.glob(f"{role}*.pid"):
        with suppress(ProcessLookupError, ValueError):
            os.kill(int(path.read_text()), signal.SIGKILL)


def keys(home, project):
    """The insert ids of all events of a project, in the loader's order."""
    found, after = [], 0
    while True:
        answer = client.ask(home, project.id, "events", after=after, limit=5_000)
        found += [event["insert_id"] for event in answer["events"]]
        if len(answer["events"]) < 5_000:
            return found
        after = answer["last"]


def settled(home, project):
    """Whether all that came for a project is loaded."""
    try:
        return not any(client.ask(home, project.id, "status")["backlog"].values())
    except NotRunning:
        return False
