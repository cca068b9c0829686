"""Cohorts of a project, parsed: from a stored document, or from one that is still being written."""

from __future__ import annotations

from collections.abc import Mapping

from cornicen.cohorts.definition import Context, Definition, parse
from cornicen.cohorts.operator import Operator
from cornicen.flows.ports import State
from cornicen.flows.records import Cohort, Project


def context(state: State, project: Project, folder: str) -> Context:
    """What a definition of this project may look at: its zone and its other cohorts, as they are stored now."""
    cohorts = {cohort.slug: cohort for cohort in state.cohorts.all(project.id)}

    def lookup(slug: str) -> object | None:
        cohort = cohorts.get(slug)
        return None if cohort is None else dict(cohort.definition)

    folders = {slug: cohort.folder or "." for slug, cohort in cohorts.items()}
    return Context(zone=project.zone, folder=folder, lookup=lookup, slugs=tuple(sorted(cohorts)), folders=folders)


def understand(state: State, project: Project, operators: Mapping[str, Operator], cohort: Cohort) -> Definition:
    """A stored cohort, parsed.

    Raises:
        BadDefinition: All its faults at once; a nested cohort may have changed since it was stored.
    """
    return parse(dict(cohort.definition), operators, context(state, project, cohort.folder or "."))
