from __future__ import annotations

import ast
from pathlib import Path

import cornicen.integrations.onesignal.simulator as simulator

HOME = "cornicen.integrations.onesignal.simulator"


def imported(source):
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def test_the_simulator_imports_nothing_of_the_rest_of_the_package():
    files = list(Path(simulator.__file__).parent.rglob("*.py"))
    assert len(files) > 20
    foreign = {
        (file.name, name)
        for file in files
        for name in imported(file.read_text())
        if name.startswith(".") or (name.split(".")[0] == "cornicen" and not f"{name}.".startswith(f"{HOME}."))
    }
    assert foreign == set()
