"""The suite ``house``: evaluation against hand-written SQL, what is owed against bare bitmaps, delivery against a bare loop."""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pyarrow as pa
import uvicorn
import uvloop
import yaml
from cryptography.fernet import Fernet
from pyroaring import BitMap

from bench.report import Figure, paired, timed
from cornicen.apps import build, demo
from cornicen.apps.clock import SystemClock
from cornicen.apps.demo import data
from cornicen.cohorts.definition import Context, parse
from cornicen.cohorts.query import needs
from cornicen.delivery.owed import owed
from cornicen.events.shapes import Event, Ids, Operation, ProfileChange
from cornicen.flows.ports import Decision
from cornicen.flows.records import Connection, Project, Run, RunStatus, Sync, Tick
from cornicen.flows.syncs.deliver import Lane
from cornicen.flows.syncs.line import Line
from cornicen.state.opening import open_state
from cornicen.warehouse.spool import DoorSpool
from cornicen.warehouse.warehouse import DuckDBWarehouse, spool_folder
from cornicen.wire.client import HttpSender

AS_OF = 1_514_052_000_000_000  # 2017-12-23T18:00Z
DAY = 86_400_000_000
MEMBERS = 10_000_000
CONNECTIONS = 20
LATENCY = 0.05
RECIPIENTS = 3_000
ROUNDS = 3


def figures() -> list[Figure]:
    """All figures of the suite."""
    return [*evaluation(), *what_is_owed(), *delivery()]


# evaluation


def evaluation() -> Iterator[Figure]:
    """The demo's five cohorts, from parsed query to bitmaps, against SQL written by hand on the same tables."""
    with tempfile.TemporaryDirectory() as folder:
        warehouse, events, seconds = _loaded(Path(folder))
        queries = [parse(document, build.operators(), _context()).query for document in _cohorts().values()]
        warehouse.prepare(needs(*queries))
        engine, cursor = build.engine(warehouse, None), warehouse.cursor()
        by_hand = _by_hand(warehouse)
        assert [len(one) for one in engine.members(queries, AS_OF)] == [len(_asked(cursor, sql)) for sql in by_hand]
        ours, theirs, ratio = paired(
            lambda: engine.members(queries, AS_OF), lambda: [_asked(cursor, sql) for sql in by_hand], 25
        )
        warehouse.close()
    yield Figure("load the demo's events, spool to tables", events / seconds, "events/s")
    yield Figure("five cohorts by hand-written SQL", theirs, "ms")
    yield Figure("five cohorts", ours, "ms", "by hand", ratio, "<= 1.5", ratio <= 1.5)


def _cohorts() -> dict[str, dict[str, Any]]:
    folder = Path(demo.__path__[0]) / "cohorts"
    return {path.stem: yaml.safe_load(path.read_text()) for path in sorted(folder.glob("*.yml"))}


def _context() -> Context:
    cohorts = _cohorts()
    return Context(lookup=cohorts.get, slugs=tuple(cohorts))


def _loaded(folder: Path) -> tuple[DuckDBWarehouse, int, float]:
    """The demo's events in a warehouse, how many there are, and the seconds that reading them off the spool took."""
    story = data.read(data.find(), lines=False)
    spool = DoorSpool(spool_folder(folder), "bench", SystemClock().now, 10**10)
    records = [_event(json.loads(record)) for record in story.events.records]
    changes = [_change(json.loads(record)) for record in story.profiles.records]

    async def fill() -> None:
        await spool.append("live", "bench", changes)
        for start in range(0, len(records), 2000):
            await spool.append("bulk", "bench", records[start : start + 2000])

    asyncio.run(fill())
    spool.close()
    warehouse = DuckDBWarehouse(folder, "UTC")
    start = time.perf_counter()
    while warehouse.load().records:
        pass
    seconds = time.perf_counter() - start
    warehouse.checkpoint()
    return warehouse, len(records), seconds


def _event(record: dict[str, Any]) -> Event:
    properties = record["properties"]
    ids = Ids(distinct=properties["distinct_id"])
    text = json.dumps(properties).encode()
    return Event(record["event"], ids, int(properties["time"]) * 1_000_000, text, properties["$insert_id"])


def _change(record: dict[str, Any]) -> ProfileChange:
    return ProfileChange(Ids(distinct=record["$distinct_id"]), (Operation("set", json.dumps(record["$properties"]).encode()),))


def _by_hand(warehouse: DuckDBWarehouse) -> list[str]:
    """What somebody who knows the tables would write, in the order of the cohorts' files."""
    tables = warehouse.tables()
    amount = tables.event_properties["amount"].of("n")
    kids = tables.profile_properties["kids_count"].of("t")
    bought = f"from {tables.events} where event = 'purchase' and time < {AS_OF} and person is not null"
    big = f"select person {bought} and time >= {AS_OF - 90 * DAY} group by person having sum({amount}) >= 800000000"
    redeemed = bought.replace("purchase", "coupon_redeemed")
    often = f"select person {bought} and time >= {AS_OF - 30 * DAY} group by person having count(*) >= 4"
    families = f"select person from {tables.profiles} where {kids} in ('1', '2', '3+')"
    return [
        big,
        f"select person {redeemed} and time >= {AS_OF - 180 * DAY} group by person having count(*) >= 2",
        f"{big} and max(time) < {AS_OF - 7 * DAY}",
        f"select person {bought} group by person having max(time) < {AS_OF - 45 * DAY}",
        f"select person from ({often}) semi join ({families}) using (person)",
    ]


def _asked(cursor: Any, sql: str) -> Any:
    return cursor.execute(sql).fetchnumpy()["person"]


# what is owed


def what_is_owed() -> Iterator[Figure]:
    """Ten million members, one per cent changed, a thousand uncertain, fifty thousand refused."""
    chance = random.Random(1)
    acknowledged = BitMap(range(MEMBERS))
    desired = BitMap(acknowledged) ^ BitMap(chance.sample(range(2 * MEMBERS), MEMBERS // 100))
    uncertain, refused = (BitMap(chance.sample(range(MEMBERS), n)) for n in (1000, 50_000))

    def bare() -> BitMap:
        return (desired ^ acknowledged | uncertain) - refused

    def product() -> BitMap:
        return owed(desired, acknowledged, uncertain, refused)

    assert bare() == product()
    ours, theirs, ratio = paired(product, bare, 25)
    yield Figure("owed at 10 M members, bare bitmaps", theirs, "ms")
    yield Figure("owed at 10 M members", ours, "ms", "bare", ratio, "<= 1.5", ratio <= 1.5)
    with tempfile.TemporaryDirectory() as folder:
        yield from _decided(Path(folder))


def _decided(folder: Path) -> Iterator[Figure]:
    """The whole tick's write: a first sync of a million recipients, and then one that changes a thousandth."""
    state, sync = _state(folder)
    million = BitMap(range(1, 1_000_001))
    start = time.perf_counter()
    _decide(state, sync, million)
    yield Figure("decide a first sync of 1 M", (time.perf_counter() - start) * 1e3, "ms")
    changed = million ^ BitMap(range(1, 1_000_001, 1000))
    yield Figure("decide again, 1 of 1,000 changed", timed(lambda: _decide(state, sync, changed), 3), "ms")
    yield Figure("read a sync's facts at 1 M", timed(lambda: state.ledger.facts(sync.id, 0), 3), "ms")
    state.close()


def _state(folder: Path) -> tuple[Any, Sync]:
    folder.mkdir(exist_ok=True)
    state = open_state(folder / "state.db", Fernet.generate_key())
    project = Project("p" * 32, "bench", "token")
    connection = Connection("c" * 32, project.id, "bench", "onesignal")
    sync = Sync(uuid.uuid4().hex, project.id, "bench", connection.id, container={"exists": True, "name": "bench"})
    state.projects.add(project)
    state.connections.put(connection)
    state.syncs.put(sync)
    state.syncs.change(sync.id, container=sync.container)
    return state, sync


def _decide(state: Any, sync: Sync, desired: BitMap) -> None:
    now = SystemClock().now()
    tick = state.runs.open_tick(Tick(0, sync.project, now, now))
    run = Run(0, tick.id, sync.id, RunStatus.DELIVERING, size=len(desired))
    state.ledger.decide(tick, [Decision(run, sync, desired, now // 1_000_000)], now)


# delivery


def delivery() -> Iterator[Figure]:
    """As many requests to a 50 ms server as 20 connections can carry: the courier's lane against a bare loop."""
    shares, ours, bare = [], [], []
    with tempfile.TemporaryDirectory() as folder, _stub() as address:
        uvloop.run(_bare(address))
        for number in range(ROUNDS):  # in turn, and on the event loop that the courier has
            before, mine = uvloop.run(_bare(address)), uvloop.run(_lane(Path(folder) / str(number), address))
            after = uvloop.run(_bare(address))
            shares.append(mine / ((before + after) / 2))
            ours.append(mine)
            bare.append((before + after) / 2)
    share = statistics.median(shares)
    yield Figure("requests by a bare aiohttp loop", statistics.median(bare), "req/s")
    yield Figure(
        "changes delivered, ledger included", statistics.median(ours), "req/s", "bare loop", share, ">= 0.85", share >= 0.85
    )


@contextmanager
def _stub() -> Iterator[str]:
    """A server in a process of its own that accepts everything 50 ms after it was asked."""
    import socket
    import subprocess
    import sys

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", f"from bench.house import _serve; _serve({port})"])
    try:
        for _ in range(200):
            with socket.socket() as knock:
                if knock.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _serve(port: int) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        while (await receive()).get("more_body"):
            pass
        await asyncio.sleep(LATENCY)
        await send({"type": "http.response.start", "status": 202, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": b'{"properties":{}}'})

    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error", lifespan="off")


async def _bare(address: str) -> float:
    body = json.dumps({"properties": {"tags": {"cornicen_" + "0" * 32: "1514052000"}}}).encode()
    left = iter(range(RECIPIENTS))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS)) as session:

        async def worker() -> None:
            for number in left:
                url = f"{address}/apps/a/users/by/external_id/os-{number}"
                async with session.patch(url, data=body, headers={"Content-Type": "application/json"}) as reply:
                    await reply.read()

        start = time.perf_counter()
        await asyncio.gather(*[worker() for _ in range(CONNECTIONS)])
        return RECIPIENTS / (time.perf_counter() - start)


async def _lane(folder: Path, address: str) -> float:
    state, sync = _state(folder)
    settings = {"app_id": str(uuid.uuid4()), "base_url": address, "rate": 800, "connections": CONNECTIONS}
    connection = Connection("c" * 32, sync.project, "bench", "onesignal", settings, {"api_key": "os_v2_app_bench"})
    state.connections.put(connection)
    numbers = state.recipients.number(connection.id, pa.array([f"os-{n}" for n in range(RECIPIENTS)]))
    _decide(state, sync, BitMap(numbers.to_pylist()))
    async with HttpSender() as sender:
        line = Line(state, connection, build.destination(connection), sender, SystemClock(), lambda *_, **__: None)
        start = time.perf_counter()
        await Lane(line).drain()
        taken = time.perf_counter() - start
    assert state.ledger.standing(sync.id).in_segment == RECIPIENTS
    state.close()
    return RECIPIENTS / taken
