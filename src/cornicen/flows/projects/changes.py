"""A project folder against what is stored: what would change, as data that people read before it happens."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from cornicen.errors import BadFolder, Fault
from cornicen.flows.ports import State
from cornicen.flows.projects.folder import Folder
from cornicen.flows.records import Cohort, Connection, Guard, Project, Sync, SyncStatus


class Kind(StrEnum):
    """What happens to one object."""

    ADD = "add"
    CHANGE = "change"
    UNCHANGED = "unchanged"
    REMOVE = "remove"
    """It vanished from the folder and is removed."""
    LEFT = "left"
    """It vanished from the folder and stays, because nobody asked to prune."""
    WAITING = "waiting"
    """It vanished from the folder and cannot go yet; pruning again later removes it."""


@dataclass(frozen=True)
class Change:
    """What happens to one object.

    Args:
        kind: What.
        thing: ``connection``, ``cohort`` or ``sync``.
        name: Its slug; of a sync ``COHORT → CONNECTION``.
        notes: What about it, one short sentence each; never a secret.
        before: As stored; None: it is new.
        after: What the folder says, without an id of its own where it is new; None: it vanished.
    """

    kind: Kind
    thing: str
    name: str
    notes: tuple[str, ...] = ()
    before: Connection | Cohort | Sync | None = field(default=None, repr=False)
    after: Connection | Cohort | Sync | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Stored:
    """What is stored of one project, as comparing needs it."""

    project: Project
    connections: Sequence[Connection]
    cohorts: Sequence[Cohort]
    syncs: Sequence[Sync]

    @classmethod
    def read(cls, state: State, project: Project) -> Stored:
        """Read it all; syncs that are being cleared away are among it, retired ones are not."""
        return cls(project, state.connections.all(project.id), state.cohorts.all(project.id), state.syncs.all(project.id))

    def foreign(self, managed: str) -> list[Cohort]:
        """Cohorts that others manage."""
        return [cohort for cohort in self.cohorts if cohort.managed != managed]


def compare(folder: Folder, stored: Stored, *, prune: bool = False, adopt: bool = False) -> list[Change]:
    """What applying a folder would change; nothing is written.

    Args:
        folder: Without faults.
        stored: What there is.
        prune: Whether what vanished from the folder is removed.
        adopt: Whether the folder takes over objects of the same name that are managed elsewhere.

    Returns:
        One change an object that the folder has or manages: connections, cohorts, syncs, each in the folder's order.

    Raises:
        BadFolder: The folder has an object that is managed elsewhere, or pruning would pull it from under others.
    """
    changes = [*_connections(folder, stored, prune), *_cohorts(folder, stored, prune), *_syncs(folder, stored, prune)]
    faults = [] if adopt else list(_taken(changes, folder.managed))
    faults.extend(_needed(changes, folder, stored))
    if faults:
        raise BadFolder(f"The project folder {folder.path} cannot be applied.", faults)
    return changes


def _taken(changes: list[Change], managed: str) -> Iterator[Fault]:
    for change in changes:
        if change.before is not None and change.after is not None and change.before.managed != managed:
            fix = "Give yours another name, or take it over with --adopt."
            yield Fault(f"{change.thing} {change.name}", f"is managed by {elsewhere(change.before.managed)}.", fix)


def elsewhere(managed: str) -> str:
    """Where an object is managed, for people."""
    return f"the folder {managed.removeprefix('file:')}" if managed.startswith("file:") else f"`{managed}`"


def _needed(changes: list[Change], folder: Folder, stored: Stored) -> Iterator[Fault]:
    """Removals that would leave somebody else's sync or cohort without what it reads."""
    going = {change.name for change in changes if change.kind is Kind.REMOVE and change.thing == "cohort"}
    for sync in stored.syncs:
        if sync.cohort in going and sync.managed != folder.managed and sync.status is not SyncStatus.RETIRING:
            yield Fault(f"cohort {sync.cohort}", "has a sync that this folder does not manage.", "Remove that sync first.")
    for cohort in stored.foreign(folder.managed):
        for name in sorted(going & set(_named(cohort.definition))):
            what = f"is part of {cohort.slug}, which this folder does not manage."
            yield Fault(f"cohort {name}", what, "Change that cohort first.")


def _named(document: object) -> Iterator[str]:
    """The slugs that a definition names, wherever it does."""
    if isinstance(document, Mapping):
        for key, value in document.items():
            if key in {"in_cohort", "not_in_cohort"} and isinstance(value, str):
                yield value
            yield from _named(value)
    elif isinstance(document, list):
        for item in document:
            yield from _named(item)


def _vanished(prune: bool) -> Kind:
    return Kind.REMOVE if prune else Kind.LEFT


def _connections(folder: Folder, stored: Stored, prune: bool) -> Iterator[Change]:
    there = {connection.slug: connection for connection in stored.connections}
    for slug, wired in folder.connections.items():
        before = there.get(slug)
        after = Connection(
            id=before.id if before else "",
            project=stored.project.id,
            slug=slug,
            vendor=wired.vendor,
            settings=dict(wired.settings),
            secrets=dict(wired.secrets),
            managed=folder.managed,
        )
        yield _change("connection", slug, before, after, _connection_notes(before, after))
    for slug, before in there.items():
        if before.managed == folder.managed and slug not in folder.connections:
            users = [sync.cohort for sync in stored.syncs if sync.connection == before.id]
            if prune and users:
                note = f"still used by {', '.join(users)}; goes with a later --prune, once their segments are cleared away"
                yield Change(Kind.WAITING, "connection", slug, (note,), before)
            else:
                yield Change(_vanished(prune), "connection", slug, (), before)


def _connection_notes(before: Connection | None, after: Connection) -> list[str]:
    if before is None:
        return [after.vendor]
    notes = [f"vendor: {before.vendor} → {after.vendor}"] if before.vendor != after.vendor else []
    for name in dict.fromkeys([*before.settings, *after.settings]):
        old, new = before.settings.get(name), after.settings.get(name)
        if old != new:
            notes.append(f"{name}: {old} → {new}")
    return notes + [f"{name} is another" for name in after.secrets if before.secrets.get(name) != after.secrets[name]]


def _cohorts(folder: Folder, stored: Stored, prune: bool) -> Iterator[Change]:
    there = {cohort.slug: cohort for cohort in stored.cohorts}
    for slug, written in folder.cohorts.items():
        after = Cohort(
            project=stored.project.id,
            slug=slug,
            name=written.definition.name,
            definition=written.document,
            folder=str(folder.path),
            managed=folder.managed,
        )
        yield _change("cohort", slug, there.get(slug), after, _cohort_notes(there.get(slug), after))
    renamed = {_body(cohort.document): slug for slug, cohort in folder.cohorts.items() if slug not in there}
    for slug, before in there.items():
        if before.managed == folder.managed and slug not in folder.cohorts:
            twin = renamed.get(_body(before.definition))
            notes = (f"{twin} says the same: a new slug is a new cohort, and this one goes",) if twin else ()
            yield Change(_vanished(prune), "cohort", slug, notes, before)


def _body(definition: Mapping[str, object]) -> str:
    """What a definition says, whatever it is called; equal however the stored keys are ordered."""
    return json.dumps({name: value for name, value in definition.items() if name not in {"cohort", "name"}}, sort_keys=True)


def _cohort_notes(before: Cohort | None, after: Cohort) -> list[str]:
    if before is None:
        return [after.name]
    notes = [f"name: {before.name} → {after.name}; its segments are renamed"] if before.name != after.name else []
    if _body(before.definition) != _body(after.definition):
        notes.append("another definition")
    return notes


def _syncs(folder: Folder, stored: Stored, prune: bool) -> Iterator[Change]:
    slugs = {connection.id: connection.slug for connection in stored.connections}
    there = {
        (sync.cohort, slugs.get(sync.connection, sync.connection)): sync
        for sync in stored.syncs
        if sync.status is not SyncStatus.RETIRING
    }
    for wired in folder.syncs:
        before = there.get((wired.cohort, wired.to))
        after = Sync(
            id=before.id if before else "",
            project=stored.project.id,
            cohort=wired.cohort,
            connection=before.connection if before else wired.to,
            cadence=wired.cadence,
            guard=wired.guard,
            managed=folder.managed,
        )
        yield _change("sync", f"{wired.cohort} → {wired.to}", before, after, _sync_notes(before, after))
    wanted = {(wired.cohort, wired.to) for wired in folder.syncs}
    for (cohort, to), before in there.items():
        if before.managed == folder.managed and (cohort, to) not in wanted:
            notes = ("everybody leaves its segment, then the segment goes",) if prune else ()
            yield Change(_vanished(prune), "sync", f"{cohort} → {to}", notes, before)


def _sync_notes(before: Sync | None, after: Sync) -> list[str]:
    if before is None:
        return [after.cadence.value]
    notes = [f"every: {before.cadence.value} → {after.cadence.value}"] if before.cadence != after.cadence else []
    return notes + ([f"guard: {_guard(before.guard)} → {_guard(after.guard)}"] if before.guard != after.guard else [])


def _guard(guard: Guard) -> str:
    return "off" if guard.off else f"{guard.percent:g} % and {guard.count}"


def _change(
    thing: str, name: str, before: Connection | Cohort | Sync | None, after: Connection | Cohort | Sync, notes: list[str]
) -> Change:
    if before is None:
        return Change(Kind.ADD, thing, name, tuple(notes), None, after)
    if before.managed != after.managed:
        notes = [f"managed by {elsewhere(before.managed)} until now", *notes]
    return Change(Kind.CHANGE if notes else Kind.UNCHANGED, thing, name, tuple(notes), before, after)
