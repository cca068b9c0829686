"""Amplitude's numbers and fixed lists that the door keeps to, each with its source and the date it was read.

Sources: *http-v2*, *batch*, *identify*, *group-identify* and *user-mapping* are pages of Amplitude's API documentation, read in
2026-08; *client* is what released clients send or read, captured in 2026-08; *live* is what users of the service report.
"""

from __future__ import annotations

BODY = 1024 * 1024
"""Bytes of a request, unpacked; *http-v2*, *identify*, *group-identify* and *user-mapping* say 1 MB."""

BATCH_BODY = 20 * 1024 * 1024
"""The same for `/batch`; *batch* says 20 MB."""

EVENTS = 2000
"""In one request; *http-v2*, *batch*."""

GROUPS = 1024
"""Items of one `/groupidentify`, and properties of each; *group-identify*."""

MAPPINGS = 2000
"""Items of one `/usermap`; *user-mapping*."""

ID = 5
"""Characters that an id has at least, unless the request's ``options.min_id_length`` says otherwise; *http-v2*."""

TEXT = 1024
"""Characters after which a text is cut; *http-v2*. Ids and names are texts, too."""

NESTING = 40
"""Levels of brackets that a property's value may have; *http-v2*."""

GROUP_TYPES = 5
"""Of one event; *http-v2*. What follows is ignored."""

GROUP_VALUES = 10
"""Of one event, all its group types together; *http-v2*. What follows is ignored."""

SKEW = 60
"""Seconds by which a sender's clock may be wrong before its times are corrected; *http-v2* on ``event_time``."""

PACE = 30.0
"""Events a second that one user or device may send to `/2/httpapi`, averaged; *http-v2*."""

BATCH_PACE = 1000.0
"""The same for `/batch`, averaged over 30 seconds; *batch*."""

RETRY_AFTER = 5
"""Seconds, told with 503. *client*: SDKs do not read it, and wait as they like; proxies and people do."""

LIVE_DAYS = 5
"""Days. What is older comes from an import, not from a person just now, and goes by the bulk lane; as for every vendor."""

NOBODY = frozenset(
    {
        *("anonymous", "nil", "none", "null", "n/a", "na", "undefined", "unknown", '""', "{}", "lmy47d", "0", "-1"),
        "00000000-0000-0000-0000-000000000000",
    }
)
"""Values that no id may have; *http-v2*. Their case does not matter here."""
