"""`events tail` and `person show`, beside a keeper in this process."""

import json
import os
import signal
import subprocess
import sys

import pytest

from cornicen.apps.cli import events, glimpses


def event(load, **said):
    usual = {"load": load, "event": "buy", "time": 1509235200000000 + load, "arrived": 1509235200000000}
    return {**usual, "person": "ann", "insert_id": f"k{load}", "properties": {}, **said}


class Loaded:
    """Events as a keeper has them; some of them are loaded only after it was asked so many times."""

    def __init__(self, *batches):
        self.there, self.coming = list(batches[0]), list(batches[1:])

    def __call__(self, after, limit, event, person):
        if after is not None and self.coming and not any(one["load"] > after for one in self.there):
            self.there += self.coming.pop(0)
        fit = [one for one in self.there if event in {"", one["event"]} and person in {"", one["person"]}]
        found = fit[-limit:] if after is None else [one for one in fit if one["load"] > after][:limit]
        full = after is not None and len(found) == limit
        return {"events": found, "last": found[-1]["load"] if full else max((one["load"] for one in self.there), default=0)}


def no_refusals():
    return {"refusals": []}


def test_the_newest_events_are_shown_oldest_first_one_a_line(keeper, command):
    keeper(events=Loaded([event(1), event(2, properties={"amount": 19.5, "items": ["a"]}), event(3, person="")]))
    code, out, _ = command("events", "tail", "--no-follow", "-n", 2)
    assert code == 0
    assert out.splitlines() == [
        '2017-10-29T00:00:00.000002Z  buy  ann  amount=19.5 items=["a"]',
        "2017-10-29T00:00:00.000003Z  buy  -",
    ]


def test_what_to_look_for_is_asked_of_the_keeper(keeper, command):
    loaded = keeper(events=Loaded([event(1), event(2, event="see"), event(3, person="bob")]))
    _, out, _ = command("events", "tail", "--no-follow", "--event", "see", "--person", "ann")
    assert out.count("\n") == 1
    assert loaded.asked == [("events", {"after": None, "limit": 10, "event": "see", "person": "ann"})]


def test_with_json_each_event_is_one_object_a_line_and_whole(keeper, command):
    keeper(events=Loaded([event(1, properties={"a": {"b": [1]}}), event(2)]))
    _, out, _ = command("events", "tail", "--no-follow", "--json")
    assert [json.loads(line) for line in out.splitlines()] == [event(1, properties={"a": {"b": [1]}}), event(2)]


def tailing(made, *arguments):
    command = [sys.executable, "-m", "cornicen.apps.cli", "events", "tail", "--home", made["home"], *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_each_event_follows_once_and_in_order_as_it_is_loaded_and_ctrl_c_ends_it_with_130(keeper, made):
    many = [event(load) for load in range(4, 4 + events.PAGE * 2 + 3)]
    keeper(events=Loaded([event(1), event(2)], [event(3)], many, [event(many[-1]["load"] + 1)]), status=no_refusals)
    with tailing(made, "--json", "-n", "1") as process:
        seen = [json.loads(process.stdout.readline())["load"] for _ in range(3 + len(many))]
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert process.stdout.read() == process.stderr.read() == ""
    assert seen == list(range(2, many[-1]["load"] + 2))


def test_nothing_of_the_past_is_shown_with_n_0_and_nothing_new_is_missed(keeper, made):
    keeper(events=Loaded([event(1)], [event(2)]), status=no_refusals)
    with tailing(made, "--json", "-n", "0") as process:
        assert json.loads(process.stdout.readline())["load"] == 2
        process.send_signal(signal.SIGINT)
        process.wait(30)


def test_a_reader_that_has_gone_ends_it_without_an_error(keeper, made):
    keeper(events=Loaded(*[[event(load)] for load in range(1, 200)]), status=no_refusals)
    with tailing(made) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(60) == 0
        assert process.stderr.read() == ""


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_reader_that_goes_where_nothing_new_ever_comes_ends_it_too(keeper, made, form):
    keeper(events=Loaded([event(1), event(2)]), status=no_refusals)
    with tailing(made, *form) as tail, subprocess.Popen(["head", "-1"], stdin=tail.stdout, stdout=subprocess.PIPE) as head:
        tail.stdout.close()
        assert head.stdout.read().count(b"\n") == 1
        try:
            assert tail.wait(60) == 0
        finally:
            tail.kill()
        assert tail.stderr.read() == ""


def test_a_keeper_that_is_started_again_is_asked_again(keeper, made):
    first = keeper(events=Loaded([event(1)]), status=no_refusals)
    with tailing(made, "--json") as process:
        assert json.loads(process.stdout.readline())["load"] == 1
        first.close()
        keeper(events=Loaded([event(1)], [event(2)]), status=no_refusals)
        assert json.loads(process.stdout.readline())["load"] == 2
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130


def test_without_a_keeper_it_says_so_at_once(command):
    code, out, err = command("events", "tail")
    assert (code, out) == (3, "")
    assert "cornicen up" in err.replace("\n", " ")


def test_how_many_were_rejected_meanwhile_is_hinted_on_standard_error(keeper, command, monkeypatch):
    monkeypatch.setattr(events, "BETWEEN_COUNTS", 0.0)
    monkeypatch.setattr(events, "BETWEEN_LOOKS", 0.0)
    counts = iter([3, 3, 5, 5])

    def status():
        count = next(counts, None)
        if count is None:
            os.kill(os.getpid(), signal.SIGINT)
        return {"refusals": [{"count": count or 5}]}

    keeper(events=Loaded([event(1)]), status=status)
    code, out, err = command("events", "tail")
    assert (code, out.count("\n")) == (130, 1)
    assert err.count("rejected") == 1
    assert err.startswith("2 records were rejected meanwhile")


@pytest.mark.parametrize("number", [-1, 501])
def test_a_number_of_events_that_cannot_be_is_refused(command, number):
    assert command("events", "tail", "-n", number)[0] == 2


def test_nothing_that_a_sender_writes_is_obeyed_by_a_terminal():
    line = glimpses.event(event(1, event="\x1b[2Jbuy", person="a\nb", properties={"x\x07": "y\r", "z": "\u202e"}))
    assert line.isprintable()
    assert "buy" in line


def test_long_properties_are_cut_and_ids_are_not_said_again():
    line = glimpses.event(event(1, properties={"distinct_id": "ann", "text": "x" * 500, **{f"p{n}": n for n in range(99)}}))
    assert len(line) < 200
    assert "distinct_id" not in line
    assert "…" in line


def sent(load, under):
    """An event as a person's are: with the name that it was sent under."""
    found = {**event(load), "distinct_id": under, "failure": None}
    del found["person"]
    return found


PERSON = {
    "name": "ann",
    "known": True,
    "names": [
        {"name": "ann", "kind": "user", "canonical": True, "since": 1509235200000000},
        {"name": "d-77aa", "kind": "device", "canonical": False, "since": None},
    ],
    "links": [{"at": 1509235200000000, "kind": "takeover", "one": "ann", "other": "d-77aa", "why": "The device was nobody's."}],
    "profile": {"plan": "pro", "visits": 3},
    "history": [
        {
            "at": 1509235260000000,
            "source": "amplitude:/identify",
            "operations": [["set", {"plan": "pro"}], ["add", {"visits": 1}]],
        },
        {
            "at": 1509235200000000,
            "arrived": 1509235261000000,
            "source": "mixpanel:/engage",
            "operations": [["unset", ["old"]], ["delete", None]],
        },
    ],
    "events": [
        sent(2, "$device:d-77aa"),
        sent(1, ""),
    ],
    "organisation": [{"user": "ann", "whole": "ann@acme"}],
    "counts": {"events": 7},
    "cohorts": ["big", "often"],
}


def test_a_person_is_told_with_names_links_profile_history_cohorts_and_events(keeper, command):
    asked = keeper(person=lambda name, events: {"as_of": 1509235200000000, "person": PERSON})
    code, out, _ = command("person", "show", "d-77aa", "--events", 2)
    assert code == 0
    assert asked.asked == [("person", {"name": "d-77aa", "events": 2})]
    told = [line.split() for line in out.splitlines()]
    assert "ann: 7 events" in out
    assert "big, often" in out
    assert ["ann", "user", "yes", "2017-10-29T00:00:00Z"] in told
    assert ["d-77aa", "device"] in told
    assert "The device was nobody's." in out
    assert ["plan", "pro"] in told
    assert "set plan=pro; add visits=1" in out
    assert "unset old; delete" in out
    assert "ann is ann@acme in the organisation." in out
    assert "The newest 2 events" in out
    assert "  2017-10-29T00:00:00.000002Z  buy  $device:d-77aa" in out.splitlines()
    assert "  2017-10-29T00:00:00.000001Z  buy  -" in out.splitlines()


def test_a_person_of_whom_little_is_known_is_told_too(keeper, command):
    little = {
        **PERSON,
        "links": [],
        "profile": None,
        "history": [],
        "events": [],
        "cohorts": [],
        "organisation": [],
        "counts": {"events": 0},
    }
    keeper(person=lambda name, events: {"as_of": 1509235200000000, "person": little})
    code, out, _ = command("person", "show", "ann")
    assert code == 0
    assert "No profile." in out
    assert "In no stored cohort." in out


def test_with_json_a_person_is_the_whole_answer(keeper, command):
    keeper(person=lambda name, events: {"as_of": 1509235200000000, "person": PERSON})
    found = json.loads(command("person", "show", "ann", "--json")[1])
    assert found == {"as_of": "2017-10-29T00:00:00Z", "person": PERSON}


def test_a_name_that_nobody_has_is_not_found(keeper, command):
    missing = {"error": {"code": "not_found", "what": "Nobody is called nil.", "fix": "Look at `cornicen events tail`."}}
    keeper(person=lambda name, events: missing)
    code, out, err = command("person", "show", "nil")
    assert (code, out) == (2, "")
    assert "Nobody is called nil." in err
