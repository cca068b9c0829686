"""The JSON Schema of the language says what parsing takes."""

import json
import re

import pytest
from cohort_writing import OPERATORS, faults_of
from test_definition_faults import CLAUSES, DOCUMENTS, OTHERS, TESTS
from test_definition_lowering import DIFFERENT, SAME

from cornicen.cohorts.parts.comparison import WORDS
from cornicen.cohorts.schema import schema

SCHEMA = json.loads(json.dumps(schema(OPERATORS)))
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}


def of_type(value, name):
    if name == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, TYPES[name])


def agrees(value, rule):
    """Whether a value agrees with a JSON Schema; a keyword that is not known here is an error."""
    return all(KEYWORDS[keyword](value, operand, rule) for keyword, operand in rule.items())


def each(value, rules):
    return [agrees(value, rule) for rule in rules]


def referred(value, target, _rule):
    found = SCHEMA
    for step in target.removeprefix("#/").split("/"):
        found = found[step]
    return agrees(value, found)


def additional(value, operand, rule):
    if not isinstance(value, dict):
        return True
    rest = [value[key] for key in value if key not in rule.get("properties", {})]
    return not rest if operand is False else all(agrees(item, operand) for item in rest)


KEYWORDS = {
    "$schema": lambda *_: True,
    "$defs": lambda *_: True,
    "title": lambda *_: True,
    "description": lambda *_: True,
    "examples": lambda *_: True,
    "$ref": referred,
    "type": lambda value, names, _: any(of_type(value, name) for name in ([names] if isinstance(names, str) else names)),
    "const": lambda value, operand, _: value == operand and type(value) is type(operand),
    "enum": lambda value, operand, _: value in operand,
    "pattern": lambda value, operand, _: (
        not isinstance(value, str) or re.search(re.sub(r"\$$", r"\\Z", operand), value) is not None
    ),
    "minLength": lambda value, operand, _: not isinstance(value, str) or len(value) >= operand,
    "maxLength": lambda value, operand, _: not isinstance(value, str) or len(value) <= operand,
    "minItems": lambda value, operand, _: not isinstance(value, list) or len(value) >= operand,
    "maxItems": lambda value, operand, _: not isinstance(value, list) or len(value) <= operand,
    "items": lambda value, rule, _: not isinstance(value, list) or all(agrees(item, rule) for item in value),
    "minProperties": lambda value, operand, _: not isinstance(value, dict) or len(value) >= operand,
    "required": lambda value, keys, _: not isinstance(value, dict) or all(key in value for key in keys),
    "properties": lambda value, rules, _: (
        not isinstance(value, dict) or all(agrees(value[key], rules[key]) for key in rules if key in value)
    ),
    "propertyNames": lambda value, rule, _: not isinstance(value, dict) or all(agrees(key, rule) for key in value),
    "additionalProperties": additional,
    "anyOf": lambda value, rules, _: any(each(value, rules)),
    "oneOf": lambda value, rules, _: sum(each(value, rules)) == 1,
    "not": lambda value, rule, _: not agrees(value, rule),
}


def valid(document):
    return agrees(document, SCHEMA)


def clause(written):
    return {"cohort": "tested", "who": [written]}


def asked(test):
    return clause({"profile": {"p": test}})


@pytest.mark.parametrize("written", [side for pair in SAME + DIFFERENT for side in pair])
def test_what_parsing_takes_the_schema_takes(written):
    assert not faults_of(clause(written), others={"vip": [{"did": "x"}], "pair": [{"did": "x"}]})
    assert valid(clause(written))


def test_a_single_clause_and_all_top_level_keys_are_valid():
    assert valid({"cohort": "x-1", "name": "X", "description": None, "who": {"ids": ["a"], "as": "external_id"}})


# what only arithmetic, a calendar, the tests beside an option, or the project around can tell
BEYOND = re.compile(
    r"did_not`\.|no whole number|no number|longer than 200|names no cohort|→|a destination's users|Make it the whole|"
    r"too large|no finite|spells it|is an address|"
    r"later value first|larger number first|mixes|no date or time|beside|changes nothing|never compares|longer ones|"
    r"Write `\[3, 4\]`|Write a plain number|compares no texts|numbers have no case"
)
REFUSED = [
    *[(document, said) for document, _, said in DOCUMENTS if isinstance(document, dict)],
    *[(clause(written), said) for written, _, said in CLAUSES],
    *[(asked(test), said) for test, _, said in TESTS],
]


def plain(value):
    """Whether JSON can say it."""
    try:
        return json.loads(json.dumps(value, allow_nan=False)) == value
    except (TypeError, ValueError):
        return False


@pytest.mark.parametrize("document", [document for document, said in REFUSED if not BEYOND.search(said) and plain(document)])
def test_what_is_wrong_in_form_the_schema_refuses(document):
    assert not valid(document)


def test_what_the_schema_refuses_parsing_refuses():
    refused = [document for document, _ in REFUSED if not valid(document)]
    assert len(refused) > 100
    for document in refused:
        assert faults_of(document, others=OTHERS)


def test_every_key_of_every_operator_is_in_the_schema_and_no_other():
    for word, operator in OPERATORS.items():
        found = SCHEMA["$defs"][f"clause.{word}"]
        assert set(found["properties"]) == set(operator.model)
        assert found["description"].count("\n") == 1
    assert {one["$ref"] for one in SCHEMA["$defs"]["clause"]["oneOf"]} == {f"#/$defs/clause.{word}" for word in OPERATORS}


def test_every_word_of_a_test_is_in_the_schema():
    properties = SCHEMA["$defs"]["test"]["anyOf"][1]["properties"]
    assert set(properties) == {*WORDS, "as", "missing_as", "ignore_case"}


def test_every_reference_leads_somewhere():
    text = json.dumps(SCHEMA)
    referred_to = set(re.findall(r'"#/\$defs/([^"]+)"', text))
    assert referred_to <= set(SCHEMA["$defs"])
    assert set(SCHEMA["$defs"]) <= referred_to
