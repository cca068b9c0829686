"""Which profile properties are further names of a person: those by which messaging vendors know people."""

from __future__ import annotations

from cornicen.flows.ports import State

ALWAYS = frozenset({"$onesignal_user_id"})
"""Whatever the connections say; Mixpanel does the same."""

NAMES = frozenset({"$user_id", "distinct_id", "amplitude_user_id"})
"""Identifiers that are names already, and no properties."""


def aliases(state: State, project: str) -> frozenset[str]:
    """The properties whose values are names: the usual ones, and the identifier of each connection of a project."""
    chosen = {str(connection.settings.get("identifier") or "") for connection in state.connections.all(project)}
    return ALWAYS | frozenset(chosen - NAMES - {""})
