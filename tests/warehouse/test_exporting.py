"""Every event once, as it stood when an export began, whatever the warehouse does between two pages."""

import random

import pytest
from plain_warehouse import change, drain, event, fill

from cornicen.flows.ports import Asked
from cornicen.warehouse import compaction, exporting
from cornicen.warehouse.compaction import Compaction
from cornicen.warehouse.stored import DAY, union
from cornicen.warehouse.warehouse import DuckDBWarehouse

PLENTY = 1 << 20


@pytest.fixture
def warehouse(tmp_path):
    opened = DuckDBWarehouse(tmp_path, threads=1)
    yield opened
    opened.close()


def loaded(tmp_path, warehouse, *records):
    fill(tmp_path, [list(records)])
    drain(warehouse)


def pages(warehouse, asked, limit, size=PLENTY, between=lambda: None):
    after, found = 0, []
    while after < asked.until:
        page, after = warehouse.export(after, asked, limit, size)
        found.append(page)
        between()
    return found


def every(warehouse, limit=3, **only):
    return [one for page in pages(warehouse, Asked(warehouse.last_load(), **only), limit) for one in page]


def some_event(dice):
    if dice.random() < 0.2:
        return change(f"U{dice.randrange(4)}", ("set", f'{{"n":{dice.randrange(9)}}}'))
    key = dice.choice(["", "a", "b", "c"])
    when = dice.randrange(3) * DAY if key else dice.randrange(-2 * DAY, 8 * DAY)
    text = f'{{"n":{dice.random()}}}'
    return event(f"U{dice.randrange(4)}", name=dice.choice("xy"), time=when, insert_id=key, properties=text)


@pytest.mark.parametrize("seed", range(8))
def test_what_comes_is_replaced_or_is_moved_between_two_pages_changes_nothing_of_an_export(
    tmp_path, warehouse, monkeypatch, seed
):
    dice = random.Random(seed)
    monkeypatch.setattr(compaction, "SHARE", dice.choice([1, 1_000]))
    monkeypatch.setattr(compaction, "REST", 0)
    monkeypatch.setattr(compaction, "TOGETHER", 20)
    for _ in range(3):
        loaded(tmp_path, warehouse, *(some_event(dice) for _ in range(60)))
    database, tidying, days = warehouse._database, Compaction(warehouse._database), iter(range(1, 1_000))
    columns = ["load", "event", "time", "insert_id", "properties"]
    before = database.rows(f"{union(columns)} ORDER BY load")
    moved, replaced = set(), warehouse.counts()["replaced"]

    def busy():
        loaded(tmp_path, warehouse, *(some_event(dice) for _ in range(20)))
        tidying.one(warehouse.last_load(), next(days) * DAY + 2 * compaction.GRACE)
        moved.add(database.one("SELECT count(*) FROM settled")[0])

    found = pages(warehouse, Asked(warehouse.last_load()), dice.randint(1, 40), between=busy)
    told = [tuple(one[name] for name in columns) for page in found for one in page]
    assert told == before
    assert len(moved) > 1 < len(found)
    assert warehouse.counts()["replaced"] > replaced


def test_an_event_that_was_replaced_or_repeated_before_is_in_it_once(tmp_path, warehouse):
    again = event("U", time=5, insert_id="k", properties='{"n":1}')
    loaded(tmp_path, warehouse, again, again, event("U", time=5, insert_id="k", properties='{"n":2}'))
    first = event("U", time=5, insert_id="a", first_stays=True, properties='{"n":3}')
    loaded(tmp_path, warehouse, first, event("U", time=6, insert_id="a", first_stays=True, properties='{"n":4}'))
    assert [(one["properties"], one["first_stays"]) for one in every(warehouse)] == [('{"n":2}', False), ('{"n":3}', True)]


def test_days_are_utc_and_both_included_and_names_are_compared_exactly(tmp_path, warehouse):
    for number, time in enumerate([-DAY - 1, -DAY, -1, 0, DAY - 1, DAY, 2 * DAY - 1, 2 * DAY]):
        loaded(tmp_path, warehouse, event(name="b" if number % 2 else "B", time=time))
    assert [one["time"] for one in every(warehouse, first=-1, last=1)] == [-DAY, -1, 0, DAY - 1, DAY, 2 * DAY - 1]
    assert [one["time"] for one in every(warehouse, last=-2)] == [-DAY - 1]
    assert [one["time"] for one in every(warehouse, first=1, event="B")] == [2 * DAY - 1]
    assert every(warehouse, event="c") == []


def test_a_page_has_no_more_than_was_asked_and_the_end_says_that_it_is_one(tmp_path, warehouse):
    assert warehouse.export(0, Asked(0), 3, PLENTY) == ([], 0)
    loaded(tmp_path, warehouse, *(event(time=n) for n in range(7)), change("U", ("set", '{"n":1}')))
    found = pages(warehouse, Asked(8), 3)
    assert [[one["load"] for one in page] for page in found] == [[1, 2, 3], [4, 5, 6], [7]]


def test_a_page_ends_with_what_fits_and_an_event_that_fits_nowhere_has_one_of_its_own(tmp_path, warehouse, monkeypatch):
    monkeypatch.setattr(exporting, "AT_ONCE", 2)
    sizes = [10, 10, 500, 10, 10, 10]
    loaded(tmp_path, warehouse, *(event(time=n, properties='{"n":"%s"}' % ("x" * size)) for n, size in enumerate(sizes)))
    found = pages(warehouse, Asked(6), 100, size=30)
    assert [[one["load"] for one in page] for page in found if page] == [[1, 2], [3], [4, 5], [6]]


def test_events_that_lie_far_apart_are_found_in_one_page(tmp_path, warehouse):
    between = [change("U", ("set", f'{{"n":{n}}}')) for n in range(200)]
    loaded(tmp_path, warehouse, event(time=1), *between, event(time=2), *between, event(time=3))
    [page] = pages(warehouse, Asked(warehouse.last_load()), 4)
    assert [one["time"] for one in page] == [1, 2, 3]
