"""What the tests of the rules share: records in short, and who they turn out to be."""

from typing import NamedTuple

from hypothesis import strategies as st

from cornicen.events.shapes import Event, Ids, Link, Operation, ProfileChange
from cornicen.identity import RULES
from cornicen.identity.people import People, see


def event(user="", device="", distinct="", name="seen", link=None):
    return Event(name, Ids(user, device, distinct), 0, b"{}", link=link)


def change(user="", device="", distinct=""):
    return ProfileChange(Ids(user, device, distinct), (Operation("set", b"{}"),))


class Named(NamedTuple):
    """A profile property of somebody whose value becomes another name."""

    who: str
    value: str


def take(rule, people, record):
    """The next record of either kind; an alias's outcome stands where a failure does."""
    if not isinstance(record, Named):
        return see(RULES[rule], people, record)
    outcome = see(RULES[rule], people, change(distinct=record.who))
    return outcome._replace(failure=people.alias(outcome.person, record.value, record.who))


def nobody_yet(rule, most=None):
    """Nobody met so far; ``most`` names a person where the rule has a limit and it is to be a smaller one."""
    return People(most=RULES[rule].most and (most or RULES[rule].most))


def seen(rule, *records, most=None):
    people = nobody_yet(rule, most)
    return people, [take(rule, people, record) for record in records]


def names(people, outcomes):
    """The canonical name of each outcome's person, after everything."""
    now = people.names()
    return [None if one.person is None else now[people.canonical(one.person)] for one in outcomes]


def persons(people):
    """The names met, as a partition."""
    found = {}
    for name in people.numbers:
        found.setdefault(people.known(name), set()).add(name)
    return {frozenset(one) for one in found.values()}


UUIDS = [f"{n}0000000-0000-4000-8000-00000000000{n}" for n in range(4)]

users = st.sampled_from(["", "U1", "U2", "U3"])
devices = st.sampled_from(["", "D1", "D2", "D3"])
distincts = st.sampled_from(["", "U1", "U4", "$device:D1", "$device:D4", "$device:", *UUIDS])
ids = st.builds(Ids, users, devices, distincts)
event_names = st.sampled_from(["seen", "seen", "seen", "$identify"])
linked_names = st.sampled_from(["U1", "U2", "U3", "alias", *UUIDS, f"$device:{UUIDS[0]}"])
links = st.builds(Link, st.sampled_from(["identify", "identify", "alias", "merge"]), linked_names, linked_names)
records = st.one_of(
    st.builds(lambda i, n: Event(n, i, 0, b"{}"), ids, event_names),
    st.builds(lambda i: ProfileChange(i, (Operation("set", b"{}"),)), ids),
    st.builds(lambda link: Event("$identify", Ids(distinct=link.one), 0, b"{}", link=link), links),
)
streams = st.lists(records, max_size=30)
aliases = st.builds(
    Named, st.sampled_from(["U1", "U2", "U4", "alias", *UUIDS[:2]]), st.sampled_from(["U3", "alias", "os-1", "os-2", UUIDS[3]])
)
alias_streams = st.lists(st.one_of(records, records, aliases), max_size=30)
"""The same with aliases among them, of which some are somebody's name."""
mosts = st.sampled_from([None, 2, 3])
"""The rule's own limit, or one that is soon met."""
