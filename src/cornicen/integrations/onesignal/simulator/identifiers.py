"""Random identifiers that are the same in every run with the same seed."""

from __future__ import annotations

import random
import re
import uuid

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


class Identifiers:
    """A stream of version 4 UUIDs.

    Args:
        seed: Equal seeds give equal streams.
    """

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)  # noqa: S311  (repeatable on purpose; nothing here is a secret)

    def next(self) -> str:
        """One more UUID, in lower case with dashes."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))


def is_uuid(text: str) -> bool:
    """Whether ``text`` is written as a UUID of any version."""
    return _UUID.fullmatch(text) is not None


def is_uuid4(text: str) -> bool:
    """Whether ``text`` is written as a version 4 UUID."""
    return is_uuid(text) and text[14] == "4"
