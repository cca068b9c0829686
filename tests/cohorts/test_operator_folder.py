"""An operator is one folder: it is added without touching ours."""

import importlib
import sys

import pytest
from cohort_writing import DAY, NOW, OPERATORS, context, event, person

from cornicen.cohorts.definition import parse
from cornicen.cohorts.meaning import members
from cornicen.cohorts.operators import found
from cornicen.cohorts.schema import schema
from cornicen.errors import BadDefinition, BadSetting

FOLDER = '''"""``did_once: EVENT``: persons with exactly one matching event in the window."""

from cornicen.cohorts.operator import Operator
from cornicen.cohorts.parts.event import EVENT
from cornicen.cohorts.parts.window import WITHIN
from cornicen.cohorts.query import Bound, Count, Did, Window


def _lower(read, place):
    if any(source.names is None for source in read["did_once"]):
        place.fault("takes no star.", "Name the event.")
        return None
    return Did(read["did_once"], read.get("within", Window()), Count((Bound("eq", 1_000_000),)))


OPERATOR = Operator(
    word="did_once",
    doc="Persons with exactly one matching event in the window.\\nAdded by a package of its own.",
    model={"did_once": EVENT, "within": WITHIN},
    lower=_lower,
)
'''


@pytest.fixture
def operators(tmp_path, monkeypatch):
    folder = tmp_path / "somebodys_operators" / "did_once"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("")
    (folder / "__init__.py").write_text(FOLDER)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield found([importlib.import_module("somebodys_operators.did_once").OPERATOR])
    for name in [name for name in sys.modules if name.startswith("somebodys_operators")]:
        del sys.modules[name]


def who(clause, operators):
    return parse({"cohort": "tested", "who": [clause]}, operators, context())


def test_a_word_of_another_package_selects_people(operators):
    query = who({"any": [{"did_once": "x", "within": "1d"}]}, operators).query
    people = [person("x"), person("x", "x"), person(event("x", NOW - 2 * DAY)), person("x", event("x", NOW - 2 * DAY))]
    assert members(query, dict(enumerate(people)), NOW) == {0, 3}


def test_its_faults_are_found_as_ours_are(operators):
    with pytest.raises(BadDefinition) as caught:
        who({"any": [{"did_once": "x", "withn": "1d"}, {"did_onc": "y"}, {"did_once": "*"}]}, operators)
    assert [(fault.path, fault.fix) for fault in caught.value.faults] == [
        ("who[0].any[0].withn", "Did you mean `within`?"),
        ("who[0].any[1].did_onc", "Did you mean `did_once`?"),
        ("who[0].any[2]", "Name the event."),
    ]


def test_it_is_in_the_schema(operators):
    assert "clause.did_once" in schema(operators)["$defs"]


def test_without_its_package_the_word_is_unknown():
    with pytest.raises(BadDefinition) as caught:
        who({"did_once": "x"}, OPERATORS)
    assert caught.value.faults[0].path == "who[0].did_once"


def test_a_word_is_given_once():
    with pytest.raises(BadSetting):
        found([OPERATORS["did"]])


def test_each_of_our_words_is_one_folder_of_that_name():
    assert set(OPERATORS) == {"did", "did_not", "profile", "all", "any", "none", "in_cohort", "not_in_cohort", "ids"}
    for word, operator in OPERATORS.items():
        assert importlib.import_module(f"cornicen.cohorts.operators.{word}").OPERATOR is operator
