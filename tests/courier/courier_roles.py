"""A courier as a process of its own on a database that several share, and a destination: one request a recipient."""

import asyncio
import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

from cornicen.apps.clock import SystemClock
from cornicen.apps.courier import Wiring, holding, run, work
from cornicen.apps.role import log_to_stderr
from cornicen.delivery.shapes import Answer, Ensured, Grouping, Shape, Verdict
from cornicen.state.opening import open_state
from cornicen.wire.client import HttpSender
from cornicen.wire.http import NotSent, Reply, Request

SLOTS = 4
LONGEST = 1.0
TERM = 1.5


class Post:
    """Takes all changes of one recipient in a request."""

    longest_answer = LONGEST
    connections = SLOTS
    rate = 400.0

    def __init__(self, address):
        self.shape, self._address = Shape(Grouping.RECIPIENT, 100, 0.0), address

    def ensure(self, container):
        return Request("PUT", f"{self._address}/{container.sync}")

    def ensured(self, container, result):
        made = isinstance(result, Reply) and result.status == 200
        return Ensured(replace(container, exists=made), Verdict.ACCEPTED if made else Verdict.UNKNOWN)

    def deliver(self, parcel):
        told = {change.sync: change.want for change in parcel.changes}
        body = json.dumps({"told": told, "courier": os.getpid()}).encode()
        return Request("PATCH", f"{self._address}/{parcel.changes[0].identifier}", {}, body)

    def answered(self, parcel, result):
        if isinstance(result, NotSent):
            return Answer(Verdict.UNTOUCHED)
        return Answer(Verdict.ACCEPTED if isinstance(result, Reply) and result.status == 200 else Verdict.UNKNOWN)


async def serve(url, key, address, lock):
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with HttpSender() as sender:
        await run(Wiring(open_state(url, key), sender, SystemClock(), lambda _: Post(address), Path(lock)), stop)


if __name__ == "__main__":
    holding.TERM, holding.BEAT, work.DISCOVER = TERM, 0.2, 0.1  # so that a takeover takes a moment
    log_to_stderr("courier")
    asyncio.run(serve(sys.argv[1], sys.argv[2].encode(), *sys.argv[3:]))
