"""`/track`: events from anybody who shows a project's token, a few days old at most. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cornicen.flows.vendors import Inbound, Parsed
from cornicen.integrations.mixpanel.asking import flag, understand
from cornicen.integrations.mixpanel.by_token import understood
from cornicen.integrations.mixpanel.event import Found, at_once, event_of, said_of
from cornicen.integrations.mixpanel.refusing import LIVE_WITHIN, Rules
from cornicen.wire.body import TooLarge, Unreadable


def parse(inbound: Inbound) -> Parsed:
    """A request to `/track`, understood. Pure; never raises for what a sender can send.

    An event that is too old, or that carries `$ignore`, is answered as a good one. The former is kept as a `Refusal` and so is
    counted; of the latter nothing is kept.
    """
    asked = understand(inbound)
    address = inbound.address if flag(asked.parameters.get("ip")) else ""
    since = inbound.now - LIVE_WITHIN
    rules = Rules(False, inbound.now, asked.utf8, since, trusted=False, address=address)
    records: Sequence[Found | bytes] | TooLarge | Unreadable = at_once(asked) or asked.records
    return understood(asked, records, rules, event_of, _named)


def _named(record: bytes) -> tuple[str, Mapping[str, str]]:
    token, key = said_of(record)
    return token, {"insert_id": key}
