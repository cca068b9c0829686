"""``none: [clause, …]``: known persons whom no clause selects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cornicen.cohorts.operator import Operator
from cornicen.cohorts.parts.clauses import CLAUSES, any_of
from cornicen.cohorts.parts.place import Place
from cornicen.cohorts.query import Not, Query


def _lower(read: Mapping[str, Any], _place: Place) -> Query:
    return Not(any_of(read["none"]))


OPERATOR = Operator(
    word="none",
    doc="Known persons whom no clause selects.\nIt is exactly the opposite of `any`.",
    model={"none": CLAUSES},
    lower=_lower,
)
