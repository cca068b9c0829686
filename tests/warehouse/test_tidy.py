"""What can wait: compaction, retention and key files, a step at a time, between batches."""

import pytest
from plain_warehouse import drain, event, fill

from cornicen.warehouse.warehouse import DuckDBWarehouse

DAY = 86_400_000_000
NOW = 100 * DAY + DAY // 8


@pytest.fixture
def opening(tmp_path):
    opened = []

    def open_(**more):
        for one in opened:
            one.close()
        opened.append(DuckDBWarehouse(tmp_path, **more))
        return opened[-1]

    yield open_
    opened[-1].close()


def tidied(warehouse, now=NOW):
    steps = 0
    while warehouse.tidy(warehouse.last_load(), now):
        steps += 1
        assert steps < 50
    return steps


def days(tmp_path, *at, **more):
    fill(tmp_path, [[event(f"U{n % 3}", time=day * DAY + n, insert_id=f"k{day}-{n}", **more) for n in range(20)] for day in at])


def test_closed_days_are_moved_and_every_answer_stays(tmp_path, opening):
    warehouse = opening()
    days(tmp_path, 90, 91, 99, 100)
    drain(warehouse)
    before, shown = warehouse.histories(), warehouse.portrait("U1", 100)
    assert tidied(warehouse) > 0
    assert warehouse._database.one("SELECT count(*) FROM settled")[0] == 60
    assert warehouse._database.one("SELECT count(*) FROM events")[0] == 20
    assert warehouse.histories() == before
    assert warehouse.portrait("U1", 100) == shown
    assert len(warehouse.tail(0, 1_000)) == 80
    assert tidied(warehouse) == 0


def test_what_was_moved_is_still_found_when_it_comes_again(tmp_path, opening):
    warehouse = opening()
    days(tmp_path, 90)
    drain(warehouse)
    tidied(warehouse)
    days(tmp_path, 90)
    assert drain(warehouse).repeated == 20
    days(tmp_path, 90, properties='{"other":1}')
    assert drain(warehouse).replaced == 20
    assert warehouse.counts()["events"] == 20
    warehouse = opening()
    days(tmp_path, 90, properties='{"other":1}')
    assert drain(warehouse).repeated == 20


def test_days_that_are_not_kept_go_whole_and_what_comes_for_them_is_refused(tmp_path, opening):
    warehouse = opening(retention_days=10)
    fill(tmp_path, [[event("U", time=5)]])  # its arrival stamp is of 1970 too
    days(tmp_path, 89, 90)
    drain(warehouse)
    assert warehouse.counts()["events"] == 41
    tidied(warehouse)
    assert warehouse.counts()["events"] == 20
    assert warehouse.portrait("U", 10)["events"] == []
    assert warehouse.histories()[warehouse.portrait("U1")["number"]].happenings[0].time >= 90 * DAY


def test_an_event_for_a_day_that_is_not_kept_is_refused_when_it_comes(tmp_path, opening):
    warehouse = opening(retention_days=10)
    fill(tmp_path, [[event("U", time=-12 * DAY), event("U", time=-9 * DAY)]])
    loaded = drain(warehouse)
    assert (loaded.events, loaded.refused) == (1, 1)
    assert warehouse.refusals()[0]["reason"] == "older_than_retention"
