"""Typed columns: the same whether filled at load or afterwards, and the same as the plain reading."""

import json
from itertools import count
from zoneinfo import ZoneInfo

import pytest
from plain_warehouse import change, drain, event, fill

from cornicen.cohorts.query import Needs
from cornicen.events.values import read
from cornicen.sql.tables import LETTERS
from cornicen.warehouse import catalogue
from cornicen.warehouse.warehouse import DuckDBWarehouse

LITERALS = [
    "1", "-0", "0.1", "12.3456785", "12.3456775", "1e2", "12345678901234567890123", "9223372036854.775807", "1e999999", "1E-9",
    '"2017-10-29"', '"2017-10-29T01:30:00"', '"2017-10-29T01:30:00+02:00"', '"12"', '"+1e3"', '"STRASSE"', '"Straße"', '""',
    r'"a\u0000b"', r'"\ud83d\ude00"', '"é"', "true", "false", "null", "{}", '{"a":[1]}', "[]",
    '[1,"x",null,[2],{}]', ' "padded" ', '[ "2017-10-29" , 0.5 ]',
]  # fmt: skip
NAMES = ["a", "$insert_id", 'we"ird', "back\\slash", "tab\there", "é", "with space", "a.b", "", "p1_n"]


def spelled(name, escape):
    """A JSON key, plain or with every character escaped."""
    if escape:
        return '"' + "".join(f"\\u{ord(character):04x}" for character in name) + '"'
    return json.dumps(name, ensure_ascii=False)


def objects():
    """JSON objects in which every name has every literal, keys plain and escaped, one of them twice."""
    for number, literal in enumerate(LITERALS):
        fields = [f"{spelled(name, (number + at) % 3 == 0)}:{literal}" for at, name in enumerate(NAMES)]
        yield '{"a":"earlier", "other":1,' + ",".join(fields) + "}"
    yield "{}"
    yield '{"other":"a"}'


@pytest.fixture
def zone():
    return ZoneInfo("America/New_York")


def needs(events=(), profile=()):
    return Needs(frozenset(events), frozenset(profile), None, frozenset())


def letters(tables, owner):
    mapping = tables.event_properties if owner == "events" else tables.profile_properties
    return {name: [columns.of(letter) for letter in [*LETTERS, "l"]] for name, columns in mapping.items()}


def columns(warehouse, owner, order):
    """All typed columns, by property name, in row order."""
    return {
        name: warehouse.cursor().execute(f"SELECT {', '.join(found)} FROM {owner} ORDER BY {order}").fetchall()
        for name, found in letters(warehouse.tables(), owner).items()
    }


def expected(text, zone):
    value = read(text.strip().encode(), zone)
    if value is None:
        return (None,) * 8

    def scalars(one):
        return {"n": one.number, "t": one.text, "b": one.truth, "i": one.instant, "x": one.spelled, "f": one.folded}

    items = None if value.items is None else [scalars(item) for item in value.items]
    return (True, *scalars(value).values(), items)


def test_event_columns_are_the_same_filled_before_and_after_and_as_read(tmp_path, zone):
    sent = [[event(f"U{n}", properties=text) for n, text in enumerate(objects())]]
    first, later = DuckDBWarehouse(tmp_path / "first", zone), DuckDBWarehouse(tmp_path / "later", zone)
    first.prepare(needs(NAMES))
    for folder, warehouse in ((tmp_path / "first", first), (tmp_path / "later", later)):
        fill(folder, sent)
        assert drain(warehouse).refused == 0
    later.prepare(needs(NAMES[:4]))
    later.prepare(needs(NAMES))
    found = columns(first, "events", "load")
    assert found == columns(later, "events", "load")
    assert found == {name: [*(expected(text, zone) for text in LITERALS), *[(None,) * 8] * 2] for name in NAMES}
    first.close()
    later.close()


def test_profile_columns_are_the_same_filled_before_and_after(tmp_path, zone):
    sent = [[change(f"U{n}", ("set", text)) for n, text in enumerate(objects())]]
    first, later = DuckDBWarehouse(tmp_path / "first", zone), DuckDBWarehouse(tmp_path / "later", zone)
    first.prepare(needs(profile=NAMES))
    for folder, warehouse in ((tmp_path / "first", first), (tmp_path / "later", later)):
        fill(folder, sent)
        drain(warehouse)
    later.prepare(needs(profile=NAMES))
    assert columns(first, "profiles", "person") == columns(later, "profiles", "person")
    assert columns(first, "profiles", "person")["a"][2] == expected(LITERALS[2], zone)
    first.close()
    later.close()


def test_superseded_rows_and_earlier_profiles_get_typed_columns_too(tmp_path, zone):
    opened = DuckDBWarehouse(tmp_path, zone)
    fill(tmp_path, [[event("U", insert_id="k", properties='{"a":1}'), change("U", ("set", '{"a":1}'))]])
    drain(opened)
    before = opened.last_load()
    fill(tmp_path, [[event("U", insert_id="k", properties='{"a":2}'), change("U", ("set", '{"a":2}'))]])
    drain(opened)
    opened.prepare(needs("a", "a"))
    for owner in ("events", "profiles"):
        for at, number in ((before, 1_000_000), (None, 2_000_000)):
            tables = opened.tables(at)
            [name] = letters(tables, owner)["a"][1:2]
            assert opened.cursor().execute(f"SELECT {name} FROM {getattr(tables, owner)} AS t").fetchall() == [(number,)]
    opened.close()


def test_columns_are_filled_anew_when_the_zone_has_changed(tmp_path):
    fill(tmp_path, [[event("U", properties='{"a":"2017-10-29","b":["2017-10-29"]}')]])
    for name, hours in (("UTC", 0), ("Asia/Tokyo", -9), ("UTC", 0)):
        opened = DuckDBWarehouse(tmp_path, name)
        drain(opened)
        opened.prepare(needs("ab"))
        instant = 1_509_235_200_000_000 + hours * 3_600_000_000
        found = columns(opened, "events", "load")
        assert found["a"][0][4] == instant
        assert found["b"][0][7][0]["i"] == instant
        opened.close()


def test_preparing_again_and_reopening_change_nothing(tmp_path, zone):
    fill(tmp_path, [[event("U", properties='{"a":1}')]])
    opened = DuckDBWarehouse(tmp_path, zone)
    drain(opened)
    opened.prepare(needs("a"))
    tables = opened.tables()
    opened.prepare(needs("a"))
    assert opened.tables() == tables
    opened.close()
    opened = DuckDBWarehouse(tmp_path, zone)
    assert opened.tables() == tables
    opened.close()


def test_filling_more_rows_than_one_step_holds_fills_all_of_them(tmp_path, zone, monkeypatch):
    monkeypatch.setattr(catalogue, "STEP", 7)
    fill(tmp_path, [[event("U", properties=f'{{"a":{n},"b":[{n}]}}') for n in range(100)]])
    opened = DuckDBWarehouse(tmp_path, zone)
    drain(opened)
    opened.prepare(needs("ab"))
    found = columns(opened, "events", "load")
    assert [row[1] for row in found["a"]] == [n * 1_000_000 for n in range(100)]
    assert [row[7][0]["n"] for row in found["b"]] == [n * 1_000_000 for n in range(100)]
    opened.close()


def test_filling_that_breaks_off_leaves_nothing_behind_and_can_be_begun_again(tmp_path, zone, monkeypatch):
    monkeypatch.setattr(catalogue, "STEP", 7)
    fill(tmp_path, [[event("U", properties=f'{{"a":{n}}}') for n in range(20)]])
    opened = DuckDBWarehouse(tmp_path, zone)
    drain(opened)
    before, typed, calls = opened.tables(), catalogue.typed_columns, count()

    def breaks(*arguments):
        if next(calls) == 2:
            raise MemoryError
        return typed(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(catalogue, "typed_columns", breaks)
        with pytest.raises(MemoryError):
            opened.prepare(needs("a"))
    assert opened.tables() == before
    opened.prepare(needs("a"))
    assert [row[1] for row in columns(opened, "events", "load")["a"]] == [n * 1_000_000 for n in range(20)]
    opened.close()
