"""Persons to recipients, given lists, and what pages ask."""

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plain_warehouse import change, drain, event, fill
from pyroaring import BitMap

from cornicen.flows.ports import Identified
from cornicen.warehouse.warehouse import DuckDBWarehouse

DAY = 86_400_000_000


class Numbers:
    """A state's numbering: numbers from 1, kept; it remembers what it was asked."""

    def __init__(self):
        self.given, self.asked = {}, []

    def __call__(self, identifiers):
        assert isinstance(identifiers, pa.StringArray)
        self.asked += identifiers.to_pylist()
        return pa.array([self.given.setdefault(name, len(self.given) + 1) for name in identifiers.to_pylist()], pa.uint32())


@pytest.fixture
def warehouse(tmp_path):
    opened = DuckDBWarehouse(tmp_path)
    yield opened
    opened.close()


def numbers(warehouse):
    return {name: person for person, name in enumerate(warehouse.names(BitMap(range(1, 100))), 1)}


def loaded(tmp_path, warehouse, *records):
    fill(tmp_path, [list(records)])
    drain(warehouse)
    rows = warehouse._database.rows("SELECT name, person FROM names WHERE NOT linked")
    return dict(rows), BitMap(person for _, person in rows)


@pytest.mark.parametrize(
    ("literal", "identifier"),
    [
        ('"13793"', "13793"),
        ("13793", "13793"),
        ("13793.0", "13793"),
        ("1.3793e4", "13793"),
        ("-0.50", "-0.5"),
        ("12345678901234567890123", "12345678901234567890123"),
        ("1e-3", "0.001"),
        ("1e999", "1e999"),
        ("1e99999999999999999999", "1e99999999999999999999"),
        ('" é "', " é "),
        ('""', None),
        ("true", None),
        ("null", None),
        ('["13793"]', None),
        ("{}", None),
    ],
)
def test_an_identifier_is_a_text_that_is_not_empty_or_a_number_in_plain_digits(tmp_path, warehouse, literal, identifier):
    _, persons = loaded(tmp_path, warehouse, change("U", ("set", f'{{"id":{literal},"other":1}}')))
    numbering = Numbers()
    identified = warehouse.identify(persons, "id", "c", numbering)
    assert numbering.asked == ([] if identifier is None else [identifier])
    assert identified == Identified(BitMap([] if identifier is None else [1]), 0, int(identifier is None), 0)


def test_names_are_identifiers_of_persons_with_a_profile(tmp_path, warehouse):
    names, persons = loaded(
        tmp_path,
        warehouse,
        change("U", ("set", '{"$user_id":"from the profile"}')),
        change("$device:D", ("set", '{"a":1}')),
        change("empty", ("set", "{}")),
        event("no profile"),
        event("V", "E"),
        change("$device:E", ("set", '{"a":1}')),
    )
    assert names.keys() == {"U", "$device:D", "empty", "no profile", "V"}
    for identifier, found in [
        ("distinct_id", {"U", "$device:D", "V"}),
        ("$user_id", {"U", "V"}),
        ("amplitude_user_id", {"U", "V"}),
    ]:
        numbering = Numbers()
        identified = warehouse.identify(persons, identifier, identifier, numbering)
        assert set(numbering.asked) == found
        assert identified == Identified(BitMap(numbering.given[name] for name in found), 2, 3 - len(found), 0)


def test_identifiers_are_numbered_once_a_connection(tmp_path, warehouse):
    _, persons = loaded(tmp_path, warehouse, *(change(f"U{n}", ("set", f'{{"id":"r{n // 2}"}}')) for n in range(6)))
    numbering = Numbers()
    first = warehouse.identify(persons, "id", "c", numbering)
    assert first == Identified(BitMap([1, 2, 3]), 0, 0, 3)
    assert warehouse.identify(persons, "id", "c", numbering) == first
    assert sorted(numbering.asked) == ["r0", "r1", "r2"]
    other = Numbers()
    warehouse.identify(persons, "id", "another", other)
    assert sorted(other.asked) == ["r0", "r1", "r2"]


def test_whoever_was_merged_away_has_no_profile_and_no_name(tmp_path, warehouse):
    loaded(tmp_path, warehouse, event("U"), event(device="D"), change("$device:D", ("set", '{"id":"x"}')))
    assert warehouse.identify(BitMap([2]), "id", "c", Numbers()).recipients
    loaded(tmp_path, warehouse, event("U", "D"))
    assert warehouse.identify(BitMap([2]), "id", "c", Numbers()) == Identified(BitMap(), 1, 0, 0)
    assert warehouse.examples(BitMap([1, 2])) == ["U"]


profiles = st.lists(st.sampled_from([None, "{}", '{"id":"a"}', '{"id":"b"}', '{"id":1}', '{"id":""}', '{"x":1}']), max_size=12)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(profiles, st.sets(st.integers(1, 15)))
def test_every_member_is_accounted_for(tmp_path_factory, texts, chosen):
    folder = tmp_path_factory.mktemp("w")
    opened = DuckDBWarehouse(folder, threads=1)
    fill(folder, [[event(f"U{n}") if text is None else change(f"U{n}", ("set", text)) for n, text in enumerate(texts)]])
    drain(opened)
    members = BitMap(chosen)
    numbering = Numbers()
    found = opened.identify(members, "id", "c", numbering)
    mine = [texts[n - 1] if n <= len(texts) else None for n in chosen]
    ids = [{'{"id":"a"}': "a", '{"id":"b"}': "b", '{"id":1}': "1"}.get(text) for text in mine]
    assert len(members) == found.no_profile + found.no_id + found.shared + len(found.recipients)
    assert found.no_profile == sum(text in {None, "{}"} for text in mine)
    assert found.recipients == BitMap(numbering.given[one] for one in ids if one)
    assert opened.matched(members, ["id", "$user_id"]) == {
        "id": sum(one is not None for one in ids),
        "$user_id": len(members) - found.no_profile,
    }
    opened.close()


def test_a_given_list_counts_its_known_names_and_resolves_them_when_asked(tmp_path, warehouse):
    names, _ = loaded(tmp_path, warehouse, event("U"), event(device="D"), event("V"))
    assert warehouse.give("k", pa.array(["U", "$device:D", "U", None, "nobody"])) == 2
    assert warehouse.give("other", pa.array(["V"])) == 1

    def given_persons(before=None):
        sql = f"SELECT key, person FROM {warehouse.tables(before).given} AS g ORDER BY ALL"
        return warehouse.cursor().execute(sql).fetchall()

    before = warehouse.last_load()
    then = [("k", names["U"]), ("k", names["$device:D"]), ("other", names["V"])]
    assert given_persons() == then
    loaded(tmp_path, warehouse, event("U", "D"))
    assert given_persons() == [("k", names["U"]), ("other", names["V"])]
    assert given_persons(before) == then
    assert warehouse.give("k", pa.array([], pa.string())) == 0
    assert given_persons() == [("other", names["V"])]


def test_a_cursor_sees_what_is_loaded_and_given(tmp_path, warehouse):
    cursor = warehouse.cursor()
    names, _ = loaded(tmp_path, warehouse, event("U"))
    warehouse.give("k", pa.array(["U"]))
    tables = warehouse.tables()
    assert cursor.execute(f"SELECT count(*) FROM {tables.events} AS e").fetchall() == [(1,)]
    assert cursor.execute(f"SELECT person FROM {tables.given} AS g").fetchall() == [(names["U"],)]


def test_names_come_by_number_and_examples_are_the_lowest(tmp_path, warehouse):
    loaded(tmp_path, warehouse, *(event(f"U{n}") for n in range(20)))
    assert list(warehouse.names(BitMap([3, 1, 20, 99]))) == ["U0", "U2", "U19"]
    assert warehouse.examples(BitMap(range(5, 30)), 3) == ["U4", "U5", "U6"]


def test_arrivals_count_what_came_since_and_what_used_to_come(tmp_path, warehouse):
    loaded(tmp_path, warehouse, event("U", name="a", time=40 * DAY), event("U", name="a", time=11 * DAY), event("U", name="b"))
    last = warehouse.last_load()
    late = [event("U", name="a", time=time * DAY) for time in (39, 40, 41, 42)]
    loaded(tmp_path, warehouse, *late, event("", name="a", time=40 * DAY))
    asked = (last, 40 * DAY, 42 * DAY)
    assert warehouse.arrivals(frozenset({"a", "b", "none"}), *asked) == {"a": (3, 1), "b": (0, 0), "none": (0, 0)}
    assert warehouse.arrivals(None, *asked) == {"*": (3, 1)}
    assert warehouse.arrivals(None, 0, 0, 50 * DAY) == {"*": (8, 0)}


def test_persons_are_counted_who_have_an_event_or_a_profile(tmp_path, warehouse):
    loaded(
        tmp_path,
        warehouse,
        event("U"),
        event("U", "D"),
        event(device="E"),
        change("P", ("set", "{}")),
        change("Q", ("unset", "[]")),
        event(""),
    )
    assert warehouse.counts() == {"events": 4, "persons": 3, "profiles": 1, "refused": 0, "repeated": 0, "replaced": 0}


def test_histories_of_some_persons_are_theirs_alone(tmp_path, warehouse):
    loaded(tmp_path, warehouse, event("U", time=5), event("V", time=7, properties='{"a":null,"b":"x"}'))
    [(person, history)] = warehouse.histories(BitMap([2])).items()
    assert person == 2
    assert [(one.name, one.time, one.load, {*one.properties}) for one in history.happenings] == [("seen", 7, 2, {"b"})]
    assert history.profile is None
