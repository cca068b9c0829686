"""``cornicen sync audit-file``: finds a run's list, or says why there is none."""

import pytest

from cornicen.apps import build
from cornicen.apps.cli.options import Where
from cornicen.apps.cli.sync_audit import audit_file, differs
from cornicen.apps.home import Home
from cornicen.errors import NotFound
from cornicen.flows.records import Connection, Project, Sync


@pytest.fixture
def where(tmp_path):
    home = Home.make(tmp_path / "home")
    state = build.state(home)
    state.projects.add(Project("p", "shop", "t"))
    state.connections.put(Connection("c", "p", "app", "onesignal"))
    state.syncs.put(Sync("5" * 32, "p", "big", "c"))
    state.close()
    home.audits_folder.mkdir()
    (home.audits_folder / "7.csv.gz").write_bytes(b"x")
    return Where(home=home.path)


def test_the_file_of_a_run_is_named(where, capsys):
    assert audit_file("7", where=where) == 0
    assert capsys.readouterr().out == f"{where.home / 'runs' / '7.csv.gz'}\n"


@pytest.mark.parametrize(("run", "said"), [("8", "has no audit file"), ("big", "has not run yet"), ("none", "no sync of none")])
def test_where_there_is_none_it_says_why(where, run, said):
    with pytest.raises(NotFound, match=said):
        audit_file(run, where=where)


def test_one_person_is_not_spoken_of_as_many():
    assert differs(1, "id") == "1 person has a $user_id that differs from id."
    assert differs(2000, "id") == "2,000 persons have a $user_id that differs from id."
