from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from cornicen.integrations.onesignal.simulator import Knobs, control, tiers
from cornicen.integrations.onesignal.simulator.api.routes import ROUTES
from cornicen.integrations.onesignal.simulator.traffic.faults import Kind, Plan

PAGE = Path(__file__).parents[5] / "docs" / "simulator.md"
TEXT = PAGE.read_text()


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
    assert [rule.kind for rule in msgspec.json.decode(example, type=Plan).rules] == ["timeout_after", "status", "late"]
