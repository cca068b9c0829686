"""``cornicen connect VENDOR``: one command a destination, its options made from the vendor's manifest."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Callable
from dataclasses import asdict, field, fields, make_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from cornicen.apps import build
from cornicen.apps.cli import exits, output
from cornicen.apps.cli.options import HERE, Where
from cornicen.apps.cli.probing import probe
from cornicen.apps.cli.sync_audit import differs
from cornicen.errors import BadFolder, BadInput, NotFound, NotRunning
from cornicen.flows.projects.settings import check as check_settings
from cornicen.flows.records import Connection
from cornicen.flows.vendors import Manifest, Setting

if TYPE_CHECKING:
    from cornicen.apps.cli.house import House
    from cornicen.flows.vendors import Assumption


def _option(setting: Setting) -> tuple[str, Any, Any]:
    """One option of a vendor's command; a secret takes only a reference, so that it is in no process list or history."""
    bounds = f" Default {setting.default}." if setting.default not in {None, ""} else ""
    shown = f"{setting.help}{bounds}" + (" Give env:NAME or file:PATH, not the key." if setting.secret else "")
    return (setting.name, Annotated[str | None, Parameter(help=shown)], field(default=None))


def _command(manifest: Manifest) -> Callable[..., int]:
    made = make_dataclass(f"{manifest.title}Settings", [_option(one) for one in manifest.settings], frozen=True, kw_only=True)
    made.__module__ = __name__  # else cyclopts takes it for a type of the standard library, whose fields are no options
    options: Any = Parameter(name="*")(made)
    nothing = options()

    def connect(*, settings: Any = nothing, slug: str = manifest.name, check: str | None = None, where: Where = HERE) -> int:  # noqa: ANN401
        given = {one.name: value for one in fields(settings) if (value := getattr(settings, one.name)) is not None}
        if check is not None:
            return _check(manifest, given, slug, check, where)
        return _connect(manifest, given, slug, where)

    connect.__doc__ = f"""Connect an account at {manifest.title}. Its key is tried before anything is saved.

    Args:
        slug: The connection's name for people and files.
        check: Try what Cornicen relies on, with this test user of yours; everything is undone. Nothing is saved.
        where: Which home.
    """
    connect.__annotations__ = {"settings": options, "slug": str, "check": str | None, "where": Where, "return": int}
    return connect


def _connect(manifest: Manifest, given: dict[str, str], slug: str, where: Where) -> int:
    from cornicen.apps.cli.house import House

    with House.open(where) as house:
        before = _stored(house, slug)
        if before is not None and before.managed != "cli":
            raise BadInput(
                f"{slug} is managed by {before.managed.removeprefix('file:')}.", "Change it there, and `cornicen apply`."
            )
        if before is not None and before.vendor != manifest.name:
            raise BadInput(f"{slug} is a connection to {before.vendor}.", "Choose another --slug.")
        connection = _connection(manifest, given, slug, house.project.id, before.id if before else uuid.uuid4().hex)
        account = probe(connection)
        house.state.connections.put(connection)
        counted = _counted(house, slug)
        if where.json:
            found = {"slug": slug, "vendor": manifest.name, "account": account, "settings": dict(connection.settings)}
            output.document(found | ({} if counted is None else {"identifier": counted}))
        else:
            output.say(f"Connected {slug}: {manifest.title} answers as {account}.")
            if counted is not None and counted["differing"]:
                output.say(f"Of all persons: {differs(counted['differing'], counted['identifier'])}")
        return exits.OK


def _counted(house: House, slug: str) -> dict[str, Any] | None:
    """How many persons have an identifier, and how many of these another user id; None: no keeper is running to ask."""
    try:
        found = house.ask("differing", connection=slug)
    except NotRunning:
        return None
    return {name: found[name] for name in ("identifier", "usable", "differing")}


def _stored(house: House, slug: str) -> Connection | None:
    try:
        return house.state.connections.get(house.project.id, slug)
    except NotFound:
        return None


def _connection(manifest: Manifest, given: dict[str, str], slug: str, project: str, identity: str) -> Connection:
    from cornicen.flows.projects.wiring import SLUG

    if not SLUG.fullmatch(slug):
        raise BadInput(f"{slug!r} is no slug.", "Use lower-case letters, digits and hyphens, 64 at most.")
    checked = check_settings(manifest, given, Path.cwd(), os.environ)
    if checked.faults:
        raise BadFolder(
            f"The settings for {manifest.title} have faults.", checked.faults, "Correct these options and try again."
        )
    return Connection(identity, project, slug, manifest.name, checked.settings, checked.secrets)


def _check(manifest: Manifest, given: dict[str, str], slug: str, user: str, where: Where) -> int:
    if manifest.check is None:
        raise BadInput(f"There is nothing to check at {manifest.title}.")
    if given:
        connection = _connection(manifest, given, slug, "", "")
    else:
        from cornicen.apps.cli.house import House

        with House.open(where) as house:
            connection = house.state.connections.get(house.project.id, slug)
    found = asyncio.run(_tried(manifest, connection, user))
    held = all(one.held for one in found)
    if where.json:
        output.document({"held": held, "assumptions": [asdict(one) for one in found]})
    else:
        _paste(manifest, found)
    return exits.OK if held else exits.NO


async def _tried(manifest: Manifest, connection: Connection, user: str) -> list[Assumption]:
    from cornicen.apps.clock import SystemClock

    if manifest.check is None:
        return []
    async with build.sender() as sender:
        return await manifest.check(build.destination(connection), sender, user, SystemClock())


def _paste(manifest: Manifest, found: list[Assumption]) -> None:
    """Plain text to paste into a bug report."""
    from importlib.metadata import version

    output.say(f"cornicen {version('cornicen')}, {manifest.title}, what we rely on:")
    for one in found:
        output.say(f"  [{'held' if one.held else 'DID NOT HOLD'}] {one.what} ({one.seen})")


def _tree() -> App:
    tree = App(name="connect", help="Connect a destination, or check one.", help_epilogue=exits.epilogue())
    for manifest in build.manifests().values():
        if manifest.destination is not None:
            tree.command(_command(manifest), name=manifest.name)
    return tree


app = _tree()
