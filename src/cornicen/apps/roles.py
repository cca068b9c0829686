"""The roles as processes: ``python -m cornicen.apps.roles ROLE HOME …``, as `apps.up` starts them.

::

    door HOME LISTENER      takes records by HTTP, shows the status page; LISTENER: an inherited socket's number
    keeper HOME PROJECT     loads and evaluates one project
    courier HOME            delivers for all projects of the home
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import Callable, Coroutine, Iterator

import uvicorn

from cornicen.apps import build
from cornicen.apps.home import Home
from cornicen.apps.role import PARENT_WATCHED, run

GRACE = 10
"""Seconds that requests under way get after a door was told to stop."""

Work = Callable[[asyncio.Event], Coroutine[object, object, None]]


class _Server(uvicorn.Server):
    """Leaves the signals to `apps.role`."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing to capture."""
        yield


def door(home: Home, listener: str) -> Work:
    """A door on a listening socket, by its file descriptor."""
    from cornicen.apps.http.app import app

    async def serve(stop: asyncio.Event) -> None:
        config = uvicorn.Config(app(build.door(home)), log_config=None, access_log=False)
        config.timeout_graceful_shutdown = GRACE
        server = _Server(config)
        serving, told = (
            asyncio.create_task(server.serve([socket.socket(fileno=int(listener))])),
            asyncio.create_task(stop.wait()),
        )
        await asyncio.wait({serving, told}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        told.cancel()
        await serving

    return serve


def keeper(home: Home, project: str) -> Work:
    """The keeper of one project."""
    return build.keeper(home, project).run


def courier(home: Home) -> Work:
    """The courier of one home."""
    from cornicen.apps.courier import run as deliver

    async def work(stop: asyncio.Event) -> None:
        await deliver(build.courier(home), stop)

    return work


def main() -> None:
    """Run one role until it is told to stop."""
    watch = PARENT_WATCHED in sys.argv
    role, folder, *more = [word for word in sys.argv[1:] if word != PARENT_WATCHED]
    roles: dict[str, Callable[..., Work]] = {"door": door, "keeper": keeper, "courier": courier}
    made = roles[role](Home.find(folder), *more)
    run(role, made, watch_parent=watch)


if __name__ == "__main__":
    main()
