"""`cornicen up`: doors, a courier and a keeper a project on one machine, with no server to install.

The supervisor only starts, watches and stops processes. A role that dies is started again; a role whose supervisor dies
stops by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from cornicen.apps import build
from cornicen.apps.addresses import Place
from cornicen.apps.home import Home
from cornicen.apps.role import PARENT_WATCHED
from cornicen.errors import BadSetting, NotRunning

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0
"""Seconds before a role that died is started again; doubled at each death in a row."""

HEALTHY = 10.0
"""Seconds after which a role that runs counts as well again."""

BACKLOG = 2048
"""Connections that wait while the door is busy or started again."""

PATIENCE = 30.0
"""Seconds after which a start that takes long is mentioned."""

STOP_WITHIN = 20.0


@dataclass(frozen=True)
class Up:
    """What a running `cornicen up` says of itself in ``run/up.json``.

    Args:
        pid: The supervisor's.
        address: Where this machine reaches the vendors' routes.
        console: Where it reaches the pages; the same as `address` where one listener shows both.
        public: What the outside calls `address`; the same unless there is a public address.
    """

    pid: int
    address: str
    console: str
    public: str


@dataclass(frozen=True)
class Listening:
    """Where to listen, and as what.

    Args:
        capture: For the vendors' routes.
        console: For the pages; None: with them.
        public: What the outside calls the capture listener; empty: its own address.
    """

    capture: Place
    console: Place | None = None
    public: str = ""


def running(home: Home) -> Up:
    """The `up` that serves a home.

    Raises:
        NotRunning: None does.
    """
    path = home.run_folder / "up.json"
    missing = NotRunning(f"Nothing serves {home.path}.", f"Start it with `cornicen up --home {home.path}`.")
    try:
        with (home.run_folder / "up.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        with contextlib.suppress(OSError, ValueError):
            return Up(**json.loads(path.read_text()))
    raise missing


def serve(home: Home, listening: Listening, *, ready: IO[str] | None = None) -> None:
    """Run the roles until SIGTERM or SIGINT.

    Args:
        home: Whose.
        listening: Where the door listens.
        ready: Gets one JSON line, `Up`'s fields, once the door and every keeper answer.

    Raises:
        BadSetting: Another `up` serves this home, or an address is taken.

    Twice: refuses while the first runs.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(_alone(home))
        capture = stack.enter_context(_listener(listening.capture))
        console = stack.enter_context(_listener(listening.console)) if listening.console else capture
        asyncio.run(_Supervisor(home, _Door(capture, console, listening.public), ready).run())


@contextlib.contextmanager
def _alone(home: Home) -> Iterator[None]:
    home.run_folder.mkdir(exist_ok=True)
    with (home.run_folder / "up.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BadSetting(f"Another `cornicen up` serves {home.path}.", "Stop it first, or use it.") from None
        yield


@contextlib.contextmanager
def _listener(place: Place) -> Iterator[socket.socket]:
    """A socket of the door. It is the supervisor's: nobody takes the port, and callers wait while a door is started again."""
    with socket.socket(socket.AF_INET6 if ":" in place.host else socket.AF_INET) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(place)
        except OSError as error:
            what = f"{place} cannot be listened on: {error.strerror}."
            raise BadSetting(what, "Choose another with --port or --listen.") from error
        listener.listen(BACKLOG)
        yield listener


class _Door:
    """The door's listening sockets, one or two, and how it is started on them."""

    def __init__(self, capture: socket.socket, console: socket.socket, public: str) -> None:
        address = _origin(capture)
        self.up = Up(os.getpid(), address, _origin(console), public or address)
        shown = {capture.fileno(): ["capture"]}
        shown.setdefault(console.fileno(), []).append("console")
        self.sockets = tuple(shown)
        self.arguments = [self.up.public, *(f"{number}:{','.join(sides)}" for number, sides in shown.items())]


def _origin(listener: socket.socket) -> str:
    return Place(*listener.getsockname()[:2]).origin


class _Supervisor:
    def __init__(self, home: Home, door: _Door, ready: IO[str] | None) -> None:
        self._home, self._door, self._ready = home, door, ready
        folder = str(home.path)
        doors = [f"door-{number}" for number in range(1, home.settings.doors + 1)]
        self._roles = {name: ["door", folder, name, *door.arguments] for name in doors} | {"courier": ["courier", folder]}
        self._stop = asyncio.Event()
        for left in home.run_folder.glob("strangers-*.json"):  # of doors that may not come back
            left.unlink()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        roles = {name: asyncio.create_task(self._keep(name, command)) for name, command in self._roles.items()}
        roles["projects"] = asyncio.create_task(self._keep_keepers())
        try:
            await self._say_ready()
            await self._stop.wait()
        finally:
            self._stop.set()
            (self._home.run_folder / "up.json").unlink(missing_ok=True)
            await asyncio.gather(*roles.values())

    async def _keep_keepers(self) -> None:
        """A keeper for every project, those made while we run among them."""
        state = build.state(self._home)
        keepers: dict[str, asyncio.Task[None]] = {}
        while not self._stop.is_set():
            for project in state.projects.all():
                if project.id not in keepers:
                    command = ["keeper", str(self._home.path), project.id]
                    keepers[project.id] = asyncio.create_task(self._keep(f"keeper-{project.id[:12]}", command))
            await self._pause(1.0)
        await asyncio.gather(*keepers.values())

    async def _keep(self, name: str, command: list[str]) -> None:
        """Start a role, and again whenever it dies, until we stop; its log is ``run/<name>.log``."""
        pause, clock = FIRST_PAUSE, asyncio.get_running_loop().time
        log = self._home.run_folder / f"{name}.log"
        while not self._stop.is_set():
            started = clock()
            await self._once(log, command)
            pause = FIRST_PAUSE if clock() - started > HEALTHY else min(pause * 2, LONGEST_PAUSE)
            await self._pause(pause)

    async def _once(self, log: Path, command: list[str]) -> None:
        with log.open("ab") as out:
            role = (sys.executable, "-m", "cornicen.apps.roles", *command, PARENT_WATCHED)
            passed = self._door.sockets if command[0] == "door" else ()
            process = await asyncio.create_subprocess_exec(
                *role, stdin=asyncio.subprocess.PIPE, stdout=out, stderr=out, pass_fds=passed
            )
        log.with_suffix(".pid").write_text(str(process.pid))
        ended, told = asyncio.create_task(process.wait()), asyncio.create_task(self._stop.wait())
        await asyncio.wait({ended, told}, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(asyncio.shield(ended), STOP_WITHIN)
            except TimeoutError:
                process.kill()
                await ended

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)

    async def _say_ready(self) -> None:
        """Once everything answers, write who we are for the command line, and tell whoever started us."""
        up = self._door.up
        while not await build.answering(self._home, sorted({up.address, up.console}), PATIENCE, self._stop):
            if self._stop.is_set():
                return
            sys.stderr.write(f"Not everything answers yet; {self._home.run_folder} has the logs.\n")
        said = json.dumps(asdict(up))
        path = self._home.run_folder / "up.json"
        path.with_suffix(".new").write_text(said)
        path.with_suffix(".new").rename(path)
        if self._ready is not None:
            self._ready.write(said + "\n")
            self._ready.flush()
