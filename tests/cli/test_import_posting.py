"""Posting to a door, here a small one on this machine that keeps what it gets."""

import base64
import json
import threading
from contextlib import closing

import pytest
from door_server import Keeping

from cornicen.apps.cli.formats import BATCH, ENGAGE, IMPORT, BrokenOff, Rejected, Taken
from cornicen.apps.cli.posting import MOST_BYTES, MOST_RECORDS, TRIES, Door, batches
from cornicen.errors import Denied, NotRunning, Unavailable

OK = (200, {"code": 200, "num_records_imported": 1, "status": "OK"})


@pytest.fixture
def serve():
    servers = []

    def serving(*answers):
        server = Keeping(answers)
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        servers.append(server)
        return server

    yield serving
    for server in servers:
        server.shutdown()
        server.server_close()


def taken(*lines):
    return [Taken(line, b'{"n":%d}' % line) for line in lines]


def post(server, records, route=IMPORT, *, strict=False, slept=None):
    with closing(Door(server.address, "token", strict=strict, sleep=(slept if slept is not None else []).append)) as door:
        return door.post(route, records)


def test_events_go_as_gzipped_lines_in_the_bulk_lane_with_the_token(serve):
    server = serve(OK)
    assert post(server, taken(1, 2)) == []
    [(path, headers, body)] = server.came
    assert (path, body) == ("/import?strict=0&verbose=1", b'{"n":1}\n{"n":2}')
    assert headers["cornicen-lane"] == "bulk"
    assert base64.b64decode(headers["authorization"].removeprefix("Basic ")) == b"token:"


def test_profiles_go_as_an_array(serve):
    server = serve(OK)
    post(server, taken(1, 2), ENGAGE)
    assert json.loads(server.came[0][2]) == [{"n": 1}, {"n": 2}]


def test_records_that_the_door_refuses_come_back_with_their_line_and_its_reason(serve):
    failed = {"code": 400, "failed_records": [{"index": 1, "field": "event", "message": "no"}], "num_records_imported": 1}
    assert post(serve((400, failed)), taken(7, 9), strict=True) == [Rejected(9, "no", '{"n":9}')]


def test_a_batch_that_is_refused_whole_comes_back_whole(serve):
    refused = post(serve((200, {"status": 0, "error": "data, missing or empty"})), taken(1, 2))
    assert [one.line for one in refused] == [1, 2]


def test_a_body_that_is_too_large_is_halved_until_it_fits_and_nothing_is_lost(serve):
    server = serve((413, {}), (413, {}), OK, OK, OK)
    assert post(server, taken(1, 2, 3, 4)) == []
    assert [body.count(b"\n") + 1 for _, _, body in server.came] == [4, 2, 1, 1, 2]


def test_a_full_spool_is_asked_again_after_the_time_it_names(serve):
    slept = []
    assert post(serve((429, {}, ("retry-after", "5")), (503, {}), OK), taken(1), slept=slept) == []
    assert slept[0] == 5
    assert len(slept) == 2


def test_a_door_that_never_takes_it_ends_in_an_error_after_a_bounded_number_of_tries(serve):
    server = serve((429, {}))
    with pytest.raises(Unavailable):
        post(server, taken(1))
    assert len(server.came) == TRIES


def test_a_token_that_the_door_does_not_know_is_not_tried_twice(serve):
    server = serve((401, {"error": "Invalid credentials"}))
    with pytest.raises(Denied):
        post(server, taken(1))
    assert len(server.came) == 1


def test_nothing_listening_is_not_running(serve):
    server = serve(OK)
    server.shutdown()
    server.server_close()
    with pytest.raises(NotRunning):
        post(server, taken(1))


def test_no_request_has_more_records_or_bytes_than_the_door_takes_and_their_order_is_kept():
    many = [Taken(line, b"x" * (100 if line % 7 else 900_000)) for line in range(1, 5_000)]
    found = list(batches(iter([*many, Rejected(5_000, "no", "")])))
    assert [record for batch in found for record in batch.records] == many
    assert all(len(batch.records) <= MOST_RECORDS and batch.size <= MOST_BYTES + 1 for batch in found)
    assert [one.line for batch in found for one in batch.rejected] == [5_000]


def test_everything_up_to_where_a_batch_ends_is_in_it_or_before_it():
    pieces = [Rejected(line, "no", "") if line % 3 == 0 else Taken(line, b"x" * 5_000) for line in range(1, 9_000)]
    seen = []
    for batch in batches(iter(pieces)):
        seen += sorted(one.line for one in [*batch.records, *batch.rejected])
        assert seen == list(range(1, batch.until.line + 1))
    assert len(seen) == len(pieces)


def test_a_file_of_nothing_but_broken_lines_is_never_held_whole():
    found = list(batches(Rejected(line, "no", "") for line in range(1, 3 * MOST_RECORDS)))
    assert all(len(batch.rejected) <= MOST_RECORDS for batch in found)


def test_what_was_read_before_a_file_broke_off_is_given_out_first():
    def broken():
        yield Taken(1, b"x")
        yield Rejected(2, "no", "")
        raise BrokenOff("here")

    given = batches(broken())
    assert next(given).until.line == 2
    with pytest.raises(BrokenOff):
        next(given)


def test_an_event_of_amplitude_goes_in_its_envelope_with_ids_of_any_length(serve):
    server = serve((200, {"code": 200, "events_ingested": 2}))
    assert post(server, taken(1, 2), BATCH) == []
    [(path, headers, body)] = server.came
    assert (path, headers["content-type"], headers["cornicen-lane"]) == ("/batch", "application/json", "bulk")
    assert json.loads(body) == {"api_key": "token", "options": {"min_id_length": 1}, "events": [{"n": 1}, {"n": 2}]}


def test_events_that_amplitudes_answer_names_are_rejected_and_all_others_are_sent_again(serve):
    named = {
        "code": 400,
        "error": "Invalid field values on some events",
        "events_with_invalid_fields": {"time": [0]},
        "events_with_missing_fields": {"user_id": [0, 2], "device_id": [2]},
    }
    server = serve((400, named), (200, {"code": 200}))
    refused = post(server, taken(5, 6, 7, 8), BATCH)
    assert [(one.line, one.reason) for one in refused] == [
        (5, "'time' is invalid, 'user_id' is missing"),
        (7, "'user_id' is missing, 'device_id' is missing"),
    ]
    assert [json.loads(body)["events"] for _, _, body in server.came][1] == [{"n": 6}, {"n": 8}]


def test_a_batch_of_which_amplitudes_answer_names_nothing_comes_back_whole(serve):
    refused = post(serve((400, {"code": 400, "error": "Invalid JSON request body"})), taken(1, 2), BATCH)
    assert [one.line for one in refused] == [1, 2]


def test_a_wrong_key_in_amplitudes_words_is_not_tried_twice_nor_shown(serve):
    server = serve((400, {"code": 400, "error": "Invalid API key: token"}))
    with pytest.raises(Denied) as raised:
        post(server, taken(1), BATCH)
    assert len(server.came) == 1
    assert "API key" not in str(raised.value)


def test_a_throttled_batch_is_asked_again_until_it_is_taken(serve):
    slept = []
    throttled = {"code": 429, "error": "Too many requests for some devices and users", "throttled_events": [0]}
    assert post(serve((429, throttled), (429, throttled), (200, {"code": 200})), taken(1), BATCH, slept=slept) == []
    assert len(slept) == 2
