"""Crossing origins: a page from anywhere may send to a vendor's route and read the answer, as that vendor lets it."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

REMEMBERED = 86_400
"""Seconds that a browser may keep the answer to its preflight; browsers have lower bounds of their own."""

READABLE = b"retry-after"
"""The header that SDKs read besides the body; without this a browser hides it from them."""


class Crossing:
    """Lets pages of other origins use a route, its errors included.

    The origin is echoed and credentials are allowed, because SDKs send with credentials and ``*`` would fail them. Nothing
    here is guarded by a cookie, so no page gains by that what a plain sender would not.

    Args:
        app: The route.
        methods: That it takes.
    """

    def __init__(self, app: ASGIApp, methods: tuple[str, ...]) -> None:
        self._app, self._methods = app, ", ".join(methods).encode("latin-1")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "OPTIONS":
            await self._preflight(scope, send)
            return
        more = _allowed(scope)

        async def crossing(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *more]
            await send(message)

        await self._app(scope, receive, crossing)

    async def _preflight(self, scope: Scope, send: Send) -> None:
        headers = [(b"allow", self._methods + b", OPTIONS"), *_allowed(scope)]
        if _header(scope, b"origin") is not None:
            headers += [
                (b"access-control-allow-methods", self._methods),
                (b"access-control-max-age", str(REMEMBERED).encode("latin-1")),
            ]
            if asked := _header(scope, b"access-control-request-headers"):
                headers.append((b"access-control-allow-headers", asked))
        await send({"type": "http.response.start", "status": 204, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


def _allowed(scope: Scope) -> list[tuple[bytes, bytes]]:
    origin = _header(scope, b"origin")
    if origin is None:
        return [(b"vary", b"Origin")]
    return [
        (b"vary", b"Origin"),
        (b"access-control-allow-origin", origin),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-expose-headers", READABLE),
    ]


def _header(scope: Scope, name: bytes) -> bytes | None:
    """The first of that name; servers give names in lower case."""
    return next((bytes(value) for key, value in scope["headers"] if key == name), None)
