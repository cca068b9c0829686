"""What is due, and when it is due again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cornicen.flows.records import Cadence, Sync, SyncStatus

MINUTE = 60_000_000
_STEP = {Cadence.QUARTER_HOUR: 15 * MINUTE, Cadence.HOURLY: 60 * MINUTE}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def next_at(cadence: Cadence, now: int, zone: str) -> int | None:
    """The first moment after ``now`` at which a sync of this cadence is due.

    Quarter-hours and hours are the clock's (UTC); a day begins at local midnight, or at the first moment after it where a
    change of the clocks skips midnight.

    Args:
        cadence: How often.
        now: Microseconds.
        zone: The project's, an IANA name.

    Returns:
        Microseconds; None: not by itself (once).
    """
    if cadence is Cadence.ONCE:
        return None
    if step := _STEP.get(cadence):
        return (now // step + 1) * step
    local = (_EPOCH + timedelta(microseconds=now)).astimezone(ZoneInfo(zone))
    midnight = datetime(local.year, local.month, local.day, tzinfo=ZoneInfo(zone)) + timedelta(days=1)
    return (midnight.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)


def is_due(sync: Sync, now: int) -> bool:
    """Whether a sync is to be evaluated now: never yet, its moment has come, or it is to be cleared away."""
    if sync.status is SyncStatus.RETIRING:
        return sync.evaluated != RETIRING
    if sync.status is not SyncStatus.ACTIVE:
        return False
    if sync.last_as_of is None:
        return True
    return sync.next_at is not None and sync.next_at <= now


RETIRING = "retiring"
"""`Sync.evaluated` of a sync whose members have all been asked to leave."""
