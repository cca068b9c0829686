"""Mixpanel's numbers and fixed lists that the door keeps to, each with its source and the date it was read.

Sources: *import-events*, *track-event* and *profile-set* are pages of developer.mixpanel.com, read in 2026-08; *client* is what
released clients send or read, captured in 2026-08.
"""

from __future__ import annotations

BODY = 10 * 1024 * 1024
"""Bytes of a request, unpacked; *import-events* says 10 MB, its own 413 example 2 MiB; *client*: they stop at 9.8 MB."""

RECORDS = 2000
"""In one request; *import-events*, *profile-set*."""

RECORD = 1024 * 1024
"""Bytes of JSON of one event or profile update; *import-events*."""

NESTING = 64
"""Levels of brackets in one record, whoever sends it; chosen. Deeper ones could hurt whoever reads them later."""

LEVELS = 3
"""Levels of lists and objects below `properties`; *track-event*. Kept to where the sender asks to be strict."""

WIDTH = 254
"""Properties of an event, keys of an object or elements of a list in it; *track-event* (fewer than 255). Kept to likewise."""

PROFILE = 2000
"""Properties of a profile; *profile-set*. What one record writes is counted at the door."""

TEXT = 255
"""Characters; *import-events*. Texts in an event and its name are cut; ids are refused: a cut id could be somebody else's."""

INSERT_ID = 36
"""Bytes of ``$insert_id``, of A-Z a-z 0-9 and ``-``; *import-events*."""

EARLIEST = 31_536_000
"""1971-01-01 in seconds; *import-events*. Below it a number cannot be milliseconds of a later time, and from it on as
milliseconds no seconds before the year 2969: so a number is never both."""

AHEAD = 3600
"""Seconds that a time may lie in the future; *import-events*."""

LIVE_DAYS = 5
"""Days that `/track` looks back; *track-event*. What is older comes from an import, not from a person just now."""

CALLBACK = 128
"""Characters of a callback's name; chosen."""

RETRY_AFTER = 5
"""Seconds, told with 429; *import-events* asks senders to begin at 2 and to double up to 60."""

NOBODY = frozenset(
    {
        *("00000000-0000-0000-0000-000000000000", "anon", "anonymous", "nil", "none", "null", "n/a", "na", "undefined"),
        *("unknown", "<nil>", "0", "-1", "true", "false", "[]", "{}"),
    }
)
"""Values that no id may have, whatever their case; *import-events*."""
