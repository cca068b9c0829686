"""What an import rejects is kept so that it can be mended and imported."""

import json
from pathlib import Path

import pyarrow as pa
import pytest
from door_standin import DoorStandIn
from pyarrow import parquet

from cornicen.apps.cli.carrying import Carriage
from cornicen.apps.cli.positions import Tally

TOKEN = "t" * 32


def imported(kind, path):
    """The door that a file was carried through, and what was rejected."""
    door, tally = DoorStandIn(), Tally(file=str(path))
    Carriage(path, kind, TOKEN, door, tally).go(lambda _: None, shown=False)
    kept = Path(tally.rejects).read_text().splitlines() if tally.rejects else []
    assert TOKEN not in "".join(kept)
    return door, [json.loads(line) for line in kept]


EVENTS = b"""event,time,distinct_id,$insert_id,amount,zip,note
buy,1,a,k2,1,1,fine
,2017-10-29,a,k3,0.10,00123,"no, event"
123,soon,a,k4,5,,"two
lines"
buy,1,a,k6,1,,x,beyond,9
buy,1,a,k7
buy,1,\xff,k8,,,
refuse,1,a,k9,0.10,00123,true
"""


def test_a_row_of_a_csv_file_is_kept_as_the_event_that_it_would_have_been(tmp_path):
    (tmp_path / "file").write_bytes(EVENTS)
    _, kept = imported("csv", tmp_path / "file")
    assert {one["line"]: one["record"] for one in kept} == {
        3: event("", 1509235200, "k3", amount=0.1, zip="00123", note="no, event"),
        4: event("123", "soon", "k4", amount=5, note="two\nlines"),
        6: event("buy", 1, "k6", amount=1, note="x", **{"(more cells)": ["beyond", "9"]}),
        7: event("buy", 1, "k7"),
        8: event("buy", 1, "k8") | {"properties": {"distinct_id": "\ufffd", "time": 1, "$insert_id": "k8"}},
        9: event("refuse", 1, "k9", amount=0.1, zip="00123", note=True),
    }
    assert b'"amount":0.10' in (tmp_path / "file.rejected.ndjson").read_bytes()


def event(name, time, key, **properties):
    return {"event": name, "properties": {"distinct_id": "a", **properties, "time": time, "$insert_id": key}}


def test_rejected_events_that_were_mended_are_imported_with_their_keys(tmp_path):
    (tmp_path / "file").write_bytes(EVENTS)
    _, kept = imported("csv", tmp_path / "file")
    for one in kept:
        one["record"]["event"], one["record"]["properties"]["time"] = "buy", 1
    (tmp_path / "mended").write_text("\n".join(json.dumps(one["record"]) for one in kept))
    door, rest = imported("mixpanel-export", tmp_path / "mended")
    assert (door.keys, rest) == (["k3", "k4", "k6", "k7", "k8", "k9"], [])


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_rejected_profiles_that_were_mended_are_imported_whole(tmp_path, kind):
    path = tmp_path / "file"
    if kind == "csv":
        path.write_text("distinct_id,plan,age\n,pro,44\na,refuse,5\nb,pro,6\n")
    else:
        parquet.write_table(
            pa.table({"distinct_id": [None, "a", "b"], "plan": ["pro", "refuse", "pro"], "age": [44, 5, 6]}), path
        )
    _, kept = imported(kind, path)
    assert [one["record"]["$distinct_id"] for one in kept] == ["", "a"]
    for one in kept:
        one["record"] |= {"$distinct_id": one["record"]["$distinct_id"] or "z"}
        one["record"]["$set"]["plan"] = "free"
    (tmp_path / "mended").write_text("\n".join(json.dumps(one["record"]) for one in kept))
    door, rest = imported("engage-jsonl", tmp_path / "mended")
    taken = [json.loads(record) for record in door.keys]
    assert [(one["$distinct_id"], one["$set"]) for one in taken] == [
        ("z", {"plan": "free", "age": 44}),
        ("a", {"plan": "free", "age": 5}),
    ]
    assert ({one["$token"] for one in taken}, rest) == ({TOKEN}, [])


def test_a_row_of_a_parquet_file_is_kept_with_its_types_and_what_json_has_not_as_text(tmp_path):
    table = {
        "event": ["", "buy", "buy"],
        "time": pa.array([1_500_000, None, 2_000_000], pa.timestamp("us")),
        "distinct_id": ["a"] * 3,
        "$insert_id": ["k1", "k2", "k3"],
        "x": pa.array([[1], None, [2]], pa.list_(pa.int64())),
        "y": pa.array([None, None, b"\xff"], pa.binary()),
    }
    parquet.write_table(pa.table(table), tmp_path / "file")
    _, kept = imported("parquet", tmp_path / "file")
    assert [one["record"] for one in kept] == [
        event("", 1500, "k1", x=[1]),
        event("buy", None, "k2"),
        event("buy", 2, "k3", x=[2], y="\ufffd"),
    ]


def test_a_row_that_is_rejected_brings_the_same_key_each_time_if_it_brings_none(tmp_path):
    for name, text in (
        ("csv", "event,time,distinct_id\nbuy,soon,a\nbuy,soon,a\n"),
        ("other", "event,time,distinct_id\nbuy,soon,a\n"),
    ):
        (tmp_path / name).write_text(text)
    keys, [again] = (
        [one["record"]["properties"]["$insert_id"] for one in imported("csv", tmp_path / name)[1]] for name in ("csv", "other")
    )
    assert keys[0] == again != keys[1]


@pytest.mark.parametrize(
    "line", ["{", '{"event":1,', "[1]", '"text"', '{"event":"x","properties":{"a":"\\ud800"}}', "{" * 10_000]
)
def test_what_is_no_object_is_kept_as_text(tmp_path, line):
    (tmp_path / "file").write_text(line)
    _, [kept] = imported("mixpanel-export", tmp_path / "file")
    assert kept["record"] == line[:4096]


def test_a_record_that_the_door_refused_is_kept_whole_and_as_it_was_written(tmp_path):
    long = "x" * 10_000
    line = (
        f'{{"event": "refuse",  "properties": {{"time": 1, "n": 0.10, "$insert_id": "k", "note": "refuse", "long": "{long}"}}}}'
    )
    (tmp_path / "file").write_text(line)
    _, [kept] = imported("mixpanel-export", tmp_path / "file")
    assert kept["record"] == json.loads(line)
    assert '"n":0.10' in (tmp_path / "file.rejected.ndjson").read_text()
