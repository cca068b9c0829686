"""What we added to the data: who has which id at OneSignal, and whom OneSignal does not know or refuses.

By household number alone, so that an independent script can say the same in a few lines.
"""

from __future__ import annotations

FOREIGN_TAGS = 10
"""Tags that others gave to a refused user: as many as the simulated tier allows, so that none of ours fits."""

TIER = "growth"

OURS = (
    "the users of a simulated OneSignal, each with a subscription; ids at OneSignal from a household's first mailing on",
    "OneSignal does not know households whose number leaves 3 when divided by 17",
    f"households whose number leaves 5 when divided by 19 carry {FOREIGN_TAGS} tags of others, all that the tier allows",
    "households 1900 and 1901 share one id at OneSignal: two people, one recipient",
)
"""What the output says is ours."""

THEIRS = "purchases, mailings, coupon redemptions, demographics and their times, read as UTC"


def person(household: int) -> str:
    """How a household is called in events and profiles."""
    return f"household-{household}"


def recipient(household: int) -> str:
    """A household's id at OneSignal, once it has one."""
    return f"shopper-{1900 if household == 1901 else household}"


def is_unknown(household: int) -> bool:
    """Whether OneSignal does not know this household's id."""
    return household % 17 == 3


def is_refused(household: int) -> bool:
    """Whether OneSignal refuses every tag for it: it carries as many as it may."""
    return household % 19 == 5 and not is_unknown(household)
