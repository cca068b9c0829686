"""What parsing a definition may look at: the project around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Context:
    """What parsing may look at.

    Args:
        zone: The project's time zone, an IANA name.
        folder: Relative file names start here.
        lookup: The document of another cohort of the project by slug; None: there is none.
        slugs: The slugs there are, for suggestions.
        folders: By slug, where relative file names of another cohort start if not in ``folder``.
    """

    zone: str = "UTC"
    folder: str = "."
    lookup: Callable[[str], object | None] = lambda _slug: None
    slugs: tuple[str, ...] = ()
    folders: Mapping[str, str] = field(default_factory=dict)
