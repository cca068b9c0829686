"""The suite ``ingest``: what a door takes and a keeper loads, against a raw log with a sync for each body, in the same run.

Doors (as many as cores), a keeper and a load generator are processes of their own, as in real life, and all of them share this
machine's cores; the generator's share is told. *Accepted*: answered 200, so safe on disk; no keeper runs meanwhile, which is
what a burst looks like. *Loaded*: the keeper alone, from a full spool. *End to end*: both at once, from the first byte sent
until the last event is queryable.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import pyarrow as pa

from bench.report import Figure
from cornicen.apps import build
from cornicen.apps.home import Home
from cornicen.apps.keeper.client import ask
from cornicen.errors import NotRunning
from cornicen.flows.records import Project
from cornicen.warehouse.folders import waiting
from cornicen.warehouse.names import NameIndex, digests
from cornicen.warehouse.warehouse import spool_folder

TOKEN = "b" * 32
LARGE, SMALL = 2_000, 50
CONNECTIONS = {LARGE: 8, SMALL: 32}
EVENTS = {LARGE: 1_000_000, SMALL: 300_000}
"""Sent in each part."""

BURSTS = 3
"""Where a goal hangs on it, so many bursts are sent, and the median counts: a machine that is shared has bad moments."""

NAMES = (1_000_000, 10_000_000)
SETTINGS = """\
schedule = false
spool_bytes = 100000000000
keeper_memory = "500MB"
key_memory = 64000000
"""
"""Little memory, so that five minutes are enough to reach the bounds."""

STEADY_SECONDS = float(os.environ.get("BENCH_STEADY_SECONDS", "300"))
LOW_MEMORY_GROWTH = 1.1
"""The last fifth of five steady minutes may not need more memory than this times the first two fifths."""

KINDS = ("View Item", "Add To Cart", "Purchase", "Page View", "Search", "Sign In")


def figures() -> Iterator[Figure]:
    """All figures of the suite."""
    for size, packed in ((LARGE, False), (LARGE, True), (SMALL, False), (SMALL, True)):
        yield from _bodies(size, packed=packed)
    for names in NAMES:
        yield from _among(names)
    yield from _steadily()


# bodies of each kind


def _bodies(size: int, *, packed: bool) -> Iterator[Figure]:
    what = f"{size:,}-event bodies{', gzip' if packed else ''}"
    goal = size == LARGE and not packed
    with _stage(1_000_000) as stage:
        raws, bursts = [], []
        for _ in range(BURSTS if goal else 1):
            folder, plain = stage.requests(EVENTS[size], size, packed=packed)
            raws.append(_raw_log(stage.home.path, plain, size))
            with stage.door():
                bursts.append(stage.send(folder, CONNECTIONS[size]))
        raw, sent = median(raws), sorted(bursts, key=lambda burst: burst["posts"] / burst["seconds"])[len(bursts) // 2]
        accepted, kept = sent["posts"] * size / sent["seconds"], sum(burst["posts"] for burst in bursts) * size
        with stage.keeper():
            start = time.perf_counter()
            stage.drained()
            loaded = kept / (time.perf_counter() - start)
            folder, _ = stage.requests(EVENTS[size], size, packed=packed)
            with stage.door():
                start = time.perf_counter()
                both = stage.send(folder, CONNECTIONS[size])
                stage.drained()
                through = both["posts"] * size / (time.perf_counter() - start - both["waited"])
            count = ask(stage.home, stage.project, "status")["counts"]["events"]
        assert count == kept + both["posts"] * size, f"{count} events are there"
    yield Figure(f"raw log, {what}", raw, "events/s")
    yield _goal(f"accepted, {what}", accepted, raw, 0.1 if goal else None)
    yield Figure(f"  the generator's share of the machine, {what}", sent["cpu"] / sent["seconds"] / _cores(), "of it")
    yield Figure(f"  answer p50, {what}", sent["p50"], "ms")
    yield Figure(f"  answer p99, {what}", sent["p99"], "ms")
    yield Figure(f"loaded, no door running, {what}", loaded, "events/s")
    yield _goal(f"end to end, {what}", through, raw, 0.03 if goal else None)


def _among(names: int) -> Iterator[Figure]:
    """End to end where so many names are known."""
    with _stage(names) as stage, stage.keeper(), stage.door():
        folder, _ = stage.requests(EVENTS[LARGE], LARGE, packed=False)
        start = time.perf_counter()
        sent = stage.send(folder, CONNECTIONS[LARGE])
        stage.drained()
        rate = sent["posts"] * LARGE / (time.perf_counter() - start - sent["waited"])
        yield Figure(f"end to end among {names:,} names", rate, "events/s")
        yield Figure(f"  the keeper's memory among {names:,} names", sum(stage.memory()), "MB")


def _steadily() -> Iterator[Figure]:
    """Five minutes at a pace that the keeper keeps up with: its memory after two minutes and at the end."""
    with _stage(1_000_000) as stage, stage.keeper(), stage.door():
        seen, behind, total = [], 0, 0
        start = time.perf_counter()
        while time.perf_counter() - start < STEADY_SECONDS:
            folder, _ = stage.requests(100_000, LARGE, packed=False)
            total += stage.send(folder, 4)["posts"] * LARGE
            behind = max(behind, stage.behind())
            seen.append((time.perf_counter() - start, stage.memory()))
        stage.drained()
        seconds = time.perf_counter() - start
    yield Figure("steadily, making the bodies included", total / seconds, "events/s")
    yield Figure("  farthest behind", behind / 1e6, "MB")
    early, late = ([memory for at, memory in seen if since <= at / seconds <= until] for since, until in ((0, 0.4), (0.8, 1)))
    for kind, what in enumerate(_Memory._fields):
        before, after = (max(memory[kind] for memory in part) for part in (early, late))
        yield Figure(f"  the keeper's memory, {what}, the most in the first two fifths", before, "MB")
        name, growth = f"  the keeper's memory, {what}, the most in the last fifth", after / before
        if what == "own":
            goal = f"<= {LOW_MEMORY_GROWTH}"
            yield Figure(name, after, "MB", "the first two fifths", growth, goal, growth <= LOW_MEMORY_GROWTH)
        else:
            yield Figure(name, after, "MB", "the first two fifths", growth)


def _goal(name: str, value: float, raw: float, least: float | None) -> Figure:
    share = value / raw
    if least is None:
        return Figure(name, value, "events/s", "raw log", share)
    return Figure(name, value, "events/s", "raw log", share, f">= {least}", share >= least)


def _cores() -> int:
    return os.cpu_count() or 1


def _raw_log(folder: Path, bodies: list[bytes], size: int) -> float:
    """Events a second that a bare loop writes to a log, with one sync a body."""
    descriptor = os.open(folder / "raw.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    start = time.perf_counter()
    for body in bodies:
        os.write(descriptor, body)
        os.fdatasync(descriptor)
    seconds = time.perf_counter() - start
    os.close(descriptor)
    (folder / "raw.log").unlink()
    return len(bodies) * size / seconds


# a home with its processes


class _Memory(NamedTuple):
    """In MB: what a process needs for itself, and what are copies of files that the system may drop at any time."""

    own: float
    mapped: float


@dataclass
class _Stage:
    home: Home
    project: str
    names: int
    listener: socket.socket
    sent: int = 0
    keeping: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    def requests(self, events: int, size: int, *, packed: bool) -> tuple[Path, list[bytes]]:
        """So many new events as requests in files; and their plain bodies."""
        folder = Path(tempfile.mkdtemp(dir=self.home.path))
        chance = random.Random(self.sent)
        plain = []
        for number in range(events // size):
            body = b"[" + b",".join(self._event(chance) for _ in range(size)) + b"]"
            plain.append(body)
            wire = gzip.compress(body, 6) if packed else body
            head = (
                f"POST /track?verbose=1 HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
                f"{'content-encoding: gzip' + chr(13) + chr(10) if packed else ''}content-length: {len(wire)}\r\n\r\n"
            )
            (folder / f"{number:06}.request").write_bytes(head.encode() + wire)
        return folder, plain

    def _event(self, chance: random.Random) -> bytes:
        self.sent += 1
        return (
            b'{"event":"%b","properties":{"token":"%b","distinct_id":"user-%08d","time":%d,"$insert_id":"%016x",'
            b'"plan":"pro","country":"DE","screen":"home","os":"iOS","app_version":"4.2.1","session_id":"s-%010d",'
            b'"amount":%d.5,"referrer":"newsletter"}}'
        ) % (
            KINDS[chance.randrange(len(KINDS))].encode(),
            TOKEN.encode(),
            chance.randrange(self.names),
            int(time.time()) - chance.randrange(3600),
            self.sent,
            chance.randrange(10**9),
            chance.randrange(100),
        )

    def send(self, folder: Path, connections: int) -> dict[str, Any]:
        """Run the generator over a folder; ``waited``: seconds until it was ready, which are nobody's."""
        before = time.perf_counter()
        command = [sys.executable, "-m", "bench.sending", str(self.port), str(folder), str(connections), "600"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as generator:
            assert generator.stdin
            assert generator.stdout
            generator.stdout.readline()
            waited = time.perf_counter() - before
            generator.stdin.write(b"go\n")
            generator.stdin.flush()
            said: dict[str, Any] = json.loads(generator.stdout.readline())
        assert not said["refused"], f"{said['refused']} requests were refused"
        return {**said, "waited": waited}

    @contextmanager
    def door(self) -> Iterator[None]:
        address = f"http://127.0.0.1:{self.port}"
        with ExitStack() as doors:
            for number in range(_cores()):
                command = ("door", str(self.home.path), f"door-{number}", address, f"{self.listener.fileno()}:capture,console")
                doors.enter_context(self._role(*command))
            urllib.request.urlopen(f"{address}/health", timeout=60).close()
            yield

    @contextmanager
    def keeper(self) -> Iterator[None]:
        with self._role("keeper", str(self.home.path), self.project) as process:
            self.keeping = process
            while True:
                try:
                    ask(self.home, self.project, "status")
                    break
                except NotRunning:
                    time.sleep(0.02)
            yield

    @contextmanager
    def _role(self, *command: str) -> Iterator[subprocess.Popen[bytes]]:
        log = (self.home.path / f"{command[0]}.log").open("ab")
        role = [sys.executable, "-m", "cornicen.apps.roles", *command]
        process = subprocess.Popen(role, stdout=log, stderr=log, pass_fds=(self.listener.fileno(),))
        try:
            yield process
        finally:
            process.terminate()
            process.wait()
            log.close()

    def drained(self) -> None:
        """Wait until everything is loaded, without keeping the keeper from it."""
        while self.behind():
            time.sleep(0.02)

    def behind(self) -> int:
        """Bytes that wait to be loaded, as doors see it."""
        return sum(waiting(spool_folder(self.home.project_folder(self.project))).values())

    def memory(self) -> _Memory:
        """The keeper's resident memory, with that of the process that reads ahead for it."""
        assert self.keeping
        threads = Path(f"/proc/{self.keeping.pid}/task").glob("*/children")
        children = [child for thread in threads for child in thread.read_text().split()]
        own = mapped = 0
        for pid in [self.keeping.pid, *children]:
            status = Path(f"/proc/{pid}/status").read_text()
            own += int(status.partition("RssAnon:")[2].split()[0])
            mapped += int(status.partition("RssFile:")[2].split()[0])
        return _Memory(own / 1024, mapped / 1024)


@contextmanager
def _stage(names: int) -> Iterator[_Stage]:
    """A home whose warehouse has met so many names."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as listener:
        home = Home.make(Path(folder) / "home", SETTINGS)
        project = Project(uuid.uuid4().hex, "bench", TOKEN)
        state = build.state(home)
        state.projects.add(project)
        state.close()
        _meet(home, project, names)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen(1024)
        yield _Stage(home, project.id, names, listener)


def _meet(home: Home, project: Project, names: int) -> None:
    """Write names as if they had been met before: loading them would take minutes."""
    warehouse = build.warehouse(home, project)
    database = warehouse._database  # noqa: SLF001 - nothing else writes names without events
    index = NameIndex(database)
    for start in range(0, names, 500_000):
        called = [f"user-{number:08d}" for number in range(start, min(start + 500_000, names))]
        high, low = digests(called, index.salt)
        numbers = pa.array(range(start + 1, start + len(called) + 1), pa.int32())
        with database.lent(met=pa.table({"name": called, "person": numbers, "high": high, "low": low})):
            database.rows(
                "INSERT INTO names (name, person, load, linked, high, low) SELECT name, person, 0, false, high, low FROM met"
            )
            database.rows("INSERT INTO persons SELECT person, NULL FROM met")
    database.rows("UPDATE totals SET person = $names", {"names": names})
    warehouse.checkpoint()
    warehouse.close()
