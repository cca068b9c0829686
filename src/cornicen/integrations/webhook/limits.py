"""The numbers of Mixpanel's custom cohort webhook, each with its source and the date it was read.

Sources: *cohort-webhooks* is docs.mixpanel.com, "Custom Webhook" under cohort syncs, read in 2026-08. What is marked *ours* is
published nowhere.
"""

from __future__ import annotations

PAGE_MOST = 1000
"""Members in one request; *cohort-webhooks*."""

TIMEOUT_DEFAULT, TIMEOUT_MOST = 10.0, 60.0
"""Seconds an answer is waited for; *ours*. With ten, six attempts take about the minute that *cohort-webhooks* gives them."""

RATE_DEFAULT, RATE_MOST = 10, 100
"""Requests per second; *ours*: ten carry 10,000 members a second."""

CONNECTIONS = 1
"""Requests at the same time: pages follow one another; *cohort-webhooks*."""

LONGEST_WORDS = 500
"""Characters of a receiver's own words that are kept; *ours*."""
