"""A process of its own reads the next batch: it changes how fast things are loaded, and nothing else."""

import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace

import pytest
from plain_warehouse import change, drain, event, fill

from cornicen.cohorts.query import Needs
from cornicen.errors import Damaged
from cornicen.events.shapes import GroupChange, Operation, Refusal, UserMapping
from cornicen.flows.ports import Loaded
from cornicen.warehouse import ahead
from cornicen.warehouse.warehouse import DuckDBWarehouse

RECORDS = [[event(f"U{n % 7}", properties=f'{{"n":{n}}}') for n in range(start, start + 5)] for start in range(0, 200, 5)]


VARIED = [
    [
        event(f"U{n % 7}", f"D{n % 8}", insert_id=f"k{n % 40}", first_stays=n % 2 == 0),
        event("", f"D{(n + 3) % 8}", operations=(Operation("set", b'{"plan":"pro"}'),)),
        change(f"U{n % 3}", ("set", f'{{"alias":"A{n % 9}","n":{n}}}')),
        GroupChange("company", "acme", (Operation("add", b'{"seats":1}'),)),
        UserMapping(f"U{n % 3}", "whole"),
        Refusal("time_missing", "time", "There is none.", b"{}"),
        event("U1", properties="[]"),
    ]
    for n in range(60)
]
TABLES = ("names", "events", "merges", "steps", "persons", "profiles", "profile_history", "changes", "groups", "mappings")


def rows(warehouse):
    return warehouse._database.rows("SELECT * FROM events ORDER BY load")


@pytest.fixture
def reading(tmp_path):
    """A warehouse with a spool, of which a process reads ahead."""
    fill(tmp_path, RECORDS)
    opened = DuckDBWarehouse(tmp_path, read_ahead=True)
    yield opened
    opened.close()


def process_of(warehouse):
    return warehouse._loader._ahead._process


def test_what_is_read_ahead_is_loaded_as_if_it_had_not_been(tmp_path):
    found = []
    for folder, read_ahead in ((tmp_path / "a", True), (tmp_path / "b", False)):
        fill(folder, VARIED)
        opened = DuckDBWarehouse(folder, read_ahead=read_ahead)
        opened.alias(frozenset({"alias"}), 0)
        loaded = drain(opened, 40)
        assert (opened._loader._ahead is not None) is read_ahead
        opened._database.rows("ALTER TABLE names DROP high; ALTER TABLE names DROP low")  # of a key of its own
        tables = [opened._database.rows(f"SELECT * FROM {one} ORDER BY ALL") for one in TABLES]
        found.append((loaded, opened.counts(), tables))
        opened.close()
    assert found[0] == found[1]
    assert all(found[0][2])


def test_what_came_after_the_last_look_ahead_is_not_left_behind(tmp_path, reading):
    while reading._loader._ahead._coming is None or reading.last_load() < 190:
        reading.load(15)
    ready = select.poll()
    ready.register(process_of(reading).stdout, select.POLLIN)
    assert ready.poll(20_000), "it has not read the last records"
    fill(tmp_path, [[event("late")]])
    while reading.load(15).more:
        pass
    assert reading.counts()["events"] == 201


def test_a_batch_that_was_not_committed_is_read_again(reading, monkeypatch):
    reading.load(20)
    with monkeypatch.context() as patch:
        patch.setattr(reading._loader, "_keep_positions", None)
        with pytest.raises(TypeError):
            reading.load(20)
    drain(reading, 20)
    assert [row[0] for row in rows(reading)] == list(range(1, 201))


def test_a_property_that_is_named_meanwhile_has_its_column_in_what_was_read_before(reading):
    reading.load(20)
    reading.prepare(Needs(frozenset("n"), frozenset(), frozenset(), frozenset()))
    drain(reading, 20)
    [(column,)] = reading._database.rows("SELECT 'p' || id || '_n' FROM property")
    assert reading.counts()["events"] == 200
    assert reading._database.one(f"SELECT count({column}), max({column}) FROM events") == (200, 199_000_000)


def test_a_process_that_was_killed_costs_nothing_but_time(reading):
    reading.load(20)
    first = process_of(reading)
    first.kill()
    drain(reading, 20)
    assert [row[0] for row in rows(reading)] == list(range(1, 201))
    assert process_of(reading).pid != first.pid


def test_a_process_that_died_while_it_had_nothing_to_do_is_followed_by_another(tmp_path, reading):
    drain(reading, 20)
    first = process_of(reading)
    assert reading._loader._ahead._coming is None, "it has something to do"
    first.kill()
    first.wait()
    fill(tmp_path, [[event(f"V{n}")] for n in range(60)])
    drain(reading, 20)
    assert process_of(reading).pid != first.pid
    assert reading.counts()["events"] == 260


def test_damage_that_is_found_ahead_is_told_when_its_turn_has_come(tmp_path, reading):
    [path] = (tmp_path / "spool" / "live").glob("*/*.spool")
    whole = path.read_bytes()
    half = len(whole) // 2
    path.write_bytes(whole[:half] + bytes([whole[half] ^ 1]) + whole[half + 1 :])
    with pytest.raises(Damaged):
        drain(reading, 20)
    loaded = reading.counts()["events"]
    assert 0 < loaded < 200
    path.write_bytes(whole)
    drain(reading, 20)
    assert reading.counts()["events"] == 200


def test_it_is_not_started_for_what_one_batch_takes(tmp_path):
    fill(tmp_path, RECORDS)
    opened = DuckDBWarehouse(tmp_path, read_ahead=True)
    assert opened.load(1_000) == replace(Loaded(), records=200, events=200)
    assert process_of(opened) is None
    opened.close()


def test_it_rests_when_there_was_nothing_to_read_for_a_while(reading, monkeypatch):
    drain(reading, 20)
    process = process_of(reading)
    reading.tidy(0, 0)
    assert process_of(reading) is process
    monkeypatch.setattr(ahead, "REST", -1.0)
    reading.tidy(0, 0)
    assert process_of(reading) is None
    assert process.returncode == -signal.SIGKILL


HOLDER = """
import sys
from pathlib import Path
from cornicen.warehouse.warehouse import DuckDBWarehouse
opened = DuckDBWarehouse(Path(sys.argv[1]), read_ahead=True)
opened.load(20)
print(opened._loader._ahead._process.pid, flush=True)
sys.stdin.read()
"""


def test_it_ends_with_its_parent_however_that_ends(tmp_path):
    fill(tmp_path, RECORDS)
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        child = int(parent.stdout.readline())
        parent.kill()
        with suppress(ProcessLookupError):
            gone = select.poll()
            gone.register(os.pidfd_open(child), select.POLLIN)
            assert gone.poll(20_000), "it goes on without its parent"
