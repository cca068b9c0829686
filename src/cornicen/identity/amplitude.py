"""Who is who under Amplitude's rule.

A user id is a person for ever; two are never joined. A device stands for whoever used it last: without a user id its events are
that person's. A person without any user id is anonymous: the first user id on its device takes it over, or, if that user id is
somebody already, the anonymous person is folded into that one. Identify calls count like events. Source: Amplitude's
documentation of tracking unique users, read in 2026-03.
"""

from __future__ import annotations

from cornicen.events.shapes import Ids, Link
from cornicen.identity.people import IDENTITY_EVENTS, People, Seen
from cornicen.identity.simplified import named


class Amplitude:
    """`cornicen.identity.people.Rule`."""

    carries = True
    """Chosen: the user's own values stay, and the anonymous person's fill what is missing."""

    most: int | None = None

    def named(self, ids: Ids) -> tuple[str, str]:
        """As under the simplified rule, so that Mixpanel's senders fit this rule too."""
        return named(ids)

    def see(self, people: People, user: str, device: str, *, event: str | None, link: Link | None = None) -> Seen:
        """See `cornicen.identity.people.Rule.see`."""
        if event in IDENTITY_EVENTS or not (user or device):
            return Seen(None)
        if not user or not device:
            return Seen(people.number(user or device))
        if device not in people.numbers:
            person = people.number(user)
            people.give(device, person, linked=True)
            people.learn("link", user, device)
            return Seen(person)
        if people.own(device):
            return _named_at_last(people, user, device)
        return _moved(people, user, device)


def _named_at_last(people: People, user: str, device: str) -> Seen:
    """An anonymous person's device, with a user id for the first time."""
    anonymous = people.numbers[device]
    if user not in people.numbers:
        people.give(user, anonymous)
        people.give(device, anonymous, linked=True)
        people.learn("takeover", user, device)
        return Seen(anonymous)
    person = people.number(user)
    people.give(device, anonymous, linked=True)
    people.learn("merge" if person != anonymous else "link", user, device)
    if person == anonymous:
        people.give(user, anonymous)  # an alias of the anonymous person is its own name from now on
        return Seen(person)
    people.join(anonymous, person)
    return Seen(person, ended=anonymous)


def _moved(people: People, user: str, device: str) -> Seen:
    """A device that somebody used before; whoever uses it now is whom it stands for."""
    person = people.number(user)
    if people.known(device) != person:
        people.give(device, person, linked=True)
        people.learn("move", user, device)
    return Seen(person)
