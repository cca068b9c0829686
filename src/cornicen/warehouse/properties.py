"""Typed columns: the properties that definitions name, read once, when they are loaded or when they are first named.

The columns of a property are named by its id in the table ``property``, because its name may be any text:
``p<id>_<letter>`` (`cornicen.sql.tables.LETTERS`), ``p<id>_l`` for lists, and on profiles ``p<id>_w``: the value as an
identifier is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo
from decimal import Decimal, InvalidOperation
from operator import attrgetter
from typing import Any

import msgspec
import pyarrow as pa

from cornicen.events.values import Value, read
from cornicen.sql.tables import ITEM, LETTERS

EVENT = "event"
PROFILE = "profile"

WRITTEN = "w"
"""The letter of a profile property as an identifier is written."""

Fields = dict[str, msgspec.Raw]
_fields = msgspec.json.Decoder(Fields)
_MISSING = msgspec.Raw()

Chosen = Any
"""Some fields of one JSON object; only `Chooser` looks inside."""

UNREADABLE = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)
"""What decoding JSON raises for what is none."""

_ARROW: dict[str, pa.DataType] = {"BOOLEAN": pa.bool_(), "BIGINT": pa.int64(), "VARCHAR": pa.string()}
_SCALARS = {letter: _ARROW[kind] for letter, kind in LETTERS.items()}
_FIELD_OF = {"n": "number", "t": "text", "b": "truth", "i": "instant", "x": "spelled", "f": "folded"}
_LIST = pa.list_(pa.struct([pa.field(letter, _SCALARS[letter]) for letter in _FIELD_OF]))
_LONGEST_PLAIN = 40


def prefix(id_: int) -> str:
    """How the columns of a property are named."""
    return f"p{id_}"


def column_types(owner: str, id_: int) -> dict[str, str]:
    """The columns of one property and their types, in DuckDB's words."""
    kinds = {**LETTERS, "l": f"{ITEM}[]"}
    if owner == PROFILE:
        kinds[WRITTEN] = "VARCHAR"
    return {f"{prefix(id_)}_{letter}": kind for letter, kind in kinds.items()}


def fields(text: bytes | str) -> Fields:
    """A JSON object's fields, each as its own text.

    Raises:
        One of `UNREADABLE`: it is no JSON object.
    """
    return _fields.decode(text)


class Chooser:
    """Takes some fields out of JSON objects, fast, and refuses what is no JSON object.

    Args:
        names: Which fields.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self._members: tuple[str, ...] | None = None
        self._decoder: msgspec.json.Decoder[Any] = _fields
        if not any(c in '"\\' or c < " " for name in names for c in name):  # msgspec cannot rename a field so
            self._members = tuple(f"f{i}" for i in range(len(self._names)))
            fields_ = [(member, msgspec.Raw, _MISSING) for member in self._members]
            renamed = dict(zip(self._members, self._names, strict=True))
            self._decoder = msgspec.json.Decoder(msgspec.defstruct("Chosen", fields_, rename=renamed, gc=False))

    def choose(self, texts: Iterable[bytes | str]) -> list[Chosen]:
        """The fields of some objects, for `columns`.

        Raises:
            One of `UNREADABLE`: one of them is no JSON object.
        """
        return list(map(self._decoder.decode, texts))

    def columns(self, chosen: Sequence[Chosen]) -> list[list[bytes | None]]:
        """The JSON texts of each field over some objects, in the order of the names; None where it is missing."""
        if self._members is None:
            return [[bytes(found[name]) if name in found else None for found in chosen] for name in self._names]
        return [[bytes(raw) or None for raw in map(attrgetter(member), chosen)] for member in self._members]


def _read(raw: bytes, zone: tzinfo) -> Value | None:
    """A value; what cannot be read is missing."""
    try:
        return read(raw, zone)
    except UNREADABLE:
        return None


def typed(raws: Sequence[bytes | None], id_: int, owner: str, zone: tzinfo) -> dict[str, pa.Array[Any]]:
    """The typed columns of one property, for rows whose JSON texts are given; each distinct text is read once.

    Args:
        raws: One JSON value a row; None: missing.
        id_: The property's.
        owner: `EVENT` or `PROFILE`.
        zone: The project's.
    """
    encoded = pa.array(raws, pa.binary()).dictionary_encode()
    distinct: list[bytes] = encoded.dictionary.to_pylist()  # type: ignore[assignment] # a dictionary has no nulls
    values = [_read(raw, zone) for raw in distinct]
    columns = {letter: [getattr(value, name, None) for value in values] for letter, name in _FIELD_OF.items()}
    arrays = {letter: pa.array(column, _SCALARS[letter]) for letter, column in columns.items()}
    arrays["s"] = pa.array([None if value is None else True for value in values], pa.bool_())
    arrays["l"] = pa.array([_items(value) for value in values], _LIST)
    if owner == PROFILE:
        arrays[WRITTEN] = pa.array([_written(raw, value) for raw, value in zip(distinct, values, strict=True)], pa.string())
    return {f"{prefix(id_)}_{letter}": array.take(encoded.indices) for letter, array in arrays.items()}


def typed_columns(
    chooser: Chooser, chosen: Sequence[Chosen], ids: Mapping[str, int], owner: str, zone: tzinfo
) -> dict[str, pa.Array[Any]]:
    """The typed columns of several properties.

    Args:
        chooser: Of just these properties, in this order.
        chosen: What it took out of each row.
        ids: The properties' names and ids.
        owner: `EVENT` or `PROFILE`.
        zone: The project's.
    """
    found: dict[str, pa.Array[Any]] = {}
    for id_, raws in zip(ids.values(), chooser.columns(chosen), strict=True):
        found |= typed(raws, id_, owner, zone)
    return found


def _items(value: Value | None) -> list[Mapping[str, object]] | None:
    if value is None or value.items is None:
        return None
    return [{letter: getattr(item, name) for letter, name in _FIELD_OF.items()} for item in value.items]


def _written(raw: bytes, value: Value | None) -> str | None:
    """An identifier: a text that is not empty, or a number in plain digits (``13793`` for 13793.0); nothing else is one."""
    if value is None or raw.strip()[:1] not in b"-0123456789":
        return (value.text or None) if value is not None else None
    literal = raw.strip().decode()
    try:
        number = Decimal(literal)
    except InvalidOperation:  # an exponent beyond all bounds
        return literal
    if abs(number.adjusted()) > _LONGEST_PLAIN:
        return literal
    plain = format(number, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
