"""Sends requests with aiohttp, and says honestly what is known when no answer came.

aiohttp repeats requests of some methods by itself when a kept-alive connection turns out to be dead, follows redirects, reads
proxies from the environment and keeps cookies: all of that is off. One call is one attempt.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace, TracebackType

import aiohttp
from yarl import URL

from cornicen import __version__
from cornicen.wire.http import NoAnswer, NotSent, Reply, Request, Result

LARGEST_BODY = 1024 * 1024
"""Bytes of an answer that are kept; the rest is not read and its connection is closed."""

KEPT_ALIVE = 4.0
"""Seconds an idle connection is kept: less than servers keep theirs (often five), lest a request meets a closing one."""

CONNECT_WITHIN = 10.0
"""Seconds to connect, TLS included."""


@dataclass
class _Progress:
    """How far one request came. Everything after a connection was had counts as left: some of it may have."""

    left: bool = False


class _Lost(aiohttp.ClientError):
    """A connection broke under a request. Not one of the errors at which aiohttp would send it again."""


class HttpSender:
    """The `Sender` of `flows.ports`. To be used as ``async with``, or closed with `close`.

    Args:
        connections: How many connections at most at the same time, over all hosts; 0: as many as there are requests.
        trust_env: Whether ``HTTP_PROXY`` and its like, and ``~/.netrc``, count.
    """

    def __init__(self, *, connections: int = 0, trust_env: bool = False) -> None:
        self._connections = connections
        self._trust_env = trust_env
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> HttpSender:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections. Twice: does nothing."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def send(self, request: Request, *, timeout: float) -> Result:
        """One attempt, no retry, no redirect.

        Args:
            request: Its URL is sent as it is, percent-encoding included.
            timeout: Seconds for everything, from waiting for a connection to the last byte of the answer.

        Returns:
            `Reply`: a complete answer, its body cut at `LARGEST_BODY`. `NotSent`: there was no connection, so not a byte of the
            request left. `NoAnswer`: anything else; a reset on a kept-alive connection too: the server may have read it.

        Twice: sends twice.
        """
        progress = _Progress()
        limits = aiohttp.ClientTimeout(total=timeout, sock_connect=min(CONNECT_WITHIN, timeout))
        try:
            async with self._opened().request(
                request.method,
                URL(request.url, encoded=True),
                headers=request.headers,
                data=request.body,
                timeout=limits,
                allow_redirects=False,
                trace_request_ctx=progress,
            ) as response:
                body = await _body(response)
                headers = {name.lower(): value for name, value in response.headers.items()}
                return Reply(response.status, headers, body)
        except (aiohttp.ClientError, OSError, UnicodeError) as error:  # a time-out is an OSError; a name may be unencodable
            why = _why(error)
            return NoAnswer(why) if progress.left else NotSent(why)

    def _opened(self) -> aiohttp.ClientSession:
        """The session; made at the first request, because it belongs to the running loop."""
        if self._session is None:
            trace = aiohttp.TraceConfig()
            trace.on_connection_create_end.append(_leaves)
            trace.on_connection_reuseconn.append(_leaves)
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=KEPT_ALIVE),
                # Answers are small; asked for as they are, none can grow a thousandfold while it is unpacked.
                headers={"User-Agent": f"cornicen/{__version__}", "Accept-Encoding": "identity"},
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=self._trust_env,
                trace_configs=[trace],
                middlewares=[_once],
            )
        return self._session


async def _leaves(_session: aiohttp.ClientSession, context: SimpleNamespace, _params: object) -> None:
    context.trace_request_ctx.left = True


async def _once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending a second time over a fresh connection."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _Lost(_why(error)) from error


async def _body(response: aiohttp.ClientResponse) -> bytes:
    kept = bytearray()
    async for piece in response.content.iter_chunked(64 * 1024):
        kept += piece
        if len(kept) >= LARGEST_BODY:
            response.close()
            break
    return bytes(kept[:LARGEST_BODY])


def _why(error: BaseException) -> str:
    """One short phrase without addresses of ours or anything of the request."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"the certificate is not trusted: {error.certificate_error}"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"the name {error.host} cannot be resolved"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"{error.host}:{error.port} cannot be connected to: {error.os_error.strerror or error.os_error}"
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the connection was closed before an answer"
    return str(error) or type(error).__name__
