"""What is owed, for all recipients of a sync at once: `cornicen.delivery.member.owed` in bitmaps."""

from __future__ import annotations

from pyroaring import BitMap


def owed(desired: BitMap, acknowledged: BitMap, uncertain: BitMap, refused: BitMap) -> BitMap:
    """Whom the destination has still to be told about: ``((desired XOR acknowledged) OR uncertain) less refused``.

    Args:
        desired: Who should be in.
        acknowledged: Who is in, by the last definite answer.
        uncertain: Of whom a request left without a definite answer so far.
        refused: Under a refusal that has not ended.

    Returns:
        A new bitmap of recipient numbers; the arguments stay as they are.
    """
    told = desired ^ acknowledged
    told |= uncertain
    told -= refused
    return told
