"""Reading one YAML document strictly."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cornicen.flows.projects.documents import DEEPEST, MOST_VALUES, parse, read

texts = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"], exclude_characters="\ufeff"), max_size=20)
scalars = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=20
)


@settings(max_examples=200)
@given(value=values, escaped=st.booleans())
def test_what_json_says_is_read_as_json_says_it(value, escaped):
    assert parse(json.dumps(value, ensure_ascii=escaped), "x.yml").value == value


@pytest.mark.parametrize(
    "text", ["no", "NO", "yes", "on", "off", "2017-10-29", "2017-10-29T00:00:00Z", "1:30", "0x1F", "1_000", ".inf", ".nan"]
)
def test_what_yaml_1_1_would_turn_into_something_else_stays_a_text(text):
    assert parse(f"a: {text}", "x.yml").value == {"a": text}


def test_a_number_with_leading_zeros_is_decimal():
    assert parse("a: 0123", "x.yml").value == {"a": 123}


def test_a_key_is_a_text_whatever_it_looks_like():
    assert parse("{2017: 1, true: 2, null: 3}", "x.yml").value == {"2017": 1, "true": 2, "null": 3}


def test_a_key_that_is_written_twice_is_a_fault_at_its_second_line():
    document = parse("who:\n  a: 1\n  b: 2\n  a: 3\n", "cohorts/x.yml")
    assert [(fault.path, fault.what) for fault in document.faults] == [("cohorts/x.yml:4: who.a", "is written twice.")]


def test_all_faults_of_a_document_come_at_once():
    document = parse('a: 1\na: 2\nb: !secret x\nc: {[1]: 2}\nd: 1e999\ne: "\\ud800"\n', "x.yml")
    assert [fault.path for fault in document.faults] == ["x.yml:2: a", "x.yml:3: b", "x.yml:4", "x.yml:5: d", "x.yml:6: e"]


@pytest.mark.parametrize(
    ("text", "line"), [("a: [1\nb: 2", 2), ("a: b: c", 1), ("a: 1\n---\nb: 2", 2), ("\ta: 1", 1), ("a: 'x", 1), ("a: *b", 1)]
)
def test_broken_yaml_is_a_fault_that_names_its_line(text, line):
    [fault] = parse(text, "x.yml").faults
    assert fault.path.startswith(f"x.yml:{line}")


def test_a_character_that_yaml_forbids_is_a_fault():
    [fault] = parse("a: \x00", "x.yml").faults
    assert fault.path == "x.yml"


def test_a_document_that_contains_itself_is_a_fault():
    assert "without end" in parse("a: &a [*a]", "x.yml").faults[0].what


def test_a_document_that_is_too_deep_is_a_fault_and_no_crash():
    assert parse("[" * (DEEPEST + 5) + "]" * (DEEPEST + 5), "x.yml").faults


def test_aliases_that_multiply_end_in_a_fault():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    document = parse("\n".join(lines), "x.yml")
    assert [fault.what for fault in document.faults] == [f"has more than {MOST_VALUES:,} values."]


def test_a_place_is_shown_with_the_nearest_known_line():
    document = parse("who:\n  - did: x\n    where:\n      amount: {gte: 1}\n", "x.yml")
    assert document.at("who[0].where.amount.gte") == "x.yml:4: who[0].where.amount.gte"
    assert document.at("who[0].within") == "x.yml:2: who[0].within"
    assert document.at("name") == "x.yml:1: name"


def test_an_empty_document_has_no_value_and_no_fault():
    document = parse("# nothing yet\n", "x.yml")
    assert (document.value, document.faults) == (None, [])


def test_files_that_cannot_be_read_are_faults(tmp_path):
    (tmp_path / "latin.yml").write_bytes(b"name: caf\xe9")
    assert [fault.what for fault in read(tmp_path / "latin.yml", "latin.yml").faults] == ["is not UTF-8."]
    assert "cannot be read" in read(tmp_path / "gone.yml", "gone.yml").faults[0].what
