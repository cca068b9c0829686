"""``cornicen init``: a home with one project, its token and a service account."""

from __future__ import annotations

import secrets
import uuid
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from cornicen.apps.cli import output
from cornicen.apps.cli.options import PLAIN, Style
from cornicen.errors import BadSetting

if TYPE_CHECKING:
    from cornicen.apps.home import Home


def init(directory: Path, /, *, name: str | None = None, timezone: str = "UTC", style: Style = PLAIN) -> int:
    """Make a home with one project, and print its token and a service account. The account's secret is shown this once.

    Args:
        directory: The folder to make.
        name: The project's name; else the folder's.
        timezone: The project's time zone, an IANA name: local days are its.
        style: How to answer.
    """
    from cornicen.apps import build
    from cornicen.flows.records import Project

    _check_zone(timezone)
    home = _home(directory)
    project = Project(id=uuid.uuid4().hex, name=name or home.path.name, token=secrets.token_hex(16), zone=timezone)
    username, secret = f"cornicen.{secrets.token_hex(3)}", secrets.token_urlsafe(24)
    with closing(build.state(home)) as state:
        if state.projects.all():
            raise BadSetting(f"{home.path} has a project already.", "Choose another folder, or go on with this one.")
        state.projects.add(project)
        state.projects.add_account(project.id, username, secret)
    made = {
        "home": str(home.path),
        "project": {"id": project.id, "name": project.name, "token": project.token, "timezone": project.zone},
        "service_account": {"username": username, "secret": secret},
        "next": [f"cornicen up --home {home.path}", f"cornicen connect onesignal --home {home.path} --help"],
    }
    if style.json:
        output.document(made)
    else:
        _tell(home, project.name, project.token, username, secret)
    return 0


def _home(directory: Path) -> Home:
    """The home; one that an earlier `init` left without its project is finished."""
    from cornicen.apps.home import SETTINGS_FILE, Home

    return Home.find(directory) if (directory / SETTINGS_FILE).exists() else Home.make(directory)


def _check_zone(timezone: str) -> None:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadSetting(f"{timezone!r} is no time zone.", "Use an IANA name such as Europe/Vilnius.") from None


def _tell(home: Home, name: str, token: str, username: str, secret: str) -> None:
    lines = [
        f"Made the home {home.path} with the project {name}.",
        "",
        f"  Project token     {token}",
        f"  Service account   {username}",
        f"  Its secret        {secret}",
        "                    shown this once; keep it now",
        "",
        "Next:",
        f"  1. cornicen up --home {home.path}",
        "     then point a Mixpanel SDK or importer at its address, with the token or the account",
        f"  2. write cohorts into {home.path / 'cohorts'}, one YAML file each, and syncs.yml beside them",
        f"  3. cornicen apply --home {home.path}",
        f"  4. cornicen sync plan --home {home.path}",
    ]
    for line in lines:
        output.say(line)
