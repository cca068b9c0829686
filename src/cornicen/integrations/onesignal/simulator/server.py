"""A simulator behind a real socket."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from cornicen.integrations.onesignal.simulator.asgi import TRANSPORT, Asgi
from cornicen.integrations.onesignal.simulator.simulator import Simulator

_GRACE_S = 2
"""How long requests under way are waited for at the end."""


class _Line(HttpToolsProtocol):
    """A connection that the application can end: its transport is among the scope's extensions."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {TRANSPORT: self.transport}  # type: ignore[dict-item]


class _Server(uvicorn.Server):
    """A server that says when it listens, and ends with a clean exit when it is told to."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {each: signal.signal(each, self._stop) for each in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.should_exit = True


def listening(host: str, port: int) -> socket.socket:
    """A socket bound to an address, 0 for a free port.

    Raises:
        OSError: The address cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


def address(bound: socket.socket) -> str:
    """The base URL of a bound socket."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def server(simulator: Simulator, ready: Callable[[], None]) -> uvicorn.Server:
    """A server for a simulator, to be run with a bound socket.

    Args:
        simulator: What answers.
        ready: Called in the server's thread once it takes connections.
    """
    config = uvicorn.Config(
        Asgi(simulator),
        http=_Line,
        ws="none",
        lifespan="off",
        loop="uvloop",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        # Longer than a client keeps an idle connection: none is closed on a client that is just writing to it.
        timeout_keep_alive=120,
        timeout_graceful_shutdown=_GRACE_S,
    )
    return _Server(config, ready)


def serve(simulator: Simulator, *, host: str = "127.0.0.1", port: int = 0) -> None:
    """Run a simulator until SIGTERM or SIGINT.

    Prints one line of JSON when it takes connections: ``address``, ``app_id``, ``api_key``, ``organization_key`` and ``tier``
    (of the first application).

    Args:
        simulator: With at least one application.
        host: Where to listen.
        port: 0: any free one.

    Raises:
        OSError: The address cannot be had.
    """
    bound = listening(host, port)
    app = next(iter(simulator.apps.values()))
    said: dict[str, Any] = {
        "address": address(bound),
        "app_id": app.id,
        "api_key": app.api_key,
        "organization_key": simulator.organization_key,
        "tier": app.tier,
    }

    def ready() -> None:
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()

    server(simulator, ready).run([bound])
