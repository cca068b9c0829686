"""``cornicen person show``: all that is known about one person, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cyclopts import App

from cornicen.apps.cli import exits, glimpses, instants, output
from cornicen.apps.cli.options import HERE, Where
from cornicen.errors import BadInput

MOST_EVENTS = 10_000
SHOWN_CHANGES = 20
"""Changes of the profile that people are shown; --json has all that came."""

LONGEST_VALUE = 200
"""Characters of a property."""

KINDS = {
    "link": "became one",
    "takeover": "taken over",
    "merge": "merged",
    "move": "moved on",
    "alias": "alias",
    "refused": "not linked",
}

app = App(name="person", sort_key=7, help="Look at one person.", help_epilogue=exits.epilogue())


@app.command
def show(name: str, /, *, events: int = 20, where: Where = HERE) -> int:
    """Show a person by any of their names: names and why they are one, profile and its history, cohorts, newest events.

    Args:
        name: A user id, a device id or an alias.
        events: How many events.
        where: Which home.
    """
    from cornicen.apps.cli.house import House

    if not 0 <= events <= MOST_EVENTS:
        raise BadInput(f"--events is {events}.", f"Give 0 to {MOST_EVENTS:,}.")
    with House.open(where) as house:
        found = house.ask("person", name=name, events=events)
    if where.json:
        output.document({"as_of": instants.show(found["as_of"]), "person": found["person"]})
    else:
        _tell(found["person"])
    return exits.OK


def _tell(found: Mapping[str, Any]) -> None:
    events = found["counts"]["events"]
    output.say(f"{glimpses.clean(found['name'])}: {events:,} event{'' if events == 1 else 's'}")
    output.say(f"In the cohorts: {', '.join(found['cohorts'])}" if found["cohorts"] else "In no stored cohort.")
    for one in found["organisation"]:
        output.say(f"{glimpses.clean(one['user'])} is {glimpses.clean(one['whole'])} in the organisation.")
    _tell_names(found)
    _tell_profile(found)
    if found["events"]:
        _head(f"The newest {len(found['events']):,} events" if len(found["events"]) < events else "Events")
        for one in found["events"]:
            output.line("  " + glimpses.event(one))


def _head(text: str) -> None:
    output.say("")
    output.say(text)


def _tell_names(found: Mapping[str, Any]) -> None:
    _head("Names")
    names = [
        [glimpses.clean(one["name"]), one["kind"], "yes" if one["canonical"] else "", instants.maybe(one["since"])]
        for one in found["names"]
    ]
    output.table(["name", "kind", "canonical", "since"], names)
    if found["links"]:
        _head("How they became one person")
        output.table(["at", "what", "one", "other", "why"], [_link(one) for one in found["links"]])


def _link(one: Mapping[str, Any]) -> list[object]:
    names = [glimpses.clean(one["one"]), glimpses.clean(one["other"])]
    return [instants.maybe(one["at"]), KINDS.get(one["kind"], one["kind"]), *names, glimpses.clean(one["why"])]


def _tell_profile(found: Mapping[str, Any]) -> None:
    if found["profile"] is None:
        _head("No profile.")
        return
    _head("Profile")
    rows = [[glimpses.clean(name), glimpses.value(one, LONGEST_VALUE)] for name, one in found["profile"].items()]
    output.table(["property", "value"], rows)
    shown, more = found["history"][:SHOWN_CHANGES], len(found["history"]) > SHOWN_CHANGES
    if shown:
        _head(f"The newest {len(shown)} of its {len(found['history'])} changes" if more else "Its changes")
        output.table(["at", "source", "change"], [[instants.show(one["at"]), one["source"], _change(one)] for one in shown])


def _change(one: Mapping[str, Any]) -> str:
    """What a change did, e.g. ``set plan=pro; add visits=1``."""
    return "; ".join(f"{verb} {_operand(operand)}".rstrip() for verb, operand in one["operations"])


def _operand(operand: object) -> str:
    if isinstance(operand, Mapping):
        return " ".join(f"{glimpses.clean(name)}={glimpses.value(one)}" for name, one in operand.items())
    return ", ".join(glimpses.clean(str(name)) for name in operand) if isinstance(operand, list) else ""
