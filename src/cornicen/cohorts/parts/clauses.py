"""Clauses that stand together, and names of other cohorts."""

from __future__ import annotations

from cornicen.cohorts.given import Recipients
from cornicen.cohorts.parts.part import Part
from cornicen.cohorts.parts.place import Place
from cornicen.cohorts.parts.scalars import text, wrong
from cornicen.cohorts.query import All, Any, Query


def clauses(value: object, place: Place) -> list[Query] | None:
    """Read a list of clauses, as in ``any``; at least one."""
    if not isinstance(value, list):
        wrong(value, place, "a list of clauses", "Write each clause as an item of a list: `[{did: …}, {did_not: …}]`.")
        return None
    if not value:
        place.fault("is an empty list.", "Name at least one clause, or leave it out.")
        return None
    before = len(place.reading.faults)
    read = [_query(item, place.item(number)) for number, item in enumerate(value)]
    found = [query for query in read if query is not None]
    return found if place.sound_since(before) and len(found) == len(value) else None


def _query(value: object, place: Place) -> Query | None:
    found = place.reading.clause(value, place)
    if isinstance(found, Recipients):
        place.key("as").fault(
            "names a destination's users, who are no persons: nothing can stand beside or around it.",
            "Make it the whole `who` of a cohort of its own.",
        )
        return None
    return found


def all_of(parts: list[Query]) -> Query:
    """Persons in all of these, in the shortest form: nothing twice, no `All` inside another, none around a single part."""
    flat = dict.fromkeys(piece for part in parts for piece in (part.parts if isinstance(part, All) else (part,)))
    return next(iter(flat)) if len(flat) == 1 else All(tuple(flat))


def any_of(parts: list[Query]) -> Query:
    """Persons in any of these, in the shortest form, as `all_of`."""
    flat = dict.fromkeys(piece for part in parts for piece in (part.parts if isinstance(part, Any) else (part,)))
    return next(iter(flat)) if len(flat) == 1 else Any(tuple(flat))


def _cohort(value: object, place: Place) -> Query | None:
    slug = text(value, place, "the slug of a cohort")
    return None if slug is None else place.reading.cohort(slug, place)


CLAUSES = Part(clauses, {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/clause"}})
COHORT: Part[Query] = Part(_cohort, {"type": "string", "description": "The slug of a cohort of this project."})
