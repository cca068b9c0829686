"""``all: [clause, …]``: persons whom every clause selects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cornicen.cohorts.operator import Operator
from cornicen.cohorts.parts.clauses import CLAUSES, all_of
from cornicen.cohorts.parts.place import Place
from cornicen.cohorts.query import Query


def _lower(read: Mapping[str, Any], _place: Place) -> Query:
    return all_of(read["all"])


OPERATOR = Operator(
    word="all",
    doc="Persons whom every clause selects.\nA list under `who` says the same.",
    model={"all": CLAUSES},
    lower=_lower,
)
