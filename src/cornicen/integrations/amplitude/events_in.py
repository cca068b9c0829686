"""`/2/httpapi` and `/batch`: events, identifies and group identifies in one list. Pure.

All of a request is taken, or nothing: SDKs send again whatever an answer does not name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from cornicen.events.shapes import Event, GroupChange, ProfileChange, Record, Refusal
from cornicen.flows.vendors import Credential, Fate, Inbound, Outbound, Parsed, Part, by_fate
from cornicen.integrations.amplitude import answers, limits
from cornicen.integrations.amplitude.asking import Asked, understand, unowned
from cornicen.integrations.amplitude.faults import Fault, refusal
from cornicen.integrations.amplitude.fields import Rules, Unfit
from cornicen.integrations.amplitude.given import Given
from cornicen.integrations.amplitude.pacing import Pace
from cornicen.integrations.amplitude.reading import read

LIVE_WITHIN = limits.LIVE_DAYS * 86_400 * 1_000_000


def parse(inbound: Inbound, *, batch: bool) -> Parsed:
    """A request, understood. Pure; never raises for what a sender can send.

    Where events are at fault, those are kept as refusals and no other is: the sender drops them and sends the others again.

    Args:
        inbound: The request.
        batch: Whether it came to `/batch`: it may be larger, and a short id beside a good one is only left out there.
    """
    asked = understand(inbound, limits.BATCH_BODY if batch else limits.BODY)
    if isinstance(asked, Outbound):
        return unowned(asked)
    if asked.events is None:
        return _without_events(asked)
    address = msgspec.json.encode(inbound.address) if inbound.address else b""
    records, faults = _read(asked.events, Rules(inbound.now, asked.shift, asked.shortest, batch, address))
    denied = answers.unknown_key(asked.key)
    if faults:
        came = asked.records()
        refused = [refusal(came[index], found) for index, found in faults]
        return Parsed(_parts(asked, refused, inbound.now), _fated(answers.faulty(faults), denied))
    good = answers.taken(len(records), asked.size, inbound.now)
    route, limit = ("batch", limits.BATCH_PACE) if batch else ("httpapi", limits.PACE)
    return Parsed(_parts(asked, records, inbound.now), _fated(good, denied), Pace(records, route, limit, inbound.now))


def _without_events(asked: Asked) -> Parsed:
    """A request without a list of events: told whatever its key is, and counted if that is a project's."""
    answer, why = answers.missing("events"), Refusal("events_missing", "events", "the request has no list of events", b"")
    return Parsed((Part(Credential("token", asked.key), "live", (why,)),), lambda _: answer)


def _read(events: Sequence[Given | None], rules: Rules) -> tuple[list[Record], list[tuple[int, Sequence[Fault]]]]:
    """The records of a request, and what is wrong with which of its events."""
    records: list[Record] = []
    faults: list[tuple[int, Sequence[Fault]]] = []
    for index, given in enumerate(events):
        try:
            records.append(read(given, rules))
        except Unfit as unfit:
            faults.append((index, unfit.faults))
    return records, faults


def _parts(asked: Asked, records: Sequence[Record], now: int) -> tuple[Part, ...]:
    """By lane; at least one, so that the key is looked at even if there is nothing to keep."""
    credential = Credential("token", asked.key)
    if asked.bulk:
        return (Part(credential, "bulk", tuple(records)),)
    since = now - LIVE_WITHIN
    old = [record for record in records if 0 < _time(record) < since]
    if not old:
        return (Part(credential, "live", tuple(records)),)
    live = [record for record in records if not 0 < _time(record) < since]
    lanes = {"live": live, "bulk": old} if live else {"bulk": old}
    return tuple(Part(credential, lane, tuple(these)) for lane, these in lanes.items())


def _time(record: Record) -> int:
    """When it happened; 0: at arrival."""
    return record.time if isinstance(record, Event | ProfileChange | GroupChange) else 0


def _fated(kept: Outbound, denied: Outbound) -> Callable[[Fate], Outbound]:
    return by_fate(kept, denied, full=answers.unkept, unavailable=answers.unkept)
