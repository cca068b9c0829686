"""What every role does the same way: its log, its end, and its parent.

A role stops cleanly on SIGTERM and SIGINT, and when the process that started it is gone.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Callable, Coroutine

import structlog
import uvloop

PARENT_WATCHED = "--watch-parent"
"""Given to a role by its supervisor, which then holds the other end of the role's standard input."""


def log_to_stderr(role: str) -> None:
    """One JSON line an entry on standard error, the role named in each."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    structlog.contextvars.bind_contextvars(role=role)


def run(role: str, work: Callable[[asyncio.Event], Coroutine[object, object, None]], *, watch_parent: bool) -> None:
    """Run a role until it is told to stop.

    Args:
        role: Its name in the log.
        work: Returns soon after the event it is given is set.
        watch_parent: Whether the end of standard input is a reason to stop.
    """
    log_to_stderr(role)
    uvloop.run(_until_told(work, watch_parent=watch_parent))


async def _until_told(work: Callable[[asyncio.Event], Coroutine[object, object, None]], *, watch_parent: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    watcher = asyncio.create_task(_parent_gone(stop)) if watch_parent else None
    try:
        await work(stop)
    finally:
        if watcher is not None:
            watcher.cancel()


async def _parent_gone(stop: asyncio.Event) -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()
    stop.set()
