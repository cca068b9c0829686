"""One event as a record: what its fields may hold, and what it becomes."""

from __future__ import annotations

import msgspec

from cornicen.events.shapes import Event, GroupChange, Ids, Operation, ProfileChange, Record
from cornicen.integrations.amplitude import limits, operations
from cornicen.integrations.amplitude.faults import NO_OBJECT, Fault, Kind
from cornicen.integrations.amplitude.fields import NONE, Rules, Unfit, ids_of, members_of, moment, number_faults, text
from cornicen.integrations.amplitude.given import CLIENT_TIME, SKIP, Given, built_in, members, trimmed
from cornicen.integrations.amplitude.money import earned
from cornicen.integrations.amplitude.texts import fitted, too_deep

IDENTIFY = "$identify"
GROUP_IDENTIFY = "$groupidentify"
REVENUE = "revenue_amount"
"""What SDKs call an event of their own for revenue; its amounts are among its properties."""

_CLIENT_TIME = b',"%b":' % CLIENT_TIME.encode()

_objects = msgspec.json.Decoder(dict[str, msgspec.Raw])
_names = msgspec.json.Decoder(str)
_numbers = msgspec.json.Decoder(int | float)


def read(given: Given | None, rules: Rules) -> Record:
    """An event of a request: an event, a profile change or a change of a group.

    Args:
        given: As sent; None: it is no object.
        rules: Of its request.

    Raises:
        Unfit: It may not be taken; with everything that is wrong with it.
    """
    if given is None:
        raise Unfit([NO_OBJECT])
    found: list[Fault] = []
    kind = text(given, "event_type", found)
    if not kind or kind.isspace():
        blank = kind is not None
        if blank or not found:
            found.append(Fault(Kind.INVALID if blank else Kind.MISSING, "event_type"))
        kind = ""
    time = moment(given, rules, found)
    ids = ids_of(given, rules, found, needed=kind != GROUP_IDENTIFY)
    if kind == IDENTIFY:
        return profile_change(given, ids, time, found)
    if kind == GROUP_IDENTIFY:
        return _group(given, time, found)
    insert_id = text(given, "insert_id", found) or ""
    own = members_of(given, "event_properties", found)
    changes = _changes(given, found) if "user_properties" in given else ()
    found += number_faults(given)
    if "groups" in given:
        members_of(given, "groups", found)
    if found:
        raise Unfit(found)
    at = rules.now if time is None else time
    properties = _properties(given, kind, at, own, rules)
    name, key = kind[: limits.TEXT], insert_id[: limits.TEXT]
    return Event(name, ids, at, properties, key, first_stays=True, operations=changes)


def _changes(given: Given, found: list[Fault]) -> tuple[Operation, ...]:
    try:
        changes = operations.of_event(bytes(given["user_properties"]))
    except operations.Unfit:
        found.append(Fault(Kind.INVALID, "user_properties"))
        return ()
    return () if _skips(given) else changes


def _skips(given: Given) -> bool:
    return bytes(given.get(SKIP, NONE)) == b"true"


def _properties(given: Given, kind: str, time: int, own: bytes, rules: Rules) -> bytes:
    """Amplitude's own fields, and behind them the sender's properties: where a name is there twice, the sender's counts.

    Raises:
        Unfit: Some value is nested too deep.
    """
    found = members(given, rules.address)
    if rules.shift or time == rules.now:  # else nothing can have moved it
        sent = bytes(given.get("time", NONE))
        if sent != b"null" and round(_numbers.decode(sent) * 1000) != time:
            found.append(_CLIENT_TIME + sent)
    if kind == REVENUE:
        found.append(b',"$revenue":' + earned(own))
    inner = own[1:].lstrip()
    found.append(inner if inner.startswith(b"}") else b"," + inner)
    whole = b"{" + b"".join(found).removeprefix(b",")
    if too_deep(whole) and (deep := [field for field, raw in given.items() if too_deep(bytes(raw))]):
        raise Unfit([Fault(Kind.INVALID, field) for field in deep])
    return fitted(whole)


def profile_change(given: Given, ids: Ids, time: int | None, found: list[Fault]) -> ProfileChange:
    """What an identify asks for: fields of Amplitude's own first, then groups, then ``user_properties``.

    Raises:
        Unfit: With what was found already, if anything.
    """
    changes: tuple[Operation, ...] = ()
    insert_id = text(given, "insert_id", found) or ""
    groups = members_of(given, "groups", found)
    try:
        joined = operations.operations(trimmed(groups)) if groups != b"{}" else ()
    except operations.Unfit:
        found.append(Fault(Kind.INVALID, "groups"))
    try:
        changes = operations.operations(bytes(given.get("user_properties", NONE)))
    except operations.Unfit:
        found.append(Fault(Kind.INVALID, "user_properties"))
    found += [Fault(Kind.INVALID, name) for name, raw in built_in(given).items() if too_deep(bytes(raw))]
    if found:
        raise Unfit(found)
    written = () if _skips(given) else (*operations.written(built_in(given)), *joined, *changes)
    return ProfileChange(ids, written, time or 0, insert_id[: limits.TEXT])


def _group(given: Given, time: int | None, found: list[Fault]) -> GroupChange:
    changes: tuple[Operation, ...] = ()
    named = _named_group(members_of(given, "groups", found))
    if named is None:
        found.append(Fault(Kind.INVALID, "groups"))
    try:
        changes = operations.operations(bytes(given.get("group_properties", NONE)), group=True)
    except operations.Unfit:
        found.append(Fault(Kind.INVALID, "group_properties"))
    if found or named is None:
        raise Unfit(found)
    return GroupChange(*named, changes, time or 0)


def _named_group(sent: bytes) -> tuple[str, str] | None:
    """The one group that is named; None: none, or several."""
    groups = _objects.decode(sent)
    if len(groups) != 1:
        return None
    [(kind, raw)] = groups.items()
    value = bytes(raw)
    try:
        name = _names.decode(value[1:-1].strip() if value.startswith(b"[") else value)
    except msgspec.DecodeError:
        return None
    return (kind[: limits.TEXT], name[: limits.TEXT]) if kind and name else None
