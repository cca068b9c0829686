"""The index of de-duplication keys against a plain set, with spills, reopenings, crashes and damage."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cornicen.warehouse import key_days, key_files
from cornicen.warehouse.database import Database
from cornicen.warehouse.key_days import REACH, KeyDays, repeated
from cornicen.warehouse.schema import open_schema
from cornicen.warehouse.stored import DAY

EDGE = 2**63


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    monkeypatch.setattr(key_days, "PIECE", 2)


@pytest.fixture
def database(tmp_path):
    opened = Database(tmp_path / "warehouse.duckdb", "1GB", 1)
    open_schema(opened)
    yield opened
    opened.close()


def opened_index(folder, database, memory=10**9):
    index = KeyDays(folder, memory)
    index.catch_up(database)
    return index


def commit(database, rows, table="events"):
    """What the loader does, as far as the index sees: rows of ``(time, key)``, one sequence number each."""
    [last] = database.one("SELECT load FROM totals")
    with database.transaction():
        for load, (time, key) in enumerate(rows, last + 1):
            database.rows(f"INSERT INTO {table} (load, time, key) VALUES (?, ?, ?)", [load, time, key])
        database.rows("UPDATE totals SET load = ?", [last + len(rows)])
    return last + len(rows)


def arrays(rows):
    return np.array([time for time, _ in rows], np.int64), np.array([key for _, key in rows], np.uint64)


def asked(index, rows, first_stays):
    return index.suspects(*arrays(rows), np.full(len(rows), first_stays)).tolist()


def wanted(seen, time, key, reach):
    return any(key == one and abs(time // DAY - when // DAY) <= reach for when, one in seen)


times = st.builds(
    lambda day, within: day * DAY + within,
    st.integers(-3, 20),
    st.sampled_from([0, 1, DAY - 1, DAY // 2]),
)
keys = st.sampled_from([0, 1, 2, 3, 2**63, 2**64 - 1])
batches = st.lists(st.tuples(times, keys), max_size=8)
faults = st.sampled_from(["", "", "crash", "before add", "save", "save and crash", "cut", "flip", "lose", "lose all", "hash"])


def damage(folder, fault):
    """What can become of the files between two starts."""
    for path in sorted(folder.glob("*.keys"))[:2]:
        data = bytearray(path.read_bytes())
        match fault:
            case "cut":
                path.write_bytes(data[:-3])
            case "flip":
                data[-1] ^= 1
                path.write_bytes(data)
            case "lose":
                path.unlink()
    if fault == "lose all":
        for path in folder.iterdir():
            path.unlink()


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(batches, faults), max_size=6), batches, st.sampled_from([0, 24, 10**9]))
def test_no_key_is_overlooked_and_none_is_made_up_whatever_happens_between(steps, probes, memory):
    with tempfile.TemporaryDirectory() as name:
        folder, database, seen = Path(name) / "keys", Database(Path(name) / "w.duckdb", "1GB", 1), []
        open_schema(database)
        index = opened_index(folder, database, memory)
        for rows, fault in steps:
            load = commit(database, rows, "settled" if len(rows) % 2 else "events")
            seen += rows
            if fault != "before add":
                index.add(*arrays(rows), load)
            if fault.startswith("save"):
                index.save()
            if fault == "hash":
                database.rows("UPDATE meta SET value = value || '!' WHERE key = 'hash'")
            damage(folder, fault)
            if fault not in {"", "save"}:
                index = opened_index(folder, database, memory)
            for reach, first_stays in ((0, False), (REACH, True)):
                found = asked(index, [*probes, *seen], first_stays)
                assert found == [wanted(seen, time, key, reach) for time, key in [*probes, *seen]]
        database.close()


def test_what_is_equal_within_a_batch_is_repeated():
    assert repeated(np.array([5, 7, 5, 2**64 - 1], np.uint64)).tolist() == [True, False, True, False]
    assert repeated(np.array([], np.uint64)).tolist() == []


def test_a_start_reads_only_what_was_loaded_after_the_files_were_written(tmp_path, database):
    index = opened_index(tmp_path / "keys", database)
    index.add(*arrays([(1, 5)]), commit(database, [(1, 5)]))
    assert index.unsaved == 1
    index.save()
    assert index.unsaved == 0
    commit(database, [(2, 6)])
    database.rows("DELETE FROM events WHERE key = 5")
    again = opened_index(tmp_path / "keys", database)
    assert asked(again, [(1, 5), (1, 6), (1, 7)], False) == [True, True, False]


def test_files_of_another_database_are_not_believed(tmp_path, database):
    index = opened_index(tmp_path / "keys", database)
    index.add(*arrays([(1, 5), (1, 6)]), commit(database, [(1, 5), (1, 6)]))
    index.save()
    database.rows("DELETE FROM events WHERE key = 6")
    database.rows("UPDATE totals SET load = 1")
    again = opened_index(tmp_path / "keys", database)
    assert asked(again, [(1, 5), (1, 6)], False) == [True, False]


def test_memory_is_bounded_and_the_days_not_touched_lately_go_first(tmp_path, database):
    index = opened_index(tmp_path / "keys", database, memory=3 * 8)
    for day in (1, 2, 3):
        rows = [(day * DAY, day * 10), (day * DAY, day * 10 + 1)]
        index.add(*arrays(rows), commit(database, rows))
    assert sorted(path.name for path in (tmp_path / "keys").glob("*.keys")) == ["1.keys", "2.keys"]
    assert asked(index, [(DAY, 10), (2 * DAY, 21), (3 * DAY, 30), (DAY, 30)], False) == [True, True, True, False]


def test_wild_times_share_two_files(tmp_path, database):
    rows = [(-EDGE, 1), (-EDGE + 400 * 366 * DAY, 2), (EDGE - 1, 3), (EDGE - 400 * 366 * DAY, 4)]
    index = opened_index(tmp_path / "keys", database)
    index.add(*arrays(rows), commit(database, rows))
    index.save()
    assert len(list((tmp_path / "keys").glob("*.keys"))) == 2
    (tmp_path / "keys" / f"{key_days.FIRST_DAY}.keys").unlink()
    again = opened_index(tmp_path / "keys", database)
    for first_stays in (False, True):
        assert asked(again, rows, first_stays) == [True] * 4


def test_whole_days_before_an_instant_are_forgotten_with_their_files(tmp_path, database):
    rows = [(0, 1), (5 * DAY - 1, 2), (5 * DAY, 3)]
    index = opened_index(tmp_path / "keys", database)
    index.add(*arrays(rows), commit(database, rows))
    index.save()
    index.forget(5 * DAY + 1)
    assert asked(index, rows, False) == [False, False, True]
    assert [path.name for path in (tmp_path / "keys").glob("*.keys")] == ["5.keys"]
    database.rows("DELETE FROM events WHERE key < 3")
    assert asked(opened_index(tmp_path / "keys", database), rows, False) == [False, False, True]


@given(st.lists(st.lists(st.integers(0, 20), max_size=12), max_size=4))
def test_a_days_keys_are_written_ascending_and_once_however_they_lie_in_runs(runs):
    day = key_days._Day(runs=[np.array(sorted(run), np.uint64) for run in runs])
    written = [int(key) for piece in day.all() for key in piece]
    assert written == sorted({key for run in runs for key in run})


def test_an_interrupted_write_leaves_the_file_before_it(tmp_path, monkeypatch):
    first, second = np.array([1, 2], np.uint64), np.array([1, 2, 3], np.uint64)
    key_files.write(tmp_path, 4, [first], 9, 1)

    def fail(_descriptor):
        raise OSError("disk")

    with monkeypatch.context() as broken:
        broken.setattr(key_files.os, "fsync", fail)
        with pytest.raises(OSError, match="disk"):
            key_files.write(tmp_path, 4, [second], 9, 2)
    file = key_files.read(tmp_path, 4, 9)
    assert (file.load, file.keys.tolist(), file.sound()) == (1, [1, 2], True)
    key_files.remove(tmp_path, {4: None})
    assert [path.name for path in tmp_path.iterdir()] == ["4.keys"]
