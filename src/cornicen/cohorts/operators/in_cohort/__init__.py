"""``in_cohort: SLUG``: persons in another cohort at the same instant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cornicen.cohorts.operator import Operator
from cornicen.cohorts.parts.clauses import COHORT
from cornicen.cohorts.parts.place import Place
from cornicen.cohorts.query import Query


def _lower(read: Mapping[str, Any], _place: Place) -> Query:
    query: Query = read["in_cohort"]
    return query


OPERATOR = Operator(
    word="in_cohort",
    doc="Persons in another cohort of the project, at the same instant.\nCohorts may not name each other in a circle.",
    model={"in_cohort": COHORT},
    lower=_lower,
)
