"""A keeper and a courier on one state database, killed with -9 again and again; the destination is the judge."""

import contextlib
import json
import multiprocessing
import random
import socket
import threading
import time

import ledger_roles
import pytest
import sqlalchemy as sa
from ledger_roles import LONGEST, SLOTS
from ledger_world import BY_RECIPIENT, CONNECTION, HOUR, KEY, A, B
from pyroaring import BitMap

from cornicen.delivery.shapes import Answer, Verdict
from cornicen.flows.ports import Settled
from cornicen.flows.records import RunStatus
from cornicen.state.tables import member

pytestmark = pytest.mark.journey

KILLS = 24
SYNCS = (A, B)


class Destination(threading.Thread):
    """Applies what it is told, and loses some answers; it kills whoever asks when its time has come."""

    def __init__(self, seed):
        super().__init__(daemon=True)
        self.chance = random.Random(seed)
        self.holds = {sync: set() for sync in SYNCS}
        self.served = 0
        self.kill_at = None
        self.killed = threading.Event()
        self.courier = None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection, contextlib.suppress(ConnectionError):
                    self._serve(connection.makefile("rwb"))

    def _serve(self, file):
        for line in file:
            self.served += 1
            due = self.kill_at is not None and self.served >= self.kill_at
            moment = self.chance.choice(["before it acts", "before it answers", "after it answered"]) if due else None
            verdict = "" if moment == "before it acts" else self._act(json.loads(line))
            if moment not in {"before it acts", "before it answers"}:
                file.write(verdict.encode() + b"\n")
                file.flush()
            if due:
                spin(self.chance.random() * 0.004)
                self._kill()
                break

    def _act(self, changes):
        verdict = self.chance.choices(["accepted", "unknown", "lost"], [8, 1, 1])[0]
        if verdict != "lost":
            for sync, recipient, want in changes:
                (self.holds[sync].add if want else self.holds[sync].discard)(recipient)
        return "accepted" if verdict == "accepted" else "unknown"

    def _kill(self):
        self.courier.kill()
        self.courier.join()
        self.kill_at = None
        self.killed.set()

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def spin(seconds):
    """Pass a moment too short to sleep for, so that a kill falls somewhere in a transaction."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass


@pytest.fixture
def processes():
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["cornicen.state.opening", "ledger_roles"])
    started = []

    def start(target, *args):
        process = context.Process(target=target, args=args, daemon=True)
        process.start()
        started.append(process)
        return process

    start.pipe = context.Pipe
    yield start
    for process in started:
        process.kill()
        process.join()


@pytest.fixture
def destination():
    made = Destination(5)
    made.start()
    yield made
    made.close()


class Keeper:
    """The keeper process and what it said it was doing."""

    def __init__(self, start, path, seed):
        self.hears, says = start.pipe(duplex=False)
        self.process = start(ledger_roles.keep, path, KEY, says, seed)
        says.close()

    def listen(self, decisions):
        """Hear so many decisions announced; the last may be under way."""
        heard = []
        while decisions > 0:
            heard.append(self.hears.recv())
            decisions -= heard[-1][0] == "deciding"
        return heard

    def kill(self):
        """Kill it and hear what it had still said."""
        self.process.kill()
        self.process.join()
        heard = []
        with contextlib.suppress(EOFError):
            while True:
                heard.append(self.hears.recv())
        return heard


def after(heard, before):
    """What may stand on disk: the last decision known to be written, or one that was under way."""
    for what, wanted in heard:
        before = [wanted] if what == "decided" else [*before, wanted]
    return before


def judge(state, holds):
    """With no courier alive: whoever is not uncertain is held exactly as acknowledged."""
    for sync in SYNCS:
        facts = state.ledger.facts(sync, ledger_roles.clock())
        held = BitMap(holds[sync])
        assert (held ^ facts.acknowledged).issubset(facts.uncertain)
        standing = state.ledger.standing(sync)
        known = standing.size - standing.unknown - standing.refused - standing.on_the_way + standing.leaving
        assert known == standing.in_segment == len(facts.acknowledged)
        with state.database.read() as db:
            number = SYNCS.index(sync) + 1
            flying = db.scalars(sa.select(member.c.recipient).where(member.c.sync == number, member.c.state == 1)).all()
            assert db.dialect.name != "sqlite" or db.scalar(sa.text("PRAGMA quick_check")) == "ok"
        assert len(flying) <= SLOTS, "more was under way than there are slots"


def drain(state, destination, now):
    """A courier without faults; how many requests it took."""
    state.ledger.recover(CONNECTION.id, now, LONGEST)
    settled, requests = [], 0
    for _ in range(10_000):
        parcels = state.ledger.exchange(CONNECTION.id, settled, BY_RECIPIENT, SLOTS, now, LONGEST)
        if not parcels and state.ledger.due(CONNECTION.id) is None:
            return requests
        now += HOUR
        settled = [Settled(parcel, Answer(Verdict.ACCEPTED)) for parcel in parcels]
        requests += len(parcels)
        for parcel in parcels:
            for change in parcel.changes:
                held = destination.holds[change.sync]
                (held.add if change.want else held.discard)(change.recipient)
    raise AssertionError("never ends")


def test_whoever_is_killed_when_nobody_is_left_wrong(state, where, processes, destination):
    path, chance = where, random.Random(11)
    possible = [{sync: [] for sync in SYNCS}]
    keeper = Keeper(processes, path, 0)
    destination.courier = processes(ledger_roles.carry, path, KEY, destination.port)
    for kill in range(KILLS):
        possible = after(keeper.listen(chance.randrange(1, 4)), possible)
        if kill % 2:
            spin(chance.random() * 0.01)
            possible = after(keeper.kill(), possible)
            keeper = Keeper(processes, path, kill)
        else:
            destination.killed.clear()
            destination.kill_at = destination.served + chance.randrange(1, 12)
            assert destination.killed.wait(60), "the courier stopped asking"
            judge(state, destination.holds)
            destination.courier = processes(ledger_roles.carry, path, KEY, destination.port)
    possible = after(keeper.kill(), possible)
    destination.courier.kill()
    destination.courier.join()

    judge(state, destination.holds)
    now = ledger_roles.clock()
    desired = {sync: list(state.ledger.facts(sync, now).desired) for sync in SYNCS}
    assert desired in possible, "what stands on disk was never decided"
    ledger_roles.decide(state, desired, now + 400 * 24 * HOUR)
    drain(state, destination, now + 400 * 24 * HOUR)
    assert {sync: sorted(held) for sync, held in destination.holds.items()} == desired

    state.ledger.finish(CONNECTION.id, now + 500 * 24 * HOUR)
    assert {run.status for sync in SYNCS for run in state.runs.of_sync(sync, 10_000)} <= {RunStatus.DONE, RunStatus.SUPERSEDED}
    with state.database.read() as db:
        assert db.scalar(sa.select(sa.func.count()).select_from(member)) == 0
    assert drain(state, destination, now + 600 * 24 * HOUR) == 0
