"""An import whose keeper is away when it comes to waiting for it."""

import fcntl
import json
import subprocess
import sys
import threading
from dataclasses import asdict

import pytest
from door_server import Keeping
from keeper_standin import KeeperStandIn

from cornicen.apps.cli import loading
from cornicen.apps.cli.running import run
from cornicen.apps.home import Home
from cornicen.apps.up import Up

EVENT = {"event": "buy", "properties": {"time": 1509235200, "distinct_id": "ann", "$insert_id": "k1"}}


@pytest.fixture
def made(tmp_path, capsys):
    assert run(["init", str(tmp_path / "home"), "--json"]) == 0
    (tmp_path / "file").write_text(json.dumps(EVENT))
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def served(made):
    """The home as if an `up` served it: its lock, its address, and a door that takes everything; no keeper."""
    home = Home.find(made["home"])
    home.run_folder.mkdir(exist_ok=True)
    door = Keeping([(200, {"code": 200, "num_records_imported": 1, "status": "OK"})])
    threading.Thread(target=door.serve_forever, args=(0.01,)).start()
    (home.run_folder / "up.json").write_text(json.dumps(asdict(Up(1, door.address, door.address, door.address))))
    with (home.run_folder / "up.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield door
    door.shutdown()
    door.server_close()


@pytest.fixture
def arguments(made, tmp_path):
    return ["import", str(tmp_path / "file"), "--format", "mixpanel-export", "--home", made["home"]]


def waiting(*backlogs):
    """A keeper's answers: so many bytes wait in the bulk lane, one after the other, the last for ever."""
    left = list(backlogs)
    return lambda: {"backlog": {"live": 0, "bulk": left.pop(0) if len(left) > 1 else left[0]}}


def test_a_keeper_that_comes_up_late_is_waited_for_and_that_is_told_once(served, made, arguments):
    command = [sys.executable, "-m", "cornicen.apps.cli", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        told = process.stderr.readline()
        keeper = KeeperStandIn(made["home"], made["project"]["id"], status=waiting(70, 7, 0))
        out, err = process.communicate(timeout=60)
    keeper.close()
    assert (process.returncode, told, err) == (0, "No keeper answers; waiting for it to be started again.\n", "")
    assert out == "1 records taken, 0 rejected.\n"
    assert len(keeper.asked) == 3


def test_a_keeper_that_dies_while_it_loads_is_waited_for_too(served, made, arguments, monkeypatch, capsys):
    first = KeeperStandIn(made["home"], made["project"]["id"], status=waiting(70))
    again = []

    def between(_seconds):
        if not again and len(first.asked) > 1:
            first.close()
            again.append(None)
        elif again == [None]:
            again[0] = KeeperStandIn(made["home"], made["project"]["id"], status=waiting(7, 0))

    monkeypatch.setattr(loading.time, "sleep", between)
    assert run(arguments) == 0
    again[0].close()
    assert capsys.readouterr().err.count("No keeper answers") == 1


def test_a_keeper_that_never_comes_ends_it_and_everything_is_said_to_be_safe(served, arguments, monkeypatch, capsys):
    monkeypatch.setattr(loading, "PATIENCE", 0.0)
    assert run([*arguments, "--json"]) == 3
    error = json.loads(capsys.readouterr().err)["error"]
    assert error["code"] == "not_running"
    assert "safe at the door" in error["what"]
    assert "the same command" in error["fix"]
    assert len(served.came) == 1
    assert run([*arguments, "--json"]) == 3
    assert len(served.came) == 1


def test_nobody_is_waited_for_where_nothing_serves_the_home_any_more(served, made, arguments, monkeypatch, capsys):
    monkeypatch.setattr(loading, "PATIENCE", 0.0)
    assert run(arguments) == 3
    (Home.find(made["home"]).run_folder / "up.json").unlink()
    monkeypatch.setattr(loading, "PATIENCE", 1e9)
    assert run(arguments) == 3
    assert "Nothing serves" in capsys.readouterr().err.replace("\n", " ")
