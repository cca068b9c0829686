from __future__ import annotations

import asyncio
import gzip
import http.client
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import aiohttp
import pytest

from cornicen.integrations.onesignal.simulator import Knobs, process, running
from cornicen.integrations.onesignal.simulator.api.call import Asked
from cornicen.integrations.onesignal.simulator.control import control
from cornicen.integrations.onesignal.simulator.simulator import Simulator

NOW = 1_700_000_000.0


def patch(vendor, name="u1", **tags):
    """One request over a connection of its own: its status, its body and its headers."""
    host, port = vendor.address.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=30)
    try:
        path = f"/apps/{vendor.app_id}/users/by/external_id/{name}"
        body = json.dumps({"properties": {"tags": tags}})
        connection.request("PATCH", path, body, {"authorization": f"Key {vendor.api_key}", "content-type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read(), dict(answer.getheaders())
    finally:
        connection.close()


@pytest.fixture(scope="module")
def shared():
    with running(clock=NOW) as vendor:
        yield vendor


@pytest.fixture
def vendor(shared):
    """One server for all tests here; each begins with its own users, no faults and an empty book."""
    shared.advance(1000)
    shared.faults()
    shared.seed(["u1", "u2"])
    shared.reset_counts()
    return shared


def test_a_request_over_a_socket_is_answered_and_seen_in_the_state(vendor):
    status, body, headers = patch(vendor, cohort="1")
    assert (status, json.loads(body)) == (202, {"properties": {"tags": {"cohort": "1"}}})
    assert headers["content-type"].startswith("application/json")
    [user] = [each for each in vendor.state()["users"] if each["external_id"] == "u1"]
    assert user["tags"]["cohort"] == user["settled_tags"]["cohort"] == "1"
    assert user["subscriptions"][0]["type"] == "AndroidPush"


@pytest.mark.parametrize(
    ("kind", "error", "applied"),
    [
        ("timeout_after", http.client.RemoteDisconnected, True),
        ("timeout_before", http.client.RemoteDisconnected, False),
        ("reset", ConnectionResetError, False),
    ],
)
def test_a_lost_answer_ends_the_connection(vendor, kind, error, applied):
    vendor.faults({"kind": kind, "route": "update_user", "times": 1})
    with pytest.raises(error) as raised:
        patch(vendor, **{kind: "1"})
    # A closed connection without an answer is a reset to http.client too; only the kernel's reset carries a number.
    assert isinstance(raised.value, http.client.RemoteDisconnected) is (kind != "reset")
    [user] = [each for each in vendor.state()["users"] if each["external_id"] == "u1"]
    assert (kind in user["tags"]) is applied
    assert vendor.requests()["routes"] == {"update_user": {kind: 1}}
    assert vendor.requests()["faults"] == [1]
    vendor.advance(1)
    assert patch(vendor, **{kind: ""})[0] == 202


@pytest.mark.parametrize("keep", [0, 5])
def test_a_truncated_answer_ends_the_connection_before_its_promised_length(vendor, keep):
    vendor.faults({"kind": "truncated", "keep_bytes": keep})
    with pytest.raises(http.client.IncompleteRead) as raised:
        patch(vendor, cut="1")
    assert raised.value.partial == b'{"properties"'[:keep]
    [user] = [each for each in vendor.state()["users"] if each["external_id"] == "u1"]
    assert user["tags"]["cut"] == "1"
    assert vendor.requests()["routes"] == {"update_user": {"truncated": 1}}


def test_a_dripping_answer_comes_byte_by_byte_and_is_whole(vendor):
    vendor.faults({"kind": "drip", "delay_ms": 300})
    status, body, headers = patch(vendor, dripped="1")
    assert (status, json.loads(body)) == (202, {"properties": {"tags": {"dripped": "1"}}})
    assert int(headers["content-length"]) == len(body)
    [logged] = vendor.requests()["log"]
    assert (logged["end"], logged["seconds"] > 0.1) == ("202", True)


def test_a_caller_that_leaves_a_dripping_answer_is_told_from_one_that_stays(vendor):
    vendor.faults({"kind": "drip", "delay_ms": 600_000})
    host, port = vendor.address.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=30)
    body = json.dumps({"properties": {"tags": {"left": "1"}}})
    connection.request(
        "PATCH", f"/apps/{vendor.app_id}/users/by/external_id/u1", body, {"authorization": f"Key {vendor.api_key}"}
    )
    answer = connection.getresponse()
    assert answer.read(1) == b"{"
    answer.close()
    connection.close()
    while vendor.requests()["in_flight"]:  # the server learns of it in its own time, and long before the end was due
        pass
    assert vendor.requests()["routes"] == {"update_user": {"abandoned": 1}}


def test_the_book_counts_routes_users_and_keeps_the_latest_requests(vendor):
    patch(vendor, a="1")
    patch(vendor, a="1")
    patch(vendor, "u2", a="1")
    patch(vendor, "nobody", a="1")
    book = vendor.requests(log=2)
    assert book["routes"] == {"update_user": {"202": 2, "404": 1, "429": 1}}
    assert book["patches"] == {"total": 4, "by_user": {"u1": 2, "u2": 1, "nobody": 1}}
    assert [(each["subject"], each["end"]) for each in book["log"]] == [("u2", "202"), ("nobody", "404")]
    assert (book["total"], book["in_flight"], book["in_flight_max"]) == (4, 0, 1)
    vendor.reset_counts()
    assert vendor.requests()["total"] == 0
    assert vendor.requests()["routes"] == {}


def test_the_clock_stands_until_it_is_advanced(vendor):
    before = vendor.ask("GET", "clock")
    assert before["virtual"] is True
    assert vendor.advance(2.5) == before["now"] + 2.5
    assert vendor.ask("GET", "clock")["now"] == before["now"] + 2.5


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("clock", {"advance_seconds": -1}, "advance_seconds"),
        ("clock", {"seconds": 1}, "seconds"),
        ("faults", {"rules": [{"kind": "earthquake"}]}, "earthquake"),
        ("faults", {"rules": [{"kind": "status", "probability": 2}]}, "probability"),
        ("faults", {"rules": [{"kind": "status", "sometimes": True}]}, "sometimes"),
        ("knobs", {"latency_ms": -1}, "latency_ms"),
        ("knobs", {"volume": 11}, "volume"),
        ("apps", {"tier": "gold"}, "gold"),
        ("seed", {"users": [{"external_id": "u", "shoe": 5}]}, "shoe"),
        ("seed", {"users": [{}]}, "external_id"),
        ("seed", {"app_id": "nope"}, "nope"),
    ],
)
def test_a_control_request_that_does_not_fit_says_why(vendor, name, body, words):
    with pytest.raises(ValueError, match=words):
        vendor.ask("POST", name, body)


def test_seeding_twice_makes_nobody_twice_and_leaves_the_first_as_they_are(vendor):
    users = [{"external_id": "s/1", "tags": {"n": 1}, "subscriptions": [{"type": "Email", "token": "s1@example.com"}]}]
    assert vendor.ask("POST", "seed", {"users": users}) == {"made": 1, "there_already": 0}
    users[0]["tags"] = {"n": 2}
    body = {"users": users, "external_ids": ["s2", "s2"], "subscription": "SMS"}
    assert vendor.ask("POST", "seed", body) == {"made": 1, "there_already": 2}
    found = {each["external_id"]: each for each in vendor.state()["users"]}
    assert found["s/1"]["tags"] == {"n": "1"}
    assert [each["type"] for each in found["s2"]["subscriptions"]] == ["SMS"]


@pytest.mark.parametrize(("client", "status"), [("127.0.0.1", 200), ("::1", 200), ("192.0.2.7", 404), ("", 404)])
def test_control_routes_answer_this_machine_only(client, status):
    simulator = Simulator()
    simulator.add_app()
    assert control(simulator, Asked("GET", "/_simulator/state", client=client)).status == status


def test_unknown_control_routes_are_404_and_none_of_them_is_in_the_book(vendor):
    with pytest.raises(ValueError, match="Not Found"):
        vendor.ask("GET", "nothing")
    assert vendor.requests()["total"] == 0


def test_each_app_has_a_state_of_its_own_and_the_first_is_shown_if_none_is_named(vendor):
    other = vendor.ask("POST", "apps", {"tier": "free"})
    named = vendor.ask("GET", f"state?app_id={other['app_id']}")
    assert (named["app_id"], named["tier"], named["users"]) == (other["app_id"], "free", [])
    assert vendor.state()["app_id"] == vendor.app_id
    assert {vendor.app_id, other["app_id"]} <= set(vendor.state()["apps"])
    with pytest.raises(ValueError, match="nope"):
        vendor.ask("GET", "state?app_id=nope")


def test_segments_are_dumped_with_their_members(vendor):
    body = {"name": "Tagged", "filters": [{"field": "tag", "key": "in", "relation": "exists"}]}
    request = urllib.request.Request(
        f"{vendor.address}/api/v1/apps/{vendor.app_id}/segments",
        json.dumps(body).encode(),
        {"authorization": f"Basic {vendor.api_key}", "content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 201
    patch(vendor, "u2", **{"in": "1"})
    assert vendor.members() == {"Tagged": {"u2"}}
    [segment] = vendor.state()["segments"]
    assert (segment["subscriber_count"], segment["members_without_external_id"]) == (1, 0)


def test_the_export_is_served_by_the_simulator_itself(vendor):
    vendor.turn(export_rows_per_second=0)
    request = urllib.request.Request(
        f"{vendor.address}/players/csv_export?app_id={vendor.app_id}",
        b'{"extra_fields":["external_user_id"]}',
        {"authorization": f"Key {vendor.api_key}", "content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        address = json.load(answer)["csv_file_url"]
    assert address.startswith(vendor.address + "/csv_exports/")
    with urllib.request.urlopen(address, timeout=30) as answer:
        lines = gzip.decompress(answer.read()).decode().splitlines()
    assert {"u1", "u2"} <= {line.rsplit(",", 1)[-1] for line in lines[1:]}


def test_in_flight_is_counted_while_answers_are_on_the_way_over_all_and_for_one_user():
    async def ask(vendor, names):
        headers = {"authorization": f"Key {vendor.api_key}"}
        body = {"properties": {"tags": {"a": "1"}}}
        async with aiohttp.ClientSession(headers=headers) as session:

            async def one(name):
                path = f"{vendor.address}/apps/{vendor.app_id}/users/by/external_id/{name}"
                async with session.patch(path, json=body) as answer:
                    return answer.status

            return await asyncio.gather(*map(one, names))

    # The answers take long enough that all requests are under way together.
    with running(clock=NOW, knobs=Knobs(latency_ms=1500)) as vendor:
        vendor.seed(["u1", "u2", "u3"])
        assert asyncio.run(ask(vendor, ["u1", "u2", "u3", "u3"])) in ([202, 202, 202, 429], [202, 202, 429, 202])
        book = vendor.requests()
        assert (book["in_flight_max"], book["in_flight_max_per_user"], book["in_flight"]) == (4, 2, 0)


def test_a_caller_that_gives_up_waiting_has_been_heard(vendor):
    vendor.faults({"kind": "delay", "delay_ms": 600_000, "times": 1})
    host, port = vendor.address.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=0.2)
    body = json.dumps({"properties": {"tags": {"heard": "1"}}})
    connection.request(
        "PATCH", f"/apps/{vendor.app_id}/users/by/external_id/u1", body, {"authorization": f"Key {vendor.api_key}"}
    )
    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()
    [user] = [each for each in vendor.state()["users"] if each["external_id"] == "u1"]
    assert user["tags"]["heard"] == "1"
    while vendor.requests()["in_flight"]:  # the server learns of it in its own time, and long before the answer was due
        pass
    assert vendor.requests()["routes"] == {"update_user": {"abandoned": 1}}


def test_a_process_says_where_it_is_and_ends_cleanly_when_told_to():
    command = [
        sys.executable,
        "-m",
        "cornicen.integrations.onesignal.simulator",
        "--tier",
        "free",
        "--api-key",
        "k",
        "--seed",
        "5",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        said = json.loads(child.stdout.readline())
        assert said.keys() == {"address", "app_id", "api_key", "organization_key", "tier"}
        assert (said["api_key"], said["tier"]) == ("k", "free")
        with urllib.request.urlopen(said["address"] + "/_simulator/clock", timeout=30) as answer:
            assert json.load(answer)["virtual"] is False
        os.kill(child.pid, signal.SIGTERM)
        assert child.wait(30) == 0
    with running(seed=5) as same, running(seed=6) as other:
        assert same.app_id == said["app_id"] != other.app_id


def test_a_process_takes_its_clock_and_knobs_from_the_command_line():
    with process(
        "--clock", str(NOW), "--knob", "latency_ms=1", "--knob", "tag_cap=1", "--app-id", "a", "--org-key", "o"
    ) as vendor:
        assert (vendor.app_id, vendor.organization_key) == ("a", "o")
        assert vendor.ask("GET", "state")["now"] == NOW
        assert vendor.ask("GET", "state")["knobs"]["tag_cap"] == 1


def test_a_plan_of_faults_begins_with_the_process(tmp_path):
    plan = tmp_path / "plan.json"
    plan.write_text('{"rules": [{"kind": "status_after", "status": 500, "until_s": 60}]}')
    with process("--clock", str(NOW), "--faults", str(plan)) as vendor:
        vendor.seed(["u1"])
        assert patch(vendor, a="1")[0] == 500
        vendor.advance(60)
        assert patch(vendor, b="1")[0] == 202
        assert vendor.state()["users"][0]["tags"] == {"a": "1", "b": "1"}


def say(**options):
    """What `cornicen simulate onesignal` is told, and the process that is told it."""
    given = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "cornicen.apps.cli", "simulate", "onesignal", "--port", "0", "--json", *given]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_the_command_line_of_the_house_passes_its_options_on(tmp_path):
    plan = tmp_path / "plan.json"
    plan.write_text('{"rules": [{"kind": "status", "status": 429}]}')
    with say(clock=NOW, seed=5, knob="tag_cap=1", faults=plan) as child:
        said = json.loads(child.stdout.readline())
        with urllib.request.urlopen(said["address"] + "/_simulator/state", timeout=30) as answer:
            state = json.load(answer)
        with pytest.raises(urllib.error.HTTPError, match="429") as refused:
            urllib.request.urlopen(f"{said['address']}/apps/{said['app_id']}", timeout=30)
        refused.value.close()
        child.send_signal(signal.SIGTERM)
        assert child.wait(30) == 0
    assert (state["now"], state["knobs"]["tag_cap"]) == (NOW, 1)
    with running(seed=5) as same:
        assert same.app_id == said["app_id"]


def test_the_command_line_of_the_house_says_what_the_simulator_does_not_take(tmp_path):
    for option, value, words in [("knob", "volume=11", "volume"), ("faults", tmp_path / "none.json", "none.json")]:
        with say(**{option: value}) as child:
            out, err = child.communicate(timeout=60)
        assert (child.returncode, out) == (2, "")
        error = json.loads(err)["error"]
        assert error["code"] == "bad_input"
        assert words in error["what"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--tier", "gold"], "gold"),
        (["--knob", "volume=11"], "volume"),
        (["--knob", "latency_ms"], "--knob"),
        (["--faults", "nowhere.json"], "--faults"),
        (["--faults", os.devnull], "--faults"),
    ],
    ids=["tier", "knob", "no-value", "no-file", "no-json"],
)
def test_a_command_line_that_does_not_fit_is_exit_2(arguments, words):
    command = [sys.executable, "-m", "cornicen.integrations.onesignal.simulator", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr


def test_an_address_that_is_taken_is_exit_1(vendor):
    port = vendor.address.rsplit(":", 1)[1]
    command = [sys.executable, "-m", "cornicen.integrations.onesignal.simulator", "--port", port]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "cannot listen" in done.stderr
