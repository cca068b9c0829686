"""What the documents say of this vendor is what the code and its tests do."""

import re
from pathlib import Path

import pytest

from cornicen.integrations.mixpanel import MANIFEST, limits
from cornicen.integrations.mixpanel.groups_in import OPERATIONS as OF_GROUPS
from cornicen.integrations.mixpanel.profiles_in import OPERATIONS as OF_PROFILES

ROOT = Path(__file__).parents[5]
CASES = ROOT / "docs" / "conformance" / "mixpanel.md"
COMPATIBILITY = ROOT / "docs" / "compatibility.md"
HERE = Path(__file__).parent
SENDER = HERE.parents[1] / "webhook" / "tests"
PAGE = HERE.parent / "README.md"
PARTS = (("A", 38), ("B", 32), ("C", 23), ("D", 17), ("H", 15))
NUMBERS = [f"{part}{number}" for part, last in PARTS for number in range(1, last + 1)]


def cases():
    lines = [line.strip("| ").split(" | ") for line in CASES.read_text().splitlines() if line.startswith("| ")]
    return [cells for cells in lines if re.fullmatch(r"[A-DH]\d+", cells[0])]


@pytest.fixture(scope="module")
def tests():
    """Of each test's name the files that have one."""
    files = [*ROOT.glob("tests/*/test_*.py"), *HERE.glob("test_*.py"), *SENDER.glob("test_*.py")]
    found = {}
    for file in files:
        for name in re.findall(r"^\s*(?:async )?def (test_\w+)\(", file.read_text(), re.MULTILINE):
            found.setdefault(name, []).append(file)
    return found


def test_every_case_has_its_line_once():
    assert [cells[0] for cells in cases()] == NUMBERS


@pytest.mark.parametrize("number", NUMBERS)
def test_every_case_is_held_by_tests_that_exist_or_has_its_reason(number, tests):
    [cells] = [cells for cells in cases() if cells[0] == number]
    held_by = re.findall(r"`(test_\w+)`", cells[-1])
    if not held_by:
        assert cells[2].startswith("not here: ")
        assert number in COMPATIBILITY.read_text()
    assert not [name for name in held_by if name not in tests]
    ours = {file for name in held_by for file in tests[name] if file.parent in {HERE, SENDER}}
    assert not ours or any(re.search(rf"# .*\b{number}\b", file.read_text()) for file in ours)


def test_the_page_names_every_route_and_operation_and_limit():
    text = PAGE.read_text()
    assert not [route.path for route in MANIFEST.routes if f"`{route.path}`" not in text]
    told = {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| `/")}
    assert not [word for word in OF_PROFILES if f"`{word}`" not in told["/engage"]]
    assert not [word for word in OF_GROUPS if f"`{word}`" not in told["/groups"]]
    assert f"{limits.RECORDS:,}" in text
    assert f"{limits.BODY >> 20} MB" in text
