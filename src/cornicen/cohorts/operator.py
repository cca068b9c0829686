"""What a word of the language is: everything that parsing, the JSON Schema and editors need to know of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cornicen.cohorts.parts.part import Part
from cornicen.cohorts.parts.place import Lowered, Place


@dataclass(frozen=True)
class Operator:
    """One word of the language; a folder's ``OPERATOR``.

    Args:
        word: The key by which a clause is recognised, unique among all operators.
        doc: Two lines: whom it selects, and what to know about it.
        model: Every key its clause may have, the word among them, and how each is read. Only the word is required.
        lower: From what was read, by key, to a query; called only when nothing in the clause is wrong. It may note a fault at
            the place it is given, the clause's, and then returns None.
        one_of: Keys of which a clause may have one at most.
    """

    word: str
    doc: str
    model: Mapping[str, Part[object]]
    lower: Callable[[Mapping[str, Any], Place], Lowered | None]
    one_of: tuple[str, ...] = ()

    def schema(self) -> dict[str, object]:
        """The JSON Schema of its clause."""
        found: dict[str, object] = {
            "type": "object",
            "description": self.doc,
            "properties": {key: dict(part.schema) for key, part in self.model.items()},
            "required": [self.word],
            "additionalProperties": False,
        }
        if self.one_of:
            pairs = [[one, other] for number, one in enumerate(self.one_of) for other in self.one_of[number + 1 :]]
            found["not"] = {"anyOf": [{"required": pair} for pair in pairs]}
        return found
