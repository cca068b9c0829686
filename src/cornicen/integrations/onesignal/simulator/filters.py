"""The filter grammar: a flat list of entries and operators, read as an OR of AND groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cornicen.integrations.onesignal.simulator.conditions import MOST_VALUES, RELATIONS, Condition, Subject, number

MOST_ENTRIES = 200
"""Entries in one list of filters, operators counted (segment pages, first half of 2026)."""

_BARE = frozenset({"exists", "not_exists"})
_NUMERIC = frozenset({">", "<", "time_elapsed_gt", "time_elapsed_lt"})
_COUNTED = frozenset({"session_count", "session_time", "amount_spent", "bought_sku"})


class Malformed(ValueError):
    """The filters break the grammar; the message says where."""


@dataclass(frozen=True)
class Filters:
    """Filters as they are asked of a user.

    Args:
        groups: Any one of them must hold; a group holds when all of its conditions do. AND binds tighter than OR and there are
            no parentheses, so that nothing else can be said.
    """

    groups: tuple[tuple[Condition, ...], ...]

    def hold(self, user: Subject, tags: Mapping[str, str], now: float) -> bool:
        """Whether a user is in the segment.

        Args:
            user: Its properties and subscriptions.
            tags: Its tags as far as they have settled.
            now: Unix seconds.
        """
        return any(all(it.holds(user, tags, now) for it in group) for group in self.groups)


def parse(entries: object) -> Filters:
    """Read a list of filters as it came in a body.

    Raises:
        Malformed: It is no list of 1 to 200 objects, begins or ends with an operator, has two operators in a row, or an entry
            has an unknown field or relation, or lacks an operand.
    """
    if not isinstance(entries, list) or not entries:
        raise Malformed("filters must be a list of at least one filter")
    if len(entries) > MOST_ENTRIES:
        raise Malformed(f"filters may have at most {MOST_ENTRIES} entries")
    groups: list[list[Condition]] = [[]]
    operator = "AND"  # the list must not begin with one, as if one stood before it
    for position, entry in enumerate(entries):
        if not isinstance(entry, dict):
            raise Malformed(f"filter {position} is not an object")
        if "operator" in entry:
            if operator or entry["operator"] not in {"AND", "OR"}:
                raise Malformed(f"filter {position} has an operator that cannot stand there")
            operator = entry["operator"]
            continue
        if operator == "OR":
            groups.append([])
        operator = ""
        groups[-1].append(_condition(entry, position))
    if operator:
        raise Malformed("filters must not end with an operator")
    return Filters(tuple(tuple(group) for group in groups))


def _condition(entry: Mapping[str, Any], position: int) -> Condition:
    field, relation = entry.get("field"), entry.get("relation", "")
    if not isinstance(field, str) or field not in RELATIONS:
        raise Malformed(f"filter {position} has an unknown field: {field}")
    if field == "location":
        return Condition(field, place=_place(entry, position))
    if not isinstance(relation, str) or relation not in RELATIONS[field]:
        raise Malformed(f"filter {position} has an unknown relation for {field}: {relation}")
    key = _text(entry, "key", position) if field in {"tag", "bought_sku"} else ""
    if relation in _BARE:
        return Condition(field, relation, key)
    value = _text(entry, "hours_ago" if field.endswith("_session") else "value", position)
    if relation.endswith("in_array") and len(value.split(",")) > MOST_VALUES:
        raise Malformed(f"filter {position} lists more than {MOST_VALUES} values")
    if ((relation in _NUMERIC and field != "app_version") or field in _COUNTED) and number(value) is None:
        raise Malformed(f"filter {position} needs a number, not {value}")
    return Condition(field, relation, key, value)


def _text(entry: Mapping[str, Any], name: str, position: int) -> str:
    """An operand, which clients write as text or as a number."""
    value = entry.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int | float) or value == "":
        raise Malformed(f"filter {position} needs {name}")
    return str(value)


def _place(entry: Mapping[str, Any], position: int) -> tuple[float, float, float]:
    found = [entry.get(name) for name in ("lat", "long", "radius")]
    texts = [str(value) for value in found if isinstance(value, str | int | float) and number(str(value)) is not None]
    if len(texts) != len(found):
        raise Malformed(f"filter {position} needs lat, long and radius")
    lat, long, radius = (float(text) for text in texts)
    return lat, long, radius
