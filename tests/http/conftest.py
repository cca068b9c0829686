import asyncio
import http.client
import json
import shutil
import socket
import threading
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import pyarrow as pa
import pytest
import uvicorn
from cryptography.fernet import Fernet
from pyroaring import BitMap

from cornicen.apps.http.app import Wiring, app
from cornicen.delivery.shapes import Answer, Grouping, Shape, Verdict
from cornicen.errors import NotRunning
from cornicen.events.shapes import Batch
from cornicen.flows.events.pace import Paced
from cornicen.flows.events.receive import Receiver
from cornicen.flows.events.strangers import Strangers
from cornicen.flows.ports import Decision, Settled
from cornicen.flows.records import Cohort, Connection, Project, Run, RunStatus, Sync, Tick
from cornicen.integrations import found
from cornicen.state.opening import open_state
from cornicen.testing.clock import HurriedClock
from cornicen.warehouse.reader import SpoolReader
from cornicen.warehouse.spool import DoorSpool

KEY = Fernet.generate_key()
NOW = 1_795_539_600_000_000
SHAPE = Shape(Grouping.RECIPIENT, 100)


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class House:
    """A door with its real spool and state; its keepers answer what the test says."""

    folder: Any
    state: Any
    clock: HurriedClock
    spools: dict[str, DoorSpool] = field(default_factory=dict)
    keepers: dict[str, Any] = field(default_factory=dict)
    address: tuple[str, int] = ("127.0.0.1", 0)
    spool_bytes: int = 1 << 30

    def spool(self, project):
        if project not in self.spools:
            self.spools[project] = DoorSpool(self.folder / project, "door", self.clock.now, self.spool_bytes)
        return self.spools[project]

    async def keeper(self, project):
        answer = self.keepers.get(project, NotRunning("No keeper answers.", "Start it with `cornicen up`."))
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self):
        for spool in self.spools.values():
            spool.close()

    def wiring(self):
        receiver = Receiver(self.state.projects, self.spool, self.clock, lambda _: Paced(), Strangers())
        return Wiring(tuple(found().values()), receiver, self.state, self.keeper, self.clock, "https://events.example.com")

    def ask(self, method, path, body=None, headers=None):
        line = http.client.HTTPConnection(*self.address, timeout=30)
        try:
            line.request(method, path, body, headers or {})
            reply = line.getresponse()
            return Reply(reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read())
        finally:
            line.close()

    def kept(self, project="1"):
        """Every record on disk: ``(lane, source, record)``."""
        reading = SpoolReader(self.folder / project, {}).read(1_000_000)
        batches = [(taken.lane, msgspec.msgpack.decode(taken.frame.payload, type=Batch)) for taken in reading.taken]
        return [(lane, batch.source, record) for lane, batch in batches for record in batch.records]

    # What a project looks like once it has been used.

    def connect(self, **settings):
        connection = Connection("c1", "1", "push", "onesignal", {"app_id": "app-1", **settings}, {"api_key": "os-secret-key"})
        self.state.connections.put(connection)
        return connection

    def sync(self, slug="lapsed", name="Lapsed <b>", number=1):
        self.state.cohorts.put(Cohort("1", slug, name, {"who": []}))
        self.state.syncs.put(Sync(f"{number:032x}", "1", slug, "c1", container={"exists": True, "name": name}))
        return self.state.syncs.get(f"{number:032x}")

    def run(self, sync, desired, *, refuse=(), unknown=(), leave=0, **counts):
        """One tick of one sync, delivered up to ``leave`` changes, some of them with a no."""
        numbers = self.state.recipients.number("c1", pa.array([f"u{n}" for n in desired], pa.string())).to_pylist()
        tick = self.state.runs.open_tick(Tick(0, "1", as_of=NOW, started=NOW, events=7))
        run = Run(0, tick.id, sync.id, RunStatus.DELIVERING, adding=len(numbers), **counts)
        moved = replace(sync, last_as_of=NOW)
        self.state.ledger.decide(tick, [Decision(run, moved, BitMap(numbers), entered=1)], NOW)
        names = dict(zip(numbers, desired, strict=True))
        settled = []
        while True:
            parcels = self.state.ledger.exchange("c1", settled, SHAPE, 1, NOW, 100.0)
            waiting = self.state.ledger.standing(sync.id).on_the_way
            if not parcels or waiting <= leave:
                return
            settled = [Settled(parcel, answer(names.get(parcel.changes[0].recipient), refuse, unknown)) for parcel in parcels]


def answer(name, refuse, unknown):
    if name in unknown:
        return Answer(Verdict.REFUSED, "unknown_recipient")
    return Answer(Verdict.REFUSED, "tag_limit") if name in refuse else Answer(Verdict.ACCEPTED)


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """A state database with the project ``shop``: made once, because making one takes longer than a test."""
    path = tmp_path_factory.mktemp("made") / "state.db"
    state = open_state(path, KEY)
    state.projects.add(Project("1", "shop", "shop-token", "Europe/Vilnius"))
    state.projects.add_account("1", "sa", "account-secret")
    state.close()
    return path


@pytest.fixture
def house(tmp_path, made):
    """A house with the project ``shop`` (id 1, token shop-token, account sa:account-secret) and no running server."""
    shutil.copy(made, tmp_path / "state.db")
    state = open_state(tmp_path / "state.db", KEY)
    house = House(tmp_path / "spools", state, HurriedClock(NOW))
    yield house
    house.close()
    state.close()


@pytest.fixture
def door(house):
    """The same house with its door listening."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        house.address = listening.getsockname()
        server = uvicorn.Server(uvicorn.Config(app(house.wiring()), log_config=None, access_log=False))
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])))
        thread.start()
        while not server.started and thread.is_alive():
            thread.join(0.01)
        yield house
        server.should_exit = True
        thread.join()
