"""Where a cohort is asked: one folder an engine, and one question, ``members(queries, as_of, only=None)``."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules

from cornicen.flows.engines import Declaration


def declared() -> dict[str, Declaration]:
    """Every engine there is, by name: the folders here, and the entry points of the group ``cornicen.engines``.

    Raises:
        ValueError: Two engines have one name.
    """
    ours = [import_module(f"{__name__}.{folder.name}").ENGINE for folder in iter_modules(__path__) if folder.ispkg]
    found: dict[str, Declaration] = {}
    for engine in [*ours, *(point.load() for point in entry_points(group=__name__))]:
        if found.setdefault(engine.name, engine) != engine:
            raise ValueError(f"two engines are called {engine.name}")
    return found
