"""What most commands begin with: the home, its state, and the project meant."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cornicen.apps import build
from cornicen.apps.home import Home
from cornicen.apps.keeper import client
from cornicen.errors import BadInput, CornicenError, NotFound

if TYPE_CHECKING:
    from types import TracebackType

    from cornicen.apps.cli.options import Where
    from cornicen.flows.ports import State
    from cornicen.flows.records import Project, Sync


@dataclass(frozen=True)
class House:
    """An open home.

    Args:
        home: The folder and its settings.
        state: What was decided.
        project: The project meant.
    """

    home: Home
    state: State
    project: Project

    @classmethod
    def open(cls, where: Where) -> House:
        """Open what a command was told to work on; to be used as ``with``.

        Raises:
            NotFound: No home, or no such project in it.
            BadInput: The home has several projects and none was named.
        """
        home = Home.find(where.home)
        state = build.state(home)
        try:
            return cls(home, state, _project(state, where.project, home))
        except CornicenError:
            state.close()
            raise

    def __enter__(self) -> House:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.state.close()

    @cached_property
    def now(self) -> int:
        """The home's clock, read once a command; microseconds."""
        return build.clock(self.home).now()

    def ask(self, question: str, **arguments: object) -> dict[str, Any]:
        """Ask the project's keeper. Raises: NotRunning, and whatever the keeper answers."""
        return client.ask(self.home, self.project.id, question, **arguments)

    def syncs(self, names: list[str] | tuple[str, ...]) -> list[Sync]:
        """The syncs that a person names, by cohort slug or id; none named: all.

        Raises:
            NotFound: A name fits none.
        """
        there = self.state.syncs.all(self.project.id)
        for name in names:
            if not any(name in {sync.cohort, sync.id} for sync in there):
                raise NotFound(f"There is no sync of {name}.", "`cornicen sync list` shows those there are.")
        return [sync for sync in there if not names or sync.cohort in names or sync.id in names]


def _project(state: State, name: str | None, home: Home) -> Project:
    if name is not None:
        return state.projects.get(name)
    projects = state.projects.all()
    if not projects:
        raise NotFound(f"{home.path} has no project.", f"Finish it with `cornicen init {home.path}`.")
    if len(projects) > 1:
        raise BadInput(
            "This home has several projects.", f"Name one with --project: {', '.join(one.name for one in projects)}."
        )
    return projects[0]
