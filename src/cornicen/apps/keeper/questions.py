"""What a keeper answers: JSON in, JSON out, one function a question."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pyroaring import BitMap

from cornicen.cohorts.definition import Definition, parse
from cornicen.errors import BadInput
from cornicen.flows.cohorts.evaluate import members, ready
from cornicen.flows.cohorts.understand import context, understand
from cornicen.flows.ports import Asked, Clock, Destination
from cornicen.flows.records import Connection
from cornicen.flows.syncs.guarding import why_held
from cornicen.flows.syncs.planning import carry_out, fingerprint, planned
from cornicen.flows.syncs.propose import IDENTIFIERS, Desk, Faulty, Proposal, identifier_of, propose, warned
from cornicen.flows.syncs.tick import Ticked, asked, instant, tick

PAGE = 10_000
BATCH = 50_000
EXPORTED = 20_000
"""Events of a page of an export, and characters of its properties: as much as a loader's turn, far below the longest answer."""
EXPORTED_SIZE = 16 << 20


@dataclass(frozen=True)
class Keeping:
    """What answering takes.

    Args:
        desk: The project's.
        clock: The keeper's.
        destination: Makes a connection's destination; asked for its rate only.
        audit_days: How long the audit files of runs are kept.
    """

    desk: Desk
    clock: Clock
    destination: Callable[[Connection], Destination]
    audit_days: int = 90


def status(keeping: Keeping) -> dict[str, Any]:
    """``{as_of, backlog: {live, bulk}, oldest: {lane: microseconds}, loaded, counts: {…}, refusals: […]}``."""
    warehouse = keeping.desk.warehouse
    return {
        "as_of": warehouse.watermark(keeping.clock.now()),
        "backlog": dict(warehouse.backlog()),
        "oldest": dict(warehouse.oldest()),
        "loaded": warehouse.last_load(),
        "counts": dict(warehouse.counts()),
        "refusals": [dict(refusal) for refusal in warehouse.refusals()],
    }


def drain(keeping: Keeping) -> dict[str, Any]:
    """Load what waits in the spool: ``{records, events, …}`` summed. Twice: the second finds only what came meanwhile.

    It ends with the first batch that is not full: whoever goes on sending cannot keep a question waiting.
    """
    total: dict[str, int] = {}
    while True:
        loaded = asdict(keeping.desk.warehouse.load(BATCH))
        more = loaded.pop("more")
        for name, number in loaded.items():
            total[name] = total.get(name, 0) + number
        if not more:
            return total


def preview(
    keeping: Keeping, definition: Mapping[str, object], folder: str = ".", connection: str = "", as_of: int | None = None
) -> dict[str, Any]:
    """A definition that need not be saved: ``{as_of, size, examples, identifiers: {name: persons}, matched?}``.

    Raises:
        BadDefinition: All its faults at once.
    """
    desk = keeping.desk
    parsed = parse(dict(definition), desk.operators, context(desk.state, desk.project, folder))
    return _look(keeping, parsed, connection, as_of)


def cohort(keeping: Keeping, slug: str, connection: str = "", as_of: int | None = None) -> dict[str, Any]:
    """`preview` of a stored cohort."""
    desk = keeping.desk
    parsed = understand(desk.state, desk.project, desk.operators, desk.state.cohorts.get(desk.project.id, slug))
    return _look(keeping, parsed, connection, as_of)


def _look(keeping: Keeping, parsed: Definition, connection: str, as_of: int | None) -> dict[str, Any]:
    desk = keeping.desk
    at = instant(desk, keeping.clock.now(), as_of)
    if parsed.recipients is not None:
        values = desk.lists.read(parsed.recipients)
        size, examples = len(values), values[:10].to_pylist()
        return {"as_of": at, "size": size, "examples": examples, "identifiers": {}, "matched": size}
    ready([parsed], desk.warehouse, desk.lists)
    persons = members([parsed], desk.engines(None), at)[0]
    chosen = identifier_of(desk.state.connections.get(desk.project.id, connection)) if connection else ""
    counts = dict(desk.warehouse.matched(persons, list(dict.fromkeys([chosen or IDENTIFIERS[0], *IDENTIFIERS]))))
    found: dict[str, Any] = {
        "as_of": at,
        "size": len(persons),
        "examples": desk.warehouse.examples(persons),
        "identifiers": counts,
    }
    return {**found, "matched": counts[chosen]} if chosen else found


def members_page(keeping: Keeping, slug: str, after: int = 0, limit: int = PAGE, as_of: int | None = None) -> dict[str, Any]:
    """A stored cohort's people by canonical name: ``{as_of, size, names, next}``; ``next``: null at the end.

    Args:
        keeping: What answering takes.
        slug: Which cohort.
        after: How many to pass over.
        limit: How many at most.
        as_of: Give the first page's for the others.
    """
    desk = keeping.desk
    parsed = understand(desk.state, desk.project, desk.operators, desk.state.cohorts.get(desk.project.id, slug))
    at = instant(desk, keeping.clock.now(), as_of)
    if parsed.recipients is not None:
        values = desk.lists.read(parsed.recipients).sort()
        size, names = len(values), values[after : after + limit].to_pylist()
    else:
        ready([parsed], desk.warehouse, desk.lists)
        persons = members([parsed], desk.engines(None), at)[0]
        size, names = len(persons), list(desk.warehouse.names(BitMap(persons[after : after + limit])))
    return {"as_of": at, "size": size, "names": names, "next": after + limit if after + limit < size else None}


def plan(keeping: Keeping, syncs: list[str] | None = None, as_of: int | None = None) -> dict[str, Any]:
    """What a run would do, without doing it: ``{as_of, syncs: [{cohort, …}]}``. Twice: the same, if nothing arrived."""
    desk, now = keeping.desk, keeping.clock.now()
    chosen = asked(desk, syncs or [])
    at = instant(desk, now, as_of)
    return {"as_of": at, "syncs": [_planned(keeping, proposal, at) for proposal in propose(desk, chosen, at, now)]}


def _planned(keeping: Keeping, proposal: Proposal | Faulty, at: int) -> dict[str, Any]:
    if isinstance(proposal, Faulty):
        return {"cohort": proposal.sync.cohort, "sync": proposal.sync.id, "error": proposal.error.as_json()}
    requests = len(proposal.owed) + (0 if proposal.sync.container.get("exists") else 1)
    return {
        "cohort": proposal.sync.cohort,
        "sync": proposal.sync.id,
        "connection": proposal.connection.slug,
        "identifier": identifier_of(proposal.connection),
        "size": proposal.size,
        "no_profile": proposal.identified.no_profile,
        "no_id": proposal.identified.no_id,
        "shared": proposal.identified.shared,
        "recipients": len(proposal.desired),
        "adding": proposal.adding,
        "removing": proposal.removing,
        "unknown": len(proposal.facts.unknown & proposal.desired),
        "refused": len(proposal.facts.declined & proposal.desired),
        "uncertain": len(proposal.facts.uncertain),
        "held_why": why_held(keeping.desk, proposal, at),
        "fingerprint": fingerprint(proposal),
        "others": dict(proposal.others),
        "differing": warned(keeping.desk.project, proposal.identified.differing),
        "by_subscription": len(keeping.desk.state.places.found(proposal.connection.id) & proposal.desired),
        "requests": requests,
        "minutes": round(requests / keeping.destination(proposal.connection).rate / 60, 2),
    }


def differing(keeping: Keeping, connection: str) -> dict[str, Any]:
    """Of all persons, those with an identifier, and those with another user id: ``{identifier, usable, differing}``."""
    desk = keeping.desk
    found = desk.state.connections.get(desk.project.id, connection)
    counted, usable = desk.warehouse.differing(identifier_of(found), desk.form(found))
    return {"identifier": identifier_of(found), "usable": usable, "differing": warned(desk.project, counted)}


def person(keeping: Keeping, name: str, events: int = 50) -> dict[str, Any]:
    """One person, and the stored cohorts that hold it now: ``{person: {…}}``. Raises: NotFound."""
    desk = keeping.desk
    found = dict(desk.warehouse.portrait(name, events))
    only = BitMap([found.pop("number")])
    at, cohorts, slugs = instant(desk, keeping.clock.now(), None), [], []
    for stored in desk.state.cohorts.all(desk.project.id):
        try:
            parsed = understand(desk.state, desk.project, desk.operators, stored)
            ready([parsed], desk.warehouse, desk.lists)
        except BadInput:
            continue  # its own commands say what is wrong with it
        cohorts.append(parsed)
        slugs.append(stored.slug)
    holding = members(cohorts, desk.engines(None), at, only) if cohorts else []
    found["cohorts"] = [slug for slug, persons in zip(slugs, holding, strict=True) if persons]
    return {"as_of": at, "person": found}


def events(keeping: Keeping, after: int | None = None, limit: int = 100, event: str = "", person: str = "") -> dict[str, Any]:
    """The newest events, or those after a sequence number, in the loader's order: ``{events: […], last}``. Raises: NotFound."""
    found = keeping.desk.warehouse.tail(after, limit, event, person)
    reached = found[-1]["load"] if after is not None and len(found) == limit else keeping.desk.warehouse.last_load()
    return {"events": found, "last": reached}


def export(
    keeping: Keeping,
    after: int = 0,
    until: int | None = None,
    first: int | None = None,
    last: int | None = None,
    event: str = "",
    limit: int = EXPORTED,
    size: int = EXPORTED_SIZE,
) -> dict[str, Any]:
    """A page of all events as they stood at a sequence number: ``{events: […], last, until}``; the end: ``last == until``.

    Args:
        keeping: What answering takes.
        after: Where the page before ended.
        until: The first page's, for the others; None: now.
        first: Only events of this UTC day on, counted from 1970.
        last: Only events up to this day.
        event: Only events of this name.
        limit: How many at most.
        size: Characters of properties after which the page ends.
    """
    warehouse = keeping.desk.warehouse
    at = warehouse.last_load() if until is None else until
    found, reached = warehouse.export(after, Asked(at, first, last, event), limit, size)
    return {"events": found, "last": reached, "until": at}


def group(keeping: Keeping, key: str, id: str) -> dict[str, Any]:  # noqa: A002 - the field's own name
    """The profile of a group: ``{group: {key, id, profile}}``. Raises: NotFound."""
    return {"group": keeping.desk.warehouse.group(key, id)}


def groups(keeping: Keeping, key: str = "", after: str = "", limit: int = 100) -> dict[str, Any]:
    """The groups of a key, by id: ``{key, count, ids}``; without one the keys there are: ``{count, keys: [{key, groups}]}``."""
    warehouse = keeping.desk.warehouse
    if key:
        ids, count = warehouse.groups(key, after, limit)
        return {"key": key, "count": count, "ids": ids}
    keys, count = warehouse.kinds(limit)
    return {"count": count, "keys": keys}


def run(keeping: Keeping, syncs: list[str] | None = None, as_of: int | None = None, *, release: bool = False) -> dict[str, Any]:
    """Load what waits, evaluate, and hand the courier what is owed: ``{tick, as_of, events, gap, runs: […]}``.

    Returns when it is decided; the courier goes on by itself. Twice: the second run has nothing to tell anybody.
    """
    drain(keeping)
    desk = keeping.desk
    return _ticked(tick(desk, asked(desk, syncs or []), now=keeping.clock.now(), as_of=as_of, release=release))


def apply(keeping: Keeping, plan: list[dict[str, Any]], *, release: bool = False) -> dict[str, Any]:
    """Load what waits, and do what a plan says if it would still do just that: as `run`, or ``{moved: [sentence, …]}``.

    Args:
        keeping: What answering takes.
        plan: The ``syncs`` that `plan` gave.
        release: Whether every run passes the guard.

    Raises:
        BadInput: It is no plan; or a sync is not there any more, or is not active.
    """
    plans = planned(plan)
    drain(keeping)
    carried = carry_out(keeping.desk, plans, now=keeping.clock.now(), release=release)
    return {"moved": carried.moved} if carried.ticked is None else _ticked(carried.ticked)


def _ticked(done: Ticked) -> dict[str, Any]:
    runs = [asdict(one) for one in done.runs]
    return {"tick": done.tick.id, "as_of": done.tick.as_of, "events": done.tick.events, "gap": done.tick.gap, "runs": runs} | (
        {"unlisted": {str(run): why for run, why in done.unlisted.items()}} if done.unlisted else {}
    )


QUESTIONS: Mapping[str, Callable[..., dict[str, Any]]] = {
    "status": status,
    "drain": drain,
    "preview": preview,
    "cohort": cohort,
    "members": members_page,
    "plan": plan,
    "differing": differing,
    "person": person,
    "events": events,
    "export": export,
    "group": group,
    "groups": groups,
    "run": run,
    "apply": apply,
}


def answer(keeping: Keeping, question: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Answer one question.

    Raises:
        BadInput: There is no such question, or it does not take these arguments.
        CornicenError: Whatever the question raises.
    """
    asked_for = QUESTIONS.get(question)
    if asked_for is None:
        raise BadInput(f"A keeper does not know the question {question!r}.", "Use the command line of the same version.")
    return asked_for(keeping, **arguments)
