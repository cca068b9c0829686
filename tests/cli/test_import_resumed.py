"""Imports that were interrupted, at every moment at which they can be."""

import gzip
import json
import zipfile
from collections import Counter
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest
from door_standin import DoorStandIn
from pyarrow import parquet

from cornicen.apps.cli import posting
from cornicen.apps.cli.carrying import Carriage
from cornicen.apps.cli.positions import Positions, Tally, identity_of
from cornicen.errors import BadFile, NotRunning

TOKEN = "t" * 32
LINES = 23
BROKEN = {4, 5, 6, 11, 23}
"""Lines that hold no record; the door refuses the one after the first of them."""


class Killed(BaseException):
    """The process is gone, without any goodbye."""


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(posting, "MOST_RECORDS", 3)


def export(path):
    rows = [
        "{"
        if n in BROKEN
        else json.dumps({"event": "refuse" if n == 7 else "buy", "properties": {"time": n, "$insert_id": f"k{n}"}})
        for n in range(1, LINES + 1)
    ]
    path.write_text("\n".join(rows))
    return path


def keyless(path):
    rows = [
        "{" if n in BROKEN else json.dumps({"event": "refuse" if n == 7 else "buy", "properties": {"time": 1}})
        for n in range(1, LINES + 1)
    ]
    path.write_text("\n".join(rows))
    return path


def packed(path):
    path.write_bytes(gzip.compress(export(path).read_bytes()))
    return path


def profiles(path):
    rows = [
        "{" if n in BROKEN else json.dumps({"$distinct_id": f"u{n}", "$set": {"refuse" if n == 7 else "x": 1}})
        for n in range(1, LINES + 1)
    ]
    path.write_text("\n".join(rows))
    return path


def table(path):
    rows = ["buy,soon,a,k" if n in BROKEN else f"{'refuse' if n == 7 else 'buy'},{n},a,k{n}" for n in range(1, LINES + 1)]
    path.write_text("\n".join(["event,time,distinct_id,$insert_id", *rows]))
    return path


def columns(path):
    numbers = range(1, LINES + 1)
    found = pa.table(
        {
            "event": ["refuse" if n == 7 else "buy" for n in numbers],
            "time": pa.array([None if n in BROKEN else n * 1_000_000 for n in numbers], pa.timestamp("us")),
            "distinct_id": ["a"] * LINES,
            "$insert_id": [f"k{n}" for n in numbers],
        }
    )
    parquet.write_table(found, path, row_group_size=4)
    return path


def amplitude(path):
    def row(n):
        said = {"event_type": "refuse" if n == 7 else "buy", "device_id": "d", "$insert_id": f"k{n}"}
        return json.dumps({**said, "event_time": "2026-05-04 10:00:00.000000"})

    rows = ["{" if n in BROKEN else row(n) for n in range(1, LINES + 1)]
    with zipfile.ZipFile(path, "w") as archive:
        for hour, start in enumerate(range(0, LINES, 5)):
            name = f"7/7_2026-05-04_{hour + 8}#0.json.gz"
            archive.writestr(name, gzip.compress("\n".join(rows[start : start + 5]).encode()))
    return path


FILES = {
    "export": ("mixpanel-export", export),
    "export.gz": ("mixpanel-export", packed),
    "keyless export": ("mixpanel-export", keyless),
    "profiles": ("engage-jsonl", profiles),
    "csv": ("csv", table),
    "parquet": ("parquet", columns),
    "amplitude": ("amplitude-export", amplitude),
}


@pytest.fixture(params=FILES)
def file(request, tmp_path):
    kind, make = FILES[request.param]
    return kind, make(tmp_path / "file")


def carried(kind, path, door, positions, keep=None):
    """One sitting, as far as it comes; its tally."""
    tally = positions.found("x") or Tally(file=str(path))
    Carriage(path, kind, TOKEN, door, tally).go(keep or (lambda one: positions.keep("x", one)), shown=False)
    return tally


def whole(kind, path, tmp_path):
    """An import that nothing interrupts: its keys in order, its tally, what it rejected."""
    door = DoorStandIn()
    tally = carried(kind, path, door, Positions(tmp_path / "whole"))
    rejected = Path(tally.rejects).read_text()
    Path(tally.rejects).unlink()
    return door, tally, rejected


def test_an_import_that_nothing_interrupts_takes_every_good_record_once(file, tmp_path):
    door, tally, rejected = whole(*file, tmp_path)
    assert (tally.taken, tally.rejected) == (LINES - len(BROKEN) - 1, len(BROKEN) + 1)
    assert len(set(door.keys)) == len(door.keys) == tally.taken
    assert sum(tally.reasons.values()) == tally.rejected == len(rejected.splitlines())
    assert TOKEN not in rejected


@pytest.mark.parametrize("answer_kept", [True, False])
def test_killed_at_any_batch_it_goes_on_and_no_record_is_lost_or_counted_twice(file, tmp_path, answer_kept):
    """With the answer on disk nothing is sent again; without it, the one batch that was answered is."""
    kind, path = file
    straight, wanted, rejected = whole(kind, path, tmp_path)
    assert len(straight.batches) > 5
    for number in range(len(straight.batches)):
        positions, left = Positions(tmp_path / f"{answer_kept}{number}"), [number]

        def dying(tally, positions=positions, left=left):
            if answer_kept:
                positions.keep("x", tally)
            if not left[0]:
                raise Killed
            left[0] -= 1
            positions.keep("x", tally)

        door = DoorStandIn()
        with pytest.raises(Killed):
            carried(kind, path, door, positions, dying)
        tally = carried(kind, path, door, positions)
        again = Counter(door.keys)
        assert set(again) == set(straight.keys)
        assert {key for key, times in again.items() if times > 1} == set([] if answer_kept else straight.batches[number])
        assert msgspec.to_builtins(tally) == msgspec.to_builtins(wanted)
        assert Path(tally.rejects).read_text() == rejected
        Path(tally.rejects).unlink()


def test_killed_after_every_single_batch_it_still_ends_with_everything(file, tmp_path):
    kind, path = file
    straight, wanted, rejected = whole(kind, path, tmp_path)
    positions, door, sittings = Positions(tmp_path / "p"), DoorStandIn(), 0

    def dying(tally):
        positions.keep("x", tally)
        raise Killed

    while True:
        try:
            tally = carried(kind, path, door, positions, dying)
            break
        except Killed:
            sittings += 1
    assert sittings == len(straight.batches)
    assert door.keys == straight.keys
    assert msgspec.to_builtins(tally) == msgspec.to_builtins(wanted)
    assert Path(tally.rejects).read_text() == rejected


def test_a_door_that_goes_in_the_middle_loses_nothing(file, tmp_path):
    kind, path = file
    straight, _, _ = whole(kind, path, tmp_path)
    positions, door = Positions(tmp_path / "p"), DoorStandIn(gone_after=3)
    with pytest.raises(NotRunning):
        carried(kind, path, door, positions)
    door.gone_after = None
    carried(kind, path, door, positions)
    assert door.keys == straight.keys


def harm_gzip(path):
    path.write_bytes(path.read_bytes()[:-12])


def harm_zip(path):
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        data[archive.infolist()[-1].header_offset + 70] ^= 0xFF
    path.write_bytes(data)


def harm_parquet(path):
    data = bytearray(path.read_bytes())
    start = parquet.read_metadata(path).row_group(3).column(0).data_page_offset
    data[start : start + 8] = b"\xff" * 8
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("kind", "make", "harm"),
    [
        ("mixpanel-export", packed, harm_gzip),
        ("amplitude-export", amplitude, harm_zip),
        ("parquet", columns, harm_parquet),
    ],
)
def test_a_file_that_is_damaged_further_on_says_how_many_were_taken_and_they_were(tmp_path, kind, make, harm):
    path = make(tmp_path / "file")
    harm(path)
    door, positions = DoorStandIn(), Positions(tmp_path / "p")
    with pytest.raises(BadFile) as raised:
        carried(kind, path, door, positions)
    taken = positions.found("x").taken
    assert taken == len(door.keys) >= 3
    assert f"{path} is damaged: " in raised.value.what
    assert f". {taken:,} records before that place were taken" in raised.value.what


@pytest.mark.parametrize(("kind", "make"), [("amplitude-export", amplitude), ("parquet", columns)])
def test_a_file_that_was_cut_off_is_refused_before_anything_is_taken(tmp_path, kind, make):
    path = make(tmp_path / "file")
    path.write_bytes(path.read_bytes()[:-30])
    door = DoorStandIn()
    with pytest.raises(BadFile, match="Nothing of it was taken"):
        carried(kind, path, door, Positions(tmp_path / "p"))
    assert door.keys == []


@pytest.mark.parametrize("kind", ["mixpanel-export", "engage-jsonl", "csv", "parquet"])
def test_a_folder_is_refused_where_a_file_is_needed(tmp_path, kind):
    with pytest.raises(BadFile, match="is a folder"):
        carried(kind, tmp_path, DoorStandIn(), Positions(tmp_path / "p"))


def test_a_place_where_no_rejects_can_be_kept_stops_the_import_before_its_position_moves(tmp_path):
    path = export(tmp_path / "file")
    (tmp_path / "file.rejected.ndjson").mkdir()
    positions = Positions(tmp_path / "p")
    with pytest.raises(BadFile, match="cannot be written"):
        carried("mixpanel-export", path, DoorStandIn(), positions)
    (tmp_path / "file.rejected.ndjson").rmdir()
    tally = carried("mixpanel-export", path, DoorStandIn(), positions)
    assert tally.rejected == len(BROKEN) + 1


def test_a_position_that_is_damaged_or_missing_begins_anew(tmp_path):
    positions = Positions(tmp_path / "p")
    assert positions.found("x") is None
    positions.keep("x", Tally(file="f", line=3))
    assert positions.found("x").line == 3
    (tmp_path / "p/x.json").write_bytes(b"")
    assert positions.found("x") is None
    positions.forget("x")
    positions.forget("x")
    assert list((tmp_path / "p").iterdir()) == []


def test_an_import_is_the_same_only_for_the_same_file_read_in_the_same_way(tmp_path):
    path = export(tmp_path / "a")
    first = identity_of(path, "csv")
    assert identity_of(path, "csv") == first
    assert identity_of(path, "parquet") != first
    path.write_text(path.read_text() + "\n")
    longer = identity_of(path, "csv")
    (tmp_path / "b").write_bytes(path.read_bytes())
    assert len({first, longer, identity_of(tmp_path / "b", "csv")}) == 3
    folder = tmp_path / "folder"
    folder.mkdir()
    export(folder / "one")
    before = identity_of(folder)
    export(folder / "two")
    assert identity_of(folder) != before
