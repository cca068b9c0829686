"""The words of the language, one folder each; a folder's ``OPERATOR`` says everything about its word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from pkgutil import iter_modules

from cornicen.cohorts.operator import Operator
from cornicen.errors import BadSetting


def found(extra: Iterable[Operator] = ()) -> Mapping[str, Operator]:
    """All operators, by word, sorted.

    Args:
        extra: Operators of other packages.

    Raises:
        BadSetting: Two operators have one word.
    """
    operators: dict[str, Operator] = {}
    for operator in [*_own(), *extra]:
        if operator.word in operators:
            raise BadSetting(f"Two operators have the word `{operator.word}`.", "Uninstall one of the packages.")
        operators[operator.word] = operator
    return dict(sorted(operators.items()))


def _own() -> Iterable[Operator]:
    for module in iter_modules(__path__, f"{__name__}."):
        operator = import_module(module.name).OPERATOR
        if not isinstance(operator, Operator):
            raise TypeError(f"{module.name}.OPERATOR is no Operator")
        yield operator
