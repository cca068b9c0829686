"""The rules of aliases: which labels and values may be written."""

from __future__ import annotations

import re
from collections.abc import Mapping

from cornicen.integrations.onesignal.simulator.answers import Refused

MOST_PER_USER = 20
"""Aliases a user (create-user page, first half of 2026; the vendor's own plugin says 10)."""
MOST_CHARACTERS = 128

_FORBIDDEN = re.compile(r"[/?#&=\s\x00-\x1f\x7f]|\.\.")


def check(written: Mapping[str, str], held: Mapping[str, str]) -> None:
    """Refuse aliases that the vendor does not take.

    What its pages forbid in an alias is not forbidden in an External ID here: which of those it refuses is not documented.

    Args:
        written: Aliases to be added, by label.
        held: The user's aliases so far.

    Raises:
        Refused: 400: the server's own label, an empty or too long label or value, a forbidden character in a custom alias, a
            custom alias for a user that has no External ID, or more aliases than a user may have.
    """
    if "onesignal_id" in written:
        raise Refused(400, "The alias label is reserved", meta={"label": "onesignal_id"})
    for label, value in written.items():
        fits = 0 < len(label) <= MOST_CHARACTERS and 0 < len(value) <= MOST_CHARACTERS
        if not fits or (label != "external_id" and (_FORBIDDEN.search(label) or _FORBIDDEN.search(value))):
            raise Refused(400, "Invalid alias", meta={"label": label})
    after = {**held, **written}
    if after and "external_id" not in after:
        raise Refused(400, "A custom alias needs an external_id first", meta={"labels": sorted(after)})
    if len(after) > MOST_PER_USER:
        raise Refused(400, f"A user may have at most {MOST_PER_USER} aliases")
