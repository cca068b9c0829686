"""Capture: one vendor's route as an ASGI application, with nothing on the way that a body could get stuck in."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qsl

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from cornicen.flows.events.receive import Receiver
from cornicen.flows.ports import Clock
from cornicen.flows.vendors import Inbound, Outbound, Parsed, Route

SMALL = 64 * 1024
"""Bytes up to which a plain body is parsed in place (under a millisecond); larger ones leave the loop to others meanwhile."""


_PARSING = ThreadPoolExecutor(1, "parse")
"""Python's lock lets only one body be parsed at a time: more threads would take turns in the middle, and be a tenth slower."""


class _TooLarge(Exception):
    """The body is above the route's limit."""


class _Gone(Exception):
    """The sender hung up before it had said everything."""


class Capture:
    """Takes requests of one route.

    Args:
        route: The vendor's.
        source: Its name in the spool, e.g. ``mixpanel:/import``.
        receiver: Keeps what is in them.
        clock: The door's.
    """

    def __init__(self, route: Route, source: str, receiver: Receiver, clock: Clock) -> None:
        self._route, self._source, self._receiver, self._clock = route, source, receiver, clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in self._route.methods:
            await not_allowed(scope, receive, send, self._route.methods)
            return
        headers = _headers(scope)
        try:
            body = await _body(receive, headers, self._route.limit)
        except _TooLarge:
            await _send(send, self._route.too_large())
            return
        except _Gone:
            return
        inbound = Inbound(scope["method"], scope["path"], _query(scope), headers, body, self._clock.now(), _address(scope))
        parsed = await self._parsed(inbound)
        await _send(send, await self._receiver.receive(parsed, self._source))

    async def _parsed(self, inbound: Inbound) -> Parsed:
        if len(inbound.body) <= SMALL and "content-encoding" not in inbound.headers:
            return self._route.parse(inbound)
        return await asyncio.get_running_loop().run_in_executor(_PARSING, self._route.parse, inbound)


async def not_allowed(scope: Scope, receive: Receive, send: Send, methods: tuple[str, ...]) -> None:
    """Answer that the path is right and the method is not."""
    allowed = ", ".join(methods)
    said = {"code": "method_not_allowed", "what": f"This path does not take {scope['method']}.", "fix": f"Use {allowed}."}
    await JSONResponse(said, 405, {"allow": allowed})(scope, receive, send)


def _headers(scope: Scope) -> Mapping[str, str]:
    """Of a repeated header the first."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
    return headers


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def _query(scope: Scope) -> Mapping[str, str]:
    parameters: dict[str, str] = {}
    for name, value in parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True):
        parameters.setdefault(name, value)
    return parameters


async def _body(receive: Receive, headers: Mapping[str, str], limit: int) -> bytes:
    """The whole body. One that says it is too large is not read at all, one that turns out to be is not read on."""
    told = headers.get("content-length", "")
    if told.isdecimal() and int(told) > limit:
        raise _TooLarge
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        piece = message.get("body", b"")
        size += len(piece)
        if size > limit:
            raise _TooLarge
        pieces.append(piece)
        if not message.get("more_body", False):
            return b"".join(pieces)


async def _send(send: Send, answer: Outbound) -> None:
    headers = {"content-type": answer.content_type, "content-length": str(len(answer.body)), **answer.headers}
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    await send({"type": "http.response.body", "body": answer.body})
