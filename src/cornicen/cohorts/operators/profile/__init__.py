"""``profile: {property: test}``: the person's profile as it is now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cornicen.cohorts.operator import Operator
from cornicen.cohorts.parts.condition import PROFILE
from cornicen.cohorts.parts.place import Place
from cornicen.cohorts.query import Profile, Query


def _lower(read: Mapping[str, Any], _place: Place) -> Query:
    return Profile(read["profile"])


OPERATOR = Operator(
    word="profile",
    doc="Known persons whose profile passes.\nWithout a profile, every property is missing.",
    model={"profile": PROFILE},
    lower=_lower,
)
