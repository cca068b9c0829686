"""The JSON Schema of the language, made of the operators' models: what editors, API and console offer."""

from __future__ import annotations

from collections.abc import Mapping

from cornicen.cohorts.document import KEYS, LONGEST_SLUG, SLUG
from cornicen.cohorts.operator import Operator
from cornicen.cohorts.parts.comparison import SCALAR_SCHEMA, TEST_SCHEMA
from cornicen.cohorts.parts.condition import PROPERTY_SCHEMA, condition_schema
from cornicen.cohorts.parts.event import EVENT_SCHEMA, NAME_SCHEMA
from cornicen.cohorts.parts.measure import BOUNDS_SCHEMA
from cornicen.cohorts.parts.window import LENGTH_SCHEMA


def schema(operators: Mapping[str, Operator]) -> dict[str, object]:
    """The JSON Schema (2020-12) of a definition.

    What it refuses, `parse` refuses. `parse` refuses more: what only arithmetic, a calendar, the tests beside an option or
    the project around can tell, such as a count that nothing passes, or a cohort that is not there.

    Args:
        operators: By word.

    Returns:
        A document of its own; each operator's clause is among its ``$defs`` as ``clause.<word>``.
    """
    clause = {"$ref": "#/$defs/clause"}
    properties: dict[str, object] = {
        "cohort": {
            "type": "string",
            "pattern": f"^{SLUG}$",
            "maxLength": LONGEST_SLUG,
            "description": "Its name for files and people.",
        },
        "name": {"type": "string", "pattern": "\\S", "description": "What people read; the segment's name."},
        "description": {"type": ["string", "null"]},
        "who": {"description": "All of these.", "anyOf": [{"type": "array", "minItems": 1, "items": clause}, clause]},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Cohort definition",
        "type": "object",
        "properties": {key: properties[key] for key in KEYS},
        "required": ["cohort", "who"],
        "additionalProperties": False,
        "$defs": {
            "clause": {"oneOf": [{"$ref": f"#/$defs/clause.{word}"} for word in sorted(operators)]},
            **{f"clause.{word}": operators[word].schema() for word in sorted(operators)},
            "event": EVENT_SCHEMA,
            "name": NAME_SCHEMA,
            "where": condition_schema("where", propertyNames={"$ref": "#/$defs/property"}),
            "profile": condition_schema("profile"),
            "property": PROPERTY_SCHEMA,
            "test": TEST_SCHEMA,
            "scalar": SCALAR_SCHEMA,
            "bounds": BOUNDS_SCHEMA,
            "length": LENGTH_SCHEMA,
        },
    }
