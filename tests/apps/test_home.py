import re
import stat
from dataclasses import fields

import pytest

from cornicen.apps.addresses import origin, place
from cornicen.apps.clock import FileClock, clock_of
from cornicen.apps.home import TEMPLATE, Home, Settings
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
        "cornicen.toml: spool_bytes",
        "cornicen.toml: keeper_memory",
    ]
    assert "schedule" in caught.value.faults[0].fix


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('listen_capture = "8585"', "no place to listen at"),
        ('listen_capture = "host:70000"', "no place to listen at"),
        ('listen_console = "::1:8585"', "no place to listen at"),
        ("listen_console = 8585", "must be a str"),
        ('public_url = "events.example.com"', "no public address"),
        ('public_url = "https://events.example.com/mixpanel"', "no public address"),
        ('public_url = "https://user:pass@events.example.com"', "no public address"),
        ('public_url = "https://events.example.com:port"', "no public address"),
        ('trusted_proxies = "10.0.0.1"', "must be a list"),
        ('trusted_proxies = ["10.0.0.1/8"]', "no address or network"),
        ("trusted_proxies = [5]", "no address or network"),
        ('trusted_proxies = ["*"]', "no address or network"),
    ],
)
def test_an_address_that_cannot_be_meant_is_refused(tmp_path, line, told):
    Home.make(tmp_path)
    (tmp_path / "cornicen.toml").write_text(line)
    with pytest.raises(BadFolder) as caught:
        Home.find(tmp_path)
    [fault] = caught.value.faults
    assert fault.path == f"cornicen.toml: {line.split()[0]}"
    assert told in fault.what


def test_addresses_are_read_as_they_are_written(tmp_path):
    Home.make(tmp_path)
    proxies = 'trusted_proxies = ["::1", "10.0.0.0/24"]'
    text = f'listen_capture = "[::]:80"\npublic_url = "https://e.example.com:444/"\n{proxies}\n'
    (tmp_path / "cornicen.toml").write_text(text)
    settings = Home.find(tmp_path).settings
    assert place(settings.listen_capture) == ("::", 80)
    assert place(settings.listen_capture).origin == "http://[::1]:80"
    assert origin(settings.public_url) == "https://e.example.com:444"
    assert settings.trusted_proxies == ("::1", "10.0.0.0/24")


def test_the_template_shows_every_setting_with_its_default(tmp_path):
    lines = re.findall(r"^# (\w+ = .+)$", TEMPLATE, re.MULTILINE)
    Home.make(tmp_path, "\n".join(lines))
    assert Home.find(tmp_path).settings == Settings()
    assert {line.split()[0] for line in lines} == {field.name for field in fields(Settings)} - {"clock"}


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
