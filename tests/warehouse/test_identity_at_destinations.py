"""Who is identified, what their identifier is, and the file that says so for a run."""

import csv
import gzip
from dataclasses import replace

import pyarrow as pa
import pytest
from plain_warehouse import change, drain, event, fill
from pyroaring import BitMap

from cornicen.errors import Unavailable
from cornicen.flows.ports import Audited, Facts, Form, Identified
from cornicen.warehouse.warehouse import DuckDBWarehouse

UUID = "0a8b9c00-1111-4222-8333-444455556666"
NOBODY = Facts(*[BitMap() for _ in range(6)])


class Numbers:
    def __init__(self):
        self.given = {}

    def __call__(self, identifiers):
        return pa.array([self.given.setdefault(name, len(self.given) + 1) for name in identifiers.to_pylist()], pa.uint32())


@pytest.fixture
def opened(tmp_path):
    """Opens a warehouse under a rule with some records; it and its persons by name."""
    made = []

    def open_with(identity, *records):
        made.append(DuckDBWarehouse(tmp_path, identity=identity))
        fill(tmp_path, [list(records)])
        drain(made[-1])
        return made[-1], dict(made[-1]._database.rows("SELECT name, person FROM names WHERE NOT linked"))

    yield open_with
    for one in made:
        one.close()


RECORDS = (
    event("no profile"),
    change("profile", ("set", '{"id":"p"}')),
    change("$device:D", ("set", '{"id":"d"}')),
    event(device="$device:E"),
)


@pytest.mark.parametrize(
    ("identity", "identifier", "found", "no_profile", "no_id"),
    [
        ("simplified", "id", {"p", "d"}, 2, 0),
        ("original", "id", {"p", "d"}, 2, 0),
        ("amplitude", "id", {"p"}, 2, 1),
        ("amplitude", "$user_id", {"no profile", "profile"}, 2, 0),
        ("amplitude", "distinct_id", {"no profile", "profile"}, 2, 0),
    ],
)
def test_a_profile_identifies_under_mixpanels_rules_and_a_user_id_under_amplitudes(
    opened, identity, identifier, found, no_profile, no_id
):
    warehouse, names = opened(identity, *RECORDS)
    numbering = Numbers()
    identified = warehouse.identify(BitMap(names.values()), identifier, "c", numbering)
    assert numbering.given.keys() == found
    assert identified == Identified(BitMap(numbering.given.values()), no_profile, no_id, 0)


def test_where_a_uuid_is_wanted_nothing_else_is_usable_and_its_spelling_does_not_matter(opened):
    values = [UUID.upper(), UUID, UUID.replace("-", ""), "{" + UUID + "}", "ada", ""]
    warehouse, names = opened("simplified", *(change(f"U{n}", ("set", f'{{"id":"{one}"}}')) for n, one in enumerate(values)))
    numbering = Numbers()
    identified = warehouse.identify(BitMap(names.values()), "id", "c", numbering, Form("onesignal_id/", uuid=True))
    assert list(numbering.given) == [f"onesignal_id/{UUID}"]
    assert identified == Identified(BitMap([1]), 0, 4, 1)


@pytest.mark.parametrize(("identifier", "expected"), [("id", (2, 4)), ("$user_id", (0, 3)), ("distinct_id", (0, 4))])
def test_persons_are_counted_whose_user_id_is_not_their_identifier(opened, identifier, expected):
    warehouse, names = opened(
        "simplified",
        change("same", ("set", '{"id":"same"}')),
        change("U", ("set", '{"id":"other"}')),
        change("V", ("set", '{"id":7}')),
        change("$device:D", ("set", '{"id":"nobody can tell"}')),
        event("W"),
    )
    assert warehouse.differing(identifier) == expected
    members = BitMap([names["U"], names["same"]])
    assert warehouse.identify(members, identifier, "c", Numbers()).differing == min(expected[0], 1)


def read(path):
    with gzip.open(path, "rt", newline="") as file:
        return sorted(tuple(row.values()) for row in csv.DictReader(file))


def listed(warehouse, members, path, facts=NOBODY, desired=None, others=(), **more):
    numbering = Numbers()
    found = warehouse.identify(members, "id", "c", numbering)
    pieces = [
        pa.table({"identifier": pa.array([name], pa.string()), "number": pa.array([n], pa.uint32())}) for name, n in others
    ]
    wanted = found.recipients if desired is None else desired
    warehouse.audit(Audited(members, "id", "c", Form(), facts, wanted, pieces, **more), path)
    return read(path)


def people(*ids):
    return [change(f"U{one}", ("set", f'{{"id":"{one}"}}')) for one in ids]


def test_every_person_of_a_run_is_listed_with_what_became_of_it(opened, tmp_path):
    warehouse, names = opened(
        "simplified",
        *people("a"),
        event("none"),
        change("plain", ("set", '{"x":1}')),
        change("gone", ("set", '{"id":"g,\\""}')),
    )
    members = BitMap(names.values()) - BitMap([names["gone"]])
    facts = replace(NOBODY, acknowledged=BitMap([90, 91]))
    path = tmp_path / "runs" / "1.csv.gz"
    assert listed(warehouse, members, path, facts, others=[('g,"', 90), ("stranger", 91)]) == [
        ("", "none", "skipped", "no_profile"),
        ("", "plain", "skipped", "no_id"),
        ("a", "Ua", "add", ""),
        ('g,"', "gone", "remove", ""),
        ("stranger", "", "remove", ""),
    ]
    assert [one.name for one in path.parent.iterdir()] == ["1.csv.gz"]


@pytest.mark.parametrize(
    ("sets", "held", "line"),
    [
        ({}, False, ("add", "")),
        ({"acknowledged"}, False, ("no-op", "")),
        ({"acknowledged", "uncertain"}, False, ("add", "uncertain")),
        ({"uncertain"}, False, ("add", "uncertain")),
        ({"refused"}, False, ("skipped", "refused")),
        ({"refused", "unknown"}, False, ("skipped", "unknown_recipient")),
        ({"unknown"}, False, ("add", "")),
        ({}, True, ("skipped", "held")),
        ({"acknowledged"}, True, ("no-op", "")),
    ],
    ids=["new", "in", "in and doubted", "doubted", "refused", "unknown", "unknown no more", "held", "held and in"],
)
def test_a_recipients_action_follows_from_what_the_run_knew(opened, tmp_path, sets, held, line):
    warehouse, names = opened("simplified", *people("a"))
    facts = replace(NOBODY, **{name: BitMap([1]) for name in sets})
    assert listed(warehouse, BitMap(names.values()), tmp_path / "f", facts, held=held) == [("a", "Ua", *line)]


def test_under_amplitudes_rule_the_reason_is_a_missing_user_id(opened, tmp_path):
    warehouse, names = opened("amplitude", event(device="$device:E"))
    [(_, _, action, reason)] = listed(warehouse, BitMap(names.values()), tmp_path / "f")
    assert (action, reason) == ("skipped", "no_user_id")


def test_a_list_of_recipients_names_those_persons_who_are_known(opened, tmp_path):
    warehouse, _ = opened("simplified", *people("a"))
    lines = listed(warehouse, BitMap(), tmp_path / "f", desired=BitMap([5]), others=[("a", 5), ("b", 6)])
    assert lines == [("a", "Ua", "add", ""), ("b", "", "remove", "")]


def test_a_file_that_cannot_be_written_leaves_none_and_the_one_before_as_it_was(opened, tmp_path):
    warehouse, names = opened("simplified", *people("a"))
    path = tmp_path / "runs" / "1.csv.gz"
    before = listed(warehouse, BitMap(names.values()), path)
    (tmp_path / "runs" / "1.csv.gz.part").mkdir()
    with pytest.raises((OSError, Unavailable)):
        listed(warehouse, BitMap(names.values()), path)
    assert read(path) == before
