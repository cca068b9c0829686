"""``not_in_cohort: SLUG``: known persons who are not in another cohort at the same instant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cornicen.cohorts.operator import Operator
from cornicen.cohorts.parts.clauses import COHORT
from cornicen.cohorts.parts.place import Place
from cornicen.cohorts.query import Not, Query


def _lower(read: Mapping[str, Any], _place: Place) -> Query:
    return Not(read["not_in_cohort"])


OPERATOR = Operator(
    word="not_in_cohort",
    doc="Known persons who are not in another cohort, at the same instant.\nIt is exactly the opposite of `in_cohort`.",
    model={"not_in_cohort": COHORT},
    lower=_lower,
)
