"""The door's ASGI application: vendors' routes, the status page, and the one edge where nothing is let through."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cornicen.apps.http.capture import Capture
from cornicen.apps.http.page import Page, health
from cornicen.errors import BadInput, CornicenError, Denied, NotFound, Unavailable
from cornicen.flows.events.receive import Receiver
from cornicen.flows.ports import Clock, State
from cornicen.flows.vendors import Manifest

_log = structlog.get_logger("door")


def _nothing() -> None:
    return None


@dataclass(frozen=True)
class Wiring:
    """What a door is made of; `cornicen.apps.build` puts it together.

    Args:
        manifests: All vendors; their routes are mounted.
        receiver: Takes what the routes understood.
        state: Read for the status page.
        keeper: A project's id to what its keeper says of itself: ``{as_of, backlog, counts, refusals}``. Raises `Unavailable`
            where it does not answer.
        clock: The door's.
        close: Called once when the server stops: the spools are closed there.
    """

    manifests: Sequence[Manifest]
    receiver: Receiver
    state: State
    keeper: Callable[[str], Awaitable[Mapping[str, Any]]]
    clock: Clock
    close: Callable[[], None] = _nothing


def app(wiring: Wiring) -> ASGIApp:
    """The application: every manifest's routes, ``/`` and ``/health``.

    Paths with and without a trailing slash are the same.

    Raises:
        ValueError: Two vendors want the same path.
    """
    mounted: dict[str, ASGIApp] = {
        "/": Page(wiring.state, wiring.keeper, wiring.manifests, wiring.clock),
        "/health": health,
    }
    for manifest in wiring.manifests:
        for route in manifest.routes:
            path = _trimmed(route.path)
            if path in mounted:
                raise ValueError(f"two things want the path {path}")
            mounted[path] = Capture(route, f"{manifest.name}:{route.path}", wiring.receiver, wiring.clock)
    return _Edge(mounted, wiring.close)


def _trimmed(path: str) -> str:
    return path.rstrip("/") or "/"


class _Edge:
    """Finds who answers a path; what goes wrong behind it is logged and answered as ``{code, what, fix}``."""

    def __init__(self, mounted: Mapping[str, ASGIApp], close: Callable[[], None]) -> None:
        self._mounted, self._close = mounted, close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["type"]:
            case "http":
                await self._answer(scope, receive, send)
            case "lifespan":
                await self._live(receive, send)
            case "websocket":
                await send({"type": "websocket.close"})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        mounted = self._mounted.get(_trimmed(scope["path"]))
        try:
            await (mounted or _missing)(scope, receive, watched)
        except Exception as error:  # noqa: BLE001 - the HTTP edge: the sender gets an answer and the log gets the fault
            response = _said(error, scope)
            if not started:
                await response(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._close()
        await send({"type": "lifespan.shutdown.complete"})


_STATUS: Sequence[tuple[type[CornicenError], int]] = ((NotFound, 404), (BadInput, 400), (Denied, 401), (Unavailable, 503))


def _said(error: Exception, scope: Scope) -> Response:
    """What the sender is told. Only our own errors are quoted: their sentences hold no secrets."""
    where = {"method": scope["method"], "path": scope["path"]}
    if isinstance(error, CornicenError):
        _log.warning("refused", **where, **error.as_json())
        status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
        return JSONResponse(error.as_json(), status)
    _log.error("failed", **where, exc_info=error)
    said = CornicenError("Something went wrong inside the door.", "Try again; if it stays, look into the door's log.")
    return JSONResponse(said.as_json(), 500)


async def _missing(scope: Scope, receive: Receive, send: Send) -> None:
    error = NotFound("There is nothing at this path.", "See / for what this door shows, and the vendor's page for its routes.")
    await JSONResponse(error.as_json(), 404)(scope, receive, send)
