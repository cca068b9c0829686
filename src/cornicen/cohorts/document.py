"""The document of a cohort, and of the cohorts it names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import tzinfo

from cornicen.cohorts.clause import read_clause
from cornicen.cohorts.context import Context
from cornicen.cohorts.given import Recipients
from cornicen.cohorts.operator import Operator
from cornicen.cohorts.parts.clauses import all_of, clauses
from cornicen.cohorts.parts.place import Lowered, Place, Reading, nearest
from cornicen.cohorts.parts.scalars import describe, plain, text, wrong
from cornicen.cohorts.query import Query, walk

KEYS = ("cohort", "name", "description", "who")
SLUG = "[a-z0-9]+(-[a-z0-9]+)*"
LONGEST_SLUG = 100
"""Characters; a slug is a file's name too."""

MOST_CLAUSES = 20_000
"""Clauses of a definition, those of nested cohorts counted wherever they are named."""

DEEPEST_CLAUSE = 32
"""Levels of clauses inside clauses, those of nested cohorts included, so that no definition can exhaust the stack."""


@dataclass(frozen=True)
class Understood:
    """A document without faults.

    Args:
        slug: Its name for files and people.
        name: What people read.
        lowered: What its ``who`` becomes.
    """

    slug: str
    name: str
    lowered: Lowered


class Documents:
    """Reads a definition and, through it, the cohorts it names, each of these once.

    Args:
        operators: By word.
        context: The project around.
        zone: Of the context.
    """

    def __init__(self, operators: Mapping[str, Operator], context: Context, zone: tzinfo) -> None:
        self._operators = operators
        self._context = context
        self._chain: list[str] = []
        self._read: dict[str, Lowered | None] = {}
        self._clauses = 0
        self._depth = 0
        self.nested: set[str] = set()
        self.reading = Reading(context, zone, context.folder, self._clause, self._cohort)

    def definition(self, document: object) -> Understood | None:
        """Read the definition that was asked about; None after a fault."""
        slug = document.get("cohort") if isinstance(document, dict) else None
        self._chain.append(slug if isinstance(slug, str) else "")
        return self._document(document, Place("", self.reading))

    def _document(self, document: object, place: Place) -> Understood | None:
        before = len(self.reading.faults)
        written = plain(document, place)
        if not isinstance(written, dict):
            wrong(written, place, "a definition", "Write a mapping with `cohort` and `who`.")
            return None
        for key in written:
            if key not in KEYS:
                place.key(key).fault("is unknown.", nearest(key, KEYS))
        slug = self._slug(written, place)
        name = text(written["name"], place.key("name"), "a name") if "name" in written else slug.replace("-", " ").capitalize()
        if written.get("description") is not None and not isinstance(written["description"], str):
            wrong(written["description"], place.key("description"), "a text")
        lowered = self._who(written, place)
        if lowered is None or name is None or not place.sound_since(before):
            return None
        return Understood(slug, name, lowered)

    @staticmethod
    def _slug(written: Mapping[str, object], place: Place) -> str:
        if "cohort" not in written:
            place.key("cohort").fault("is missing.", "Give the cohort a slug, such as `cohort: big-spenders`.")
            return ""
        slug = text(written["cohort"], place.key("cohort"), "a slug")
        if slug is not None and (len(slug) > LONGEST_SLUG or not re.fullmatch(SLUG, slug)):
            better = re.sub(r"[^a-z0-9]+", "-", slug.lower()).strip("-")[:LONGEST_SLUG].strip("-")
            place.key("cohort").fault(
                f"is {describe(slug)}, no slug: lower-case letters, digits and hyphens, at most {LONGEST_SLUG}.",
                f"Write `{better or 'big-spenders'}`.",
            )
        return slug or ""

    def _who(self, written: Mapping[str, object], place: Place) -> Lowered | None:
        here = place.key("who")
        who = written.get("who")
        if "who" not in written:
            here.fault("is missing.", "Say whom it selects, such as `who: [{did: purchase, within: 30d}]`.")
            return None
        if isinstance(who, dict) and who:
            return self._clause(who, here)
        if isinstance(who, list) and len(who) == 1:
            return self._clause(who[0], here.item(0))
        if not isinstance(who, list) or not who:
            wrong(who, here, "a list of clauses", "Name at least one clause, such as `{did: purchase, within: 30d}`.")
            return None
        parts = clauses(who, here)
        return None if parts is None else all_of(parts)

    def _clause(self, value: object, place: Place) -> Lowered | None:
        if not self._spend(1, place):
            return None
        if self._depth >= DEEPEST_CLAUSE:
            place.fault("is nested too deeply.", f"Use at most {DEEPEST_CLAUSE} levels of clauses, nested cohorts included.")
            return None
        self._depth += 1
        try:
            return read_clause(value, place, self._operators)
        finally:
            self._depth -= 1

    def _cohort(self, slug: str, place: Place) -> Query | None:
        """The query of a nested cohort, in place."""
        if slug in self._chain:
            circle = " → ".join([*self._chain[self._chain.index(slug) :], slug])
            place.fault(f"leads back to where it started: {circle}.", "Remove one of these.")
            return None
        if slug not in self._read:
            document = self._context.lookup(slug)
            if document is None:
                place.fault(f"names no cohort: `{slug}`.", nearest(slug, self._context.slugs))
                return None
            self.nested.add(slug)
            self._read[slug] = self._nested(slug, document, place)
        found = self._read[slug]
        if isinstance(found, Recipients):
            place.fault(f"names `{slug}`, whose values are a destination's users, no persons.", "Sync it by itself.")
            return None
        if found is None or not self._spend(sum(1 for _ in walk(found)), place):
            return None
        return found

    def _nested(self, slug: str, document: object, place: Place) -> Lowered | None:
        """Read a nested document, its relative file names from its own folder."""
        folder, already = self.reading.folder, self._clauses
        self._chain.append(slug)
        self.reading.folder = self._context.folders.get(slug, self._context.folder)
        try:
            understood = self._document(document, replace(place, path=f"{place.path} → {slug}"))
        finally:
            self.reading.folder = folder
            self._clauses = already
            self._chain.pop()
        return None if understood is None else understood.lowered

    def _spend(self, clauses: int, place: Place) -> bool:
        """Count clauses; whether the definition is still of a size that an engine can be asked."""
        already = self._clauses > MOST_CLAUSES
        self._clauses += clauses
        if self._clauses > MOST_CLAUSES and not already:
            place.fault(f"is too much: with nested cohorts it has over {MOST_CLAUSES:,} clauses.", "Put long lists into `ids`.")
        return self._clauses <= MOST_CLAUSES
