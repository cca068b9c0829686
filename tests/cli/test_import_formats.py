"""Files of other products as records for the door."""

import contextlib
import gc
import io
import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cornicen.apps.cli.csv_format import csv_rows
from cornicen.apps.cli.formats import ENGAGE, IMPORT, LONGEST_RECORD, Rejected, Taken, engage_jsonl, mixpanel_export
from cornicen.errors import BadFile


def lines(*texts):
    return io.BytesIO(b"\n".join(text if isinstance(text, bytes) else text.encode() for text in texts))


def test_what_was_read_before_is_passed_over_and_the_rest_has_the_same_numbers_and_keys():
    keyless = '{"event":"buy","properties":{"time":1}}'
    whole = ["{", keyless, "", EVENT, keyless, "[]"]
    for after in range(len(whole) + 1):
        rest = [one for one in mixpanel_export(lines(*whole)) if one.line > after]
        assert list(mixpanel_export(lines(*whole), after)) == rest


def records(found):
    return [json.loads(one.record) for one in found if isinstance(one, Taken)]


def unkeyed(found):
    """Profile updates without the key that each must have."""
    changes = records(found)
    assert all(re.fullmatch("[0-9a-f]{32}", change.pop("$insert_id")) for change in changes)
    return changes


def rejected(found):
    return [(one.line, one.reason) for one in found if isinstance(one, Rejected)]


EVENT = '{"event":"buy","properties":{"time":1,"distinct_id":"a","$insert_id":"x","amount":0.10}}'


def test_an_exported_event_goes_on_byte_for_byte():
    assert [one.record for one in mixpanel_export(lines(EVENT))] == [EVENT.encode()]


def test_an_event_without_a_key_gets_the_same_one_each_time_and_its_properties_stay_as_written():
    line = '{"event":"buy","properties":{ "time":1,"amount":0.10}}'
    [first], [second] = list(mixpanel_export(lines(line))), list(mixpanel_export(lines(line)))
    assert first == second
    assert b'"time":1,"amount":0.10' in first.record
    assert len(records([first])[0]["properties"]["$insert_id"]) == 32


def test_two_equal_lines_without_a_key_stay_two_events():
    line = '{"event":"buy","properties":{"time":1}}'
    keys = {one["properties"]["$insert_id"] for one in records(mixpanel_export(lines(line, line)))}
    assert len(keys) == 2


def test_an_event_whose_key_is_null_or_deeper_down_gets_one():
    for key in ('"$insert_id":null', '"x":{"$insert_id":"y"}', '"x":"\\"$insert_id\\":"'):
        [found] = records(mixpanel_export(lines(f'{{"event":"buy","properties":{{"time":1,{key}}}}}')))
        assert len(found["properties"]["$insert_id"]) == 32


@pytest.mark.parametrize("properties", ["{}", '{"time":null}', '{"x":{"time":1}}', '{"x":"\\"time\\":1"}'])
def test_a_line_of_an_export_without_a_time_is_rejected_instead_of_being_dated_now(properties):
    [(line, reason)] = rejected(mixpanel_export(lines(f'{{"event":"buy","properties":{properties}}}')))
    assert (line, "`time` is missing" in reason) == (1, True)


@pytest.mark.parametrize(
    "line", ["{", "[]", '"x"', '{"event":"a"}', '{"event":1,"properties":{}}', '{"event":"a","properties":[]}', b"\xff"]
)
def test_a_broken_line_is_rejected_with_its_number_and_the_next_is_taken(line):
    found = list(mixpanel_export(lines("", line, EVENT)))
    assert [line for line, _ in rejected(found)] == [2]
    assert [one.line for one in found if isinstance(one, Taken)] == [3]


def test_an_export_that_was_cut_short_says_so():
    found = list(mixpanel_export(lines(EVENT, "terminated early")))
    assert len(records(found)) == 1
    assert "cut short" in rejected(found)[0][1]


def test_a_line_longer_than_any_record_is_rejected_without_being_kept():
    long = b'{"event":"a","properties":{"x":"' + b"y" * (3 * LONGEST_RECORD) + b'"}}'
    found = list(mixpanel_export(lines(long, EVENT)))
    assert [line for line, _ in rejected(found)] == [1]
    assert len(found[0].record) < 10_000
    assert found[1].line == 2


@settings(max_examples=100)
@given(st.lists(st.binary(max_size=40).filter(lambda line: b"\n" not in line), max_size=8))
def test_no_bytes_stop_the_reading(pieces):
    found = list(mixpanel_export(lines(*pieces, EVENT)))
    assert records(found)[-1]["event"] == "buy"
    assert len(found) == sum(bool(piece.strip()) for piece in pieces) + 1


def test_a_profile_as_read_becomes_a_set_with_our_token():
    found = engage_jsonl(lines('{"$distinct_id":"a","$token":"theirs","$properties":{"plan":"pro"}}'), "ours")
    assert unkeyed(found) == [{"$distinct_id": "a", "$token": "ours", "$set": {"plan": "pro"}}]


def test_a_profile_update_keeps_its_operations_in_order():
    found = engage_jsonl(lines('{"$distinct_id":"a","$unset":["x"],"$set":{"y":1}}'), "ours")
    assert list(unkeyed(found)[0]) == ["$distinct_id", "$unset", "$set", "$token"]


def test_a_profile_update_has_a_key_of_its_place_and_text():
    one, other = (records(engage_jsonl(lines('{"$distinct_id":"a","$add":{"n":1}}', *more), "t")) for more in ([], ["{}"]))
    assert one == other
    twice = records(engage_jsonl(lines(*['{"$distinct_id":"a","$add":{"n":1}}'] * 2), "t"))
    assert twice[0]["$insert_id"] != twice[1]["$insert_id"]


@pytest.mark.parametrize("line", ["{", '{"$set":{}}', '{"$distinct_id":"a"}', '{"$distinct_id":"a","x":1}'])
def test_a_line_that_is_no_profile_is_rejected(line):
    assert [number for number, _ in rejected(engage_jsonl(lines(line), "ours"))] == [1]


def rows(text, token="ours"):
    route, found = csv_rows(io.BytesIO(text.encode() if isinstance(text, str) else text), token)
    return route, list(found)


def test_rows_with_event_and_time_are_events():
    route, found = rows(
        "event,time,distinct_id,$insert_id,amount,zip,vip,note\nbuy,2017-10-29T00:00:00Z,a,k,0.10,00123,true,\n"
    )
    assert route == IMPORT
    assert b'"amount":0.10' in found[0].record  # the literal itself
    assert records(found) == [
        {
            "event": "buy",
            "properties": {
                "amount": 0.1,
                "zip": "00123",
                "vip": True,
                "distinct_id": "a",
                "time": 1509235200,
                "$insert_id": "k",
            },
        }
    ]


def test_rows_without_event_are_profiles():
    route, found = rows("distinct_id,plan,age\n1,pro,44\n")
    assert route == ENGAGE
    assert unkeyed(found) == [{"$token": "ours", "$distinct_id": "1", "$set": {"plan": "pro", "age": 44}}]


@pytest.mark.parametrize(
    ("time", "wanted"),
    [
        ("1509235200", 1509235200),
        ("1509235200123", 1509235200123),
        ("2017-10-29", 1509235200),
        ("2017-10-29 00:00:00.5", 1509235200500),
    ],
)
def test_a_time_is_seconds_milliseconds_or_iso(time, wanted):
    assert records(rows(f"event,time,distinct_id\nbuy,{time},a\n")[1])[0]["properties"]["time"] == wanted


def test_rows_that_were_read_before_are_passed_over_and_the_rest_is_the_same():
    text = b'event,time,distinct_id\nbuy,1,a\nbuy,1\nbuy,soon,a\n"buy",1,"two\nlines"\nbuy,1,z\n'
    for after in range(8):
        rest = [one for one in rows(text)[1] if one.line > after]
        assert list(csv_rows(io.BytesIO(text), "ours", after)[1]) == rest


def test_rows_that_do_not_fit_are_rejected_at_their_line_and_the_rest_is_taken():
    text = b'event,time,distinct_id\nbuy,1,a\nbuy,1\nbuy,1,a,b\nbuy,soon,a\n,1,a\nbuy,1,\xff\n"buy",1,"two\nlines"\nbuy,1,z\n'
    found = rows(text)[1]
    assert [line for line, _ in rejected(found)] == [3, 4, 5, 6, 7]
    assert [one.line for one in found if isinstance(one, Taken)] == [2, 8, 10]


def test_a_row_without_a_key_gets_the_same_one_each_time():
    text = "event,time,distinct_id\nbuy,1,a\nbuy,1,a\n"
    first, second = (records(rows(text)[1]) for _ in range(2))
    assert first == second
    assert first[0] != first[1]


@pytest.mark.parametrize("header", ["", "a,b", "event,distinct_id", "event,time"])
def test_a_header_that_names_no_id_or_no_time_is_refused(header):
    with pytest.raises(BadFile):
        csv_rows(io.BytesIO(f"{header}\n1,2\n".encode()), "ours")


def test_a_byte_order_mark_is_no_part_of_the_first_column():
    assert rows("\ufeffdistinct_id,x\na,1\n")[0] == ENGAGE


@pytest.mark.parametrize("text", ["distinct_id\na\n", "nobody\na\n"])
def test_the_file_is_left_open_for_whoever_opened_it(text):
    file = io.BytesIO(text.encode())
    with contextlib.suppress(BadFile):
        list(csv_rows(file, "ours")[1])
    gc.collect()
    assert not file.closed
