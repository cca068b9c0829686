"""Tables as records for the door: what a column means, whatever kind of file the table is in."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping
from datetime import UTC

import msgspec

from cornicen.apps.cli.formats import ENGAGE, IMPORT
from cornicen.errors import BadFile
from cornicen.events import values

IDS = ("distinct_id", "$distinct_id", "$user_id", "$device_id")
"""Columns that say whose a row is."""


def route_of(columns: Collection[str], kind: str) -> str:
    """Where a table's rows go: with the column ``event`` they are events, else profiles.

    Args:
        columns: Their names.
        kind: Of file, for people.

    Raises:
        BadFile: Nothing says whose a row is, or an event has no time.
    """
    if not any(name in columns for name in IDS):
        wanted = "one of distinct_id, $user_id, $device_id"
    elif "event" in columns and "time" not in columns:
        wanted = "`time`"
    else:
        return IMPORT if "event" in columns else ENGAGE
    raise BadFile(f"The {kind} file has no column {wanted}.", "Name its columns event, time and distinct_id.")


def event_of(event: object, time: object, key: str, cells: Mapping[str, object]) -> bytes:
    """One event as JSON.

    Args:
        event: Its name.
        time: As the door takes it.
        key: For de-duplication.
        cells: All other columns, ids among them.

    Raises:
        BadFile: It is none.
    """
    if not isinstance(event, str) or not event:
        raise BadFile("Is no event: `event` is empty.")
    return msgspec.json.encode({"event": event, "properties": {**cells, "time": time, "$insert_id": key}})


def profile_of(cells: Mapping[str, object], token: str, key: str) -> bytes:
    """One profile as JSON, from all its columns; a key for de-duplication with it. Raises: BadFile, it is none."""
    named = [cells[name] for name in IDS if name in cells]
    if not named:
        raise BadFile("Is no profile: nobody's id stands in it.")
    properties = {name: value for name, value in cells.items() if name not in IDS}
    return msgspec.json.encode({"$token": token, "$insert_id": key, "$distinct_id": named[0], "$set": properties})


def mendable(route: str, cells: Mapping[str, object], key: str) -> str:
    """A row that was rejected, in the form in which rows go to the door: whoever mends it can import it.

    Args:
        route: Where it would have gone.
        cells: All its columns, as JSON has them.
        key: For de-duplication.

    Returns:
        JSON, whole: an event as Mixpanel exports them, or a profile as `/engage` takes it.
    """
    if route == ENGAGE:
        who = next((cells[name] for name in IDS if cells.get(name)), "")
        properties = {name: value for name, value in cells.items() if name not in IDS}
        return msgspec.json.encode({"$distinct_id": who, "$insert_id": key, "$set": properties}).decode()
    time = cells.get("time")
    if isinstance(time, str):
        with contextlib.suppress(BadFile):
            time = time_of(time)
    properties = {**cells, "time": time, "$insert_id": key}
    return msgspec.json.encode({"event": properties.pop("event", None) or "", "properties": properties}).decode()


def time_of(text: str) -> int:
    """Unix seconds, or milliseconds where there are some, of an instant in ISO-8601. Raises: BadFile."""
    moment = values.instant(text, UTC)
    if moment is None:
        raise BadFile(f"Is no event: `time` is no instant: {text!r}.")
    return moment // 1_000 if moment % 1_000_000 else moment // 1_000_000
