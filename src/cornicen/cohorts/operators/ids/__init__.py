"""``ids: …``: given membership."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cornicen.cohorts.given import GivenSource, Recipients
from cornicen.cohorts.operator import Operator
from cornicen.cohorts.parts.ids import AS, IDS
from cornicen.cohorts.parts.place import Lowered, Place
from cornicen.cohorts.query import Given


def _lower(read: Mapping[str, Any], place: Place) -> Lowered:
    source: GivenSource = read["ids"]
    if "as" in read:
        return Recipients(source)
    place.reading.given[source.key] = source
    return Given(source.key)


OPERATOR = Operator(
    word="ids",
    doc="Known persons named in a list, a file or by a SQL statement.\nWith `as: external_id` it names a destination's users.",
    model={"ids": IDS, "as": AS},
    lower=_lower,
)
