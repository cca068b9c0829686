"""Any events of either vendor's, exported and imported elsewhere: the same events, keys and people, under every rule."""

import asyncio
import io
import json
import random
from itertools import count

import pytest

from cornicen.apps.cli.export_lines import line
from cornicen.apps.cli.formats import mixpanel_export
from cornicen.events.shapes import Event
from cornicen.flows.ports import Asked
from cornicen.flows.vendors import Inbound
from cornicen.identity import RULES
from cornicen.integrations import found
from cornicen.warehouse.spool import DoorSpool
from cornicen.warehouse.warehouse import DuckDBWarehouse, spool_folder

TOKEN = "T"
SECONDS = 1_509_235_200
NOW = 1_795_539_600_000_000
PARSE = {route.path: route.parse for manifest in found().values() for route in manifest.routes}


@pytest.fixture
def opened(tmp_path):
    """Opens warehouses under a rule."""
    there = []

    def opening(name, rule):
        there.append(DuckDBWarehouse(tmp_path / name, identity=rule, threads=1))
        return tmp_path / name, there[-1]

    yield opening
    for one in there:
        one.close()


def some_value(dice, depth=2):
    plain = [1, -0.5, "x", 'a "b" \u00e9\n', True, None, 12345678901234567890123, "null", ""]
    if depth and dice.random() < 0.3:
        some = [some_value(dice, depth - 1) for _ in range(dice.randrange(3))]
        return some if dice.random() < 0.5 else dict(zip("abc", some, strict=False))
    return dice.choice(plain)


def some_id(dice):
    return dice.choice(["ann", "bob", "carl", 7, "$device:d1", "$device:d2"])


def some_key(dice, keys):
    number = dice.randrange(keys)
    return dice.choice(["null", None, number + 10, f"k{number}", f"k {number}"])


def some_mixpanel(dice, keys):
    time = dice.choice([SECONDS, SECONDS * 1000 + 7, SECONDS + 0.25, str(SECONDS), SECONDS + dice.randrange(9), 4_000_000_000])
    properties = {"p": some_value(dice), "time": time, "$insert_id": some_key(dice, keys)}
    more = {"distinct_id": some_id(dice), "$user_id": "ann", "$device_id": dice.choice("de"), "ip": "192.0.2.7"}
    properties |= {name: value for name, value in more.items() if dice.random() < 0.5}
    kind = dice.choice(["seen", "buy", "buy", "$identify", "$create_alias", "$merge"])
    own = {
        "$identify": {"$identified_id": some_id(dice), "$anon_id": "a1"},
        "$create_alias": {"distinct_id": some_id(dice), "alias": dice.choice(["b1", "b2"])},
        "$merge": {"$distinct_ids": [str(some_id(dice)), "m1"]},
    }
    items = [*properties.items(), *own.get(kind, {}).items(), ("token", TOKEN)]
    dice.shuffle(items)
    return {"event": kind, "properties": dict(items)}


def some_amplitude(dice, keys):
    given = {"event_type": dice.choice(["seen", "play"]), "time": SECONDS * 1000 + dice.randrange(3)}
    given |= dice.choice([{"user_id": "dora-1"}, {"device_id": "dev-22"}, {"user_id": "emil-1", "device_id": "dev-22"}])
    own = {dice.choice(["p", "time", "distinct_id", "$insert_id", "token"]): some_value(dice, 1) for _ in range(3)}
    given |= {
        "event_properties": own,
        "user_properties": {"plan": "pro"},
        "insert_id": dice.choice([None, f"i{dice.randrange(keys)}"]),
    }
    return given


def taken(path, body, query=None):
    """The events that a door takes of a request; JSON as it is, or what becomes it."""
    headers = {"content-type": "application/json", "authorization": "Basic VDo="}
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    parsed = PARSE[path](Inbound("POST", path, query or {}, headers, text, NOW))
    return [one for part in parsed.parts for one in part.records if isinstance(one, Event)]


def imported(lines):
    """The events that a door takes of the lines of a file."""
    records = [one.record for one in mixpanel_export(io.BytesIO(b"".join(one + b"\n" for one in lines)))]
    assert len(records) == len(lines)
    back = [one for record in records for one in taken("/import", record, {"strict": "0"})]
    assert len(back) == len(lines)
    return back


def exported(warehouse):
    """All lines; of each event what it is; and of each event whose it is."""
    asked = Asked(warehouse.last_load())
    events, _ = warehouse.export(0, asked, 100_000, 1 << 30)
    what = [(one["event"], one["time"], one["distinct_id"]) for one in events]
    return [line(one, TOKEN) for one in events], what, [one["person"] for one in warehouse.tail(0, 100_000)]


def load(folder, warehouse, events):
    """Load events as if a door had kept them."""
    door = DoorSpool(spool_folder(folder), "door", count(NOW).__next__, 1 << 30)
    asyncio.run(door.append("bulk", "test", events))
    door.close()
    while warehouse.load().records:
        pass


def some_events(dice, keys):
    """Events of both vendors as doors take them; ``keys``: how many keys there are."""
    many = []
    while len(many) < 150:
        if dice.random() < 0.7:
            many += taken("/import", [some_mixpanel(dice, keys)])
        else:
            many += taken("/batch", {"api_key": TOKEN, "events": [some_amplitude(dice, keys)]})
    return many


@pytest.mark.parametrize("rule", list(RULES))
@pytest.mark.parametrize(("seed", "keys"), [(1, 3), (2, 3), (3, 3), (4, 10**9), (5, 10**9), (6, 10**9)])
def test_an_export_that_is_imported_elsewhere_is_the_same_there(opened, rule, seed, keys):
    (folder, here), (elsewhere, there) = opened("here", rule), opened("there", rule)
    load(folder, here, some_events(random.Random(seed), keys))
    lines, events, people = exported(here)
    load(elsewhere, there, imported(lines))
    assert there.counts()["replaced"] == there.counts()["repeated"] == there.counts()["refused"] == 0
    again, same, alike = exported(there)
    assert (again, same) == (lines, events)
    if keys > len(lines):  # what came again is not exported, and may have said who is who
        assert alike == people
    else:
        assert here.counts()["replaced"] > 0 < here.counts()["repeated"]
    load(elsewhere, there, imported(lines))
    assert there.counts()["events"] == there.counts()["repeated"] == len(lines)
