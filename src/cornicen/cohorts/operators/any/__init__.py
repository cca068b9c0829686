"""``any: [clause, …]``: persons whom at least one clause selects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cornicen.cohorts.operator import Operator
from cornicen.cohorts.parts.clauses import CLAUSES, any_of
from cornicen.cohorts.parts.place import Place
from cornicen.cohorts.query import Query


def _lower(read: Mapping[str, Any], _place: Place) -> Query:
    return any_of(read["any"])


OPERATOR = Operator(
    word="any",
    doc="Persons whom at least one clause selects.\nSeveral may.",
    model={"any": CLAUSES},
    lower=_lower,
)
