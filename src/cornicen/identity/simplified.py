"""Who is who under Mixpanel's simplified rule: the meaning, plain and slow.

A name is a text. One that begins with ``$device:`` is a device, any other is a user. An ordinary event that carries both
links its device to its user, once and for ever; users are never joined. The rule's parts are numbered S1 to S9 in comments
here; where Mixpanel's documentation leaves something open, the comment says what was chosen.

The warehouse's loader gives the same answers in bulk, and the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cornicen.events.shapes import Event, Ids, ProfileChange

DEVICE = "$device:"
"""How the name of a device begins."""

IDENTITY_EVENTS = frozenset({"$identify", "$create_alias", "$merge"})
"""Accepted and kept, but they link nothing and are nobody's (S7)."""

TAKEN = "errAnonDistinctIdAssignedAlready"
"""Why an event's device was ignored (S4); Mixpanel's own word, its property ``$identity_failure_reason``."""


def named(ids: Ids) -> tuple[str, str]:
    """The names that a record carries.

    A sent ``distinct_id`` counts only where it comes alone (S1, S2). A user id that is written as a device's name is taken
    as the device: so that one text is one name.

    Returns:
        The user's name and the device's name (with its prefix); "" for each that is not there.
    """
    user, device = ids.user, ids.device.removeprefix(DEVICE)
    if not user and not device:
        user = ids.distinct
    if user.startswith(DEVICE):
        user, device = "", device or user.removeprefix(DEVICE)
    return user, DEVICE + device if device else ""


def received(ids: Ids) -> str:
    """The id as received, after S1 and before any link: the user's name, else the device's; "" for nobody's.

    It is part of the key by which repeated events are found, so that a later link does not make two events one.
    """
    user, device = named(ids)
    return user or device


@dataclass(frozen=True)
class Seen:
    """What a record meant for who is who.

    Args:
        person: The number it belongs to, as far as was known when it came; None: nobody's.
        failure: `TAKEN`, or "".
        ended: The person whose own profile ends here: the device's, which is not carried over when it is linked (S8).
    """

    person: int | None
    failure: str = ""
    ended: int | None = None


@dataclass
class People:
    """Everybody met so far.

    Args:
        numbers: The number a name was given when it was met. Numbers are dense, from 1.
        links: Device to user.
        merged: Number to number: who turned out to be somebody else. The other number is a user's and stays for ever.
    """

    numbers: dict[str, int] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    merged: dict[int, int] = field(default_factory=dict)
    last: int = 0

    def see(self, record: Event | ProfileChange) -> Seen:
        """Take the next record, in the loader's order. Twice: the same person, and nothing new is learnt."""
        user, device = named(record.ids)
        is_identity = isinstance(record, Event) and record.name in IDENTITY_EVENTS
        if is_identity or not (user or device):
            return Seen(None)
        if not user:
            return Seen(self._number(self.links.get(device, device)))
        if not device or isinstance(record, ProfileChange):  # S9: a profile change links nothing
            return Seen(self._number(user))
        if device in self.links:  # S4
            return Seen(self._number(user), TAKEN if self.links[device] != user else "")
        return self._link(device, user)

    def _link(self, device: str, user: str) -> Seen:
        """S3: what the device did before becomes the user's; a user not met before takes over the device's number."""
        own = self.numbers.get(device)
        self.links[device] = user
        if own is not None and user not in self.numbers:
            self.numbers[user] = own
        number = self._number(user)
        if own is not None and own != number:
            self.merged[own] = number
        return Seen(number, ended=own)

    def _number(self, name: str) -> int:
        if name not in self.numbers:
            self.last += 1
            self.numbers[name] = self.last
        return self.numbers[name]

    def canonical(self, person: int) -> int:
        """Whom a number stands for now."""
        return self.merged.get(person, person)

    def names(self) -> dict[int, str]:
        """The canonical name of each person: the user's where there is one, else the device's (S6)."""
        return {number: name for name, number in self.numbers.items() if name not in self.links}
