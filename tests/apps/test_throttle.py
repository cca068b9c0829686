"""Whether a home's door is impatient with those who send fast is the home's to say."""

import asyncio
import json

import pytest

from cornicen.apps import build
from cornicen.apps.clock import FileClock
from cornicen.apps.home import Home
from cornicen.flows.events.pace import OVER
from cornicen.flows.records import Project
from cornicen.flows.vendors import Inbound

NOW = 1_795_539_600_000_000


def statuses(folder, settings, *requests):
    """What a door of two projects answers to requests, each a project and how many events of one device, at one instant."""
    folder.mkdir(exist_ok=True)
    FileClock.set(folder / "clock", NOW)
    home = Home.make(folder / "home", f'{settings}clock = "{folder / "clock"}"\n')
    for number in "12":
        build.state(home).projects.add(Project(number, f"shop-{number}", f"token-{number}"))
    wiring = build.door(home, "http://127.0.0.1:1")
    [route] = [route for route in build.manifest("amplitude").routes if route.path == "/2/httpapi"]

    async def all_of_them():
        found = []
        for number, events in requests:
            sent = [{"event_type": "paid", "device_id": "device-1"}] * events
            body = json.dumps({"api_key": f"token-{number}", "events": sent}).encode()
            parsed = route.parse(Inbound("POST", route.path, {}, {}, body, NOW))
            found.append((await wiring.receiver.receive(parsed, "amplitude:/2/httpapi")).status)
        return found

    try:
        return asyncio.run(all_of_them())
    finally:
        wiring.close()


@pytest.mark.parametrize(("settings", "status"), [("", 200), ("throttle = false\n", 200), ("throttle = true\n", 429)])
def test_who_sends_too_fast_is_stopped_only_where_the_home_says_so(tmp_path, settings, status):
    assert statuses(tmp_path, settings, ("1", 30 * OVER + 1)) == [status]


def test_the_paces_of_two_projects_are_apart(tmp_path):
    full = 30 * OVER
    assert statuses(tmp_path, "throttle = true\n", ("1", full), ("2", full), ("1", 1)) == [200, 200, 429]
