"""Compaction against what was answered before it: any events, any merges, asked as of any sequence number."""

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from plain_warehouse import change, drain, event, fill
from pyroaring import BitMap

from cornicen.cohorts.meaning import members
from cornicen.cohorts.query import Bound, Count, Did, Known, Needs, Not, Source, Sum, Window
from cornicen.engines.duckdb import DuckDBEngine
from cornicen.warehouse import compaction
from cornicen.warehouse.compaction import GRACE, Compaction
from cornicen.warehouse.stored import DAY
from cornicen.warehouse.warehouse import DuckDBWarehouse

LATE = 40 * DAY


@pytest.fixture
def warehouse(tmp_path):
    opened = DuckDBWarehouse(tmp_path, threads=1)
    yield opened
    opened.close()


def some_record(random):
    user, device = f"U{random.randrange(6)}", f"D{random.randrange(8)}"
    whom = random.choice([{"user": user}, {"device": device}, {"device": device}, {"user": user, "device": device}, {}])
    if random.random() < 0.15:
        return change(user, ("set", random.choice(['{"n":1}', '{"n":2}'])))
    when = random.randrange(-3, 8) * DAY + random.choice([0, 1, DAY - 1, random.randrange(DAY)])
    name, text = random.choice(["seen", "seen", "bought"]), random.choice(['{"n":1}', '{"n":0.5}', '{"n":[1,"x"]}', "{}"])
    if random.random() < 0.5:  # one of few keys, so that it comes again
        return event(user, name=name, time=random.randrange(3) * DAY, insert_id=random.choice("ab"), properties=text)
    return event(**whom, name=name, time=when, properties=text)


def some_batches(random):
    return [[some_record(random) for _ in range(random.randint(1, 30))] for _ in range(random.randint(2, 6))]


def known(histories):
    return {person: history for person, history in histories.items() if history.happenings or history.profile is not None}


def whole(histories):
    """Histories, whatever the order of happenings was that came with one sequence number."""
    return {person: (sorted(map(repr, history.happenings)), history.profile) for person, history in known(histories).items()}


QUERIES = (
    Known(),
    Did((Source(("seen",)),), Window(None), Count((Bound("gte", 2_000_000),))),
    Did((Source(None),), Window(None), Count((Bound("gte", 3_000_000),))),
    Did((Source(None),), Window(3 * DAY), Count((Bound("gte", 1_000_000),))),
    Did((Source(("bought", "seen")),), Window(None), Sum("n", (Bound("gt", 1_000_000),))),
    Not(Did((Source(("bought",)),), Window(5 * DAY), Count((Bound("gte", 1_000_000),)))),
)


def check_engine(opened, before, some):
    """The engine says what the meaning says of the same rows, about all and about some."""
    histories = opened.histories(before=before)
    engine = DuckDBEngine(opened.cursor(), opened.tables(before))
    for as_of in (3 * DAY, 9 * DAY):
        wanted = [members(query, histories, as_of) for query in QUERIES]
        assert [set(found) for found in engine.members(QUERIES, as_of)] == wanted
        assert [set(found) for found in engine.members(QUERIES, as_of, BitMap(some))] == [found & some for found in wanted]


def check_tables(opened):
    """Every event lies once where it belongs, and once again for persons."""
    database = opened._database
    settled = database.rows("SELECT load, person, event, time FROM settled WHERE person IS NOT NULL ORDER BY load")
    assert database.rows("SELECT load, person, event, time FROM by_person ORDER BY load") == settled
    assert database.rows("SELECT load FROM events INTERSECT SELECT load FROM settled") == []
    written = dict(database.rows("SELECT day, events FROM days"))
    for day, events in database.rows("SELECT CAST(floor(time / 86400000000) AS BIGINT), count(*) FROM settled GROUP BY 1"):
        assert events <= written[day], "more than was written"


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(st.randoms(use_true_random=True), st.data())
def test_every_answer_is_the_same_before_and_after_compaction(random, data):
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(compaction, "TOGETHER", data.draw(st.sampled_from([1, 40, 200_000])))
        patch.setattr(compaction, "FAN", 2)
        opened, then, earliest = DuckDBWarehouse(Path(name), threads=1), {}, 0
        if data.draw(st.booleans()):
            opened.prepare(needs)
        for batch in some_batches(random):
            fill(Path(name), [batch])
            drain(opened, 11)
            then[opened.last_load()] = whole(opened.histories())
            earliest = data.draw(st.sampled_from([load for load in [0, *then] if load >= earliest]))
            compact = Compaction(opened._database)
            as_of = data.draw(st.integers(0, 12)) * DAY
            for _ in range(data.draw(st.integers(0, 6))):
                compact.one(earliest, as_of)
        opened.prepare(needs)
        check_tables(opened)
        assert whole(opened.histories()) == then[opened.last_load()]
        for load in [load for load in then if load >= earliest]:
            assert whole(opened.histories(before=load)) == then[load]
            check_engine(opened, load, {1, 2, 3, 7})
        check_engine(opened, None, {1, 4, 5, 9})
        opened.close()


needs = Needs(frozenset({"n"}), frozenset({"n"}), None, frozenset())


def settle(opened, before=None, as_of=LATE):
    compact = Compaction(opened._database)
    done = 0
    while compact.one(opened.last_load() if before is None else before, as_of):
        done += 1
    return done


def counted(opened, table):
    return opened._database.one(f"SELECT count(*) FROM {table}")[0]


def test_an_event_that_comes_again_after_its_day_is_settled_is_repeated_or_replaced(tmp_path, warehouse):
    fill(tmp_path, [[event("U", time=1, insert_id="a", properties='{"v":1}'), event("U", time=2)]])
    drain(warehouse)
    settle(warehouse)
    fill(tmp_path, [[event("U", time=1, insert_id="a", properties='{"v":1}')]])
    assert drain(warehouse).repeated == 1
    fill(tmp_path, [[event("U", time=1, insert_id="a", properties='{"v":2}')]])
    assert drain(warehouse).replaced == 1
    assert [(one.time, one.load) for one in warehouse.histories()[1].happenings] == [(2, 2), (1, 4)]
    assert [(one.time, one.load) for one in warehouse.histories(before=3)[1].happenings] == [(1, 1), (2, 2)]
    assert warehouse._database.rows("SELECT load FROM by_person") == [(2,)]


def test_a_day_is_closed_an_hour_after_its_end_and_no_moment_earlier(tmp_path, warehouse):
    fill(tmp_path, [[event("U", time=DAY - 1), event("U", time=DAY)]])
    drain(warehouse)
    assert settle(warehouse, as_of=DAY + GRACE - 1) == 0
    assert settle(warehouse, as_of=DAY + GRACE) == 1
    assert warehouse._database.rows("SELECT time FROM settled") == [(DAY - 1,)]


def test_one_call_does_one_days_work_when_days_are_large(tmp_path, warehouse, monkeypatch):
    monkeypatch.setattr(compaction, "TOGETHER", 2)
    fill(tmp_path, [[event("U", time=day * DAY) for day in (1, 1, 1, 2, 3)]])
    drain(warehouse)
    compact = Compaction(warehouse._database)
    assert compact.one(5, LATE)
    assert counted(warehouse, "settled") == 3
    assert compact.one(5, LATE)
    assert counted(warehouse, "settled") == 5
    assert not compact.one(5, LATE)


def test_a_few_late_events_wait_for_a_day_and_many_do_not(tmp_path, warehouse):
    fill(tmp_path, [[event("U", time=n) for n in range(100)]])
    drain(warehouse)
    settle(warehouse)
    fill(tmp_path, [[event("U", time=n) for n in range(4)]])
    drain(warehouse)
    assert settle(warehouse, as_of=LATE + DAY - 1) == 0
    assert counted(warehouse, "events") == 4
    fill(tmp_path, [[event("U", time=5)]])
    drain(warehouse)
    assert settle(warehouse, as_of=LATE + DAY - 1) == 1
    fill(tmp_path, [[event("U", time=5)]])
    drain(warehouse)
    assert settle(warehouse, as_of=LATE + 2 * DAY) == 1
    assert (counted(warehouse, "events"), counted(warehouse, "settled")) == (0, 106)


def test_merges_up_to_the_given_number_are_written_and_later_ones_are_not(tmp_path, warehouse):
    fill(tmp_path, [[event(device="A", time=1), event(device="B", time=2), event("U", time=3)]])
    fill(tmp_path, [[event("U", "A", time=4)], [event("U", "B", time=5)]])
    drain(warehouse)
    settle(warehouse, before=4)
    assert warehouse._database.rows("SELECT time, person FROM settled ORDER BY time") == [
        (1, 3),
        (2, 2),
        (3, 3),
        (4, 3),
        (5, 3),
    ]
    assert [len(one.happenings) for one in known(warehouse.histories()).values()] == [5]
    assert {person: len(one.happenings) for person, one in known(warehouse.histories(before=4)).items()} == {2: 1, 3: 3}


def test_a_day_that_no_later_merge_touches_is_read_without_a_join(tmp_path, warehouse):
    fill(tmp_path, [[event("U", time=1), event(device="A", time=9 * DAY)]])
    drain(warehouse)
    settle(warehouse)
    fill(tmp_path, [[event("U", "A", time=LATE)]])
    drain(warehouse)
    assert "settled WHERE time <" not in warehouse.tables().events
    assert settle(warehouse, before=1, as_of=LATE + 1) == 0
    assert f"FROM settled WHERE time < {9 * DAY}" in warehouse.tables().events
    settle(warehouse, as_of=LATE + DAY)
    assert "JOIN" not in warehouse.tables().events.split("UNION ALL", 1)[1]


def test_some_persons_events_of_any_name_are_read_where_they_are_ordered_by_person(tmp_path, warehouse):
    fill(tmp_path, [[event(f"U{n % 5}", time=n) for n in range(50)]])
    drain(warehouse)
    assert warehouse.tables().by_person is None
    settle(warehouse)
    tables = warehouse.tables()
    warehouse._database.rows("DELETE FROM by_person WHERE person = 1")
    engine = DuckDBEngine(warehouse.cursor(), tables)
    at_all = Did((Source(None),), Window(None), Count((Bound("gte", 1_000_000),)))
    for query in (at_all, replace(at_all, window=Window(50 * DAY))):
        assert set(engine.members([query], LATE, BitMap([1, 2]))[0]) == {2}
    for query in (replace(at_all, window=Window(DAY)), replace(at_all, sources=(Source(("seen",)),))):
        assert set(engine.members([query], DAY // 2, BitMap([1, 2]))[0]) == {1, 2}
    assert 1 in engine.members([at_all], LATE)[0]


def test_stretches_ordered_by_person_grow_together(tmp_path, warehouse, monkeypatch):
    monkeypatch.setattr(compaction, "TOGETHER", 1)
    fill(tmp_path, [[event(f"U{n}", time=day * DAY + n) for day in range(8) for n in range(3)]])
    drain(warehouse)
    assert settle(warehouse) == 9
    assert warehouse._database.one("SELECT count(DISTINCT stretch), count(*) FROM days") == (1, 8)
    persons = [person for (person,) in warehouse._database.rows("SELECT person FROM by_person ORDER BY rowid")]
    assert persons == sorted(persons)
    check_tables(warehouse)


def test_a_column_made_after_compaction_is_filled_everywhere(tmp_path, warehouse):
    fill(tmp_path, [[event("U", time=1, properties='{"n":[1,2]}'), event("U", time=2, properties='{"n":7}')]])
    drain(warehouse)
    settle(warehouse)
    fill(tmp_path, [[event("U", time=3, properties='{"n":9}')]])
    drain(warehouse)
    warehouse.prepare(needs)
    for table, numbers in (("events", [9]), ("settled", [None, 7]), ("by_person", [None, 7])):
        column = warehouse.tables().event_properties["n"].of("n")
        rows = warehouse._database.rows(f"SELECT {column} FROM {table} ORDER BY time")
        assert rows == [(None if number is None else number * 1_000_000,) for number in numbers]


def test_compaction_leaves_a_file_that_an_opening_accepts(tmp_path, warehouse):
    fill(tmp_path, [[event("U", time=1)]])
    drain(warehouse)
    settle(warehouse)
    warehouse.close()
    opened = DuckDBWarehouse(tmp_path)
    assert counted(opened, "settled") == 1
    assert dict(opened.counts())["events"] == 1
    opened.close()
