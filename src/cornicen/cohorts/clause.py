"""One clause: which operator it is, whether its keys are that operator's, and what it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from cornicen.cohorts.operator import Operator
from cornicen.cohorts.parts.place import Lowered, Place, nearest
from cornicen.cohorts.parts.scalars import wrong

LATER = {
    "first_time": "Write `did` with a window.",
    "nth": "Write `did` with a `count`.",
    "new": "Write `did` with a window.",
    "active": 'Write `did: "*"` with a window.',
    "sequence": "Write one `did` for each step.",
    "compare": "Write one `did` with a `count` for each side.",
    "profile_was": "Write `profile`, the profile as it is now.",
    "at_least": "Write out the combinations with `any` and `all`.",
    "since": "Write a rolling window, such as `within: 30d`.",
    "between": "Write a rolling window, such as `within: 30d`.",
    "on": "Write a rolling window, such as `within: 30d`.",
    "within_of_first": "Write a rolling window, such as `within: 30d`.",
    "weeks": "Write `days`.",
    "months": "Write `days`.",
    **dict.fromkeys(("avg", "min", "max", "median", "distinct"), "Write `sum`, `count` or `days`."),
}
"""Words that belong to the language and have no operator here; what to write until then."""


def read_clause(value: object, place: Place, operators: Mapping[str, Operator]) -> Lowered | None:
    """Read one clause.

    Args:
        value: As written: a mapping with one operator's word and that operator's other keys.
        place: Where.
        operators: By word.

    Returns:
        What its operator makes of it; None after a fault.
    """
    if not isinstance(value, dict) or not value:
        wrong(value, place, "a clause", "Write a mapping with one operator, such as `{did: purchase, within: 30d}`.")
        return None
    word, operator = _operator(value, place, operators)
    return None if operator is None else _read(value, place, word, operator)


def _operator(value: Mapping[str, object], place: Place, operators: Mapping[str, Operator]) -> tuple[str, Operator | None]:
    """The operator that a clause is, and the key that says so.

    Where no key is right, it is the operator that was probably meant, so that the rest of the clause is looked at too.
    """
    words = [key for key in value if key in operators]
    whole = [word for word in words if all(other in operators[word].model for other in words)]
    if len(whole) == 1:
        return whole[0], operators[whole[0]]
    if words:
        said = " and ".join(f"`{word}`" for word in words)
        place.fault(f"has several operators: {said}.", "Make each an item of its own in the list.")
        for word in words:
            operators[word].model[word].read(value[word], place.key(word))
        return "", None
    if later := [key for key in value if key in LATER]:
        place.key(later[0]).fault("is not understood yet.", LATER[later[0]])
        return "", None
    meant = {key: near[0] for key in value if (near := get_close_matches(key, operators, 1)) and not _beside(key, operators)}
    if len(meant) != 1:
        place.fault("has no operator.", f"Add one of: {', '.join(sorted(operators))}.")
        return "", None
    [(key, word)] = meant.items()
    place.key(key).fault("is no operator.", f"Did you mean `{word}`?")
    return key, operators[word]


def _beside(key: str, operators: Mapping[str, Operator]) -> bool:
    return any(key in operator.model for operator in operators.values())


def _read(value: Mapping[str, object], place: Place, word: str, operator: Operator) -> Lowered | None:
    before = len(place.reading.faults)
    found: dict[str, object] = {}
    for key, written in value.items():
        here = place.key(key)
        if key == word:
            found[operator.word] = operator.model[operator.word].read(written, here)
        elif key in operator.model:
            found[key] = operator.model[key].read(written, here)
        elif key in LATER:
            here.fault("is not understood yet.", LATER[key])
        else:
            here.fault(f"is unknown in `{operator.word}`.", nearest(key, operator.model))
    chosen = [key for key in operator.one_of if key in value]
    if len(chosen) > 1:
        said = " and ".join(f"`{key}`" for key in chosen)
        place.fault(f"has {said}: one measure is taken.", "Write a clause for each.")
    if not place.sound_since(before) or any(part is None for part in found.values()):
        return None
    return operator.lower(found, place)
