"""A load generator: one process that posts ready-made bodies over some keep-alive connections and times every answer."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import uvloop


class _Line(asyncio.Protocol):
    """One connection: posts, waits for the whole answer, posts the next."""

    def __init__(self, bodies: Iterator[bytes], until: float, waits: list[float], done: asyncio.Future[None]) -> None:
        self._bodies, self._until, self._waits, self._done = bodies, until, waits, done
        self._seen = b""
        self.refused = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment] # what TCP gives is one
        self._post()

    def _post(self) -> None:
        body = next(self._bodies, None) if time.perf_counter() < self._until else None
        if body is None:
            self._transport.close()
            return
        self._since = time.perf_counter()
        self._transport.write(body)

    def data_received(self, data: bytes) -> None:
        self._seen += data
        head, found, rest = self._seen.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(rest) < length:
            return
        self._waits.append(time.perf_counter() - self._since)
        self.refused += not head.startswith(b"HTTP/1.1 200")
        self._seen = b""
        self._post()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._done.set_result(None)


def requests(folder: Path) -> Iterator[bytes]:
    """The requests kept in a folder, in turn."""
    for path in sorted(folder.glob("*.request")):
        yield path.read_bytes()


async def send(port: int, bodies: Iterator[bytes], connections: int, seconds: float) -> tuple[list[float], int, float]:
    """Post until the bodies or the seconds are used up: each answer's wait, how many were refused, and the seconds it took."""
    loop = asyncio.get_running_loop()
    waits: list[float] = []
    start = time.perf_counter()
    ends, lines = [], []
    for _ in range(connections):
        done: asyncio.Future[None] = loop.create_future()
        line = _Line(bodies, start + seconds, waits, done)
        await loop.create_connection(lambda line=line: line, "127.0.0.1", port)  # type: ignore[misc]
        ends.append(done)
        lines.append(line)
    await asyncio.gather(*ends)
    return waits, sum(line.refused for line in lines), time.perf_counter() - start


def main() -> None:
    """``python -m bench.sending PORT FOLDER CONNECTIONS SECONDS``: one JSON line about what happened."""
    port, folder, connections, seconds = int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    bodies = list(requests(folder))
    print("ready", flush=True)
    sys.stdin.readline()
    before = resource.getrusage(resource.RUSAGE_SELF)
    waits, refused, took = uvloop.run(send(port, iter(bodies), connections, seconds))
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    waits.sort()
    said = {
        "posts": len(waits),
        "refused": refused,
        "seconds": took,
        "cpu": cpu,
        "p50": waits[len(waits) // 2] * 1e3 if waits else 0,
        "p99": waits[int(len(waits) * 0.99)] * 1e3 if waits else 0,
    }
    print(json.dumps(said))


if __name__ == "__main__":
    main()
