import pytest
from cryptography.fernet import Fernet

from cornicen.apps import build
from cornicen.apps.home import Home
from cornicen.errors import BadFolder, BadSetting
from cornicen.flows.records import Project
from cornicen.state.opening import open_state


@pytest.fixture
def url(postgres):
    made = postgres.database()
    yield made
    postgres.drop(made)


def test_a_home_that_names_a_database_keeps_its_state_there(url, tmp_path):
    home = Home.make(tmp_path / "home", 'database = "file:database"\n')
    (home.path / "database").write_text(url.replace("postgresql+psycopg:", "postgresql:") + "\n")
    state = build.state(home)
    state.projects.add(Project("p" * 32, "shop", "token"))
    state.close()
    other = open_state(url, home.key)
    assert [project.name for project in other.projects.all()] == ["shop"]
    other.close()
    assert not home.state_path.exists()


def test_a_home_that_names_none_keeps_its_state_in_a_file(tmp_path):
    home = Home.make(tmp_path / "home")
    build.state(home).close()
    assert home.state_path.exists()


def test_a_url_in_the_settings_themselves_is_refused_and_not_repeated(tmp_path):
    with pytest.raises(BadFolder) as caught:
        Home.make(tmp_path / "home", 'database = "postgresql://me:hunter2@host/db"\n')
    assert "env:NAME" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("given", ["", "mysql://me:hunter2@host/db", "hunter2"])
def test_a_reference_that_leads_to_no_postgresql_url_says_so_and_repeats_nothing(tmp_path, given):
    home = Home.make(tmp_path / "home", 'database = "env:CORNICEN_TEST_DATABASE"\n')
    with pytest.raises(BadSetting, match="database") as caught:
        home.state_database({"CORNICEN_TEST_DATABASE": given})
    assert "hunter2" not in str(caught.value)


def test_a_database_that_does_not_answer_is_named_without_its_password(tmp_path, postgres):
    from cornicen.errors import Unavailable

    with pytest.raises(Unavailable) as caught:
        open_state(f"postgresql://me:hunter2@/nothing?host={tmp_path}", Fernet.generate_key())
    assert "hunter2" not in str(caught.value)
