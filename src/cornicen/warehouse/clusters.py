"""How many names a person has, under the rule that limits them: counted as they come, never by reading all names."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from cornicen.identity import RULES
from cornicen.warehouse.database import Database
from cornicen.warehouse.schema import meta


def sizes(database: Database, persons: Iterable[int]) -> dict[int, int]:
    """How many names some canonical persons have, where that is more than one; empty under rules that do not count them."""
    with database.lent(asked=pa.table({"person": pa.array(set(persons), pa.int32())})):
        return dict(database.rows("SELECT c.person, c.size FROM clusters c SEMI JOIN asked a ON a.person = c.person"))


def is_full(database: Database, person: int) -> bool:
    """Whether a canonical person has as many names as the project's rule allows."""
    most = RULES[meta(database, "identity") or "simplified"].most
    return most is not None and sizes(database, [person]).get(person, 1) >= most
