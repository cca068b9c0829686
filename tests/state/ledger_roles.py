"""A keeper and a courier for the test that kills them: each a process of its own, on the same state database."""

import json
import random
import socket
import time

from ledger_world import BY_RECIPIENT, CONNECTION, PROJECT, A, B
from pyroaring import BitMap

from cornicen.delivery.shapes import Answer, Verdict
from cornicen.flows.ports import Decision, Settled
from cornicen.flows.records import Run, RunStatus, Tick
from cornicen.state.opening import open_state

SLOTS = 4
LONGEST = 0.02
RECIPIENTS = 30


def clock():
    return time.time_ns() // 1000


def keep(path, key, journal, seed):
    """Decide at random for ever; ``journal`` hears what is about to be written, and that it was."""
    state, chance = open_state(path, key), random.Random(seed)
    while True:
        wanted = {sync: sorted(chance.sample(range(RECIPIENTS), chance.randrange(RECIPIENTS))) for sync in (A, B)}
        journal.send(("deciding", wanted))
        decide(state, wanted, clock())
        journal.send(("decided", wanted))
        state.ledger.finish(CONNECTION.id, clock())


def decide(state, wanted, now):
    tick = state.runs.open_tick(Tick(0, PROJECT.id, now, now))
    decisions = [
        Decision(
            Run(0, tick.id, sync, RunStatus.DELIVERING, size=len(those)), state.syncs.get(sync), BitMap(those), now // 1_000_000
        )
        for sync, those in wanted.items()
    ]
    state.ledger.decide(tick, decisions, now)


def carry(path, key, port):
    """Claim and deliver for ever."""
    state = open_state(path, key)
    vendor = Vendor(port)
    state.ledger.recover(CONNECTION.id, clock(), LONGEST)
    settled = []
    while True:
        parcels = state.ledger.exchange(CONNECTION.id, settled, BY_RECIPIENT, SLOTS, clock(), LONGEST)
        settled = [Settled(parcel, vendor.ask(parcel)) for parcel in parcels]
        if not parcels:
            state.ledger.finish(CONNECTION.id, clock())
            time.sleep(0.001)


class Vendor:
    """The other side of a connection to the test, which is the destination."""

    def __init__(self, port):
        self._file = socket.create_connection(("127.0.0.1", port)).makefile("rwb")

    def ask(self, parcel):
        changes = [[change.sync, change.recipient, change.want] for change in parcel.changes]
        self._file.write(json.dumps(changes).encode() + b"\n")
        self._file.flush()
        return Answer(Verdict(self._file.readline().decode().strip()))
