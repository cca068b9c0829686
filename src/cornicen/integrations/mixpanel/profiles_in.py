"""`/engage`: changes of profiles, each record with its own project token. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from cornicen.events.shapes import Ids, ProfileChange
from cornicen.flows.vendors import Inbound, Parsed
from cornicen.integrations.mixpanel import limits, operations
from cornicen.integrations.mixpanel.asking import understand
from cornicen.integrations.mixpanel.by_token import understood
from cornicen.integrations.mixpanel.operations import (
    Members,
    members_of,
    operations_of,
    seen,
    text_of,
    time_of,
    token_of,
    value_of,
)
from cornicen.integrations.mixpanel.refusing import Refused, Rules, name

OPERATIONS = {
    "$set": operations.object_,
    "$set_once": operations.object_,
    "$add": operations.numbers,
    "$append": operations.single,
    "$union": operations.several,
    "$remove": operations.single,
    "$unset": operations.names,
    "$delete": operations.deletion,
}


def parse(inbound: Inbound) -> Parsed:
    """A request to `/engage`, understood. Pure; never raises for what a sender can send."""
    asked = understand(inbound)
    return understood(asked, asked.records, Rules(bool(asked.strict), inbound.now, asked.utf8), _take, _named)


def _take(record: bytes, rules: Rules) -> tuple[str, ProfileChange]:
    members = members_of(record, rules)
    return token_of(members), change_of(members, rules)


def change_of(members: Members, rules: Rules) -> ProfileChange:
    """One record's operations, and that the profile was seen, unless the record asks not to say so.

    An ``$insert_id`` is ours, and not Mixpanel's: a change with it is applied once (`cornicen import` gives each line one).
    The modifiers ``$ip`` and ``$ignore_alias`` change nothing, and the ids that browsers send beside ``$distinct_id`` say
    nothing here: it alone names the profile.

    Args:
        members: Of the record.
        rules: Of its request.

    Raises:
        Refused: It is not one that may be taken.
    """
    distinct = name(value_of(members, "$distinct_id"), "$distinct_id")
    if not distinct:
        raise Refused("distinct_id_missing", "$distinct_id", "$distinct_id, missing or empty")
    asked, time = operations_of(members, OPERATIONS), time_of(members, rules)
    if not _true(value_of(members, "$ignore_time")):
        asked = (*asked, seen(time or rules.now))
    key = value_of(members, "$insert_id")
    return ProfileChange(Ids(distinct=distinct), asked, time, key if isinstance(key, str) and len(key) <= limits.TEXT else "")


def _true(value: object) -> bool:
    return value is True or (isinstance(value, str | int) and str(value).lower() in {"1", "true"})


def _named(record: bytes) -> tuple[str, Mapping[str, str]]:
    """Whose profile a failed record names, as far as it can be read."""
    return text_of(record, "$token"), {"distinct_id": text_of(record, "$distinct_id")}
