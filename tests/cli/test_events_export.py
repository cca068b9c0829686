"""`events export`: lines of Mixpanel's raw export, and the file they go to."""

import io
import json

import pytest

from cornicen.apps.cli import export_lines, exporting
from cornicen.apps.cli.formats import Taken, mixpanel_export
from cornicen.apps.keeper.questions import EXPORTED
from cornicen.integrations.mixpanel.event import event_of
from cornicen.integrations.mixpanel.refusing import Rules

MOMENT = 1_509_235_200_000_000
TOKEN = "the-projects-token"
NOW = 2_000_000_000_000_000


def event(load=1, properties=None, **said):
    own = {"time": 1509235200, "distinct_id": "ann", "$insert_id": f"k{load}"} if properties is None else properties
    usual = {"load": load, "event": "buy", "time": MOMENT, "arrived": MOMENT, "distinct_id": "ann", "insert_id": f"k{load}"}
    return {**usual, "properties": json.dumps(own), "first_stays": False, **said}


def told(found):
    return json.loads(export_lines.line(found, TOKEN))


def imported(line):
    """A line as `cornicen import` sends it and the door takes it: event, time, ids, key."""
    [taken] = mixpanel_export(io.BytesIO(line + b"\n"))
    assert isinstance(taken, Taken)
    _, taken = event_of(taken.record, Rules(strict=False, now=NOW, utf8=True))
    return taken


def test_what_says_its_time_id_and_key_is_exported_as_it_was_received():
    text = '{ "distinct_id":"ann", "$insert_id":"k1", "n":1.10, "big":12345678901234567890123, "time":1509235200.0}'
    line = export_lines.line(event() | {"properties": text}, TOKEN)
    assert line == b'{"event":"buy","properties":%b}' % text.encode()


@pytest.mark.parametrize(
    ("sent", "stored", "exported"),
    [
        (None, MOMENT, "1509235200"),
        (1509235200, MOMENT, "1509235200"),
        (1509235200123, MOMENT + 123_000, "1509235200.123"),
        (1509235200.5, MOMENT + 500_000, "1509235200.5"),
        ("1509235200", MOMENT, "1509235200"),
        (4_000_000_000, MOMENT + 1, "1509235200.000001"),
        ("soon", MOMENT, "1509235200"),
        (1e300, MOMENT, "1509235200"),
    ],
)
def test_time_is_the_events_own_in_seconds_to_the_microsecond(sent, stored, exported):
    line = export_lines.line(event(properties={"time": sent, "$insert_id": "k1", "distinct_id": "ann"}, time=stored), TOKEN)
    assert f'"time":{exported}' in line.decode().replace(" ", "")
    assert imported(line).time == stored


@pytest.mark.parametrize("micros", [31_536_000_000_000, 1_795_539_600_123_457, 1_999_999_999_999_999])
def test_every_microsecond_comes_in_again_as_it_went_out(micros):
    assert imported(export_lines.line(event(time=micros), TOKEN)).time == micros


@pytest.mark.parametrize(
    ("sent", "stored", "id_"),
    [
        ({"distinct_id": "bob"}, "bob", "bob"),
        ({"distinct_id": 7}, "7", 7),
        ({"distinct_id": ""}, "", ""),
        ({}, "", ""),
        ({"$device_id": "d"}, "$device:d", "$device:d"),
        ({"$user_id": "bob", "$device_id": "d", "distinct_id": None}, "bob", "bob"),
        ({"$user_id": "bob", "distinct_id": "other"}, "bob", "other"),
    ],
)
def test_whose_it_is_is_said_as_it_was_sent_and_added_where_it_was_not(sent, stored, id_):
    line = export_lines.line(event(properties={"time": 1509235200, "$insert_id": "k1", **sent}, distinct_id=stored), TOKEN)
    properties = json.loads(line)["properties"]
    assert properties == {"time": 1509235200, "$insert_id": "k1", **sent, "distinct_id": id_}


@pytest.mark.parametrize(("sent", "stored"), [("k1", "k1"), (5, "5"), ("a\u00e9 b", "a\u00e9 b")])
def test_a_key_that_was_sent_is_the_key_that_comes_in_again(sent, stored):
    line = export_lines.line(event(properties={"time": 1, "$insert_id": sent, "distinct_id": "a"}, insert_id=stored), TOKEN)
    assert imported(line).insert_id == stored


@pytest.mark.parametrize("sent", [{}, {"$insert_id": None}, {"$insert_id": "null"}, {"$insert_id": "x" * 300}])
def test_an_event_without_a_key_gets_one_that_is_its_own_and_the_same_each_time(sent):
    properties = {"time": 1509235200, "distinct_id": "ann", **sent}
    one, other = (event(load, properties, insert_id=None) for load in (1, 2))
    key = told(one)["properties"]["$insert_id"]
    assert key == told(one)["properties"]["$insert_id"] != told(other)["properties"]["$insert_id"]
    assert imported(export_lines.line(one, TOKEN)).insert_id == key


def test_what_an_amplitude_sender_calls_time_or_id_gives_way_to_the_events_own():
    own = {"$user_id": "ann", "$device_id": "d-77aa", "$insert_id": "k1", "time": "noon", "distinct_id": "x", "colour": "red"}
    properties = told(event(properties=own, first_stays=True))["properties"]
    assert properties == {**own, "time": 1509235200, "distinct_id": "ann"}


def test_a_line_is_one_line_and_does_not_hold_the_projects_token():
    text = '{\r\n "time": 1509235200,\n "distinct_id": "ann", "$insert_id": "k1", "text": "a\\nb", "token": "T"}'.replace(
        "T", TOKEN
    )
    line = export_lines.line(event() | {"properties": text}, TOKEN)
    assert [part for part in (b"\n", b"\r", TOKEN.encode()) if part in line] == []
    assert json.loads(line)["properties"]["text"] == "a\nb"
    assert told(event(properties={"token": "another"}))["properties"]["token"] == "another"


class Exported:
    """Events as a keeper exports them, so many a page."""

    def __init__(self, events, page=2):
        self.events, self.page = events, page

    def __call__(self, after, until, first, last, event):
        until = len(self.events) if until is None else until
        found = [one for one in self.events if after < one["load"] <= until][: self.page]
        return {"events": found, "last": found[-1]["load"] if found else until, "until": until}


EVENTS = [event(load) for load in range(1, 6)]
LINES = [export_lines.line(one, TOKEN).decode() for one in EVENTS]


@pytest.mark.parametrize("json_too", [[], ["--json"]])
def test_standard_output_has_the_lines_and_nothing_else(keeper, command, json_too):
    keeper(export=Exported(EVENTS))
    code, out, err = command("events", "export", *json_too)
    assert (code, out.splitlines(), err) == (0, LINES, "")


def test_all_pages_are_of_the_moment_of_the_first_and_of_what_was_asked_for(keeper, command):
    asked = keeper(export=Exported(EVENTS)).asked
    assert command("events", "export", "--from", "1970-01-02", "--to", "1970-01-03", "--event", "buy")[0] == 0
    only = {"first": 1, "last": 2, "event": "buy"}
    assert asked == [("export", {"after": after, "until": until, **only}) for after, until in ((0, None), (2, 5), (4, 5))]


def test_a_file_has_the_lines_and_how_many_there_are_is_said(keeper, command, tmp_path):
    keeper(export=Exported(EVENTS))
    code, out, _ = command("events", "export", "--out", tmp_path / "all.ndjson")
    assert (code, out.split()[:2]) == (0, ["5", "events"])
    assert (tmp_path / "all.ndjson").read_text().splitlines() == LINES
    _, out, _ = command("events", "export", "--out", tmp_path / "all.ndjson", "--json")
    assert json.loads(out) == {"events": 5, "out": str(tmp_path / "all.ndjson")}


def test_no_event_is_a_file_without_lines(keeper, command, tmp_path):
    keeper(export=Exported([]))
    assert command("events", "export", "--out", tmp_path / "none.ndjson")[0] == 0
    assert (tmp_path / "none.ndjson").read_bytes() == b""


def test_an_export_that_fails_leaves_the_file_that_was_there_and_none_beside_it(keeper, command, tmp_path):
    path = tmp_path / "out" / "all.ndjson"
    path.parent.mkdir()
    path.write_text("from before")
    pages = Exported(EVENTS)

    def failing(**asked):
        return pages(**asked) if asked["after"] == 0 else {"error": {"code": "damaged", "what": "A page is torn.", "fix": ""}}

    keeper(export=failing)
    code, _, err = command("events", "export", "--out", path)
    assert code == 70
    assert "A page is torn." in err
    assert path.read_text() == "from before"
    assert list(path.parent.iterdir()) == [path]


def test_a_place_that_cannot_be_written_to_is_said_before_anything_is_asked(keeper, command, tmp_path):
    asked = keeper(export=Exported(EVENTS)).asked
    for path in (tmp_path, tmp_path / "nowhere" / "all.ndjson"):
        code, out, err = command("events", "export", "--out", path)
        assert (code, out) == (2, "")
        assert str(path.name) in err.replace("\n", "")
    assert asked == []


@pytest.mark.parametrize(
    "wrong", [["--from", "yesterday"], ["--to", "2017-10-32"], ["--from", "2017-10-30", "--to", "2017-10-29"]]
)
def test_a_day_that_is_none_and_days_in_the_wrong_order_are_refused(command, wrong):
    code, out, err = command("events", "export", *wrong)
    assert (code, out) == (2, "")
    assert wrong[1] in err


def test_a_keeper_that_goes_away_between_two_pages_is_asked_for_the_same_page_again(keeper, command, monkeypatch):
    monkeypatch.setattr(exporting, "BETWEEN_TRIES", 0.0)
    pages, gone = Exported(EVENTS), []

    def dying(**asked):
        if asked["after"] == 2 and len(gone) < 3:
            gone.append(asked)
            raise ConnectionError
        return pages(**asked)

    keeper(export=dying)
    code, out, _ = command("events", "export")
    assert (code, out.splitlines(), len(gone)) == (0, LINES, 3)


def test_a_keeper_that_stays_away_is_given_up(keeper, command, monkeypatch, tmp_path):
    monkeypatch.setattr(exporting, "BETWEEN_TRIES", 0.001)
    monkeypatch.setattr(exporting, "PATIENCE", 0.005)
    pages = Exported(EVENTS)

    def dead(**asked):
        if asked["after"] > 0:
            raise ConnectionError
        return pages(**asked)

    keeper(export=dead)
    assert command("events", "export", "--out", tmp_path / "all.ndjson")[0] == 3
    assert not list(tmp_path.glob("all.ndjson*"))


def test_without_a_keeper_it_says_so_at_once_and_makes_no_file(command, tmp_path):
    code, _, err = command("events", "export", "--out", tmp_path / "all.ndjson")
    assert code == 3
    assert "cornicen up" in err.replace("\n", " ")
    assert not list(tmp_path.glob("all.ndjson*"))


def test_a_page_of_usual_events_is_far_smaller_than_the_longest_answer():
    assert len(json.dumps(event())) * EXPORTED < 16 << 20
