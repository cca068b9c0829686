import pytest

from cornicen.errors import BadSetting
from cornicen.flows.projects.settings import check
from cornicen.integrations import found
from cornicen.integrations.onesignal import MANIFEST

APP, KEY = "65c10914-0000-4000-8000-00000000abcd", "os_v2_app_secret"


def destination(key=KEY, **settings):
    return MANIFEST.destination({"app_id": APP, **settings}, {"api_key": key})


def test_what_is_not_given_has_its_default():
    out = destination()
    assert (out.rate, out.connections, out.longest_answer) == (500, 20, 100)
    assert out.probe().url == f"https://api.onesignal.com/apps/{APP}?view=config"


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"app_id": "no uuid"}, "`app_id` must be a UUID"),
        ({"rate": 801}, "`rate` must be a number from 1 to 800"),
        ({"rate": 0}, "`rate` must be a number from 1 to 800"),
        ({"rate": "fast"}, "`rate` must be a number from 1 to 800"),
        ({"rate": True}, "`rate` must be a number from 1 to 800"),
        ({"connections": 0}, "`connections` must be a number from 1"),
        ({"longest_answer": 0}, "`longest_answer` must be a number from 1"),
        ({"base_url": "http://api.example.com"}, "`base_url` may use http only on this machine"),
        ({"base_url": "ftp://127.0.0.1"}, "`base_url` must be an https address"),
        ({"base_url": "https://"}, "`base_url` must be an https address"),
        ({"base_url": "https://me:pass@example.com"}, "`base_url` must be an https address"),
        ({"base_url": f"https://{'a' * 70}.example"}, "`base_url` must be an https address"),
        ({"base_url": "https://example.com:99999"}, "`base_url` must be an https address"),
    ],
)
def test_a_wrong_setting_is_named_with_its_bound(settings, named):
    with pytest.raises(BadSetting, match=named):
        destination(**settings)


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "schlüssel"])
def test_a_wrong_key_is_never_repeated(key):
    with pytest.raises(BadSetting) as raised:
        destination(key)
    assert not key or key not in str(raised.value)


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:8600", "http://localhost:8600/", "http://[::1]:8600/api/v1", "https://example.com"]
)
def test_http_is_allowed_on_this_machine_and_https_anywhere(address):
    assert destination(base_url=address).probe().url == f"{address.rstrip('/')}/apps/{APP}?view=config"


def test_the_manifest_is_found_and_says_what_the_rate_costs():
    manifest = found()["onesignal"]
    assert manifest is MANIFEST
    settings = {setting.name: setting for setting in manifest.settings}
    assert settings["api_key"].secret
    assert "3 min 20 s" in settings["rate"].help
    assert 100_000 / settings["rate"].default == 200


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"recipient": "onesignal_id", "create_missing": "true"}, ("onesignal_id", True)),
        ({"create_missing": False}, ("external_id", False)),
        ({}, ("external_id", False)),
    ],
    ids=["from the command line", "from YAML", "left out"],
)
def test_choices_and_flags_are_read_from_texts_and_yaml(tmp_path, given, kept):
    whole = {"app_id": APP, "api_key": "env:KEY", **given}
    checked = check(MANIFEST, whole, tmp_path, {"KEY": KEY})
    assert not checked.faults
    assert (checked.settings["recipient"], checked.settings["create_missing"]) == kept
    MANIFEST.destination(checked.settings, checked.secrets)


@pytest.mark.parametrize("given", [{"recipient": "email"}, {"create_missing": "yes"}, {"create_missing": 1}])
def test_a_word_that_is_no_choice_is_a_fault_of_its_setting(tmp_path, given):
    checked = check(MANIFEST, {"app_id": APP, "api_key": "env:KEY", **given}, tmp_path, {"KEY": KEY})
    assert [fault.path for fault in checked.faults] == list(given)
