"""The keeper's process: load, evaluate what is due, and answer over the local socket.

One thread owns the warehouse; questions, batches of the loader and ticks take turns in it, so that each sees what the one
before it committed.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import structlog

from cornicen.apps.keeper.client import LONGEST_LINE
from cornicen.apps.keeper.questions import Keeping, answer
from cornicen.errors import CornicenError, Unavailable
from cornicen.flows.events.aliases import aliases
from cornicen.flows.syncs.audit import tidy_audits
from cornicen.flows.syncs.tick import due, tick

IDLE = 0.1
"""Seconds between two looks at the spool when nothing was there."""

BATCH = 20_000
"""Records a turn of the loader takes: a question waits at most for one turn."""

BEHIND_BATCH = 50_000
"""Likewise while there is more than that to load: a larger batch costs less a record."""

AFTER_A_FAULT = 1.0
"""Seconds the thread rests after a turn that failed, so that a lasting fault does not fill the log."""

ALIASES_EVERY = 5.0
"""Seconds between two looks at which profile properties are names."""

TIDY_EVERY = 10.0
"""Seconds before it is looked again whether anything is to be tidied, where there was nothing."""

log = structlog.get_logger()


class Keeper:
    """One project's keeper.

    Args:
        keeping: What answering takes.
        socket: Where to listen; an older socket of a dead keeper there is replaced.
        schedule: Whether syncs are evaluated when they are due.
    """

    def __init__(self, keeping: Keeping, socket: Path, *, schedule: bool) -> None:
        self._keeping = keeping
        self._socket = socket
        self._schedule = schedule
        self._aliases_at = self._tidy_at = 0.0
        self._behind = False
        self._turns = ThreadPoolExecutor(1, thread_name_prefix="warehouse")

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until told to stop; what is under way is finished first."""
        self._socket.unlink(missing_ok=True)
        server = await asyncio.start_unix_server(self._converse, str(self._socket), limit=LONGEST_LINE)
        self._socket.chmod(0o600)
        log.info("keeper listening", project=self._keeping.desk.project.name)
        try:
            await self._work(stop)
        finally:
            server.close()
            self._socket.unlink(missing_ok=True)
            self._turns.shutdown(wait=True)

    async def _work(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            loaded = await self._turn(self._load_and_tick)
            tidied = not self._behind and await self._turn(self._tidy)  # traffic that never pauses must not put it off for ever
            if not loaded and not tidied:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), IDLE)

    async def _turn(self, work: Any, *arguments: Any) -> Any:  # noqa: ANN401 - passes any turn's result through
        return await asyncio.get_running_loop().run_in_executor(self._turns, work, *arguments)

    def _load_and_tick(self) -> int:
        """One turn: a batch of the loader, and whatever is due. A fault of one is logged and tried again next turn."""
        desk = self._keeping.desk
        try:
            self._take_aliases()
            loaded = desk.warehouse.load(BEHIND_BATCH if self._behind else BATCH)
            self._behind = loaded.more
            now = self._keeping.clock.now()
            if self._schedule and (syncs := due(desk, now)):
                done = tick(desk, syncs, now=now)
                log.info("tick", tick=done.tick.id, as_of=done.tick.as_of, runs=len(done.runs))
                for run, why in done.unlisted.items():
                    log.warning("no audit file", run=run, why=why)
        except Unavailable as error:
            log.warning("turn put off", **error.as_json())
            return 0
        except Exception:  # the worker's edge: what fails in one turn must not take the answers of the others along
            log.exception("turn failed")
            time.sleep(AFTER_A_FAULT)
            return 0
        return loaded.records

    def _tidy(self) -> bool:
        """A step of what can wait, every now and then; questions and arrivals come between two steps."""
        if time.monotonic() < self._tidy_at:
            return False
        desk = self._keeping.desk
        try:
            before = min((sync.last_load for sync in desk.state.syncs.all(desk.project.id) if sync.last_as_of), default=None)
            now = self._keeping.clock.now()
            done = desk.warehouse.tidy(desk.warehouse.last_load() if before is None else before, now)
            if not done and desk.audits is not None:
                tidy_audits(desk.audits, self._keeping.audit_days, now)
        except Exception:  # the worker's edge, as for a turn
            log.exception("tidying failed")
            done = False
        if not done:
            self._tidy_at = time.monotonic() + TIDY_EVERY
        return done

    def _take_aliases(self) -> None:
        """Whatever the connections name by now, looked at every few seconds."""
        if (moment := time.monotonic()) >= self._aliases_at:
            self._aliases_at = moment + ALIASES_EVERY
            desk = self._keeping.desk
            desk.warehouse.alias(aliases(desk.state, desk.project.id), self._keeping.clock.now())

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(msgspec.json.encode(await self._turn(self._answer, line)) + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError) as error:
            log.warning("conversation ended", why=str(error))
        finally:
            writer.close()

    def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            asked = msgspec.json.decode(line, type=dict[str, Any])
            return {"answer": answer(self._keeping, str(asked.get("question")), asked.get("arguments") or {})}
        except CornicenError as error:
            return {"error": error.as_json()}
        except Exception as error:  # the worker's edge: one question's fault must not end the keeper
            log.exception("question failed")
            return {"error": CornicenError(f"The keeper failed: {type(error).__name__}.", "Its log has the details.").as_json()}
