"""What the documents say of this vendor is what the code and its tests do."""

import re
from pathlib import Path

import pytest

from cornicen.integrations.amplitude import MANIFEST, limits
from cornicen.integrations.amplitude.given import OF_EVENTS, OF_PROFILES

ROOT = Path(__file__).parents[5]
CASES = ROOT / "docs" / "conformance" / "amplitude.md"
NAMES = ROOT / "docs" / "compatibility.md"
PAGE = Path(__file__).parents[1] / "README.md"


def rows(text):
    """The cells of every table's rows."""
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return [cells for cells in lines if set(cells[0]) != {"-"}]


def cases():
    return {int(cells[0]): cells for cells in rows(CASES.read_text()) if cells[0].isdigit()}


@pytest.fixture(scope="module")
def tests():
    """Every test's name, and every file of tests."""
    files = [*ROOT.glob("tests/*/test_*.py"), *ROOT.glob("src/cornicen/integrations/amplitude/tests/test_*.py")]
    names = {name for file in files for name in re.findall(r"^\s*(?:async )?def (test_\w+)\(", file.read_text(), re.MULTILINE)}
    return names | {str(file.relative_to(ROOT)) for file in files}


def test_every_case_has_its_line_once():
    written = [int(cells[0]) for cells in rows(CASES.read_text()) if cells[0].isdigit()]
    assert written == [*range(1, 55), 98, 99, 100]


@pytest.mark.parametrize("number", sorted(cases()))
def test_every_case_is_held_by_tests_that_exist(number, tests):
    held_by = re.findall(r"`([^`]+)`", cases()[number][-1])
    assert held_by
    assert not set(held_by) - tests


def test_the_names_in_the_list_are_the_names_in_the_code():
    part = NAMES.read_text().partition("## Amplitude")[2].partition("\n## ")[0]
    found = {cells[0].strip("`"): cells[1].strip("`") for cells in rows(part) if len(cells) == 3 and cells[0] != "field"}
    assert found == {**OF_EVENTS, **OF_PROFILES}


def test_the_page_names_every_route_and_its_limit():
    text = PAGE.read_text()
    assert not [route.path for route in MANIFEST.routes if route.path.removesuffix("*") not in text]
    told = {"/2/httpapi": limits.EVENTS, "/batch": limits.EVENTS, "/groupidentify": limits.GROUPS, "/usermap": limits.MAPPINGS}
    for path, most in told.items():
        [row] = [cells for cells in rows(text) if cells[0].endswith(f"{path}`")]
        assert f"{most:,} " in row[2]
        [route] = [route for route in MANIFEST.routes if route.path == path]
        assert f"{route.limit >> 20} MB" in row[2]
