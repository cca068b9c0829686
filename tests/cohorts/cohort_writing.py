"""What the tests of this folder write definitions and people with."""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from cornicen.cohorts.context import Context
from cornicen.cohorts.definition import parse
from cornicen.cohorts.meaning import members
from cornicen.cohorts.operators import found
from cornicen.errors import BadDefinition
from cornicen.events.history import Happening, History
from cornicen.events.values import read

OPERATORS = found()
DAY = 86_400_000_000


def at(text):
    """Microseconds of an ISO-8601 time, UTC if it names no zone."""
    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    seconds = moment.replace(microsecond=0) - datetime(1970, 1, 1, tzinfo=UTC)
    return (seconds.days * 86_400 + seconds.seconds) * 1_000_000 + moment.microsecond


NOW = at("2017-10-29T12:00")


def properties(zone="UTC", **values):
    """Properties as a project of that zone reads them from JSON."""
    pairs = {name: read(json.dumps(value).encode(), ZoneInfo(zone)) for name, value in values.items()}
    return {name: value for name, value in pairs.items() if value is not None}


def event(name, time=NOW - 1, zone="UTC", **values):
    return Happening(name, at(time) if isinstance(time, str) else time, 0, properties(zone, **values))


def person(*happenings, profile=None, given=(), zone="UTC"):
    return History(
        happenings=tuple(event(one) if isinstance(one, str) else one for one in happenings),
        profile=None if profile is None else properties(zone, **profile),
        given=frozenset(given),
    )


def context(others=None, zone="UTC", folder="/project", folders=None):
    others = others or {}
    documents = {slug: who if "cohort" in who else {"cohort": slug, "who": who} for slug, who in others.items()}
    return Context(zone=zone, folder=folder, lookup=documents.get, slugs=tuple(documents), folders=folders or {})


def define(who, operators=OPERATORS, **around):
    return parse({"cohort": "tested", "who": who}, operators, context(**around))


def lowered(clause, **around):
    return define([clause], **around).query


def selects(clause, *people, as_of=NOW, **around):
    """Whether a clause selects each of these people."""
    chosen = members(lowered(clause, **around), dict(enumerate(people)), as_of)
    return [number in chosen for number in range(len(people))]


def faults_of(document, **around):
    """All faults of a document: by path, what is wrong with what to write instead."""
    try:
        parse(document, OPERATORS, context(**around))
    except BadDefinition as error:
        assert error.faults, "refused without a reason"  # noqa: PT017 - every test of a refusal relies on it
        return [(fault.path, f"{fault.what} {fault.fix}") for fault in error.faults]
    return []


def faults(*who, **around):
    return faults_of({"cohort": "tested", "who": [*who]}, **around)
