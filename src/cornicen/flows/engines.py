"""What an engine's folder declares: its name, and how to make it from what it is asked over.

`cornicen.engines.<name>` has a module attribute ``ENGINE``; `cornicen.engines.declared` finds it there, or through an entry
point of the group ``cornicen.engines`` in any other package.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cornicen.events.history import History
from cornicen.flows.ports import Engine
from cornicen.sql.tables import Tables


@dataclass(frozen=True)
class OverTables:
    """An engine that asks a database.

    Args:
        name: The folder's name.
        make: From an open connection to its kind of database, and where the data is there.
    """

    name: str
    make: Callable[[Any, Tables], Engine]


@dataclass(frozen=True)
class OverHistories:
    """An engine that looks at people one by one.

    Args:
        name: The folder's name.
        make: From everybody, by person number.
    """

    name: str
    make: Callable[[Mapping[int, History]], Engine]


Declaration = OverTables | OverHistories
