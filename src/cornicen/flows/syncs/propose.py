"""What a tick would do: who is in the cohorts, which of them the destination can know, and what it would have to be told."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pyarrow as pa
from pyroaring import BitMap

from cornicen.cohorts.definition import Definition
from cornicen.cohorts.operator import Operator
from cornicen.delivery.owed import owed
from cornicen.errors import BadInput
from cornicen.flows.bitmaps import bitmap
from cornicen.flows.cohorts.evaluate import members, ready
from cornicen.flows.cohorts.understand import understand
from cornicen.flows.ports import Engines, Facts, Form, GivenReader, Identified, State, Warehouse
from cornicen.flows.ports.events import ANY_FORM
from cornicen.flows.records import Connection, Project, Sync, SyncStatus

DEFAULT_IDENTIFIER = "$onesignal_user_id"
IDENTIFIERS = (DEFAULT_IDENTIFIER, "$user_id", "distinct_id")
"""What is counted when the chosen identifier matches nobody."""

SIMPLIFIED = "simplified"
"""The identity rule under which a user id that is not the identifier is worth a warning."""


def any_form(_connection: Connection) -> Form:
    """Identifiers as they were written."""
    return ANY_FORM


@dataclass(frozen=True)
class Desk:
    """What evaluating one project's syncs takes.

    Args:
        project: Whose.
        state: What was decided.
        warehouse: Its events.
        engines: Where its cohorts are asked.
        lists: Reads given lists.
        operators: The words of the language.
        form: How a connection keeps its identifiers.
        audits: Where each run's audit file goes; None: none is written.
    """

    project: Project
    state: State
    warehouse: Warehouse
    engines: Engines
    lists: GivenReader
    operators: Mapping[str, Operator]
    form: Callable[[Connection], Form] = any_form
    audits: Path | None = None


@dataclass(frozen=True)
class Proposal:
    """What one sync would do at one instant.

    Args:
        sync: As it stands.
        connection: Where to.
        definition: None: the sync is to be cleared away; nobody is wanted.
        size: Persons in the cohort, or values of a list of recipients.
        identified: What became of them.
        facts: The sync's sets.
        owed: Whom the destination would have to be told about.
        others: Where nobody was matched: how many each other identifier would match.
        digest: Of everything that decides who is meant; a new one is a new cohort to the guard.
        persons: In the cohort; none where it is a list of recipients.
    """

    sync: Sync
    connection: Connection
    definition: Definition | None
    size: int
    identified: Identified
    facts: Facts
    owed: BitMap
    others: Mapping[str, int] = field(default_factory=dict)
    digest: str = ""
    persons: BitMap = field(default_factory=BitMap)

    @property
    def desired(self) -> BitMap:
        """Recipients who are to be in the segment."""
        return self.identified.recipients

    @property
    def adding(self) -> int:
        """Recipients wanted, not acknowledged in, and not under a refusal."""
        return len(self.desired - self.facts.acknowledged - self.facts.refused)

    @property
    def removing(self) -> int:
        """Recipients acknowledged in, no longer wanted, and not under a refusal."""
        return len(self.facts.acknowledged - self.desired - self.facts.refused)


@dataclass(frozen=True)
class Faulty:
    """A sync that cannot be evaluated: its definition or a list it reads is wrong."""

    sync: Sync
    error: BadInput


def identifier_of(connection: Connection) -> str:
    """How a connection knows its recipients."""
    return str(connection.settings.get("identifier", DEFAULT_IDENTIFIER))


def propose(desk: Desk, syncs: Sequence[Sync], as_of: int, now: int) -> list[Proposal | Faulty]:
    """Evaluate some syncs at one instant, in order; nothing is written but numbers for new recipients.

    Args:
        desk: The project's.
        syncs: Which.
        as_of: Microseconds, at or before the watermark.
        now: Microseconds; it decides which refusals have ended.
    """
    understood: dict[str, Definition] = {}
    faulty: dict[str, BadInput] = {}
    for slug in {sync.cohort for sync in syncs if sync.status is not SyncStatus.RETIRING}:
        try:
            definition = understand(desk.state, desk.project, desk.operators, desk.state.cohorts.get(desk.project.id, slug))
            ready([definition], desk.warehouse, desk.lists)
        except BadInput as error:
            faulty[slug] = error
        else:
            understood[slug] = definition
    found = dict(zip(understood, members(list(understood.values()), desk.engines(None), as_of), strict=True))
    proposals: list[Proposal | Faulty] = []
    for sync in syncs:
        try:
            if sync.cohort in faulty and sync.status is not SyncStatus.RETIRING:
                raise faulty[sync.cohort]
            proposals.append(_proposal(desk, sync, understood.get(sync.cohort), found.get(sync.cohort, BitMap()), now))
        except BadInput as error:  # a list of recipients is read only here; its fault is this sync's alone
            proposals.append(Faulty(sync, error))
    return proposals


def _proposal(desk: Desk, sync: Sync, definition: Definition | None, persons: BitMap, now: int) -> Proposal:
    connection = desk.state.connections.get(desk.project.id, sync.connection)
    facts = desk.state.ledger.facts(sync.id, now)
    if sync.status is SyncStatus.RETIRING or definition is None:
        nobody = Identified(BitMap(), 0, 0, 0)
        return Proposal(sync, connection, None, 0, nobody, facts, owed_of(facts, BitMap()))
    size, identified = recipients(desk, connection, definition, persons)
    others: Mapping[str, int] = {}
    if persons and not identified.recipients:
        others = desk.warehouse.matched(persons, [name for name in IDENTIFIERS if name != identifier_of(connection)])
    told = owed_of(facts, identified.recipients)
    meant = digest(definition, connection, desk.form(connection))
    whom = persons if definition.recipients is None else BitMap()
    return Proposal(sync, connection, definition, size, identified, facts, told, others, meant, whom)


def owed_of(facts: Facts, desired: BitMap) -> BitMap:
    """Whom the destination has to be told about, were this desired."""
    return owed(desired, facts.acknowledged, facts.uncertain, facts.refused)


def recipients(desk: Desk, connection: Connection, definition: Definition, persons: BitMap) -> tuple[int, Identified]:
    """A cohort's size, and its persons (or its values, where they are recipients already) as the destination knows them."""
    numbering = partial(desk.state.recipients.number, connection.id)
    if definition.recipients is None:
        form = desk.form(connection)
        return len(persons), desk.warehouse.identify(persons, identifier_of(connection), connection.id, numbering, form)
    values = desk.lists.read(definition.recipients)
    return len(values), Identified(bitmap(pa.chunked_array([numbering(values)])), 0, 0, 0)


def digest(definition: Definition, connection: Connection, form: Form = ANY_FORM) -> str:
    """Names what is meant: the query, the lists' places, the identifier, how it is kept, and the connection."""
    meant = (definition.query, definition.recipients, identifier_of(connection), connection.id)
    text = repr(meant if form == ANY_FORM else (*meant, form))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def warned(project: Project, differing: int) -> int:
    """How many persons people are warned about: those whose user id is not their identifier's value.

    Only under the simplified rule: there the user id is what an app tells OneSignal at login as well, so that an identifier
    that says something else is most likely a mistake.
    """
    return differing if project.identity == SIMPLIFIED else 0
