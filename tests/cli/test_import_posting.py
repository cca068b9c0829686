"""Posting to a door, here a small one on this machine that keeps what it gets."""

import base64
import gzip
import json
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from cornicen.apps.cli.formats import ENGAGE, IMPORT, Rejected, Taken
from cornicen.apps.cli.posting import MOST_BYTES, MOST_RECORDS, TRIES, Batch, Door, batches
from cornicen.errors import Denied, NotRunning, Unavailable

OK = (200, {"code": 200, "num_records_imported": 1, "status": "OK"})


class Keeping(ThreadingHTTPServer):
    """Answers what it was told, one after the other, the last for ever; keeps what came."""

    daemon_threads = True

    def __init__(self, answers):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.came = list(answers), []

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = gzip.decompress(self.rfile.read(int(self.headers["content-length"])))
        self.server.came.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
        status, document, *headers = self.server.answers.pop(0) if len(self.server.answers) > 1 else self.server.answers[0]
        encoded = json.dumps(document).encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("content-length", str(len(encoded)))
        self.end_headers()
        self.wfile.write(encoded)

    def log_message(self, *_):
        """Be quiet."""


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
    return Batch([Taken(line, b'{"n":%d}' % line) for line in lines])


def post(server, batch, route=IMPORT, *, strict=False, slept=None):
    with closing(Door(server.address, "token", strict=strict, sleep=(slept if slept is not None else []).append)) as door:
        return door.post(route, batch)


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
    many = [Taken(line, b"x" * (100 if line % 7 else 900_000)) for line in range(5_000)]
    found = list(batches([*many, Rejected(5_000, "no", "")]))
    grouped = [one for one in found if isinstance(one, Batch)]
    assert [record for batch in grouped for record in batch.records] == many
    assert all(len(batch.records) <= MOST_RECORDS and batch.size <= MOST_BYTES + 1 for batch in grouped)
    assert sum(isinstance(one, Rejected) for one in found) == 1
