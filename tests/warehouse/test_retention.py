"""Retention: whole days go from everywhere, and what is left answers as if they had never come."""

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from plain_warehouse import drain, event, fill
from test_compaction import check_tables, known, settle, some_record, whole

from cornicen.warehouse.key_days import KeyDays
from cornicen.warehouse.retention import horizon, retain
from cornicen.warehouse.stored import DAY, union
from cornicen.warehouse.warehouse import DuckDBWarehouse


def test_the_horizon_is_the_start_of_a_day_and_there_is_none_without_a_setting():
    assert horizon(0, 5 * DAY) is None
    assert horizon(1, 5 * DAY) == 4 * DAY
    assert horizon(1, 6 * DAY - 1) == 4 * DAY


def kept(histories, first):
    """Pasts without what lies before an instant; whoever has nothing left is not there."""
    left = {}
    for person, (happenings, profile) in histories.items():
        still = [one for one in happenings if int(one.split("time=")[1].split(",")[0]) >= first]
        if still or profile is not None:
            left[person] = (still, profile)
    return left


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=True), st.booleans(), st.integers(0, 8))
def test_what_is_left_is_what_would_be_there_had_the_deleted_events_never_come(random, compacted, today):
    with tempfile.TemporaryDirectory() as name:
        fill(Path(name), [[some_record(random) for _ in range(60)]])
        opened = DuckDBWarehouse(Path(name), threads=1)
        keys = KeyDays(Path(name) / "keys", 0)
        keys.catch_up(opened._database)
        drain(opened, 20)
        half = opened.last_load() // 2
        if compacted:
            settle(opened, before=half)
        before, then = whole(opened.histories()), whole(opened.histories(before=half))
        events = opened.counts()["events"]
        gone = retain(opened._database, keys, 2, today * DAY + 5)
        first = (today - 2) * DAY
        assert whole(opened.histories()) == kept(before, first)
        assert whole(opened.histories(before=half)) == kept(then, first)
        assert opened.counts()["events"] == events - gone
        assert opened._database.one(f"SELECT count(*) FROM ({union(['time'])}) AS e WHERE time < {first}") == (0,)
        firsts = opened._database.rows("SELECT person, first FROM persons WHERE first IS NOT NULL")
        earliest = {p: min(h.time for h in one.happenings) for p, one in known(opened.histories()).items() if one.happenings}
        assert dict(firsts) == earliest
        assert retain(opened._database, keys, 2, today * DAY + 5) == 0
        check_tables(opened)
        opened.close()


def test_what_was_replaced_and_the_keys_go_too(tmp_path):
    sent = [event("U", time=1, insert_id="a", properties=f'{{"v":{n}}}') for n in range(2)]
    fill(tmp_path, [[*sent, event("U", time=3 * DAY, insert_id="a")]])
    opened = DuckDBWarehouse(tmp_path)
    keys = KeyDays(tmp_path / "keys_apart", 0)
    drain(opened)
    keys.catch_up(opened._database)
    assert retain(opened._database, keys, 1, 3 * DAY) == 1
    assert opened._database.one("SELECT count(*) FROM superseded") == (0,)
    assert opened._database.rows("SELECT person, first FROM persons") == [(1, 3 * DAY)]
    rows = opened._database.rows("SELECT time, key FROM events")
    times, hashes = (
        np.array(column, kind) for column, kind in zip(zip(*rows, strict=True), (np.int64, np.uint64), strict=True)
    )
    assert keys.suspects(times, hashes, np.zeros(1, bool)).tolist() == [True]
    assert [path.stem for path in (tmp_path / "keys_apart").glob("*.keys")] == ["3"]
    opened.close()


def test_without_a_setting_nothing_is_deleted(tmp_path):
    fill(tmp_path, [[event("U", time=1)]])
    opened = DuckDBWarehouse(tmp_path)
    drain(opened)
    assert retain(opened._database, KeyDays(tmp_path / "keys_apart", 0), 0, 1_000 * DAY) == 0
    assert opened.counts()["events"] == 1
    opened.close()
