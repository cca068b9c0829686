"""What each price plan allows.

OneSignal's pricing and tag pages, first half of 2026: tags a user 2 / 10 / 100, segments an app 6 / 10 / 20; the segment API
answers free applications with 403.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tier:
    """A price plan.

    Args:
        tags: Tags that one user may hold.
        segments: Segments that one application may hold.
        segment_api: Whether segments can be reached over the API at all.
    """

    tags: int
    segments: int
    segment_api: bool


TIERS = {
    "free": Tier(tags=2, segments=6, segment_api=False),
    "growth": Tier(tags=10, segments=10, segment_api=True),
    "professional": Tier(tags=100, segments=20, segment_api=True),
}
