"""``cornicen group``: the profiles of groups, such as companies and teams."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from cornicen.apps.cli import exits, glimpses, output
from cornicen.apps.cli.options import HERE, Where
from cornicen.errors import BadInput

MOST = 10_000
LONGEST_VALUE = 200
"""Characters of a property."""

app = App(name="group", sort_key=7, help="Look at groups.", help_epilogue=exits.epilogue())


@app.command
def show(key: str, id: str, /, *, where: Where = HERE) -> int:  # noqa: A002 - the field's own name
    """Show the profile of a group as it is now; what it was before is not kept.

    Args:
        key: What kind of group, e.g. company.
        id: Which, e.g. acme.
        where: Which home.
    """
    from cornicen.apps.cli.house import House

    with House.open(where) as house:
        found = house.ask("group", key=key, id=id)["group"]
    if where.json:
        output.document({"group": found})
        return exits.OK
    rows = [[glimpses.clean(name), glimpses.value(one, LONGEST_VALUE)] for name, one in found["profile"].items()]
    output.say(f"{glimpses.clean(found['key'])} {glimpses.clean(found['id'])}" + ("" if rows else ": no properties"))
    output.table(["property", "value"], rows)
    return exits.OK


@app.command(name="list")
def list_(
    key: str | None = None,
    /,
    *,
    number: Annotated[int, Parameter(name=("--number", "-n"))] = 100,
    after: str = "",
    where: Where = HERE,
) -> int:
    """List the keys that groups have, or the groups of one key by id; and how many there are in all.

    Args:
        key: What kind of group, e.g. company.
        number: How many to list.
        after: Only groups whose id comes after this one; with a key.
        where: Which home.
    """
    from cornicen.apps.cli.house import House

    if not 0 <= number <= MOST:
        raise BadInput(f"--number is {number}.", f"Give 0 to {MOST:,}.")
    if after and not key:
        raise BadInput("--after names a group, but no key is named.", "Name the key before it.")
    with House.open(where) as house:
        found = house.ask("groups", key=key or "", after=after, limit=number)
    if where.json:
        output.document(found)
    elif key:
        shown = [glimpses.clean(one) for one in found["ids"]]
        count = f"{found['count']:,} group{'' if found['count'] == 1 else 's'}"
        _head(f"{glimpses.clean(key)}: {count}", len(shown), found["count"])
        for one in shown:
            output.say(one)
    else:
        _head("Keys of groups" if found["count"] else "There are no groups.", len(found["keys"]), found["count"])
        output.table(["key", "groups"], [[glimpses.clean(one["key"]), one["groups"]] for one in found["keys"]])
    return exits.OK


def _head(text: str, shown: int, count: int) -> None:
    output.say(f"{text}, {shown:,} of them here" if shown < count else text)
