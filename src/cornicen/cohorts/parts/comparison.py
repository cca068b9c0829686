"""The tests of one property, as people write them: a bare value, or ``{gte: 20, lt: 50}`` with options beside."""

from __future__ import annotations

from cornicen.cohorts.condition import Compare, Condition, Test
from cornicen.cohorts.parts.operands import LISTS, ORDERS, TEXTS, TIMES, operands
from cornicen.cohorts.parts.options import OPTIONS, Written, read_options
from cornicen.cohorts.parts.place import Place, nearest
from cornicen.cohorts.parts.scalars import operand, wrong

_NEGATIONS = {Test.EQ: "ne", Test.IS_SET: "not_set"}
WORDS: dict[str, tuple[Test, bool]] = {
    **{test.value: (test, False) for test in Test},
    **{_NEGATIONS.get(test, f"not_{test.value}"): (test, True) for test in Test},
}
"""Every word of a test: which test it is, and whether it is its negation."""


def comparisons(name: str, value: object, place: Place) -> list[Condition]:
    """Read what is written for one property.

    Args:
        name: The property's.
        value: A scalar, which is ``eq``, or a mapping of tests, all of which must hold.
        place: Where.

    Returns:
        One condition a test, in the order of their words; empty after a fault.
    """
    if isinstance(value, list):
        place.fault("is a bare list.", "Write `{in: […]}` for one of these, `{set_is: […]}` for exactly these.")
        return []
    if not isinstance(value, dict):
        found = operand(value, place)
        return [] if found is None else [Compare(name, Test.EQ, (found,))]
    before = len(place.reading.faults)
    written = [read for word in sorted(value) if (read := _test(word, value[word], place.key(word))) is not None]
    if place.sound_since(before) and not written:
        place.fault("has no test.", "Add one, such as `eq: …`, or `is_set: true`.")
    options = read_options(written, value, place)
    return [options.applied(name, one) for one in written] if place.sound_since(before) else []


def _test(word: str, value: object, place: Place) -> Written | None:
    if word in OPTIONS:
        return None
    if word not in WORDS:
        place.fault("is no test.", nearest(word, [*WORDS, *OPTIONS]) or f"Write one of: {', '.join(Test)}; or `not_` and one.")
        return None
    test, negated = WORDS[word]
    if test is Test.IS_SET:
        if not isinstance(value, bool):
            wrong(value, place, "true or false")
            return None
        return Written(word, test, negated is value, ())
    found = operands(test, word, value, place)
    return None if found is None else Written(word, test, negated, found)


def _schemas() -> dict[str, object]:
    scalar, orderable = {"$ref": "#/$defs/scalar"}, {"type": ["string", "number"]}
    several = {"type": "array", "anyOf": [{"items": orderable}, {"items": {"type": "boolean"}}]}
    found: dict[str, object] = {}
    for word, (test, _) in WORDS.items():
        if test is Test.IS_SET:
            found[word] = {"type": "boolean"}
        elif test in LISTS:
            found[word] = several if test is Test.SET_IS else {**several, "minItems": 1}
        elif test is Test.BETWEEN:
            found[word] = {"type": "array", "items": orderable, "minItems": 2, "maxItems": 2}
        elif test is Test.IN_LAST:
            found[word] = {"$ref": "#/$defs/length"}
        elif test in TEXTS | TIMES:
            found[word] = {"type": "string"}
        else:
            found[word] = orderable if test in ORDERS else scalar
    found["as"] = {"const": "number", "description": "Texts that spell a number count as that number."}
    found["missing_as"] = {**scalar, "description": "What a missing value counts as."}
    found["ignore_case"] = {"type": "boolean", "description": "Compare texts case-folded."}
    return found


SCALAR_SCHEMA: dict[str, object] = {"type": ["string", "number", "boolean"]}
TEST_SCHEMA: dict[str, object] = {
    "description": "A bare value is `eq`; of several tests all must hold.",
    "anyOf": [
        {"$ref": "#/$defs/scalar"},
        {
            "type": "object",
            "properties": _schemas(),
            "additionalProperties": False,
            "minProperties": 1,
            "anyOf": [{"required": [word]} for word in WORDS],
        },
    ],
}
