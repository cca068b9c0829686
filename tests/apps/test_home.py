import stat

import pytest

from cornicen.apps.clock import FileClock, clock_of
from cornicen.apps.home import Home
from cornicen.errors import BadFolder, BadSetting, NotFound


def test_a_made_home_is_found_again_with_its_settings(tmp_path):
    made = Home.make(tmp_path / "home", "schedule = false\n")
    assert Home.find(tmp_path / "home") == made
    assert made.settings.schedule is False


def test_making_a_home_twice_is_refused_and_changes_nothing(tmp_path):
    key = Home.make(tmp_path).key
    with pytest.raises(BadSetting, match="already"):
        Home.make(tmp_path)
    assert Home.find(tmp_path).key == key


def test_the_key_is_readable_by_its_owner_alone(tmp_path):
    home = Home.make(tmp_path)
    assert stat.S_IMODE((home.path / "secret.key").stat().st_mode) == 0o600


def test_a_folder_that_is_no_home_says_how_to_make_one(tmp_path):
    with pytest.raises(NotFound, match="cornicen init"):
        Home.find(tmp_path)


def test_all_wrong_settings_are_named_at_once_with_a_suggestion(tmp_path):
    Home.make(tmp_path)
    (tmp_path / "cornicen.toml").write_text("shedule = true\nspool_bytes = 5\nkeeper_memory = 3\n")
    with pytest.raises(BadFolder) as caught:
        Home.find(tmp_path)
    assert [fault.path for fault in caught.value.faults] == [
        "cornicen.toml: shedule",
        "cornicen.toml: keeper_memory",
        "cornicen.toml: spool_bytes",
    ]
    assert "schedule" in caught.value.faults[0].fix


def test_a_settings_file_that_is_no_toml_says_where(tmp_path):
    Home.make(tmp_path)
    (tmp_path / "cornicen.toml").write_text("schedule = \n")
    with pytest.raises(BadFolder, match="line 1"):
        Home.find(tmp_path)


def test_a_deep_home_has_a_socket_path_that_the_system_takes(tmp_path):
    home = Home.make(tmp_path / ("deep" * 20) / ("deeper" * 20))
    assert len(str(home.socket("a" * 32))) <= 100
    assert home.socket("a" * 32) != home.socket("b" * 32)


def test_a_clock_file_is_turned_for_everyone_who_mapped_it(tmp_path):
    FileClock.set(tmp_path / "clock", 5)
    one, other = clock_of(str(tmp_path / "clock")), clock_of(str(tmp_path / "clock"))
    FileClock.set(tmp_path / "clock", 7)
    assert one.now() == other.now() == 7


def test_a_missing_clock_file_is_a_clear_error(tmp_path):
    with pytest.raises(BadSetting, match="does not exist"):
        clock_of(str(tmp_path / "clock"))


def test_a_deep_folder_for_temporary_files_does_not_make_the_socket_path_too_long(tmp_path, monkeypatch):
    deep = tmp_path / ("deep" * 20) / ("deeper" * 20)
    deep.mkdir(parents=True)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(deep))
    assert len(str(Home.make(deep / "home").socket("a" * 32))) <= 100
