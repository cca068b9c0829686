"""A home, a keeper in this process, and the command line."""

import json

import pytest
from keeper_standin import KeeperStandIn

from cornicen.apps.cli.running import run


@pytest.fixture
def made(tmp_path, capsys):
    assert run(["init", str(tmp_path / "home"), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def keeper(made):
    """Starts a keeper with its answers."""
    started = []

    def starting(**answers):
        started.append(KeeperStandIn(made["home"], made["project"]["id"], **answers))
        return started[-1]

    yield starting
    for one in started:
        one.close()


@pytest.fixture
def command(made, capsys):
    def commanding(*arguments):
        code = run([*map(str, arguments), "--home", made["home"]])
        out, err = capsys.readouterr()
        return code, out, err

    return commanding
