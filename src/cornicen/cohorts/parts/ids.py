"""Given membership as people write it: a list of ids, a file, or a SQL statement over files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from decimal import Decimal

from cornicen.cohorts.given import GivenSource
from cornicen.cohorts.parts.part import Part
from cornicen.cohorts.parts.place import Place, nearest
from cornicen.cohorts.parts.scalars import literal, text, wrong

_KINDS = ("csv", "parquet", "sql")
_EXAMPLE = 'Write a list, or `{csv: people.csv, column: id}`, `{parquet: people.parquet, column: id}`, `{sql: "select …"}`.'


def ids(value: object, place: Place) -> GivenSource | None:
    """Read where ids come from; an empty list is nobody."""
    if isinstance(value, list):
        return _listed(value, place)
    if not isinstance(value, dict):
        wrong(value, place, "a list of ids or a mapping", _EXAMPLE)
        return None
    kinds = [kind for kind in _KINDS if kind in value]
    before = len(place.reading.faults)
    allowed = {"sql"} if kinds == ["sql"] else {*_KINDS, "column"}
    for key in value:
        if key not in allowed:
            place.key(key).fault(
                "is unknown.", "The statement's first column is read." if key == "column" else nearest(key, allowed)
            )
    if len(kinds) != 1:
        said = " and ".join(f"`{kind}`" for kind in kinds)
        place.fault(f"names {said}: one source is read." if kinds else "names no source.", _EXAMPLE)
        return None
    source = _sql(value["sql"], place.key("sql")) if kinds == ["sql"] else _file(kinds[0], value, place)
    return source if place.sound_since(before) else None


def _sql(value: object, place: Place) -> GivenSource | None:
    statement = text(value, place, "a SQL statement")
    return None if statement is None else GivenSource("sql", statement.strip(), folder=_folder(place))


def _file(kind: str, value: Mapping[str, object], place: Place) -> GivenSource | None:
    written = text(value[kind], place.key(kind), "a file's name")
    column = text(value["column"], place.key("column"), "a column's name") if "column" in value else ""
    if written is None or column is None:
        return None
    if "://" in written:
        place.key(kind).fault("is an address, and only files are read.", "Download it first, or read it with `sql`.")
        return None
    return GivenSource(kind, os.path.normpath(os.path.join(_folder(place), written)), column)  # noqa: PTH118 - as below


def _folder(place: Place) -> str:
    return os.path.abspath(place.reading.folder)  # noqa: PTH100 - not resolved: a link may lead elsewhere tomorrow


def _listed(value: list[object], place: Place) -> GivenSource | None:
    before = len(place.reading.faults)
    found: set[str] = set()
    for number, item in enumerate(value):
        match item:
            case bool():
                wrong(item, place.item(number), "an id")
            case int() | float() | Decimal():
                found.add(literal(item, place.item(number)) or "")
            case str() if item:
                found.add(item)
            case _:
                wrong(item, place.item(number), "an id", "Write texts or numbers that are not empty.")
    return GivenSource("list", values=tuple(sorted(found))) if place.sound_since(before) else None


def _as(value: object, place: Place) -> str | None:
    if value != "external_id":
        wrong(value, place, "`external_id`", "Write `as: external_id` if the values are a destination's users, else remove it.")
        return None
    return "external_id"


_TEXT: dict[str, object] = {"type": "string", "pattern": "\\S"}
_FILES: list[dict[str, object]] = [
    {"type": "object", "properties": {kind: _TEXT, "column": _TEXT}, "required": [kind], "additionalProperties": False}
    for kind in ("csv", "parquet")
]
_SQL: dict[str, object] = {"type": "object", "properties": {"sql": _TEXT}, "required": ["sql"], "additionalProperties": False}
_LIST: dict[str, object] = {"type": "array", "items": {"type": ["string", "number"], "minLength": 1}}

IDS = Part(ids, {"description": "Ids of persons: a list, a file, or a SQL statement.", "anyOf": [_LIST, *_FILES, _SQL]})
AS = Part(
    _as,
    {
        "const": "external_id",
        "description": "The values are a destination's users rather than people; it must be the whole cohort.",
    },
)
