"""A whole house of real processes: the simulator, and `cornicen up` with its door, courier and keeper."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
import yaml

from cornicen.apps.cli import running

CORNICEN = [sys.executable, "-m", "cornicen.apps.cli"]


class Process:
    """A started process whose first line of standard output is JSON that says where it is."""

    def __init__(self, *command: object, env: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [*map(str, command)], stdout=subprocess.PIPE, text=True, env={**os.environ, **(env or {})}, start_new_session=True
        )
        line = self.process.stdout.readline()
        assert line, f"{command} said nothing; it ended with {self.process.wait(10)}"
        self.said = json.loads(line)

    def stop(self) -> int:
        """Ask it to stop, and wait for it."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        self.process.stdout.close()
        return code


def killed(pid: int) -> bool:
    """Whether there was such a process to kill."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


class House:
    """A home, what serves it, and the simulator it delivers to.

    Args:
        folder: For the home.
        tier: The simulator's.
        longest_answer: Seconds after which a lost request is asked again; real ones.
        knobs: More of the simulator's command line.
    """

    def __init__(self, folder: Path, *, tier: str = "professional", longest_answer: float = 1.0, knobs: tuple = ()) -> None:
        self.path = folder / "home"
        self.up_process: Process | None = None
        self.simulator = Process(
            sys.executable, "-m", "cornicen.integrations.onesignal.simulator", "--port", 0, "--tier", tier, *knobs
        )
        self.onesignal = self.simulator.said["address"]
        self.made = self.cli("init", self.path)
        with (self.path / "cornicen.toml").open("a") as settings:
            settings.write("schedule = false\n")
        (self.path / "key").write_text(self.simulator.said["api_key"])
        self.connections = {
            "onesignal": {
                "vendor": "onesignal",
                "app_id": self.simulator.said["app_id"],
                "api_key": f"file:{self.path / 'key'}",
                "base_url": self.onesignal,
                "longest_answer": longest_answer,
                "rate": 800,
            }
        }

    def cli(self, *arguments: object, fails: int | None = None, home: bool = True) -> dict:
        """Run one command line with ``--json``, in this process; its document. ``fails``: the exit code it must have."""
        at = ["--home", str(self.path)] if home and arguments[0] != "init" else []
        said, complained = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complained):
            code = running.run([*map(str, arguments), *at, "--json"])
        assert code == (fails or 0), f"{arguments}: {code}\n{said.getvalue()[-3000:]}\n{complained.getvalue()[-3000:]}"
        return json.loads(said.getvalue() or complained.getvalue())

    def write(self, cohorts: dict[str, list], every: str = "15 minutes", guard: object = "off") -> None:
        """Write the project folder: cohorts by slug, each synced."""
        for slug, who in cohorts.items():
            (self.path / "cohorts" / f"{slug}.yml").write_text(yaml.safe_dump({"cohort": slug, "name": slug, "who": who}))
        syncs = [{"cohort": slug, "to": "onesignal", "every": every, "guard": guard} for slug in cohorts]
        (self.path / "syncs.yml").write_text(yaml.safe_dump({"connections": self.connections, "syncs": syncs}))

    def up(self) -> str:
        """Serve the home; its address."""
        self.up_process = Process(*CORNICEN, "up", "--home", self.path, "--port", 0, "--json")
        return self.up_process.said["address"]

    @property
    def address(self) -> str:
        """Where the door is."""
        return self.up_process.said["address"]

    def down(self) -> int:
        """Stop serving."""
        code = self.up_process.stop()
        self.up_process = None
        return code

    def kill(self, role: str) -> None:
        """``kill -9`` a role, once it runs; its supervisor starts it again."""
        (path,) = self.path.glob(f"run/{role}*.pid")
        self.wait(lambda: killed(int(path.read_text())))

    def send(self, path: str, records: list, **query: str) -> dict:
        """Post records to the door with the project's token."""
        from base64 import b64encode

        token = self.made["project"]["token"]
        request = urllib.request.Request(
            f"{self.address}{path}?strict=1" + "".join(f"&{name}={value}" for name, value in query.items()),
            json.dumps(records).encode(),
            {"Content-Type": "application/json", "Authorization": "Basic " + b64encode(f"{token}:".encode()).decode()},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def profiles(self, properties: dict[str, dict]) -> None:
        """Set profile properties by user id."""
        token = self.made["project"]["token"]
        changes = [{"$token": token, "$distinct_id": user, "$set": values} for user, values in properties.items()]
        for start in range(0, len(changes), 2000):
            self.send("/engage", changes[start : start + 2000])

    def simulated(self, path: str, document: object = None) -> dict:
        """The simulator's control routes."""
        data = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(f"{self.onesignal}/_simulator/{path}", data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def segments(self) -> dict[str, set[str]]:
        """What the simulator holds, by segment name: External IDs. The judge of every test."""
        return {one["name"]: set(one["members"]) for one in self.simulated("state")["segments"] if one["source"] == "custom"}

    def wait(self, until, *, within: float = 90.0):
        """Look at something until it is true; its value."""
        end = time.monotonic() + within
        while not (value := until()):
            assert time.monotonic() < end, "it never came"
            time.sleep(0.1)
        return value

    def close(self) -> None:
        """Stop everything that was started here."""
        for process in (self.up_process, self.simulator):
            if process is not None:
                process.stop()


@pytest.fixture
def house(tmp_path):
    """A house, closed again however the test ends."""
    built = House(tmp_path)
    yield built
    built.close()
