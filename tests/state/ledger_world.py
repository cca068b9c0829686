"""What the tests of the state share: one project, one connection, and a short way to tick and to exchange."""

from dataclasses import replace

import pyarrow as pa
from cryptography.fernet import Fernet
from pyroaring import BitMap

from cornicen.delivery.shapes import Answer, Grouping, Shape, Verdict
from cornicen.flows.ports import Decision, Settled
from cornicen.flows.records import Connection, Project, Run, RunStatus, Sync, Tick

KEY = Fernet.generate_key()
SECOND = 1_000_000
HOUR = 3600 * SECOND
START = 1_800_000_000 * SECOND
LONGEST = 100.0
BY_RECIPIENT = Shape(Grouping.RECIPIENT, 100)
PROJECT = Project(id="p" * 32, name="shop", token="token-of-shop", zone="Europe/Vilnius")
CONNECTION = Connection(
    id="c" * 32,
    project=PROJECT.id,
    slug="app",
    vendor="onesignal",
    settings={"app_id": "1234", "rate": 500, "identifier": "$user_id"},
    secrets={"api_key": "os_v2_app_a-very-secret-key", "other": "ünïcode"},
)


def a_sync(number=1, **fields):
    given = {"container": {"exists": True}} | fields
    return Sync(id=f"{number:032x}", project=PROJECT.id, cohort=f"cohort-{number}", connection=CONNECTION.id, **given)


A, B, C = (a_sync(number).id for number in (1, 2, 3))


def furnish(state, syncs=3, recipients=50):
    """A project with a connection, syncs that are ready, and numbered recipients ``r00``, ``r01`` …"""
    state.projects.add(PROJECT)
    state.connections.put(CONNECTION)
    for number in range(1, syncs + 1):
        state.syncs.put(a_sync(number))
    state.recipients.number(CONNECTION.id, pa.array([f"r{number:02}" for number in range(recipients)]))


class Desk:
    """A state with a clock; ticks and exchanges in a line."""

    def __init__(self, state, shape=BY_RECIPIENT, now=START):
        self.state, self.shape, self.now = state, shape, now

    def wait(self, seconds):
        self.now += int(seconds * SECOND)

    def tick(self, desired, entered=7, **run):
        """One tick; ``desired`` by sync id, None: held."""
        opened = self.state.runs.open_tick(Tick(0, PROJECT.id, self.now, self.now))
        decisions = []
        for sync, wanted in desired.items():
            status = RunStatus.HELD if wanted is None else RunStatus.DELIVERING
            row = Run(0, 0, sync, status, **({} if wanted is None else {"size": len(wanted)}) | run)
            after = replace(self.state.syncs.get(sync), held=wanted is None)
            decisions.append(Decision(row, after, None if wanted is None else BitMap(wanted), entered))
        return self.state.ledger.decide(opened, decisions, self.now)

    def exchange(self, free=0, settled=()):
        return self.state.ledger.exchange(CONNECTION.id, list(settled), self.shape, free, self.now, LONGEST)

    def claim(self, free=1):
        return self.exchange(free)

    def settle(self, parcels, verdict=Verdict.ACCEPTED, **answer):
        """Settle these, claim nothing."""
        return self.exchange(0, [Settled(parcel, Answer(verdict, **answer)) for parcel in parcels])

    def drain(self):
        """Accept everything that may go now; the requests that took."""
        taken = []
        while parcels := self.exchange(20):
            taken += parcels
            self.settle(parcels)
        return taken

    def finish(self):
        return self.state.ledger.finish(CONNECTION.id, self.now)

    def facts(self, sync=A):
        return self.state.ledger.facts(sync, self.now)

    def standing(self, sync=A):
        return self.state.ledger.standing(sync)

    def due(self):
        return self.state.ledger.due(CONNECTION.id)


def told(parcels):
    """What some parcels say: ``(sync, recipient, want)``, a list a parcel."""
    return [[(change.sync, change.recipient, change.want) for change in parcel.changes] for parcel in parcels]
