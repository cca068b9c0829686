"""Several couriers as processes on one PostgreSQL database; the destination is the judge."""

import contextlib
import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import courier_roles
import pyarrow as pa
import pytest
import sqlalchemy as sa
from courier_roles import SLOTS
from cryptography.fernet import Fernet
from pyroaring import BitMap

from cornicen.flows.ports import Decision
from cornicen.flows.records import Connection, Project, Run, RunStatus, Sync, Tick
from cornicen.state.opening import open_state
from cornicen.state.tables import lease

pytestmark = pytest.mark.journey

KEY = Fernet.generate_key()
PROJECT = Project("p" * 32, "shop", "token")
LATENCY = 0.01


class Destination:
    """Remembers whom it holds, what it was asked and by whom, and how many requests for one recipient ever met."""

    def __init__(self):
        self.holds, self.asked, self.couriers = {}, Counter(), Counter()
        self.met, self._now, self._lock = 0, Counter(), threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_PUT(self):
                self._say()

            def do_PATCH(self):
                outer.take(self.path[1:], json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self._say()

            def _say(self):
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

            def handle(self):
                with contextlib.suppress(ConnectionError):
                    super().handle()

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def take(self, who, said):
        with self._lock:
            self._now[who] += 1
            self.met = max(self.met, self._now[who])
            self.asked[who] += 1
            self.couriers[said["courier"]] += 1
        threading.Event().wait(LATENCY)
        with self._lock:
            for sync, want in said["told"].items():
                held = self.holds.setdefault(sync, set())
                (held.add if want else held.discard)(who)
            self._now[who] -= 1

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class Shop:
    """What is decided, and the couriers that deliver it."""

    def __init__(self, url, destination, folder):
        self.url, self.destination, self.folder = url, destination, folder
        self.state = open_state(url, KEY)
        self.state.projects.add(PROJECT)
        self.started = []

    def connect(self, number):
        """A connection with one sync; the sync's id."""
        connection, sync = f"{number:032x}", f"{number:031x}5"
        self.state.connections.put(Connection(connection, PROJECT.id, f"app-{number}", "vendor"))
        self.state.syncs.put(Sync(sync, PROJECT.id, f"cohort-{number}", connection))
        return sync

    def want(self, wanted):
        now = time.time_ns() // 1000
        tick, decisions = self.state.runs.open_tick(Tick(0, PROJECT.id, now, now)), []
        for id_, those in wanted.items():
            self.state.syncs.change(id_, last_as_of=now)
            sync = self.state.syncs.get(id_)
            numbers = BitMap(self.state.recipients.number(sync.connection, pa.array(sorted(those), pa.string())).to_pylist())
            decisions.append(
                Decision(Run(0, tick.id, id_, RunStatus.DELIVERING, size=len(numbers)), sync, numbers, now // 10**6)
            )
        self.state.ledger.decide(tick, decisions, now)

    def courier(self):
        """Start one, of a home of its own."""
        home = self.folder / f"home-{len(self.started)}"
        home.mkdir()
        with (home / "log").open("wb") as log:
            command = [sys.executable, courier_roles.__file__, self.url, KEY.decode(), self.destination.address, home / "lock"]
            process = subprocess.Popen([*map(str, command)], stderr=log)
        process.log = home / "log"
        self.started.append(process)
        return process

    def holders(self):
        """Of each lease that somebody has."""
        with self.state.database.read() as db:
            return list(db.scalars(sa.select(lease.c.holder).where(lease.c.holder != "")))

    def exact(self, wanted):
        """Whether the destination holds exactly these, and we know it."""
        held = all(self.destination.holds.get(sync, set()) == set(those) for sync, those in wanted.items())
        return held and all(self._settled(sync, those) for sync, those in wanted.items())

    def _settled(self, sync, those):
        facts = self.state.ledger.facts(sync, time.time_ns() // 1000)
        return len(facts.acknowledged) == len(those) and not facts.uncertain

    def close(self):
        for process in self.started:
            process.kill()
            process.wait()
        self.state.close()


def until(true, within=180.0):
    end = time.monotonic() + within
    while not true():
        assert time.monotonic() < end, "it never came"
        threading.Event().wait(0.02)


@pytest.fixture
def shop(postgres, tmp_path):
    url, destination = postgres.database(), Destination()
    made = Shop(url, destination, tmp_path)
    yield made
    made.close()
    destination.close()
    postgres.drop(url)


def people(sync, count):
    return {f"{sync[-4:]}-{number:03}" for number in range(count)}


def said(process, words):
    return words in Path(process.log).read_text()


def test_two_couriers_share_the_connections_and_deliver_everything_once(shop):
    syncs = [shop.connect(number) for number in range(1, 5)]
    couriers = [shop.courier(), shop.courier()]
    until(lambda: all(said(courier, "courier started") for courier in couriers))
    until(lambda: sorted(Counter(shop.holders()).values()) == [2, 2])
    wanted = {sync: people(sync, 400) for sync in syncs}
    shop.want(wanted)
    until(lambda: shop.exact(wanted))
    assert set(shop.destination.asked.values()) == {1}
    assert len(shop.destination.asked) == 1600
    assert set(shop.destination.couriers) == {courier.pid for courier in couriers}
    assert shop.destination.met == 1


@pytest.mark.parametrize("seed", range(2))
def test_whoever_is_killed_another_goes_on_and_repeats_at_most_what_was_in_flight(shop, seed):
    chance = random.Random(seed)
    syncs = [shop.connect(number) for number in range(1, 4)]
    living, kills = [shop.courier(), shop.courier()], 0
    wanted = {sync: people(sync, 900) for sync in syncs}
    shop.want(wanted)
    for _ in range(4):
        enough = shop.destination.asked.total() + chance.randrange(5, 250)
        until(lambda n=enough: shop.destination.asked.total() >= n or shop.exact(wanted))
        victim = living.pop(chance.randrange(2))
        victim.kill()
        victim.wait()
        kills += 1
        living.append(shop.courier())
    until(lambda: shop.exact(wanted))
    surplus = shop.destination.asked.total() - sum(map(len, wanted.values()))
    assert 0 <= surplus <= kills * len(syncs) * SLOTS
    assert shop.destination.met == 1


def test_a_courier_that_is_stopped_past_its_lease_and_goes_on_does_no_harm(shop):
    sync = shop.connect(1)
    stalled = shop.courier()
    first = {sync: people(sync, 600)}
    shop.want(first)
    until(lambda: shop.destination.asked.total() > 50)
    stalled.send_signal(signal.SIGSTOP)
    other = shop.courier()
    until(lambda: shop.exact(first))
    second = {sync: people(sync, 300)}
    shop.want(second)
    until(lambda: shop.exact(second))
    stalled.send_signal(signal.SIGCONT)
    until(lambda: said(stalled, "lease lost"))
    third = {sync: people(sync, 301)}
    shop.want(third)
    until(lambda: shop.exact(third))
    surplus = shop.destination.asked.total() - 600 - 300 - 1
    assert 0 <= surplus <= SLOTS
    assert shop.destination.met == 1
    other.kill()
    other.wait()
    shop.want(first)
    until(lambda: shop.exact(first))
    assert stalled.poll() is None
