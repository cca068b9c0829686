"""``cornicen cohort``: validate, list, show, preview, members."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cyclopts import App

from cornicen.apps.cli import exits, instants, output
from cornicen.apps.cli.options import HERE, Where
from cornicen.apps.cli.validating import validate
from cornicen.errors import BadFolder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cornicen.apps.cli.house import House

app = App(name="cohort", sort_key=6, help="Look at cohorts.", help_epilogue=exits.epilogue())


app.command(validate)


@app.command(name="list")
def list_(*, where: Where = HERE) -> int:
    """List the stored cohorts and where they go.

    Args:
        where: Which home.
    """
    from cornicen.apps.cli.house import House

    with House.open(where) as house:
        goes: dict[str, list[str]] = {}
        slugs = {connection.id: connection.slug for connection in house.state.connections.all(house.project.id)}
        for sync in house.state.syncs.all(house.project.id):
            goes.setdefault(sync.cohort, []).append(slugs.get(sync.connection, sync.connection))
        found: list[dict[str, Any]] = [
            {"slug": one.slug, "name": one.name, "managed": one.managed, "to": sorted(goes.get(one.slug, []))}
            for one in house.state.cohorts.all(house.project.id)
        ]
        if where.json:
            output.document({"cohorts": found})
        else:
            output.table(
                ["cohort", "name", "goes to", "managed"],
                [[one["slug"], one["name"], ", ".join(one["to"]), one["managed"]] for one in found],
            )
        return exits.OK


@app.command
def show(slug: str, /, *, sql: bool = False, as_of: str | None = None, where: Where = HERE) -> int:
    """Show a stored cohort's definition.

    Args:
        slug: Which.
        sql: Show the query it becomes instead, in DuckDB's dialect; times are microseconds since 1970.
        as_of: With --sql, the instant to ask about; else now.
        where: Which home.
    """
    from cornicen.apps.cli.house import House
    from cornicen.apps.cli.statements import statement_of

    with House.open(where) as house:
        cohort = house.state.cohorts.get(house.project.id, slug)
        if sql:
            moment = house.now if as_of is None else instants.read(as_of)
            statement = statement_of(house, cohort, moment)
            if where.json:
                output.document({"slug": slug, "as_of": instants.show(moment), "sql": statement})
            else:
                output.say(statement)
            return exits.OK
        if where.json:
            found = {"slug": cohort.slug, "name": cohort.name, "managed": cohort.managed, "definition": dict(cohort.definition)}
            output.document(found)
        else:
            import yaml

            output.say(yaml.safe_dump(dict(cohort.definition), sort_keys=False, allow_unicode=True).rstrip())
        return exits.OK


@app.command
def preview(
    cohort: str, /, *, to: str | None = None, as_of: str | None = None, folder: Path | None = None, where: Where = HERE
) -> int:
    """How many people, ten of them, and how many a destination could match; nothing is saved.

    Args:
        cohort: A stored cohort's slug, or a definition's file.
        to: A connection: count those it could match.
        as_of: The instant to ask about; else now.
        folder: Relative file names in the definition start here; else the file's project folder.
        where: Which home.
    """
    from cornicen.apps.cli.house import House

    with House.open(where) as house:
        asked: dict[str, object] = {} if as_of is None else {"as_of": instants.read(as_of)}
        if to is not None:
            asked["connection"] = house.state.connections.get(house.project.id, to).slug
        if cohort.endswith((".yml", ".yaml", ".json")):
            path = Path(cohort).resolve()
            base = folder or (path.parent.parent if path.parent.name == "cohorts" else path.parent)
            found = house.ask("preview", definition=_written(path), folder=str(base.resolve()), **asked)
        else:
            found = house.ask("cohort", slug=house.state.cohorts.get(house.project.id, cohort).slug, **asked)
        found["as_of"] = instants.show(found["as_of"])
        if where.json:
            output.document(found)
        else:
            _tell_preview(found, to)
        return exits.OK


def _written(path: Path) -> object:
    from cornicen.flows.projects.documents import read

    document = read(path, path.name)
    if document.faults:
        raise BadFolder(f"{path} has faults.", document.faults)
    return document.value


def _tell_preview(found: dict[str, Any], to: str | None) -> None:
    output.say(f"{found['size']:,} people as of {found['as_of']}.")
    if to is not None:
        output.say(f"{found['matched']:,} of them can be matched at {to}.")
    output.table(["identifier", "people who have it"], list(found["identifiers"].items()))
    if found["examples"]:
        output.say("Some of them: " + ", ".join(found["examples"]))
    _tell_backlog(found)


def _tell_backlog(found: dict[str, Any]) -> None:
    if waiting := sum((found.get("backlog") or {}).values()):
        output.say(f"{waiting:,} bytes are not loaded yet and do not count.")


@app.command
def members(slug: str, /, *, as_of: str | None = None, limit: int | None = None, where: Where = HERE) -> int:
    """Print a cohort's people, one a line.

    Args:
        slug: A stored cohort.
        as_of: The instant to ask about; else now.
        limit: How many at most.
        where: Which home.
    """
    from cornicen.apps.cli.house import House

    with House.open(where) as house:
        pages = _pages(house, slug, None if as_of is None else instants.read(as_of), limit)
        if where.json:
            gathered = list(pages)
            names = [name for page in gathered for name in page["names"]]
            output.document({"as_of": instants.show(gathered[0]["as_of"]), "size": gathered[0]["size"], "names": names})
        else:
            for page in pages:
                for name in page["names"]:
                    output.line(name)
        return exits.OK


def _pages(house: House, slug: str, as_of: int | None, limit: int | None) -> Iterator[dict[str, Any]]:
    """Pages of a cohort's names, all about one instant."""
    after: int | None = 0
    while after is not None:
        size = PAGE if limit is None else min(PAGE, limit - after)
        asked = {} if as_of is None else {"as_of": as_of}
        page = house.ask("members", slug=slug, after=after, limit=size, **asked)
        yield page
        as_of, after = page["as_of"], page["next"]
        if limit is not None and after is not None and after >= limit:
            return


PAGE = 10_000
