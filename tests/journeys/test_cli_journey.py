"""The command line against a running house: files through the door, and a destination that says no."""

import gzip
import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
import zipfile

import pyarrow as pa
import pytest
from pyarrow import parquet

from cornicen.apps.cli.running import run
from cornicen.apps.demo.hand import do, started

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]

COHORTS = {
    "buyers": "[{did: purchase}]",
    "often": "[{did: purchase, count: {gte: 2}}]",
    "pro": "[{profile: {plan: pro, age: {gte: 30}}}, {did: order, sum: {of: amount, gte: 0.3}}]",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A served home that has some cohorts and evaluates only when asked."""
    path = tmp_path_factory.mktemp("house") / "home"
    do("init", str(path))
    with (path / "cornicen.toml").open("a") as settings:
        settings.write("schedule = false\n")
    for slug, who in COHORTS.items():
        (path / f"cohorts/{slug}.yml").write_text(f"cohort: {slug}\nwho: {who}\n")
    with started("up", "--home", str(path), "--port", "0") as up:
        up.ready()
        do("apply", "--yes", "--home", str(path))
        yield path


@pytest.fixture(scope="module")
def onesignal():
    """A simulated OneSignal, as it says where it is."""
    with started("simulate", "onesignal", "--port", "0", "--tier", "growth") as simulator:
        yield simulator.ready()


@pytest.fixture
def bare(tmp_path):
    """A home that nothing serves."""
    do("init", str(tmp_path / "bare"))
    return tmp_path / "bare"


@pytest.fixture
def command(capsys):
    """Run a command; its exit code, its document, and its error."""

    def commanding(*arguments):
        code = run([*map(str, arguments), "--json"])
        out, err = capsys.readouterr()
        return code, json.loads(out) if out else None, json.loads(err)["error"] if err else None

    return commanding


def event(user, number, **properties):
    whole = {"time": 1509235200 + number, "distinct_id": user, "$insert_id": f"{user}{number}", **properties}
    return json.dumps({"event": "purchase", "properties": whole})


def load(home, file, form, *more):
    return do("import", str(file), "--format", form, "--home", str(home), *more)


def size(home, slug):
    return do("cohort", "preview", slug, "--home", str(home))["size"]


def test_good_lines_of_a_file_load_and_bad_ones_are_kept_with_their_reason(home, tmp_path):
    before = size(home, "buyers")
    file = tmp_path / "export.jsonl"
    nobody = '{"event":"purchase","properties":{"time":1509235200,"distinct_id":"null","$insert_id":"x"}}'
    early = '{"event":"purchase","properties":{"time":5,"distinct_id":"early","$insert_id":"y"}}'
    file.write_text("\n".join([event("a", 1), "{broken", event("b", 2), nobody, early, event("c", 3), ""]))
    found = load(home, file, "mixpanel-export")
    assert (found["taken"], found["rejected"], sum(found["reasons"].values())) == (3, 3, 3)
    kept = [json.loads(line) for line in (tmp_path / "export.jsonl.rejected.ndjson").read_text().splitlines()]
    assert {one["line"]: one["record"] for one in kept} == {2: "{broken", 4: json.loads(nobody), 5: json.loads(early)}
    assert all(len(one["reason"]) > 10 for one in kept)
    assert size(home, "buyers") == before + 3


def test_the_same_file_twice_adds_nothing(home, tmp_path):
    keyless = json.dumps({"event": "purchase", "properties": {"time": 1509235200, "distinct_id": "twice"}})
    (tmp_path / "a.jsonl").write_text("\n".join([event("once", 1), keyless]))
    (tmp_path / "b.csv").write_text("event,time,distinct_id,amount\npurchase,2017-10-29,thrice,0.10\n")
    for _ in range(2):
        assert load(home, tmp_path / "a.jsonl", "mixpanel-export", "--restart")["taken"] == 2
        assert load(home, tmp_path / "b.csv", "csv", "--restart")["taken"] == 1
        assert size(home, "often") == 0


def test_a_file_that_was_imported_is_not_read_again_and_says_when_it_was(home, tmp_path, capsys):
    (tmp_path / "a.jsonl").write_text(event("remembered", 1) + "\n{broken")
    first, second = (load(home, tmp_path / "a.jsonl", "mixpanel-export") for _ in range(2))
    assert (first["taken"], first["rejected"], first["finished_before"]) == (1, 1, None)
    assert {**second, "finished_before": None} == first
    assert second["finished_before"].endswith("Z")
    assert run(["import", str(tmp_path / "a.jsonl"), "--format", "mixpanel-export", "--home", str(home)]) == 0
    assert "imported already" in capsys.readouterr().out


def test_an_import_of_which_everything_is_rejected_says_so_with_1_and_is_not_remembered(home, tmp_path, command, capsys):
    (tmp_path / "a.jsonl").write_text('{"event":"purchase","properties":{"distinct_id":"undated"}}\n{broken\n')
    before = size(home, "buyers")
    for _ in range(2):
        code, found, _ = command("import", tmp_path / "a.jsonl", "--format", "mixpanel-export", "--home", home)
        assert (code, found["taken"], found["rejected"], found["finished_before"]) == (1, 0, 2, None)
    assert size(home, "buyers") == before
    assert run(["import", str(tmp_path / "a.jsonl"), "--format", "mixpanel-export", "--home", str(home)]) == 1
    assert "Nothing was taken: all 2 records were rejected." in capsys.readouterr().out


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_an_import_that_is_ended_goes_on_where_it_stopped_and_every_record_is_there_once(home, tmp_path, end):
    people, each, name = 400, 100, f"ended by {end}"
    moments = [(f"u{number % people}", 1509235200 + number) for number in range(people * each)]
    lines = [json.dumps({"event": name, "properties": {"time": moment, "distinct_id": user}}) for user, moment in moments]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    arguments = ["import", tmp_path / "a.jsonl", "--format", "mixpanel-export", "--home", home]
    there = set((home / "imports").glob("*.json"))
    command = [sys.executable, "-m", "cornicen.apps.cli", *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as importing:
        while importing.poll() is None and not set((home / "imports").glob("*.json")) - there:
            time.sleep(0.001)
        importing.send_signal(end)
        complaint = importing.stderr.read()
    if end == signal.SIGINT:
        assert importing.returncode == 130
        assert re.search(r"Interrupted: [\d,]+ records are safe", complaint)
    found = load(home, tmp_path / "a.jsonl", "mixpanel-export")
    assert found["taken"] == len(lines)
    assert 0 < found["earlier"] < len(lines)
    (tmp_path / "exactly.yml").write_text(f"cohort: exactly\nwho: [{{did: {name}, count: {{gte: {each}, lte: {each}}}}}]\n")
    assert do("cohort", "preview", str(tmp_path / "exactly.yml"), "--home", str(home))["size"] == people


def amplitude_row(user, number, **said):
    return {
        "user_id": user,
        "device_id": f"device-of-{user}",
        "event_type": "bought",
        "event_time": "2017-10-29 00:00:00.000000",
        "$insert_id": f"{user}-{number}",
        "event_properties": {"amount": number},
        "user_properties": {"plan": "gold", "age": 44},
        **said,
    }


def test_an_export_of_amplitude_and_a_parquet_file_reach_the_same_people(home, tmp_path):
    rows = [amplitude_row(user, n) for n in range(2) for user in ("amy", "al")]
    rows += [amplitude_row("null", 9), amplitude_row("amy", 10, event_type="$identify", user_properties={"$set": {"age": 20}})]
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        for hour in (9, 10):
            some = rows[:3] if hour == 9 else rows[3:]
            archive.writestr(f"7/7_2017-10-29_{hour}#0.json.gz", gzip.compress("\n".join(map(json.dumps, some)).encode()))
    found = load(home, tmp_path / "export.zip", "amplitude-export")
    assert (found["taken"], found["rejected"]) == (5, 1)
    assert json.loads((tmp_path / "export.zip.rejected.ndjson").read_text())["member"] == "7/7_2017-10-29_10#0.json.gz"
    table = pa.table({"event": ["bought"] * 2, "time": ["2017-10-29"] * 2, "distinct_id": ["amy", "zoe"], "amount": [5, 5]})
    parquet.write_table(table, tmp_path / "more.parquet")
    assert load(home, tmp_path / "more.parquet", "parquet")["taken"] == 2

    def people(who):
        (tmp_path / "asked.yml").write_text(f"cohort: asked\nwho: [{who}]\n")
        return set(do("cohort", "preview", str(tmp_path / "asked.yml"), "--home", str(home))["examples"])

    assert people("{did: bought, count: {gte: 3}}") == {"amy"}
    assert people("{profile: {plan: gold, age: 44}}") == {"al"}
    assert people("{profile: {plan: gold, age: 20}}") == {"amy"}


def test_what_is_loaded_is_followed_live_and_its_person_shown_with_all_that_is_known(home, tmp_path):
    rows = [
        amplitude_row("lena", 1, event_type="followed", **{"$insert_id": f"f{number}"}, user_properties={"plan": f"p{number}"})
        for number in range(3)
    ]
    command = [
        sys.executable,
        "-m",
        "cornicen.apps.cli",
        "events",
        "tail",
        "--event",
        "followed",
        "--home",
        str(home),
        "--json",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as tail:
        (tmp_path / "rows.json").write_text("\n".join(map(json.dumps, rows)))
        load(home, tmp_path / "rows.json", "amplitude-export")
        seen = [json.loads(tail.stdout.readline()) for _ in rows]
        tail.send_signal(signal.SIGINT)
        assert (tail.wait(30), tail.stdout.read()) == (130, "")
    assert [(one["event"], one["person"], one["insert_id"]) for one in seen] == [
        ("followed", "lena", f"f{n}") for n in range(3)
    ]
    assert sorted(one["load"] for one in seen) == [one["load"] for one in seen]
    found = do("person", "show", "device-of-lena", "--events", "2", "--home", str(home))["person"]
    assert (found["name"], found["counts"]["events"], len(found["events"])) == ("lena", 3, 2)
    assert {one["name"] for one in found["names"]} == {"lena", "$device:device-of-lena"}
    assert found["profile"]["plan"] == "p2"
    assert [one["operations"] for one in found["history"]] == [[["set", {"plan": f"p{number}"}]] for number in (2, 1, 0)]
    assert "buyers" not in found["cohorts"]
    assert run(["person", "show", "lena", "--home", str(home)]) == 0


def test_profiles_and_a_table_reach_the_same_people(home, tmp_path):
    profiles = [{"$distinct_id": user, "$properties": {"plan": "pro", "age": age}} for user, age in (("p", 44), ("q", 20))]
    (tmp_path / "people.jsonl").write_text("\n".join(map(json.dumps, profiles)))
    (tmp_path / "more.csv").write_text("distinct_id,plan,age\nr,pro,31\n")
    rows = [f"order,{1509235200 + n},{user},0.1,{user}-{n}" for n in range(3) for user in "pqr"]
    (tmp_path / "events.csv").write_text("\n".join(["event,time,distinct_id,amount,$insert_id", *rows]))
    assert load(home, tmp_path / "people.jsonl", "engage-jsonl")["taken"] == 2
    assert load(home, tmp_path / "more.csv", "csv")["taken"] == 1
    assert load(home, tmp_path / "events.csv", "csv")["taken"] == 9
    assert sorted(do("cohort", "members", "pro", "--home", str(home))["names"]) == ["p", "r"]
    assert len(do("cohort", "members", "pro", "--limit", "1", "--home", str(home))["names"]) == 1


def test_strict_holds_events_to_every_rule(home, tmp_path):
    (tmp_path / "a.jsonl").write_text(event("strict", 1, **{"$insert_id": "not a key!"}))
    found = load(home, tmp_path / "a.jsonl", "mixpanel-export", "--strict")
    assert (found["taken"], found["rejected"]) == (0, 1)
    assert "$insert_id" in next(iter(found["reasons"]))
    assert load(home, tmp_path / "a.jsonl", "mixpanel-export")["rejected"] == 0


def test_a_preview_of_a_file_needs_nothing_stored(home, tmp_path, command):
    (tmp_path / "new.yml").write_text("cohort: new\nwho: [{did: purchase}, {none: [{in_cohort: often}]}]\n")
    code, found, _ = command("cohort", "preview", tmp_path / "new.yml", "--home", home)
    assert (code, found["size"] >= 0, len(found["examples"]) <= 10) == (0, True, True)
    (tmp_path / "new.yml").write_text("cohort: new\nwho: [{did: purchase, wihtin: 3d}]\n")
    code, _, error = command("cohort", "preview", tmp_path / "new.yml", "--home", home)
    assert (code, [fault["path"] for fault in error["faults"]]) == (2, ["who[0].wihtin"])


def account(onesignal, key):
    return ["--app-id", onesignal["app_id"], "--api-key", key, "--base-url", onesignal["address"]]


def test_a_wrong_key_is_refused_before_anything_is_saved(bare, onesignal, command, monkeypatch):
    monkeypatch.setenv("KEY", "os_v2_app_wrong")
    code, _, error = command("connect", "onesignal", *account(onesignal, "env:KEY"), "--home", bare)
    assert (code, error["code"], bool(error["what"]), bool(error["fix"])) == (4, "wrong_key", True, True)
    connection = f"{{vendor: onesignal, app_id: {onesignal['app_id']}, api_key: env:KEY, base_url: '{onesignal['address']}'}}"
    (bare / "syncs.yml").write_text(f"connections: {{onesignal: {connection}}}\n")
    (bare / "cohorts/buyers.yml").write_text("cohort: buyers\nwho: [{did: purchase}]\n")
    assert command("apply", "--yes", "--home", bare)[0] == 4
    assert command("cohort", "list", "--home", bare)[1] == {"cohorts": []}


def test_a_connected_account_takes_syncs_of_the_folder_which_pause_and_resume(bare, onesignal, command, monkeypatch):
    monkeypatch.setenv("KEY", onesignal["api_key"])
    assert command("connect", "onesignal", *account(onesignal, "env:KEY"), "--home", bare)[0] == 0
    (bare / "cohorts/buyers.yml").write_text("cohort: buyers\nwho: [{did: purchase}]\n")
    (bare / "syncs.yml").write_text("syncs: [{cohort: buyers, to: onesignal, every: hourly}]\n")
    assert command("apply", "--yes", "--home", bare)[1]["applied"] == 2

    def listed():
        return [
            (one["cohort"], one["connection"], one["every"], one["status"])
            for one in command("sync", "list", "--home", bare)[1]["syncs"]
        ]

    assert command("sync", "pause", "buyers", "--home", bare)[0] == 0
    assert listed() == [("buyers", "onesignal", "hourly", "paused")]
    assert command("sync", "release", "buyers", "--home", bare)[2]["code"] == "bad_input"
    assert command("sync", "resume", "buyers", "--home", bare)[0] == 0
    assert listed() == [("buyers", "onesignal", "hourly", "active")]
    assert command("sync", "status", "--home", bare)[1]["syncs"][0]["in_segment"] == 0
    (bare / "syncs.yml").write_text("syncs: []\n")
    command("apply", "--yes", "--prune", "--home", bare)
    assert listed() == [("buyers", "onesignal", "hourly", "retiring")]
    assert command("sync", "pause", "buyers", "--home", bare)[0] == 2


def test_a_check_tells_which_assumptions_held_and_leaves_nothing_behind(onesignal, command, monkeypatch):
    monkeypatch.setenv("KEY", onesignal["api_key"])
    seed = json.dumps({"external_ids": ["tester"], "subscription": "Email"}).encode()
    urllib.request.urlopen(f"{onesignal['address']}/_simulator/seed", seed).close()
    code, found, _ = command("connect", "onesignal", *account(onesignal, "env:KEY"), "--check", "tester")
    assert (code, found["held"], len(found["assumptions"]) > 5) == (0, True, True)
    with urllib.request.urlopen(f"{onesignal['address']}/_simulator/state") as answer:
        assert not [one for one in json.load(answer)["segments"] if one["source"] == "custom"]
    code, found, _ = command("connect", "onesignal", *account(onesignal, "env:KEY"), "--check", "stranger")
    assert (code, found["held"]) == (1, False)


def test_a_run_to_a_destination_that_has_gone_says_so_and_what_is_left_goes_out_later(home, tmp_path, command, monkeypatch):
    (tmp_path / "people.jsonl").write_text('{"$distinct_id":"z","$properties":{"$onesignal_user_id":"os-z","plan":"gone"}}')
    load(home, tmp_path / "people.jsonl", "engage-jsonl")
    (tmp_path / "cohorts").mkdir()
    (tmp_path / "cohorts/gone.yml").write_text("cohort: gone\nwho: [{profile: {plan: gone}}]\n")
    (tmp_path / "syncs.yml").write_text("syncs: [{cohort: gone, to: gone}]\n")
    with started("simulate", "onesignal", "--port", "0", "--tier", "growth") as simulator:
        said = simulator.ready()
        monkeypatch.setenv("KEY", said["api_key"])
        connected = command("connect", "onesignal", *account(said, "env:KEY"), "--slug", "gone", "--home", home)
        assert connected[0] == 0
        assert command("apply", "--yes", "--folder", tmp_path, "--home", home)[1]["applied"] == 2
    code, _, error = command("sync", "run", "gone", "--home", home)
    assert (code, error["code"]) == (3, "unreachable")
    assert "by itself" in error["fix"]
    [standing] = command("sync", "status", "gone", "--home", home)[1]["syncs"]
    assert (standing["size"], standing["on_the_way"], standing["in_segment"]) == (1, 1, 0)


def test_the_simulator_says_where_it_is_and_stops_when_told():
    command = [sys.executable, "-m", "cornicen.apps.cli", "simulate", "onesignal", "--port", "0", "--tier", "free"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        first = process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert re.search(r"simulated, at http://127\.0\.0\.1:\d+", first)
