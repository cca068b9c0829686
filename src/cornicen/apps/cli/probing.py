"""Tries a connection: one request that shows whether key and account are right."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cornicen.apps import build

if TYPE_CHECKING:
    from cornicen.flows.records import Connection

PROBE_WITHIN = 30.0
"""Seconds for the answer."""


def probe(connection: Connection) -> str:
    """Ask the destination whether key and account are right; the account's name for people.

    Raises:
        WrongKey, TierRefused: It says no.
        Unreachable: It says nothing.
    """

    async def once() -> str:
        destination = build.destination(connection)
        async with build.sender() as sender:
            return destination.probed(await sender.send(destination.probe(), timeout=PROBE_WITHIN))

    return asyncio.run(once())
