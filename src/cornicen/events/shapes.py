"""What travels from a door to the loader: records, and the batches that carry them.

Properties stay the JSON text they came as, byte for byte: what nobody asks about is never interpreted.
"""

from __future__ import annotations

import msgspec


class Ids(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Whom a record names, as the sender wrote it; `identity` says who that is.

    Args:
        user: What the sender calls a user id, e.g. Mixpanel's ``$user_id``.
        device: A device id, e.g. Mixpanel's ``$device_id``.
        distinct: An id of either kind, e.g. Mixpanel's ``distinct_id``.

    All empty: the record belongs to nobody; it is kept and is in no cohort.
    """

    user: str = ""
    device: str = ""
    distinct: str = ""


class Operation(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One step of a profile change.

    ===============  =====================  =========================================================================
    verb             operand, JSON text     what it does
    ===============  =====================  =========================================================================
    ``set``          ``{name: value}``      writes; null removes
    ``set_once``     ``{name: value}``      writes where the property is missing
    ``add``          ``{name: number}``     adds; missing counts as 0
    ``append``       ``{name: [value, …]}`` adds each value at the end of the list
    ``prepend``      ``{name: [value, …]}`` adds the values, in their order, at the front
    ``union``        ``{name: [value, …]}`` adds at the end those not yet in the list
    ``pre_insert``   ``{name: [value, …]}`` adds at the front, in their order, those not yet in the list
    ``remove``       ``{name: [value, …]}`` takes all occurrences of each value out of the list
    ``unset``        ``[name, …]``          removes
    ``touch``        ``{name: value}``      writes where there is a profile, after the steps before it; else does nothing
    ``clear``        ``null``               removes every property; the profile stays
    ``delete``       ``null``               removes the profile
    ===============  =====================  =========================================================================

    The list verbs begin a list where the property is missing (``remove`` does not), and take a single value for a list of one.

    Args:
        verb: One of these.
        operand: As above.
    """

    verb: str
    operand: bytes


class Link(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What an identity event says: these two names are one person. Only some rules heed it (`cornicen.identity`).

    Args:
        kind: ``identify`` (``one`` is the identified id, ``other`` the anonymous one), ``alias`` (``one`` is the distinct id,
            ``other`` its new alias) or ``merge``.
        one: A name.
        other: A name.
    """

    kind: str
    one: str
    other: str


class Event(msgspec.Struct, frozen=True, tag="event", omit_defaults=True, gc=False):
    """Something somebody did.

    Args:
        name: The event's name, not blank.
        ids: Who did it.
        time: When, in microseconds since 1970 UTC, as the sender says.
        properties: A JSON object as UTF-8 text, as received but for what its door says it leaves out or cuts; ids and reserved
            keys among it.
        insert_id: The sender's key for de-duplication; empty if it gave none, and then nothing is ever its duplicate.
        first_stays: What a repeated ``insert_id`` means. False: event, id as received, time and insert id together are the key,
            and the newest arrival replaces (Mixpanel). True: the device, or the user where there is none, and the insert id
            are the key for seven days, and the first arrival stays (Amplitude).
        operations: What it changes in the profile of whom it names, if the event is taken and is no repetition.
        link: What it says about who is who beside its ids.
    """

    name: str
    ids: Ids
    time: int
    properties: bytes
    insert_id: str = ""
    first_stays: bool = False
    operations: tuple[Operation, ...] = ()
    link: Link | None = None


class ProfileChange(msgspec.Struct, frozen=True, tag="profile", omit_defaults=True):
    """What a sender wants changed in a profile, its operations in the order to apply them.

    Args:
        ids: Whose profile. Both a user and a device: some rules link them.
        operations: At least one, or none: then it only says who is who.
        time: When, in microseconds since 1970 UTC; 0: at arrival.
        insert_id: The sender's key for de-duplication, as an `Event`'s whose first arrival stays; empty: there is none.
    """

    ids: Ids
    operations: tuple[Operation, ...]
    time: int = 0
    insert_id: str = ""


class GroupChange(msgspec.Struct, frozen=True, tag="group", omit_defaults=True):
    """What a sender wants changed in the profile of a group (a company, a team).

    Args:
        key: What kind of group, e.g. ``company``.
        id: Which, e.g. ``acme``.
        operations: In the order to apply them.
        time: When, in microseconds since 1970 UTC; 0: at arrival.
    """

    key: str
    id: str
    operations: tuple[Operation, ...]
    time: int = 0


class UserMapping(msgspec.Struct, frozen=True, tag="mapping", omit_defaults=True):
    """A user of this project is said to be a user of an organisation; it is kept and shown, and merges nobody.

    Args:
        user: The user id here.
        whole: The organisation's; "": no longer.
    """

    user: str
    whole: str = ""


class Refusal(msgspec.Struct, frozen=True, tag="refusal", omit_defaults=True):
    """A record that was not taken, kept with its reason: it travels like any other and is counted where people look.

    Args:
        reason: A stable word for counting, e.g. ``time_missing``.
        field: The field at fault, as the vendor names it.
        message: The sentence that the sender was told.
        record: The record as it came, at most its first 4,096 bytes.
    """

    reason: str
    field: str
    message: str
    record: bytes


Record = Event | ProfileChange | GroupChange | UserMapping | Refusal


class Batch(msgspec.Struct, frozen=True):
    """The records of one request, in its order.

    Args:
        arrived: The door's stamp, microseconds since 1970 UTC.
        source: The route that took them, e.g. ``mixpanel:/import``.
        records: What came.
    """

    arrived: int
    source: str
    records: tuple[Record, ...]
