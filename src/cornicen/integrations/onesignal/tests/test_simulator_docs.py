from __future__ import annotations

import inspect
import re
from pathlib import Path

import msgspec
import pytest
from test_simulator_errors import CASES as ERRORS

from cornicen.integrations.onesignal.simulator import Knobs, control, running, tiers
from cornicen.integrations.onesignal.simulator.api.routes import ROUTES
from cornicen.integrations.onesignal.simulator.traffic.faults import Kind, Plan, Rule

ROOT = Path(__file__).parents[5]
TEXT = (ROOT / "docs" / "simulator.md").read_text()
LIST = (ROOT / "docs" / "conformance" / "onesignal.md").read_text()
CASES = [line.strip("| ").split(" | ") for line in LIST.splitlines() if re.match(r"\| [A-L]\d", line)]
PARTS = (
    ("A", 17),
    ("B", 26),
    ("C", 20),
    ("D", 18),
    ("E", 23),
    ("F", 3),
    ("G", 5),
    ("H", 4),
    ("I", 3),
    ("J", 14),
    ("K", 16),
    ("L", 5),
)


def test_every_knob_is_on_the_page_with_its_default():
    shown = {}
    for names, defaults in re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| ([\d, ]+) \|", TEXT, re.MULTILINE):
        shown |= dict(zip(re.findall(r"\w+", names), map(float, defaults.split(",")), strict=True))
    numbers = {name: value for name, value in msgspec.to_builtins(Knobs()).items() if value is not None}
    assert shown == numbers
    assert all(f"`{name}`" in TEXT for name in Knobs.__struct_fields__)


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_of_fault_is_on_the_page(kind):
    assert f"| `{kind}` |" in TEXT


@pytest.mark.parametrize(("method", "name"), sorted(control._ROUTES))
def test_every_control_route_is_on_the_page(method, name):
    assert re.search(rf"^\| `(GET`, `)?{method}(`, `POST)? {name}` \|", TEXT, re.MULTILINE)


def test_the_page_has_a_row_for_every_route():
    rows = re.findall(r"^\| (`[A-Z][^|]*) \| [^|]+ \| (?:write|view|one at a time| *)[^|]*\|", TEXT, re.MULTILINE)
    methods = [method for row in rows for method in re.findall(r"\b(GET|POST|PATCH|DELETE)\b", row)]
    assert sorted(methods) == sorted(route.method for route in ROUTES)


@pytest.mark.parametrize(("name", "tier"), sorted(tiers.TIERS.items()))
def test_the_page_has_the_tiers_caps(name, tier):
    assert f"| {name} | {tier.tags} | {tier.segments} | {'yes' if tier.segment_api else '403'} |" in TEXT


def test_the_plan_of_faults_on_the_page_is_one():
    [example] = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
    kinds = [rule.kind for rule in msgspec.json.decode(example, type=Plan).rules]
    assert kinds == ["timeout_after", "status", "status", "late", "delay"]


def test_every_field_of_a_fault_is_on_the_page():
    assert not [name for name in Rule.__struct_fields__ if f"`{name}`" not in TEXT and f'"{name}"' not in TEXT]


def test_the_page_names_every_option_of_the_marker():
    options = inspect.signature(running).parameters
    assert not [name for name in options if f"`{name}`" not in TEXT.partition("The marker takes")[2].partition("\n\n")[0]]


# --- the cases


@pytest.fixture(scope="module")
def tests():
    """Every test's name."""
    files = [*ROOT.glob("tests/clients/test_onesignal_*.py"), *Path(__file__).parent.glob("test_simulator_*.py")]
    return {name for file in files for name in re.findall(r"^\s*(?:async )?def (test_\w+)\(", file.read_text(), re.MULTILINE)}


@pytest.fixture(scope="module")
def reasons():
    """Of each case that is not here, why."""
    part = TEXT.partition("## Not here")[2]
    rows = [line.strip("| ").split(" | ") for line in part.splitlines() if re.match(r"\| [A-Z]\d", line)]
    return {case: why for cases, why in rows for case in cases.split(", ")}


def test_every_case_has_its_line_once_in_order():
    assert [cells[0] for cells in CASES] == [f"{part}{number + 1}" for part, last in PARTS for number in range(last)]


@pytest.mark.parametrize("cells", CASES, ids=lambda cells: cells[0])
def test_every_case_is_held_by_tests_that_exist_or_has_its_reason(cells, tests, reasons):
    case, _, answered, held_by = cells
    names = re.findall(r"`(test_\w+)`", held_by)
    assert not set(names) - tests
    assert bool(names) is (case not in reasons) is (answered != "not here")
    assert names or reasons[case]


def test_no_reason_is_given_for_a_case_that_is_none(reasons):
    assert set(reasons) <= {cells[0] for cells in CASES}


def test_every_error_of_the_table_is_one_of_the_cases():
    here = {cells[0] for cells in CASES if cells[2] != "not here"}
    assert {name.split()[0] for name, *_ in ERRORS} <= here
