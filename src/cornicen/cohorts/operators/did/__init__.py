"""``did: EVENT``: persons with at least one matching event whose measure passes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cornicen.cohorts.operator import Operator
from cornicen.cohorts.parts.condition import WHERE
from cornicen.cohorts.parts.event import EVENT, narrowed
from cornicen.cohorts.parts.measure import COUNT, DAYS, SUM
from cornicen.cohorts.parts.place import Place
from cornicen.cohorts.parts.window import WITHIN
from cornicen.cohorts.query import Bound, Count, Did, Query, Window
from cornicen.events.values import MILLIONTHS

ONCE = Count((Bound("gte", MILLIONTHS),))
MEASURES = {"count": COUNT, "days": DAYS, "sum": SUM}


def _lower(read: Mapping[str, Any], _place: Place) -> Query:
    measure = next((read[key] for key in MEASURES if key in read), ONCE)
    return Did(narrowed(read["did"], read.get("where")), read.get("within", Window()), measure)


OPERATOR = Operator(
    word="did",
    doc="Persons with at least one matching event, and enough of them.\nWithout a measure, one event is enough.",
    model={"did": EVENT, "where": WHERE, **MEASURES, "within": WITHIN},
    lower=_lower,
    one_of=tuple(MEASURES),
)
