"""`/metrics`, as Prometheus reads it."""

import json
import re
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cornicen.apps.http.app import Side, app
from cornicen.apps.http.exposition import Family, written
from cornicen.flows.events.taken import Taken
from cornicen.flows.records import Project, SyncStatus

NOW = 1_795_539_600_000_000
SYNC = f"{1:032x}"
KEEPER = {
    "as_of": NOW,
    "backlog": {"live": 0, "bulk": 1500},
    "oldest": {"bulk": NOW - 5_000_000},
    "loaded": 155_850,
    "counts": {"events": 155_848, "profiles": 801, "persons": 2469, "repeated": 3},
    "refusals": [
        {"reason": "time_missing", "field": "time", "count": 31, "message": "m", "record": "r"},
        {"reason": "time_missing", "field": "properties.time", "count": 2, "message": "m", "record": "r"},
        {"reason": "too_large", "field": "", "count": 1, "message": "m", "record": "r"},
    ],
}
LINE = re.compile(r'([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (-?[0-9.e+-]+)')
LABEL = re.compile(r'([a-z]+)="((?:[^"\\\n]|\\[\\"n])*)"')


def read(text):
    """The samples of a text: ``{(name, ((label, value), …)): number}``; complains where it is not well formed."""
    found, kinds, helps = {}, {}, set()
    assert text.endswith("\n")
    for line in text.split("\n")[:-1]:
        if line.startswith("# HELP "):
            helps.add(line.split()[2])
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            assert name not in kinds
            kinds[name] = kind
        else:
            name, labels, value = LINE.fullmatch(line).groups()
            unescaped = [
                (key, re.sub(r"\\(.)", lambda match: {"n": "\n"}.get(match[1], match[1]), one))
                for key, one in LABEL.findall(labels or "")
            ]
            key = (name, tuple(sorted(unescaped)))
            assert key not in found
            found[key] = float(value)
            assert name in kinds
            assert name in helps
            assert (kinds[name] == "counter") == name.endswith("_total")
    return found


def of(found, name, **labels):
    """The one value of a name under these labels, whatever others it has."""
    values = [value for (one, has), value in found.items() if one == f"cornicen_{name}" and labels.items() <= dict(has).items()]
    assert len(values) == 1, (name, labels, values)
    return values[0]


@pytest.fixture
def used(door):
    door.keepers["1"] = KEEPER
    door.connect()
    door.run(door.sync(), ["u1", "u2", "u3", "u4"], unknown=["u3"], refuse=["u4"], size=4)
    return door


def scraped(house):
    reply = house.ask("GET", "/metrics")
    assert (reply.status, reply.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    return read(reply.text)


def test_what_waits_what_was_loaded_and_what_was_refused_is_told(used):
    found = scraped(used)
    assert of(found, "keeper_up", project="shop") == 1
    assert of(found, "backlog_bytes", lane="bulk") == 1500
    assert (of(found, "backlog_seconds", lane="live"), of(found, "backlog_seconds", lane="bulk")) == (0, 5)
    assert (of(found, "events_loaded_total"), of(found, "events_repeated_total")) == (155_850, 3)
    assert of(found, "warehouse_rows", kind="persons") == 2469
    assert (of(found, "refused_records", reason="time_missing"), of(found, "refused_records", reason="too_large")) == (33, 1)


def test_syncs_runs_requests_and_recipients_are_told(used):
    found = scraped(used)
    assert (of(found, "syncs", health="fine"), of(found, "syncs", health="late")) == (1, 0)
    assert (of(found, "runs", status="delivering"), of(found, "runs", status="held")) == (1, 0)
    assert of(found, "requests_total") == 4
    recipients = {state: of(found, "sync_recipients", cohort="lapsed", connection="push", state=state) for state in STATES}
    assert recipients == {"in_segment": 2, "owed": 0, "uncertain": 0, "unknown": 1, "refused": 1}
    assert of(found, "sync_as_of_age_seconds", sync=SYNC) == 0
    assert of(found, "sync_freshness_seconds", quantile="0.95") == 0.001
    assert of(found, "sync_stage_seconds", stage="tick") == 0


STATES = ("in_segment", "owed", "uncertain", "unknown", "refused")


def test_a_sync_that_needs_a_look_is_counted_as_what_it_is(used):
    used.state.syncs.change(SYNC, status=SyncStatus.STOPPED)
    assert of(scraped(used), "syncs", health="failing") == 1
    used.state.syncs.change(SYNC, status=SyncStatus.ACTIVE, last_as_of=NOW - 3_600_000_000)
    found = scraped(used)
    assert (of(found, "syncs", health="late"), of(found, "sync_as_of_age_seconds")) == (1, 3600)


def test_a_keeper_that_does_not_answer_is_told_and_the_rest_too(used):
    del used.keepers["1"]
    found = scraped(used)
    assert of(found, "keeper_up") == 0
    assert of(found, "requests_total") == 4
    assert not [name for name, _ in found if "backlog" in name]


def test_records_that_the_door_took_are_counted_by_route_and_only_those_kept(door):
    door.keepers["1"] = KEEPER
    body = json.dumps(
        [{"event": "a", "properties": {"time": 1_795_539_000, "distinct_id": "u", "$insert_id": str(n)}} for n in (1, 2)]
    )
    account = {"authorization": f"Basic {b64encode(b'sa:account-secret').decode()}", "content-type": "application/json"}
    assert door.ask("POST", "/import?project_id=1", body, account).status == 200
    assert door.ask("POST", "/import?project_id=1", body, {**account, "authorization": "Basic eDp5"}).status == 401
    assert of(scraped(door), "records_accepted_total", project="shop", source="mixpanel:/import") == 2


def test_doors_tell_each_other_and_one_that_starts_again_begins_at_nothing(tmp_path):
    (tmp_path / "taken-door-2.json").write_text('{"1": {"mixpanel:/track": 7}}')
    (tmp_path / "taken-door-3.json").write_text('{"1": {"mixpa')
    (tmp_path / "taken-door-1.json").write_text('{"1": {"mixpanel:/track": 9}}')
    taken = Taken(tmp_path / "taken-door-1.json")
    assert taken.counted() == {"door-1": {}, "door-2": {"1": {"mixpanel:/track": 7}}}


def test_it_is_shown_to_the_people_of_the_house_alone(house):
    capture = app(house.wiring(), [Side.CAPTURE])
    assert "/metrics" not in capture._shown
    assert "/metrics" in app(house.wiring(), [Side.CONSOLE])._shown


def test_it_is_only_read(used):
    assert used.ask("POST", "/metrics").status == 405
    assert used.ask("HEAD", "/metrics").status == 200


def test_every_project_has_numbers_of_its_own(used):
    used.state.projects.add(Project("2", 'odd "name"\\', "other-token"))
    found = scraped(used)
    assert of(found, "syncs", project='odd "name"\\', health="fine") == 0
    assert of(found, "syncs", project="shop", health="fine") == 1


@given(st.text(), st.text(), st.floats(allow_nan=False, allow_infinity=False))
def test_whatever_a_label_or_a_help_says_the_text_is_read_back(label, sentence, value):
    family = Family("cornicen_x", "gauge", sentence)
    family.add(value, a=label)
    text = written([family, Family("cornicen_none", "gauge", "No sample.")])
    assert len(text.split("\n")) == 4
    assert read(text) == {("cornicen_x", (("a", label),)): value}
