from __future__ import annotations

import asyncio
import gzip
import http.client
import json
import os
import signal
import subprocess
import sys
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


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["--tier", "gold"], "gold"), (["--knob", "volume=11"], "volume"), (["--knob", "latency_ms"], "--knob")],
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
