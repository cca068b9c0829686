"""The roles as processes: ``python -m cornicen.apps.roles ROLE HOME …``, as `apps.up` starts them.

::

    door HOME NAME ADDRESS LISTENER…  takes records by HTTP and shows the console; NAME: of its part of the spools; ADDRESS:
                                      where senders reach it; LISTENER: an inherited socket's number and what it shows,
                                      e.g. 5:capture or 6:capture,console
    keeper HOME PROJECT               loads and evaluates one project
    courier HOME                      delivers for all projects of the home
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import Callable, Coroutine, Iterator

import uvicorn
from starlette.types import ASGIApp

from cornicen.apps import build
from cornicen.apps.home import Home
from cornicen.apps.role import PARENT_WATCHED, run

GRACE = 10
"""Seconds that requests under way get after a door was told to stop."""

KEEP_ALIVE = 75
"""Seconds that a door keeps an idle connection: longer than proxies do, so that they never send into one just closed."""

Work = Callable[[asyncio.Event], Coroutine[object, object, None]]


class _Server(uvicorn.Server):
    """Leaves the signals to `apps.role`."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing to capture."""
        yield


def door(home: Home, name: str, address: str, *listeners: str) -> Work:
    """A door on listening sockets, by their file descriptors."""
    from cornicen.apps.http.app import Side, app

    async def serve(stop: asyncio.Event) -> None:
        wiring = build.door(home, address, name)
        servers, serving = [], []
        for number, _, sides in (listener.partition(":") for listener in listeners):
            server = _server(app(wiring, [Side(side) for side in sides.split(",")]), home.settings.trusted_proxies)
            servers.append(server)
            serving.append(asyncio.create_task(server.serve([socket.socket(fileno=int(number))])))
        told = asyncio.create_task(stop.wait())
        await asyncio.wait({*serving, told}, return_when=asyncio.FIRST_COMPLETED)
        told.cancel()
        for server in servers:
            server.should_exit = True
        try:
            await asyncio.gather(*serving)
        finally:
            wiring.close()

    return serve


def _server(shown: ASGIApp, proxies: tuple[str, ...]) -> _Server:
    """A server that believes only these proxies about who sends."""
    config = uvicorn.Config(
        shown,
        log_config=None,
        access_log=False,
        lifespan="off",
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
    )
    return _Server(config)


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
