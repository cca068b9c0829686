"""A simulator for tests and demos: started, looked into, turned and stopped from Python."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cornicen.integrations.onesignal.simulator.clock import Clock
from cornicen.integrations.onesignal.simulator.control import PREFIX
from cornicen.integrations.onesignal.simulator.knobs import Knobs
from cornicen.integrations.onesignal.simulator.server import address, listening, server
from cornicen.integrations.onesignal.simulator.simulator import Simulator

_WAIT_S = 60.0


@dataclass(frozen=True)
class Running:
    """A simulator that takes connections, and its control routes as methods.

    Args:
        address: Its base URL, without a slash at the end.
        app_id: Of its first application.
        api_key: Of its first application.
        organization_key: Of the organization.
    """

    address: str
    app_id: str
    api_key: str
    organization_key: str

    def ask(self, method: str, name: str, body: object = None) -> Any:  # noqa: ANN401  (whatever JSON says)
        """Call a control route, e.g. ``ask("GET", "state")``.

        Returns:
            The answer, decoded.

        Raises:
            ValueError: The simulator did not like the body; it says why.
        """
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310  (the address is our own)
            f"{self.address}{PREFIX}{name}", data, {"content-type": "application/json"}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=_WAIT_S) as answer:  # noqa: S310
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                raise ValueError(refused.read().decode()) from refused

    def state(self) -> dict[str, Any]:
        """The first application's state: see `dump`."""
        found: dict[str, Any] = self.ask("GET", "state")
        return found

    def members(self) -> dict[str, set[str]]:
        """The External IDs in each segment of the first application, by the segment's name."""
        return {segment["name"]: set(segment["members"]) for segment in self.state()["segments"]}

    def requests(self, *, log: int = 100) -> dict[str, Any]:
        """The book of requests: see `traffic.book`."""
        found: dict[str, Any] = self.ask("GET", f"requests?log={log}")
        return found

    def advance(self, seconds: float) -> float:
        """Turn the clock on, and say what it shows."""
        return float(self.ask("POST", "clock", {"advance_seconds": seconds})["now"])

    def faults(self, *rules: Mapping[str, Any], seed: int = 0) -> None:
        """Replace the plan of faults: see `traffic.faults.Rule`. No rule: no faults."""
        self.ask("POST", "faults", {"rules": rules, "seed": seed})

    def turn(self, **knobs: object) -> None:
        """Turn some knobs: see `Knobs`."""
        self.ask("POST", "knobs", knobs)

    def tier(self, tier: str) -> None:
        """Change the first application's price plan."""
        self.ask("POST", "apps", {"app_id": self.app_id, "tier": tier})

    def seed(self, external_ids: Sequence[str] = (), *, subscription: str | None = "AndroidPush", users: object = ()) -> None:
        """Add users: see `seeding.Seed`."""
        self.ask("POST", "seed", {"external_ids": list(external_ids), "subscription": subscription, "users": users})

    def reset_counts(self) -> None:
        """Begin the book of requests again."""
        self.ask("POST", "reset-counts", {})


@contextmanager
def running(
    *,
    clock: float | None = None,
    knobs: Knobs | None = None,
    tier: str = "growth",
    app_id: str | None = None,
    api_key: str | None = None,
    organization_key: str = "os_v2_org_simulated",
    seed: int = 0,
) -> Iterator[Running]:
    """Run a simulator in a thread, on a free port of 127.0.0.1, until the block ends.

    Args:
        clock: None: the machine's clock; a number: a virtual clock that stands at it (Unix seconds).
        knobs: Limits and delays; None: the documented ones.
        tier: ``free``, ``growth`` or ``professional``.
        app_id: None: one that follows from the seed.
        api_key: None: one that follows from the application's id.
        organization_key: The organization's API key.
        seed: Equal seeds give equal identifiers.
    """
    simulator = Simulator(Clock(clock), knobs or Knobs(), organization_key, seed)
    app = simulator.add_app(app_id, api_key, tier)
    ready = threading.Event()
    bound = listening("127.0.0.1", 0)
    where = address(bound)
    serving = server(simulator, ready.set)
    thread = threading.Thread(target=serving.run, args=([bound],), name="onesignal-simulator", daemon=True)
    thread.start()
    try:
        if not ready.wait(_WAIT_S):
            raise TimeoutError("the simulator did not start")
        yield Running(where, app.id, app.api_key, organization_key)
    finally:
        serving.should_exit = True
        thread.join(_WAIT_S)


@contextmanager
def process(*arguments: str) -> Iterator[Running]:
    """Run a simulator as a process of its own, until the block ends.

    Args:
        arguments: Of its command line, e.g. ``"--tier", "free"``; the port is a free one unless one is given.
    """
    command = [sys.executable, "-m", "cornicen.integrations.onesignal.simulator", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:  # noqa: S603  (our own module)
        try:
            line = child.stdout.readline() if child.stdout else ""
            if not line:
                raise RuntimeError("the simulator did not start; its own words are above")
            said = json.loads(line)
            yield Running(said["address"], said["app_id"], said["api_key"], said["organization_key"])
        finally:
            child.terminate()
            child.wait(_WAIT_S)
