"""``did_not: EVENT``: known persons without a matching event in the window."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cornicen.cohorts.operator import Operator
from cornicen.cohorts.parts.condition import WHERE
from cornicen.cohorts.parts.event import EVENT, narrowed
from cornicen.cohorts.parts.place import Place
from cornicen.cohorts.parts.window import WITHIN
from cornicen.cohorts.query import Bound, Count, Did, Not, Query, Window
from cornicen.events.values import MILLIONTHS


def _lower(read: Mapping[str, Any], _place: Place) -> Query:
    once = Count((Bound("gte", MILLIONTHS),))
    return Not(Did(narrowed(read["did_not"], read.get("where")), read.get("within", Window()), once))


OPERATOR = Operator(
    word="did_not",
    doc="Known persons without a matching event in the window.\nWhoever has a profile and no event at all is among them.",
    model={"did_not": EVENT, "where": WHERE, "within": WITHIN},
    lower=_lower,
)
