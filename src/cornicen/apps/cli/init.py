"""``cornicen init``: a home with one project, its token and a service account."""

from __future__ import annotations

import secrets
import uuid
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cornicen.apps.cli import output
from cornicen.apps.cli.options import PLAIN, Style
from cornicen.errors import BadSetting

if TYPE_CHECKING:
    from cornicen.apps.home import Home
    from cornicen.flows.records import Project


Identity = Literal["simplified", "original", "amplitude"]


def init(
    directory: Path,
    /,
    *,
    name: str | None = None,
    timezone: str = "UTC",
    identity: Identity = "simplified",
    public_url: str | None = None,
    style: Style = PLAIN,
) -> int:
    """Make a home with one project, and print its token and a service account. The account's secret is shown this once.

    Args:
        directory: The folder to make.
        name: The project's name; else the folder's.
        timezone: The project's time zone, an IANA name: local days are its.
        identity: The rule by which names become persons, chosen once: simplified and original are Mixpanel's two,
            amplitude is Amplitude's.
        public_url: What senders will call this house, when a proxy stands in front; kept in cornicen.toml.
        style: How to answer.
    """
    from cornicen.apps import build
    from cornicen.flows.records import Project

    _check_zone(timezone)
    home = _home(directory, public_url)
    project = Project(
        id=uuid.uuid4().hex, name=name or home.path.name, token=secrets.token_hex(16), zone=timezone, identity=identity
    )
    username, secret = f"cornicen.{secrets.token_hex(3)}", secrets.token_urlsafe(24)
    with closing(build.state(home)) as state:
        if state.projects.all():
            raise BadSetting(f"{home.path} has a project already.", "Choose another folder, or go on with this one.")
        state.projects.add(project)
        state.projects.add_account(project.id, username, secret)
    made = {
        "home": str(home.path),
        "address": _address(home),
        "project": {
            "id": project.id,
            "name": project.name,
            "token": project.token,
            "timezone": project.zone,
            "identity": project.identity,
        },
        "service_account": {"username": username, "secret": secret},
        "next": [f"cornicen up --home {home.path}", f"cornicen connect onesignal --home {home.path} --help"],
    }
    if style.json:
        output.document(made)
    else:
        _tell(home, project, username, secret)
    return 0


def _home(directory: Path, public_url: str | None) -> Home:
    """The home; one that an earlier `init` left without its project is finished, with the settings that it has."""
    from cornicen.apps.addresses import origin
    from cornicen.apps.home import SETTINGS_FILE, Home

    settings = f'\npublic_url = "{origin(public_url)}"\n' if public_url else ""
    return Home.find(directory) if (directory / SETTINGS_FILE).exists() else Home.make(directory, settings)


def _address(home: Home) -> str:
    """Where senders are to send once `cornicen up` runs."""
    from cornicen.apps.addresses import origin, place

    public = home.settings.public_url
    return origin(public) if public else place(home.settings.listen_capture).origin


def _check_zone(timezone: str) -> None:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadSetting(f"{timezone!r} is no time zone.", "Use an IANA name such as Europe/Vilnius.") from None


def _tell(home: Home, project: Project, username: str, secret: str) -> None:
    lines = [
        f"Made the home {home.path} with the project {project.name}; its identity rule is {project.identity}.",
        "",
        f"  Project token     {project.token}",
        f"  Service account   {username}",
        f"  Its secret        {secret}",
        "                    shown this once; keep it now",
        "",
        "Next:",
        f"  1. cornicen up --home {home.path}",
        f"     then point a Mixpanel or Amplitude SDK or importer at {_address(home)}: the token is also Amplitude's API key,",
        "     the account's secret also its secret key",
        f"  2. write cohorts into {home.path / 'cohorts'}, one YAML file each, and syncs.yml beside them",
        f"  3. cornicen apply --home {home.path}",
        f"  4. cornicen sync plan --home {home.path}",
    ]
    for line in lines:
        output.say(line)
