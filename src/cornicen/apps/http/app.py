"""The door's ASGI applications: vendors' routes, the console's pages, and the one edge where nothing is let through."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import structlog
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cornicen.apps.http.capture import Capture
from cornicen.apps.http.crossing import Crossing
from cornicen.apps.http.metrics import Metrics
from cornicen.apps.http.page import Page, health
from cornicen.apps.http.status import View
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
        keeper: A project's id to what its keeper says of itself: ``{as_of, backlog, oldest, counts, refusals}``. Raises
            `Unavailable` where it does not answer.
        clock: The door's.
        address: Where senders reach the capture routes, as the page tells it.
        close: Gives the spools back; to be called once no server takes requests any more.
    """

    manifests: Sequence[Manifest]
    receiver: Receiver
    state: State
    keeper: Callable[[str], Awaitable[Mapping[str, Any]]]
    clock: Clock
    address: str = ""
    close: Callable[[], None] = _nothing


class Side(StrEnum):
    """What a listener shows."""

    CAPTURE = "capture"
    """The vendors' routes: for senders anywhere."""
    CONSOLE = "console"
    """Our own pages: for the people of the house."""


def app(wiring: Wiring, sides: Collection[Side] = tuple(Side)) -> ASGIApp:
    """The application of one listener: what its sides show, and ``/health``. All else is not found there.

    Paths with and without a trailing slash are the same. A route for ``/piece/*`` takes what no other does below that piece.

    Args:
        wiring: What the door is made of; shared by all its listeners.
        sides: Of this listener.

    Raises:
        ValueError: Two things want the same path, also if another listener shows one of them.
    """
    paths: dict[str, ASGIApp] = {"/health": health, **console(wiring)}
    shown = dict(paths) if Side.CONSOLE in sides else {"/health": paths["/health"]}
    for manifest in wiring.manifests:
        for route in manifest.routes:
            path = _trimmed(route.path)
            if path in paths:
                raise ValueError(f"two things want the path {path}")
            taking = Capture(route, f"{manifest.name}:{route.path}", wiring.receiver, wiring.clock)
            paths[path] = Crossing(_Edge(taking), route.methods)
            if Side.CAPTURE in sides:
                shown[path] = paths[path]
    return _Paths(shown)


def console(wiring: Wiring) -> dict[str, ASGIApp]:
    """The console's pages by path."""
    view = View(
        state=wiring.state,
        keeper=wiring.keeper,
        manifests=wiring.manifests,
        clock=wiring.clock,
        strangers=wiring.receiver.strangers,
        taken=wiring.receiver.taken,
        since=wiring.clock.now(),
        address=wiring.address,
    )
    return {"/": _Edge(Page(view)), "/metrics": _Edge(Metrics(view))}


def _trimmed(path: str) -> str:
    """A path as it is looked up. Some senders write a vendor's documentation anchor into it, as if it were a part of it."""
    return path.partition("#")[0].rstrip("/") or "/"


class _Paths:
    """Finds who answers a path."""

    def __init__(self, shown: Mapping[str, ASGIApp]) -> None:
        self._shown = shown

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        else:
            await self._found(_trimmed(scope["path"]))(scope, receive, send)

    def _found(self, path: str) -> ASGIApp:
        """What is mounted at a path, else what takes all paths below its first piece."""
        return self._shown.get(path) or self._shown.get(f"/{path[1:].partition('/')[0]}/*", _missing)


class _Edge:
    """What goes wrong behind it is logged and answered as ``{code, what, fix}``."""

    def __init__(self, behind: ASGIApp) -> None:
        self._behind = behind

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._behind(scope, receive, watched)
        except Exception as error:  # noqa: BLE001 - the HTTP edge: the sender gets an answer and the log gets the fault
            response = _said(error, scope)
            if not started:
                await response(scope, receive, send)


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
