"""Identity events: ordinary events that also say which names are one person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from cornicen.events.shapes import Ids, Link
from cornicen.integrations.mixpanel.refusing import DEVICE, Refused, Rules, name


class _Said(msgspec.Struct, gc=False):
    distinct: Any = msgspec.field(default=None, name="distinct_id")
    user: Any = msgspec.field(default=None, name="$user_id")
    device: Any = msgspec.field(default=None, name="$device_id")
    identified: Any = msgspec.field(default=None, name="$identified_id")
    anonymous: Any = msgspec.field(default=None, name="$anon_id")
    browsers: Any = msgspec.field(default=None, name="$anon_distinct_id")
    alias: Any = None
    merged: Any = msgspec.field(default=None, name="$distinct_ids")


_said = msgspec.json.Decoder(_Said)


def linked(event: str, text: bytes, rules: Rules) -> tuple[Ids, Link | None]:
    """Whose an identity event is, and what it links.

    Two names that cannot be linked (one is missing, or nobody's) are no link, and the event is kept: Mixpanel answers success,
    whatever becomes of it. The anonymous side comes without ``$device:``.

    Args:
        event: One of `KINDS`.
        text: Its properties.
        rules: Of its request. A ``$merge`` of somebody who is not trusted links nothing.

    Raises:
        Refused: It names nobody; or, where the sender asked to be strict, a ``$merge`` is not of two.
        msgspec.DecodeError: It cannot be read.
    """
    return KINDS[event](_said.decode(text), rules)


def _identify(said: _Said, _: Rules) -> tuple[Ids, Link | None]:
    identified = _side(said.identified) or _side(said.distinct) or _side(said.user)
    anonymous = (_side(said.anonymous) or _side(said.browsers)).removeprefix(DEVICE)
    return _whose(said, identified), _link("identify", identified, anonymous)


def _alias(said: _Said, _: Rules) -> tuple[Ids, Link | None]:
    ids = _whose(said, "")
    return ids, _link("alias", ids.distinct or ids.user or ids.device, _side(said.alias))


def _merge(said: _Said, rules: Rules) -> tuple[Ids, Link | None]:
    ids = Ids(_side(said.user), _side(said.device), _side(said.distinct))
    names = said.merged if isinstance(said.merged, list) else []
    sides = [one for one in map(_side, names) if one]
    if len(names) == len(sides) == 2 and rules.trusted:
        return ids, _link("merge", *sides)
    if rules.strict:
        field = "properties.$distinct_ids"
        raise Refused("merge_invalid", field, f"'{field}' is invalid: must be a list of exactly two ids")
    return ids, None


KINDS: Mapping[str, Callable[[_Said, Rules], tuple[Ids, Link | None]]] = {
    "$identify": _identify,
    "$create_alias": _alias,
    "$merge": _merge,
}


def _whose(said: _Said, otherwise: str) -> Ids:
    distinct = name(said.distinct, "properties.distinct_id") or otherwise
    ids = Ids(_side(said.user), _side(said.device), distinct)
    if ids == Ids():
        raise nobodys()
    return ids


def nobodys() -> Refused:
    """An event does not say whose it is."""
    message = "'properties.distinct_id' is invalid: must not be missing"
    return Refused("distinct_id_missing", "properties.distinct_id", message, "distinct_id, missing or empty")


def _link(kind: str, one: str, other: str) -> Link | None:
    return Link(kind, one, other) if one and other else None


def _side(value: object) -> str:
    """A name; "" for whatever cannot be one."""
    try:
        return name(value, "") or ""
    except Refused:
        return ""
