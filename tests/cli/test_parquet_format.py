"""Parquet files as records for the door."""

import io
import json
import uuid
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest
from pyarrow import parquet

from cornicen.apps.cli.formats import ENGAGE, IMPORT, Rejected, Taken
from cornicen.apps.cli.parquet_format import parquet_rows
from cornicen.errors import BadFile


def written(row_group_size=None, **columns):
    file = io.BytesIO()
    parquet.write_table(pa.table(columns), file, row_group_size=row_group_size)
    file.seek(0)
    return file


def rows(after=0, row_group_size=None, **columns):
    route, records, number = parquet_rows(written(row_group_size, **columns), "ours", after)
    found = list(records)
    assert number == len(next(iter(columns.values())))
    return route, found


def properties(value, kind=None):
    """One property of an event, as the door gets it; none: it is missing."""
    _, [found] = rows(event=["buy"], time=[1], distinct_id=["a"], x=pa.array([value], kind) if kind else [value])
    assert isinstance(found, Taken), found
    return found.record, json.loads(found.record)["properties"].get("x")


def test_rows_with_event_and_time_are_events():
    route, [found] = rows(
        **{
            "event": ["buy"],
            "time": pa.array([datetime(2017, 10, 29, tzinfo=UTC)], pa.timestamp("us", "UTC")),
            "distinct_id": [7],
            "$insert_id": ["k"],
            "amount": [0.1],
        }
    )
    assert route == IMPORT
    assert json.loads(found.record) == {
        "event": "buy",
        "properties": {"distinct_id": "7", "amount": 0.1, "time": 1509235200, "$insert_id": "k"},
    }


def test_rows_without_event_are_profiles():
    route, found = rows(distinct_id=["a", "b"], plan=["pro", None], age=[44, 20])
    assert route == ENGAGE
    changes = [json.loads(one.record) for one in found]
    assert len({change.pop("$insert_id") for change in changes}) == 2
    assert changes == [
        {"$token": "ours", "$distinct_id": "a", "$set": {"plan": "pro", "age": 44}},
        {"$token": "ours", "$distinct_id": "b", "$set": {"age": 20}},
    ]


@pytest.mark.parametrize(
    ("moment", "kind", "wanted"),
    [
        (1509235200, pa.int64(), 1509235200),
        (1509235200123, pa.int64(), 1509235200123),
        (1509235200.5, pa.float64(), 1509235200.5),
        ("2017-10-29T00:00:00Z", pa.string(), 1509235200),
        (1509235200, pa.timestamp("s"), 1509235200),
        (1509235200500, pa.timestamp("ms"), 1509235200500),
        (datetime(2017, 10, 29, tzinfo=UTC), pa.timestamp("us", "Europe/Vilnius"), 1509235200),
        (1509235200123456789, pa.timestamp("ns"), 1509235200123),
        (date(2017, 10, 29), pa.date32(), 1509235200),
    ],
)
def test_a_time_is_an_instant_a_date_a_text_or_unix_time(moment, kind, wanted):
    _, [found] = rows(event=["buy"], time=pa.array([moment], kind), distinct_id=["a"])
    assert json.loads(found.record)["properties"]["time"] == wanted


@pytest.mark.parametrize(
    ("value", "kind", "wanted"),
    [
        (True, None, True),
        ("00123", None, "00123"),
        ("12", None, "12"),
        ("", None, ""),
        (2**63 - 1, pa.int64(), 2**63 - 1),
        (None, pa.string(), None),
        (float("nan"), None, None),
        (float("inf"), None, None),
        ([1, None, 2], None, [1, None, 2]),
        ({"a": {"b": ["c"]}}, None, {"a": {"b": ["c"]}}),
        ([("k", 1), ("l", 2)], pa.map_(pa.string(), pa.int64()), {"k": 1, "l": 2}),
        (datetime(2017, 10, 29, 12, tzinfo=UTC), pa.timestamp("us", "Europe/Vilnius"), "2017-10-29T12:00:00Z"),
        (1509278400000000, pa.timestamp("us"), "2017-10-29T12:00:00"),
        (date(2017, 10, 29), None, "2017-10-29"),
        (time(12, 30), None, "12:30:00"),
        (timedelta(seconds=1.5), None, 1.5),
        (b"text", pa.binary(), "text"),
        (uuid.UUID(int=5).bytes, pa.uuid(), "00000000-0000-0000-0000-000000000005"),
        ("a", pa.dictionary(pa.int8(), pa.string()), "a"),
    ],
)
def test_a_value_has_the_type_in_json_that_it_has_in_the_file(value, kind, wanted):
    found = properties(value, kind)[1]
    assert (found, type(found)) == (wanted, type(wanted))


def test_a_decimal_keeps_its_digits():
    assert b'"x":12345678901234567890.10' in properties(Decimal("12345678901234567890.10"))[0]


def test_rows_that_do_not_fit_are_rejected_at_their_row_and_the_rest_is_taken():
    _, found = rows(
        event=["buy", "", None, "buy", "buy", "buy"],
        time=pa.array([1.0, 1.0, 1.0, None, float("nan"), 1.0], pa.float64()),
        distinct_id=["a"] * 6,
        x=pa.array([None] * 5 + [b"\xff"], pa.binary()),
    )
    assert [(type(one), one.line) for one in found] == [(Taken, 1), *((Rejected, line) for line in range(2, 7))]


def test_a_profile_of_nobody_is_rejected():
    assert [type(one) for one in rows(distinct_id=[None, "a"], x=[1, 2])[1]] == [Rejected, Taken]


@pytest.mark.parametrize("row_group_size", [1, 4, 100])
def test_rows_that_were_read_before_are_passed_over_and_the_rest_has_the_same_numbers_and_keys(row_group_size):
    columns = {"event": ["buy", "", "buy"] * 4, "time": [1] * 12, "distinct_id": ["a"] * 12}
    whole = rows(row_group_size=row_group_size, **columns)[1]
    assert len({json.loads(one.record)["properties"]["$insert_id"] for one in whole if isinstance(one, Taken)}) == 8
    for after in range(13):
        assert rows(after, row_group_size, **columns)[1] == whole[after:]


@pytest.mark.parametrize("columns", [{"a": [1]}, {"event": ["x"], "distinct_id": ["a"]}, {"event": ["x"], "time": [1]}])
def test_columns_that_name_no_id_or_no_time_are_refused(columns):
    with pytest.raises(BadFile, match="has no column"):
        rows(**columns)


@pytest.mark.parametrize("data", [b"", b"PAR1", b"event,time\n", b"PAR1" + b"x" * 100 + b"PAR1"])
def test_what_is_no_parquet_file_is_refused(data):
    with pytest.raises(BadFile, match="Nothing of it was taken"):
        parquet_rows(io.BytesIO(data), "ours")
