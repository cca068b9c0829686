"""OneSignal's numbers that `members_out` and `check` keep to, each with its source and the date it was read.

Sources: *rate-limits*, *update-user*, *create-segments*, *keys-and-ids* and *add-user-data-tags* are pages of
documentation.onesignal.com, read in 2026-08 and again in 2026-11; *OpenAPI* is the published document, version 11.6.
"""

from __future__ import annotations

KEYS_A_REQUEST = 100
"""Tags in one update of one user; *rate-limits*: at most 100 property updates a request."""

SECONDS_BETWEEN_UPDATES = 1.0
"""Of the same user; *rate-limits*: one request a second per user."""

USERS_A_SECOND = 1000
"""Creates, updates and deletes of users per app and second, the app's own SDKs among them; *rate-limits*."""

RATE_DEFAULT, RATE_MOST = 500, 800
"""Requests per second: half of `USERS_A_SECOND`, and what we leave to the app's SDKs at the least."""

SECONDS_BETWEEN_VIEWS = 1.0
"""Of users per app; *rate-limits*: one view a second, ten at once."""

LONGEST_ANSWER = 100.0
"""Seconds the server may take; *rate-limits*. A request that has not been answered by then takes no effect any more."""

SETTLES_WITHIN = 60.0
"""Seconds until tags that were accepted are visible everywhere; *edit-tags-with-external-user-id*, 2022."""

SEGMENT_NAME = 128
"""Characters; *create-segments*. Unique within the app."""

SEGMENT_DESCRIPTION = 255
"""Characters; *create-segments*."""

TAG_KEY = 64
"""Characters we allow ourselves: no limit is published, keys in use are shorter."""
