"""Who is who under Mixpanel's simplified rule.

A name is a text. One that begins with ``$device:`` is a device, any other is a user. An ordinary event that carries both
links its device to its user, once and for ever; users are never joined. The rule's parts are numbered S1 to S9 in comments
here; where Mixpanel's documentation leaves something open, the comment says what was chosen.
"""

from __future__ import annotations

from cornicen.events.shapes import Ids, Link
from cornicen.identity.people import DEVICE, IDENTITY_EVENTS, People, Seen

TAKEN = "errAnonDistinctIdAssignedAlready"
"""Why an event's device was ignored (S4); Mixpanel's own word, its property ``$identity_failure_reason``."""


def named(ids: Ids) -> tuple[str, str]:
    """The names that a record carries.

    A sent ``distinct_id`` counts only where it comes alone (S1, S2). A user id that is written as a device's name is taken
    as the device: so that one text is one name.

    Returns:
        The user's name and the device's name (with its prefix); "" for each that is not there.
    """
    user, device = ids.user, ids.device
    if not user and not device:
        user = ids.distinct
    elif device:
        device = device.removeprefix(DEVICE)
    if user.startswith(DEVICE):
        user, device = "", device or user.removeprefix(DEVICE)
    return user, DEVICE + device if device else ""


class Simplified:
    """`cornicen.identity.people.Rule`."""

    carries = False  # S8: what was set on a device is not carried over when it is linked
    most: int | None = None

    def named(self, ids: Ids) -> tuple[str, str]:
        """See `named`."""
        return named(ids)

    def see(self, people: People, user: str, device: str, *, event: str | None, link: Link | None = None) -> Seen:
        """See `cornicen.identity.people.Rule.see`."""
        if event in IDENTITY_EVENTS or not (user or device):  # S7: accepted and kept, and they link nothing
            return Seen(None)
        if not user:
            return Seen(people.number(device))
        if not device or event is None:  # S9: a profile change links nothing
            return Seen(people.number(user))
        if device in people.linked:  # S4
            person = people.number(user)
            return Seen(person, TAKEN if people.known(device) != person else "")
        return _link(people, device, user)


def _link(people: People, device: str, user: str) -> Seen:
    """S3: what the device did before becomes the user's; a user not met before takes over the device's number."""
    own = people.known(device)
    if own is not None and user not in people.numbers:
        people.give(user, own)
        people.learn("takeover", user, device)
    else:
        people.learn("link", user, device)
    person = people.number(user)
    people.give(device, person if own is None else people.numbers[device], linked=True)
    if own == person:
        people.give(user, person)  # an alias of the device's person is its own name from now on
    elif own is not None:
        people.join(own, person)
    return Seen(person, ended=own)
