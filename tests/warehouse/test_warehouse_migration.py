"""A warehouse made by the first released schema, opened by this one."""

import json

import pytest
from plain_warehouse import change, drain, event, fill

from cornicen.cohorts.query import Needs
from cornicen.events.shapes import Event, Ids, Link
from cornicen.flows.ports import Loaded
from cornicen.warehouse.database import Database
from cornicen.warehouse.schema import STEPS, open_schema
from cornicen.warehouse.warehouse import FILE, DuckDBWarehouse

OLD_KEY = "CAST(hash(event, distinct_id, time, insert_id) & 4294967295 AS UINTEGER)"


@pytest.fixture
def old(tmp_path):
    """Two persons, one of whom turned out to be the other; three events with keys, one replaced; a typed column."""
    database = Database(tmp_path / FILE, "1GB")
    database.rows("CREATE TABLE meta (key VARCHAR, value VARCHAR)")
    database.rows(STEPS[0])
    database.rows("INSERT INTO meta VALUES ('version', '1'), ('zone', 'UTC')")
    database.rows("INSERT INTO meta SELECT 'hash', hash('cornicen', 1) || ' ' || hash('cornicen')")
    for table in ("events", "superseded"):
        for column in (
            "p1_s BOOLEAN",
            "p1_n BIGINT",
            "p1_t VARCHAR",
            "p1_b BOOLEAN",
            "p1_i BIGINT",
            "p1_x BIGINT",
            "p1_f VARCHAR",
        ):
            database.rows(f"ALTER TABLE {table} ADD COLUMN {column}")
        database.rows(
            f"ALTER TABLE {table} ADD COLUMN p1_l STRUCT(n BIGINT, t VARCHAR, b BOOLEAN, i BIGINT, x BIGINT, f VARCHAR)[]"
        )
    database.rows("INSERT INTO property VALUES (1, 'event', 'v')")
    listed = "load, person, event, time, distinct_id, insert_id, properties, p1_s, p1_n"
    for load, person, who, insert_id, value in ((1, 1, "$device:D", "a", 1), (2, 2, "U", "b", 2), (4, 2, "U", None, 3)):
        database.rows(
            f"INSERT INTO events ({listed}) VALUES (?, ?, 'seen', ?, ?, ?, ?, true, ?)",
            [load, person, load, who, insert_id, json.dumps({"v": value}), value * 1_000_000],
        )
    database.rows("INSERT INTO superseded (load, person, event, time, distinct_id, insert_id, properties, until_load) "
                  "VALUES (0, 2, 'seen', 2, 'U', 'b', '{}', 2)")  # fmt: skip
    for table in ("events", "superseded"):
        database.rows(f"UPDATE {table} SET key = {OLD_KEY} WHERE insert_id IS NOT NULL")
    database.rows(
        "INSERT INTO names SELECT hash(n), n, p, p, l FROM (VALUES ('$device:D', 1, true), ('U', 2, false)) t(n, p, l)"
    )
    database.rows("INSERT INTO merges VALUES (1, 2, 3)")
    database.rows("INSERT INTO persons VALUES (2, 1)")
    database.rows("UPDATE totals SET load = 4, person = 2")
    database.close()
    return tmp_path


def test_an_older_warehouse_answers_and_finds_its_keys(old):
    opened = DuckDBWarehouse(old)
    assert [one.load for one in opened.histories()[2].happenings] == [1, 2, 4]
    assert opened.histories()[2].happenings[0].properties["v"].number == 1_000_000
    assert opened._database.one("SELECT count(*) FROM events WHERE key > 4294967295") == (2,)
    assert opened._database.one("SELECT count(*) FROM superseded WHERE key > 4294967295") == (1,)
    again = [
        event(device="D", time=1, insert_id="a", properties='{"v": 1}'),
        event("U", time=2, insert_id="b", properties='{"v": 5}'),
        event("U", time=4, properties='{"v": 3}'),
    ]
    fill(old, [again])
    assert drain(opened) == Loaded(records=3, events=1, replaced=1, repeated=1)
    opened.prepare(Needs(frozenset({"v", "w"}), frozenset(), None, frozenset()))
    assert {"p1_n", "p2_n"} <= {row[1] for row in opened._database.rows("PRAGMA table_info('by_person')")}
    opened.close()
    DuckDBWarehouse(old).close()


def test_a_warehouse_that_did_not_count_its_aliases_counts_them_from_now_on(tmp_path):
    opened = DuckDBWarehouse(tmp_path, identity="original")
    opened.alias(frozenset({"os"}), now=7)
    links = [Event("$merge", Ids(), 0, b"{}", link=Link("merge", one, other)) for one, other in ("UV", "WU")]
    fill(tmp_path, [[*(change("U", ("set", f'{{"os":"os-{n}"}}')) for n in range(3)), change("X", ("set", "{}")), *links]])
    drain(opened)
    opened.close()
    database = Database(tmp_path / FILE, "1GB")
    counted = database.rows("SELECT person, size FROM clusters JOIN names USING (person) WHERE name = 'W'")
    database.rows("DELETE FROM clusters")
    database.rows("UPDATE meta SET value = '4' WHERE key = 'version'")
    open_schema(database)
    assert database.rows("SELECT person, size FROM clusters") == counted
    assert counted[0][1] == len(["W", "U", "V", "os-0", "os-1", "os-2"])
    database.close()
