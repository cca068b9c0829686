"""Options beside the tests of one property; each says something about every test that compares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cornicen.cohorts.condition import Compare, Condition, Test, Unless
from cornicen.cohorts.parts.operands import TEXTS, TIMES, WHOLE_LISTS
from cornicen.cohorts.parts.place import Place
from cornicen.cohorts.parts.scalars import describe, operand, wrong
from cornicen.events.values import Value

OPTIONS = ("as", "missing_as", "ignore_case")


@dataclass(frozen=True)
class Written:
    """One test as it was read, before the options are applied."""

    word: str
    test: Test
    negated: bool
    operands: tuple[Value, ...]


@dataclass(frozen=True)
class Options:
    """What stands beside the tests of one property; see `cornicen.cohorts.condition.Compare`."""

    spelled: bool
    ignore_case: bool
    missing: Value | None

    def applied(self, name: str, one: Written) -> Condition:
        """The condition that a test of this property is; ``is_set`` has no options."""
        if one.test is Test.IS_SET:
            compare = Compare(name, one.test)
        else:
            compare = Compare(name, one.test, one.operands, self.spelled, self.ignore_case, self.missing)
        return Unless(compare) if one.negated else compare


def read_options(written: list[Written], value: Mapping[str, object], place: Place) -> Options:
    """Read the options beside some tests; each of these must be one that the option says something about.

    Args:
        written: The tests that could be read.
        value: All that is written for the property.
        place: Where.
    """
    options = Options(_spelled(written, value, place), _ignore_case(written, value, place), _missing(written, value, place))
    for one in written:
        if one.test is Test.BETWEEN:
            _check_ends(one, place.key(one.word), ignore_case=options.ignore_case)
    return options


def _compares(value: Mapping[str, object]) -> bool:
    """Whether anything beside the options looks at the value itself, rightly written or not."""
    return not value.keys() <= {*OPTIONS, "is_set", "not_set"}


def _spelled(written: list[Written], value: Mapping[str, object], place: Place) -> bool:
    """Read ``as: number``."""
    if "as" not in value:
        return False
    here = place.key("as")
    if value["as"] != "number":
        here.fault(f"is {describe(value['as'])}.", "The one thing a property can be read as is `number`.")
        return False
    looked = [one for one in written if one.test is not Test.IS_SET]
    for one in looked:
        if one.test in TEXTS | TIMES:
            place.key(one.word).fault("reads no numbers, and `as: number` stands beside it.", "Remove `as`.")
        elif any(limit.number is None for limit in one.operands):
            place.key(one.word).fault("compares with no number, and `as: number` stands beside it.", "Write a plain number.")
    if not _compares(value):
        here.fault("changes nothing: no test beside it compares.", "Remove it.")
    return True


def _ignore_case(written: list[Written], value: Mapping[str, object], place: Place) -> bool:
    """Read ``ignore_case: true``."""
    chosen = value.get("ignore_case", False)
    if not isinstance(chosen, bool):
        wrong(chosen, place.key("ignore_case"), "true or false")
        return False
    if not chosen:
        return False
    if "as" in value:
        place.key("ignore_case").fault("stands beside `as`, and numbers have no case.", "Remove one of them.")
        return False
    looked = [one for one in written if one.test is not Test.IS_SET]
    for one in looked:
        if one.test in TIMES or any(limit.text is None for limit in one.operands):
            place.key(one.word).fault("compares no texts, and `ignore_case` stands beside it.", "Remove `ignore_case`.")
    if not _compares(value):
        place.key("ignore_case").fault("changes nothing: no test beside it compares.", "Remove it.")
    return True


def _missing(written: list[Written], value: Mapping[str, object], place: Place) -> Value | None:
    """Read ``missing_as``, which must be of a type that every test beside it looks at."""
    if "missing_as" not in value:
        return None
    here = place.key("missing_as")
    found = operand(value["missing_as"], here)
    if found is None:
        return None
    for one in written:
        if one.test is Test.IS_SET or one.test in WHOLE_LISTS:
            here.fault(f"stands beside `{one.word}`, which a single value cannot stand in for.", "Remove one of them.")
        elif not _comparable(found, one):
            here.fault(f"is {describe(value['missing_as'])}, which `{one.word}` never compares.", "Give it the same type.")
    return found


def _comparable(missing: Value, one: Written) -> bool:
    if one.test in TIMES:
        return missing.instant is not None
    if one.test in TEXTS:
        return missing.text is not None
    return any(_kind(missing) == _kind(limit) for limit in one.operands)


def _kind(value: Value) -> str:
    if value.number is not None:
        return "number"
    return "truth" if value.truth is not None else "text"


def _check_ends(one: Written, place: Place, *, ignore_case: bool) -> None:
    low, high = one.operands
    if low.number is not None and high.number is not None:
        swapped = low.number > high.number
    else:
        folded = (low.folded or "") > (high.folded or "")
        swapped = folded if ignore_case else (low.text or "") > (high.text or "")
    if swapped:
        place.fault("has the later value first, and nothing lies between.", "Swap the two.")
