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


class Event(msgspec.Struct, frozen=True, tag="event", omit_defaults=True, gc=False):
    """Something somebody did.

    Args:
        name: The event's name, not blank.
        ids: Who did it.
        time: When, in microseconds since 1970 UTC, as the sender says.
        insert_id: The sender's key for de-duplication; empty if it gave none, and then nothing is ever its duplicate.
        properties: A JSON object as UTF-8 text, exactly as received, ids and reserved keys among it.
    """

    name: str
    ids: Ids
    time: int
    properties: bytes
    insert_id: str = ""


class Operation(msgspec.Struct, frozen=True, array_like=True):
    """One step of a profile change.

    Args:
        verb: ``set`` ``set_once`` ``add`` ``unset`` ``delete``.
        operand: JSON text: an object, for ``unset`` a list of names, for ``delete`` ``null``.
    """

    verb: str
    operand: bytes


class ProfileChange(msgspec.Struct, frozen=True, tag="profile", omit_defaults=True):
    """What a sender wants changed in a profile, its operations in the order to apply them.

    Args:
        ids: Whose profile.
        operations: At least one.
        time: When, in microseconds since 1970 UTC; 0: at arrival.
    """

    ids: Ids
    operations: tuple[Operation, ...]
    time: int = 0


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


Record = Event | ProfileChange | Refusal


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
