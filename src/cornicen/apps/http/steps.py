"""How to go on from where a project stands: the next few commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Step = dict[str, str]


def steps(project: Mapping[str, Any], address: str) -> list[Step]:
    """What somebody would do next, most pressing first.

    Args:
        project: As the status page shows it, without this.
        address: Where senders reach the house; empty: not known.

    Returns:
        ``{text, command}``, at least one. A command may be empty.
    """
    return _missing(project, address) or _troubles(project) or _usual(project)


def _missing(project: Mapping[str, Any], address: str) -> list[Step]:
    """What is not there yet, in the order in which it is needed."""
    found: list[Step] = []
    keeper = project["keeper"]
    if not keeper["answers"]:
        found.append(_step(keeper["what"], "cornicen up --home DIR"))
    elif not any(keeper["counts"].get(kind) for kind in ("events", "profiles")):
        found.append(
            _step(
                f"No events yet. Point an SDK or importer at {f'`{address}`' if address else 'this house'}, with the project's "
                "token, or load a file.",
                "cornicen import FILE --format mixpanel-export",
            )
        )
    if not project["syncs"] and not project["unsynced"]:
        found.append(_step("No cohorts yet. Write one as YAML into cohorts/, then apply the folder.", "cornicen apply"))
    if not project["connections"]:
        found.append(_step("No connection yet. Name the app that is to get the segments.", "cornicen connect onesignal --help"))
    if project["unsynced"] and project["connections"] and not project["syncs"]:
        found.append(_step("Nothing is synced yet. Say in syncs.yml which cohort goes where.", "cornicen apply"))
    if project["syncs"] and not project["ticks"]:
        found.append(_step("No sync has run yet. See what one would do, then let it.", "cornicen sync plan"))
        found.append(_step("", "cornicen sync run"))
    return found


def _troubles(project: Mapping[str, Any]) -> list[Step]:
    """What stands still."""
    found = []
    for sync in project["syncs"]:
        name, slug = sync["name"], sync["cohort"]
        match sync["status"]:
            case "held":
                found.append(_step(f"{name} is held: see what it would change.", f"cornicen sync plan {slug}"))
                found.append(_step("If that is right, let it go on.", f"cornicen sync release {slug}"))
            case "stopped":
                found.append(_step(f"{name} is stopped: mend the cause, then let it go on.", f"cornicen sync resume {slug}"))
    return found


def _usual(project: Mapping[str, Any]) -> list[Step]:
    found = [_step("See what the next run would do.", "cornicen sync plan")]
    if project["syncs"]:
        found.append(_step("Look into a cohort.", f"cornicen cohort preview {project['syncs'][0]['cohort']}"))
    found.append(_step("Make what is stored equal to the project folder, after a change there.", "cornicen apply"))
    return found


def _step(text: str, command: str) -> Step:
    return {"text": text, "command": command}
