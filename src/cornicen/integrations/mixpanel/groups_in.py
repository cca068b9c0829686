"""`/groups`: changes of the profiles of groups, each record with its own project token. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from cornicen.events.shapes import GroupChange
from cornicen.flows.vendors import Inbound, Parsed
from cornicen.integrations.mixpanel import operations
from cornicen.integrations.mixpanel.asking import understand
from cornicen.integrations.mixpanel.by_token import understood
from cornicen.integrations.mixpanel.operations import Members, members_of, operations_of, text_of, time_of, token_of, value_of
from cornicen.integrations.mixpanel.refusing import Refused, Rules, name

OPERATIONS = {
    "$set": operations.object_,
    "$set_once": operations.object_,
    "$unset": operations.names,
    "$remove": operations.single,
    "$union": operations.several,
    "$delete": operations.deletion,
}

NOT_FOR_GROUPS = ("$distinct_id", "$add", "$append")


def parse(inbound: Inbound) -> Parsed:
    """A request to `/groups`, understood. Pure; never raises for what a sender can send."""
    asked = understand(inbound)
    return understood(asked, asked.records, Rules(bool(asked.strict), inbound.now, asked.utf8), _take, _named)


def _take(record: bytes, rules: Rules) -> tuple[str, GroupChange]:
    members = members_of(record, rules)
    return token_of(members), change_of(members, rules)


def change_of(members: Members, rules: Rules) -> GroupChange:
    """One record's operations.

    Args:
        members: Of the record.
        rules: Of its request.

    Raises:
        Refused: It is not one that may be taken; a record of a person is none.
    """
    for word in NOT_FOR_GROUPS:
        if word in members:
            raise Refused("not_for_groups", word, f"{word} is not for groups")
    key, group = (name(value_of(members, which), which, person=False) for which in ("$group_key", "$group_id"))
    if not key or not group:
        which = "$group_id" if key else "$group_key"
        raise Refused("group_missing", which, f"{which}, missing or empty")
    return GroupChange(key, group, operations_of(members, OPERATIONS), time_of(members, rules))


def _named(record: bytes) -> tuple[str, Mapping[str, str]]:
    """Which group a failed record names, as far as it can be read."""
    return text_of(record, "$token"), {"group_key": text_of(record, "$group_key"), "group_id": text_of(record, "$group_id")}
