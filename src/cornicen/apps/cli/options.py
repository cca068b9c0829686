"""Options that many commands share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Style:
    """How a command answers.

    Args:
        json: Print one JSON document on standard output; errors are one on standard error.
    """

    json: Annotated[bool, Parameter(negative=())] = False


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Where(Style):
    """Which home, and which project of it.

    Args:
        home: The home; else CORNICEN_HOME, else the current folder.
        project: The project's name; needed only where a home has several.
    """

    home: Path | None = None
    project: str | None = None


HERE = Where()
PLAIN = Style()
