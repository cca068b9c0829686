"""Who is who under Mixpanel's original rule.

A name is a distinct id; identity events join names into one person of at most `MOST` names:

- ``$identify`` an identified id and an anonymous one, a UUID of version 4 that no other identified id has;
- ``$create_alias`` a distinct id and a new alias that nobody else has;
- ``$merge`` any two.

Mixpanel picks the canonical id of a person by a rule it does not tell. Chosen here, so that it can be foretold: the side that
the event names first (the identified id, the distinct id, the first of a merge) keeps its canonical id, and the other side's
becomes one of its other names. Source: Mixpanel's documentation of the original ID merge, read in 2026-08.
"""

from __future__ import annotations

import re

from cornicen.events.shapes import Ids, Link
from cornicen.identity.people import DEVICE, People, Seen
from cornicen.identity.simplified import TAKEN

MOST = 500
"""Names of one person, aliases among them; exactly so many are allowed."""

SAME = "errSameIDs"
NO_UUID = "errAnonDistinctIdNonGUIDForm"
ALIAS_EXISTS = "errAliasAlreadyExists"
TOO_MANY = "errManyIDs"
"""Mixpanel's own words, its property ``$failure_reason``."""

_IS_UUID4 = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}", re.IGNORECASE).fullmatch


class Original:
    """`cornicen.identity.people.Rule`."""

    carries = True
    """Chosen: the canonical side's values stay, and the other's fill what is missing."""

    most: int | None = MOST

    def named(self, ids: Ids) -> tuple[str, str]:
        """The distinct id, however it was sent; never a device beside it. ``$device:`` in front is left out."""
        return (ids.distinct or ids.user or ids.device).removeprefix(DEVICE), ""

    def see(self, people: People, user: str, device: str, *, event: str | None, link: Link | None = None) -> Seen:
        """See `cornicen.identity.people.Rule.see`."""
        if link is None:
            return Seen(people.number(user)) if user else Seen(None)
        one, other = link.one.removeprefix(DEVICE), link.other.removeprefix(DEVICE)
        failure = _refused(people, link.kind, one, other)
        ended = None if failure else _join(people, one, other)
        return Seen(people.number(user or one), failure, ended)


def _refused(people: People, kind: str, one: str, other: str) -> str:
    if one == other:
        return SAME if kind == "identify" else ""
    if kind == "identify" and not _IS_UUID4(other):
        return NO_UUID
    left, right = people.known(one), people.known(other)
    if left is not None and left == right:
        return ""
    if kind != "merge" and right is not None and not people.own(other):
        return TAKEN if kind == "identify" else ALIAS_EXISTS
    too_many = people.most is not None and people.size(left) + people.size(right) > people.most
    return TOO_MANY if too_many else ""


def _join(people: People, one: str, other: str) -> int | None:
    """Join two names' persons; who ended as a person of its own."""
    left, right = people.known(one), people.known(other)
    if one == other or (left is not None and left == right):
        return None
    size = people.size(left) + people.size(right)
    if left is None and right is not None and people.own(other):
        people.give(one, right)
        people.give(other, people.numbers[other], linked=True)
        people.sizes[right] = size
        people.learn("takeover", one, other)
        return None
    person = people.number(one)
    people.sizes[person] = size
    if right is None:
        people.give(other, person, linked=True)
        people.learn("link", one, other)
        return None
    people.give(other, people.numbers[other], linked=True)
    people.join(right, person)
    people.sizes.pop(right, None)
    people.learn("merge", one, other)
    return right
