"""The simulator as an ASGI application."""

from __future__ import annotations

import asyncio
import socket
import struct
import time

from starlette.types import Receive, Scope, Send

from cornicen.integrations.onesignal.simulator.answers import Answer
from cornicen.integrations.onesignal.simulator.api.call import Asked
from cornicen.integrations.onesignal.simulator.control import PREFIX, control
from cornicen.integrations.onesignal.simulator.simulator import Outcome, Simulator
from cornicen.integrations.onesignal.simulator.traffic.book import Entry

TRANSPORT = "cornicen.transport"
"""Where `server` leaves the connection's transport in a scope's extensions, so that a fault can end the connection."""


ABANDONED = "abandoned"
"""The end of a request, for the book, whose caller went away before its answer; it was acted on all the same."""


class Asgi:
    """A raw ASGI application: no framework stands between a request and its route.

    Args:
        simulator: What answers.
    """

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request.

        Raises:
            RuntimeError: A fault is to end a connection, and the server gives no hold of it.
        """
        if scope["type"] != "http":
            return
        asked = await _asked(scope, receive)
        if asked is None:
            return  # the caller went away in the middle of its request, which was never complete
        if asked.path.startswith(PREFIX):
            await _send(control(self.simulator, asked), send)
            return
        await self._serve(asked, scope, receive, send)

    async def _serve(self, asked: Asked, scope: Scope, receive: Receive, send: Send) -> None:
        simulator = self.simulator
        arrived, at = time.monotonic(), simulator.clock.now()
        # The request is acted on now, in the order of receipt; what takes time is the answer. Whoever gives up waiting
        # has been heard all the same.
        route, subject, outcome = simulator.respond(asked)
        entry = Entry(route, subject, at, arrived, asked.path)
        simulator.book.begin(entry)
        end = ABANDONED
        try:
            pause = outcome.delay_s + simulator.knobs.latency_ms / 1000
            if (not pause or await _waited_for(pause, receive)) and await _dripped(outcome, receive, send):
                end = outcome.end
        finally:
            # Written before anything can be seen of the end.
            simulator.book.end(entry, end, time.monotonic())
        if end == ABANDONED:
            return
        if outcome.answer is None:
            await _hang_up(outcome, scope, receive)
        elif outcome.cut is not None:
            await _break_off(outcome.answer, outcome.cut, scope, receive, send)
        elif outcome.drip_s and outcome.answer.body:
            await send({"type": "http.response.body", "body": outcome.answer.body[-1:]})
        else:
            await _send(outcome.answer, send)


async def _asked(scope: Scope, receive: Receive) -> Asked | None:
    """The whole request; None: its end never came."""
    pieces: list[bytes] = []
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        pieces.append(message.get("body", b""))
        more = message.get("more_body", False)
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    client = scope["client"][0] if scope.get("client") else ""
    path, query = scope["raw_path"].decode("latin-1"), scope["query_string"].decode("latin-1")
    return Asked(scope["method"], path, query, headers, b"".join(pieces), client)


async def _waited_for(pause: float, receive: Receive) -> bool:
    """Let seconds of the machine's clock pass; False as soon as the caller is gone."""
    try:
        async with asyncio.timeout(pause):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return True
    return False


async def _dripped(outcome: Outcome, receive: Receive, send: Send) -> bool:
    """Send a dripping answer up to its last byte; nothing of any other. False: the caller went away meanwhile."""
    if not outcome.drip_s or outcome.answer is None or not outcome.answer.body:
        return True
    body = outcome.answer.body
    await _begin(outcome.answer, send)
    for place in range(len(body) - 1):
        await send({"type": "http.response.body", "body": body[place : place + 1], "more_body": True})
        if not await _waited_for(outcome.drip_s / len(body), receive):
            return False
    return True


async def _begin(given: Answer, send: Send) -> None:
    headers = [*given.headers, (b"content-length", str(len(given.body)).encode())]
    await send({"type": "http.response.start", "status": given.status, "headers": headers})


async def _send(given: Answer, send: Send) -> None:
    await _begin(given, send)
    await send({"type": "http.response.body", "body": given.body})


async def _break_off(given: Answer, kept: int, scope: Scope, receive: Receive, send: Send) -> None:
    """Send the beginning of an answer whose head promises the whole, and close the connection."""
    transport = _transport(scope)
    await _begin(given, send)
    await send({"type": "http.response.body", "body": given.body[:kept], "more_body": True})
    transport.close()
    await _gone(receive)


async def _hang_up(outcome: Outcome, scope: Scope, receive: Receive) -> None:
    """End the connection without an answer."""
    transport = _transport(scope)
    if outcome.reset:
        # Lingering for no time makes the kernel send RST instead of FIN.
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    await _gone(receive)


def _transport(scope: Scope) -> asyncio.Transport:
    transport: asyncio.Transport | None = scope.get("extensions", {}).get(TRANSPORT)
    if transport is None:
        raise RuntimeError("this server gives no hold of its connections; run the simulator with simulator.serve")
    return transport


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
