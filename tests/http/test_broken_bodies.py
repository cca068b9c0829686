"""Broken bodies against the whole door: never a fault of ours, no good record lost, and memory that stays flat."""

import asyncio
import base64
import gc
import gzip
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from cornicen.apps.http.app import app
from cornicen.warehouse.spool import DoorSpool
from cornicen.warehouse.warehouse import DuckDBWarehouse, spool_folder

TOKEN = "shop-token"
SECONDS = 1_795_539_000
ROUTES = ["/track", "/import", "/engage", "/groups", "/2/httpapi", "/batch", "/identify", "/groupidentify", "/usermap"]
HEADERS = [
    {"content-type": "application/json"},
    {"content-type": "application/x-www-form-urlencoded"},
    {"content-type": "text/plain;charset=UTF-8"},
    {"content-type": "application/x-ndjson"},
    {"content-type": "multipart/form-data; boundary=b"},
    {"content-encoding": "gzip"},
    {},
]
MOST_GROWTH = 50_000_000
"""Bytes that the process may hold more after all bodies than after the first tenth."""

leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3), max_leaves=8
)
keys = st.sampled_from(
    [
        *("event", "properties", "token", "$token", "time", "distinct_id", "$distinct_id", "$set", "$add", "$union", "api_key"),
        *("events", "event_type", "user_id", "device_id", "user_properties", "event_properties", "identification", "mapping"),
    ]
)
objects = st.dictionaries(keys | st.text(max_size=5), values, max_size=5)
broken = st.sampled_from(
    [b"{", b"}", b"]", b"NaN", b'"\xff"', b"[" * 500, b'{"a":' * 500, b"\0", b"\xed\xa0\x80", b"1e999", b"data=", b"%", b"&=&"]
)


@st.composite
def bodies(draw):
    """A body in any of the forms that senders use, and mostly damaged somewhere."""
    text = draw(st.binary(max_size=60) | st.one_of(objects, st.lists(objects, max_size=3), values).map(as_json))
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(text)))
        text = text[:place] + draw(broken) + text[draw(st.integers(place, len(text))) :]
    match draw(st.sampled_from(["plain", "plain", "gzip", "cut", "form", "base64", "api"])):
        case "gzip":
            return gzip.compress(text, 1)
        case "cut":
            return gzip.compress(text, 1)[: draw(st.integers(0, 40))]
        case "form":
            return b"data=" + text + b"&verbose=1"
        case "base64":
            return b"data=" + base64.b64encode(text)
        case "api":
            return b"api_key=shop-token&identification=" + text
    return text


def as_json(value):
    return json.dumps(value).encode("utf-8", "replace")


class Door:
    """The application, asked in this process, over a real spool."""

    def __init__(self, house, loop):
        self.app, self.loop, self.sent = app(house.wiring()), loop, 0

    def post(self, path, body, headers):
        """The status of one answer."""
        answers = []
        messages = [{"type": "http.request", "body": body}]

        async def receive():
            return messages.pop(0)

        async def send(message):
            answers.append(message)

        scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 1),
        }
        self.loop.run_until_complete(self.app(scope, receive, send))
        return answers[0]["status"]

    def post_good(self):
        """One good event among broken ones, by either vendor's way."""
        self.sent += 1
        good = {"token": TOKEN, "distinct_id": "u1", "time": SECONDS, "$insert_id": f"k{self.sent}"}
        batch = [{"event": 5}, "x", None, {"event": "good", "properties": good}, {"event": "x", "properties": []}]
        assert self.post("/track", as_json(batch), HEADERS[0]) == 200


@pytest.fixture
def asked(house):
    loop = asyncio.new_event_loop()
    yield Door(house, loop)
    loop.close()


def resident():
    """Bytes that this process holds."""
    gc.collect()
    told = Path("/proc/self/statm")
    return int(told.read_text().split()[1]) * 4096 if told.exists() else 0  # only Linux tells so


def throw(house, asked, pieces, tmp_path):
    """Throw so many times a thousand bodies at the door, a good record now and then; see what came of the good ones.

    Each thousand is a run of hypothesis's own, so that it does not hold what it has drawn.
    """
    house.spools["1"] = DoorSpool(spool_folder(tmp_path / "1"), "door", house.clock.now, 1 << 34)
    seen, held = 0, []

    @settings(
        max_examples=1_000, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate], database=None
    )
    @given(st.sampled_from(ROUTES), bodies(), st.sampled_from(HEADERS))
    def hold(path, body, headers):
        nonlocal seen
        status = asked.post(path, body, headers)
        assert status in {200, 400, 401, 413}, (path, body, headers, status)
        seen += 1
        if seen % 20 == 0:
            asked.post_good()

    for _ in range(pieces):
        hold()
        held.append(resident())
    house.spools.pop("1").close()
    warehouse = DuckDBWarehouse(tmp_path / "1")
    while warehouse.load().records:
        pass
    good = [row["insert_id"] for row in warehouse.tail(0, 10_000_000, "good")]
    refused = warehouse.counts()["refused"]
    warehouse.close()
    assert sorted(good) == sorted(f"k{number}" for number in range(1, asked.sent + 1))
    assert refused >= 4 * asked.sent
    assert seen >= pieces * 900
    assert held[-1] - held[pieces // 10] < MOST_GROWTH, held


def test_a_thousand_broken_bodies_break_nothing(house, asked, tmp_path):
    throw(house, asked, 1, tmp_path)


@pytest.mark.long
@pytest.mark.timeout(2_400)
def test_a_hundred_thousand_broken_bodies_break_nothing(house, asked, tmp_path):
    throw(house, asked, 110, tmp_path)
